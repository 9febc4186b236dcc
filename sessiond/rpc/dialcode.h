/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Countries and their dial codes, as the misc routes know them (contract rest-b 5.6). Any thread. */
#ifndef SESSIOND_RPC_DIALCODE_H
#define SESSIOND_RPC_DIALCODE_H

#include <stddef.h>

/* Digits of the dial code for "US", "us", "+1" or "1"; NULL: unknown country. room holds them if they are the caller's own. */
const char *dialcode_of(const char *country, char room[static 5]);
/* ISO code of a number's country; NULL: not in the table. */
const char *dialcode_country(const char *digits);
/* A number as callers write it: "00" and "+" mean the code is there, leading zeros are replaced by it, other numbers keep what they have
 * unless a country was given. Length of the digits, -1: no phone number (fewer than 5 or more than 15). */
int dialcode_number(const char *text, const char *country, const char *default_code, char out[static 24]);

#endif

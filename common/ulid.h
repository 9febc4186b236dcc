/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ULIDs: 26 characters, sortable by time, without a coordinator.
 *
 *     01JDABCDEF  0123456789ABCDEF     48 bits of milliseconds, 80 random bits, Crockford's base 32
 */
#ifndef COMMON_ULID_H
#define COMMON_ULID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ULID_LENGTH = 26, ULID_RANDOM_BYTES = 10 };

/* Of a time and given random bytes. Terminated. */
void ulid_format(int64_t time_ms, const uint8_t random[ULID_RANDOM_BYTES], char out[ULID_LENGTH + 1]);
/* Of now and the kernel's random source (getrandom). Any thread. */
void ulid_new(char out[ULID_LENGTH + 1]);
/* True for 26 characters of the alphabet, any case, that do not overflow; *time_ms may be NULL. */
bool ulid_parse(const char *text, int64_t *time_ms);

#endif

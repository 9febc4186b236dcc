/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The recipients of a send request (contract rest-a 1.8, D2): text, JSON array text, or (nested) arrays become a list of JIDs.
 *
 *     "0812-345, 120363..@g.us"   ["62812", ["1@lid"]]   "[\"62812\"]"   ->   ["62812345@s.whatsapp.net", "120363..@g.us"] ...
 *
 * Texts without digits are dropped, duplicates too, order is kept; an address that cannot be one refuses the whole list.
 */
#ifndef FCGI_RECIPIENTS_H
#define FCGI_RECIPIENTS_H

#include "common/arena.h"
#include "common/buf.h"
#include "fcgi/json.h"

/* Writes a JSON array. 0, or -1 when nothing valid is there, something is refused, or there are more than max different ones. */
int recipients_write(struct arena *a, const char *country_code, const struct json *value, size_t max, struct buf *out);
/* The same for places where one recipient is meant: writes its JID as a JSON string. 0, or -1 unless there is exactly one. */
int recipients_write_one(struct arena *a, const char *country_code, const struct json *value, struct buf *out);

#endif

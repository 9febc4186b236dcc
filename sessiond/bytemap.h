/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bounded hash table from byte strings to values of one fixed size.
 *
 * The guards, the login lockout, the key cache and the session registry look
 * things up by text that comes from outside, so the hash is keyed with random
 * bytes and the number of entries has a bound.
 *
 * Entries are allocated one by one and never move: a pointer to a value stays
 * good until that entry is removed. Not thread-safe; one owner.
 */
#ifndef WAREST_SESSIOND_BYTEMAP_H
#define WAREST_SESSIOND_BYTEMAP_H

#include <stdbool.h>
#include <stddef.h>

struct bytemap;

/* Makes a table for values of value_size bytes and at most max_entries
 * entries. Returns NULL without memory. */
struct bytemap *bytemap_new(size_t value_size, size_t max_entries);

/* Frees the table and its entries (not what values point to); NULL is fine. */
void bytemap_free(struct bytemap *map);

/* The value stored under key, or NULL. */
void *bytemap_get(const struct bytemap *map, const void *key, size_t key_len);

/* The value stored under key, made of zero bytes if it was not there.
 * NULL when the table is full or memory is short. */
void *bytemap_put(struct bytemap *map, const void *key, size_t key_len);

/* Removes key; true if it was there. */
bool bytemap_remove(struct bytemap *map, const void *key, size_t key_len);

/* Called for each entry; true removes it. Must not touch the table. */
typedef bool (*bytemap_visit)(const void *key, size_t key_len, void *value, void *arg);

/* Visits every entry, in no order; returns how many were removed. */
size_t bytemap_each(struct bytemap *map, bytemap_visit visit, void *arg);

/* How many entries there are. */
size_t bytemap_count(const struct bytemap *map);

#endif

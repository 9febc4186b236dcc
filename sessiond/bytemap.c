/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounded hash table keyed by byte strings, SipHash-1-3 with a random key. */
#include "sessiond/bytemap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct entry {
	struct entry *next; /* owned by the bucket */
	uint64_t hash;
	size_t key_len;
	unsigned char *value; /* inside this allocation, behind the key */
	unsigned char key[];
};

struct bytemap {
	struct entry **buckets; /* owned */
	size_t bucket_count;    /* a power of two */
	size_t count;
	size_t max_entries;
	size_t value_size;
	uint64_t seed[2];
};

enum { FIRST_BUCKETS = 16, VALUE_ALIGN = 16 };

static uint64_t rotl(uint64_t x, unsigned b)
{
	return (x << b) | (x >> (64u - b));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

static uint64_t sip_hash(const uint64_t seed[2], const unsigned char *in, size_t len)
{
	uint64_t v[4] = {seed[0] ^ 0x736f6d6570736575ULL, seed[1] ^ 0x646f72616e646f6dULL,
					 seed[0] ^ 0x6c7967656e657261ULL, seed[1] ^ 0x7465646279746573ULL};
	uint64_t word;
	size_t left = len;

	for (; left >= 8; left -= 8, in += 8) {
		memcpy(&word, in, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56;
	for (size_t i = 0; i < left; i++) {
		word |= (uint64_t)in[i] << (8 * i);
	}
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++) {
		sip_round(v);
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct bytemap *bytemap_new(size_t value_size, size_t max_entries)
{
	struct bytemap *map = calloc(1, sizeof *map);

	if (map == NULL) {
		return NULL;
	}
	map->buckets = calloc(FIRST_BUCKETS, sizeof *map->buckets);
	if (map->buckets == NULL ||
		getrandom(map->seed, sizeof map->seed, 0) != (ssize_t)sizeof map->seed) {
		free(map->buckets);
		free(map);
		return NULL;
	}
	map->bucket_count = FIRST_BUCKETS;
	map->max_entries = max_entries;
	map->value_size = value_size;
	return map;
}

void bytemap_free(struct bytemap *map)
{
	if (map == NULL) {
		return;
	}
	for (size_t i = 0; i < map->bucket_count; i++) {
		struct entry *e = map->buckets[i];
		while (e != NULL) {
			struct entry *next = e->next;
			free(e);
			e = next;
		}
	}
	free(map->buckets);
	free(map);
}

static struct entry **find(const struct bytemap *map, uint64_t hash, const void *key,
						   size_t key_len)
{
	struct entry **at = &map->buckets[hash & (map->bucket_count - 1)];

	while (*at != NULL && ((*at)->hash != hash || (*at)->key_len != key_len ||
						   (key_len > 0 && memcmp((*at)->key, key, key_len) != 0))) {
		at = &(*at)->next;
	}
	return at;
}

void *bytemap_get(const struct bytemap *map, const void *key, size_t key_len)
{
	struct entry *e = *find(map, sip_hash(map->seed, key, key_len), key, key_len);

	return e != NULL ? e->value : NULL;
}

/* Growing is an optimisation: without memory the old buckets stay. */
static void grow(struct bytemap *map)
{
	size_t count = map->bucket_count * 2;
	struct entry **buckets = calloc(count, sizeof *buckets);

	if (buckets == NULL) {
		return;
	}
	for (size_t i = 0; i < map->bucket_count; i++) {
		struct entry *e = map->buckets[i];
		while (e != NULL) {
			struct entry *next = e->next;
			struct entry **at = &buckets[e->hash & (count - 1)];
			e->next = *at;
			*at = e;
			e = next;
		}
	}
	free(map->buckets);
	map->buckets = buckets;
	map->bucket_count = count;
}

void *bytemap_put(struct bytemap *map, const void *key, size_t key_len)
{
	uint64_t hash = sip_hash(map->seed, key, key_len);
	struct entry **at = find(map, hash, key, key_len);
	size_t value_at = 0;
	struct entry *e;

	if (*at != NULL) {
		return (*at)->value;
	}
	if (map->count >= map->max_entries || key_len > SIZE_MAX / 2) {
		return NULL;
	}
	value_at = (sizeof *e + key_len + VALUE_ALIGN - 1) / VALUE_ALIGN * VALUE_ALIGN;
	e = calloc(1, value_at + map->value_size);
	if (e == NULL) {
		return NULL;
	}
	e->hash = hash;
	e->key_len = key_len;
	e->value = (unsigned char *)e + value_at;
	if (key_len > 0) {
		memcpy(e->key, key, key_len);
	}
	*at = e;
	map->count++;
	if (map->count > map->bucket_count) {
		grow(map);
	}
	return e->value;
}

bool bytemap_remove(struct bytemap *map, const void *key, size_t key_len)
{
	struct entry **at = find(map, sip_hash(map->seed, key, key_len), key, key_len);
	struct entry *e = *at;

	if (e == NULL) {
		return false;
	}
	*at = e->next;
	free(e);
	map->count--;
	return true;
}

size_t bytemap_each(struct bytemap *map, bytemap_visit visit, void *arg)
{
	size_t removed = 0;

	for (size_t i = 0; i < map->bucket_count; i++) {
		struct entry **at = &map->buckets[i];
		while (*at != NULL) {
			struct entry *e = *at;
			if (visit(e->key, e->key_len, e->value, arg)) {
				*at = e->next;
				free(e);
				map->count--;
				removed++;
			} else {
				at = &e->next;
			}
		}
	}
	return removed;
}

size_t bytemap_count(const struct bytemap *map)
{
	return map->count;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The keys of app state that the phone shared. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "common/mem.h"
#include "sessiond/wa/appstate_apply.h"

void appstate_keyring_read(struct appstate_keyring *ring, struct span record)
{
	struct reader r = reader_of(record.p, record.n);

	*ring = (struct appstate_keyring){ 0 };
	while (r.ok && r.left > 0) {
		struct span id = read_span(&r, read_u8(&r));
		struct span data = read_span(&r, APPSTATE_KEY_BYTES);
		uint64_t time = read_be64(&r);

		if (r.ok)
			appstate_keyring_add(ring, id, data, (int64_t)time);
	}
}

void appstate_keyring_write(const struct appstate_keyring *ring, struct buf *out)
{
	for (size_t i = 0; i < ring->n; i++) {
		const struct appstate_key *key = &ring->keys[i];

		buf_u8(out, (uint8_t)key->id_len);
		buf_append(out, key->id, key->id_len);
		buf_append(out, key->data, sizeof key->data);
		buf_be64(out, (uint64_t)key->time);
	}
}

static void drop(struct appstate_keyring *ring, size_t at)
{
	memmove(&ring->keys[at], &ring->keys[at + 1], (ring->n - at - 1) * sizeof *ring->keys);
	ring->n--;
}

static size_t oldest(const struct appstate_keyring *ring)
{
	size_t at = 0;

	for (size_t i = 1; i < ring->n; i++)
		if (ring->keys[i].time < ring->keys[at].time)
			at = i;
	return at;
}

bool appstate_keyring_add(struct appstate_keyring *ring, struct span id, struct span data, int64_t time)
{
	const struct appstate_key *known = appstate_keyring_find(ring, id);
	struct appstate_key *key;

	if (id.n == 0 || id.n > APPSTATE_KEY_ID_MAX || data.n != APPSTATE_KEY_BYTES)
		return false;
	if (known != NULL && known->time >= time)
		return false;
	if (known != NULL)
		drop(ring, (size_t)(known - ring->keys));
	else if (ring->n == APPSTATE_KEYS_MAX)
		drop(ring, oldest(ring));
	ring->keys = xrealloc(ring->keys, (ring->n + 1) * sizeof *ring->keys);
	key = &ring->keys[ring->n++];
	*key = (struct appstate_key){ .id_len = id.n, .time = time };
	memcpy(key->id, id.p, id.n);
	memcpy(key->data, data.p, data.n);
	return true;
}

const struct appstate_key *appstate_keyring_find(const struct appstate_keyring *ring, struct span id)
{
	for (size_t i = 0; i < ring->n; i++)
		if (span_equal(span_of(ring->keys[i].id, ring->keys[i].id_len), id))
			return &ring->keys[i];
	return NULL;
}

const struct appstate_key *appstate_keyring_newest(const struct appstate_keyring *ring)
{
	const struct appstate_key *newest = NULL;

	for (size_t i = 0; i < ring->n; i++)
		if (newest == NULL || ring->keys[i].time >= newest->time)
			newest = &ring->keys[i];
	return newest;
}

void appstate_keyring_free(struct appstate_keyring *ring)
{
	if (ring->keys != NULL)
		OPENSSL_cleanse(ring->keys, ring->n * sizeof *ring->keys);
	free(ring->keys);
	*ring = (struct appstate_keyring){ 0 };
}

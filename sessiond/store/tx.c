/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building transactions: ops, copies, sealed values. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/store/private.h"

struct store_tx *store_tx_new(struct store *store)
{
	struct store_tx *tx = xcalloc(1, sizeof *tx);

	tx->store = store;
	arena_init(&tx->arena, 0);
	tx->end = &tx->first;
	return tx;
}

void store_tx_free(struct store_tx *tx)
{
	if (tx == NULL)
		return;
	arena_free(&tx->arena);
	free(tx);
}

void store_tx_chain(struct store_tx *tx, struct store_chain *chain)
{
	tx->chain = chain;
}

bool store_tx_is_empty(const struct store_tx *tx)
{
	return tx->first == NULL;
}

void *tx_op_add(struct store_tx *tx, size_t size, int (*apply)(struct store_tx *tx, struct db *db, struct tx_op *op))
{
	struct tx_op *op = arena_alloc(&tx->arena, size);

	op->apply = apply;
	*tx->end = op;
	tx->end = &op->next;
	return op;
}

const char *tx_text(struct store_tx *tx, const char *text)
{
	return text == NULL ? NULL : arena_strdup(&tx->arena, text);
}

struct span tx_bytes(struct store_tx *tx, struct span bytes)
{
	return bytes.p == NULL ? bytes : span_of(arena_dup(&tx->arena, bytes.p, bytes.n), bytes.n);
}

/*
 * A nonce for the next value: random for the first value of a tx, counted on for the others (random bytes cost more than the
 * cipher). 2^32 values in one tx are out of reach.
 */
static int next_nonce(struct store_tx *tx)
{
	if (!tx->has_nonce) {
		tx->has_nonce = true;
		return crypto_random(tx->nonce, sizeof tx->nonce);
	}
	for (size_t i = sizeof tx->nonce; i-- > sizeof tx->nonce - 4;) {
		if (++tx->nonce[i] != 0)
			break;
	}
	return CRYPTO_OK;
}

struct span tx_seal(struct store_tx *tx, const struct sealer *sealer, struct span aad, struct span plain)
{
	uint8_t *out;

	if (plain.p == NULL)
		return plain;
	if (aad.p == NULL || plain.n > SIZE_MAX - SEAL_OVERHEAD) {
		tx->error = STORE_CONSTRAINT;
		return span_of(NULL, 0);
	}
	out = arena_alloc(&tx->arena, plain.n + SEAL_OVERHEAD);
	if (next_nonce(tx) != CRYPTO_OK || sealer_seal_with(sealer, tx->nonce, aad.p, aad.n, plain.p, plain.n, out) != CRYPTO_OK)
		tx->error = STORE_SEAL;
	return span_of(out, plain.n + SEAL_OVERHEAD);
}

int seal_open(const struct sealer *sealer, struct span aad, struct span sealed, struct arena *arena, struct span *plain)
{
	uint8_t *out;

	*plain = span_of(NULL, 0);
	if (sealed.p == NULL)
		return 0;
	if (aad.p == NULL || sealed.n < SEAL_OVERHEAD)
		return STORE_SEAL;
	/* One byte more: an empty value needs an address, and texts their end. */
	out = arena_alloc(arena, sealed.n - SEAL_OVERHEAD + 1);
	if (sealer_open(sealer, aad.p, aad.n, sealed.p, sealed.n, out) != CRYPTO_OK)
		return STORE_SEAL;
	*plain = span_of(out, sealed.n - SEAL_OVERHEAD);
	return 0;
}

void aad_start(struct aad *aad, char what)
{
	aad->bytes[0] = (uint8_t)what;
	aad->len = 1;
}

void aad_int(struct aad *aad, int64_t value)
{
	for (int shift = 56; shift >= 0 && aad->len < AAD_MAX; shift -= 8)
		aad->bytes[aad->len++] = (uint8_t)((uint64_t)value >> shift);
}

/* A name that does not fit must not be cut: two rows would share it. */
void aad_text(struct aad *aad, const char *text)
{
	size_t len = strlen(text) + 1;

	if (aad->len > AAD_MAX || len > AAD_MAX - aad->len) {
		aad->len = AAD_MAX + 1;
		return;
	}
	memcpy(aad->bytes + aad->len, text, len);
	aad->len += len;
}

struct span aad_span(const struct aad *aad)
{
	return aad->len > AAD_MAX ? span_of(NULL, 0) : span_of(aad->bytes, aad->len);
}

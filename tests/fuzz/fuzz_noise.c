/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, whoever sits between us and the server (or plays the server) can crash the daemon before it is authenticated. */
#include <stdlib.h>
#include <string.h>

#include "sessiond/wa/frame.h"
#include "sessiond/wa/handshake.h"
#include "sessiond/wa/proto/handshake.pb-c.h"
#include "sessiond/wa/proto_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct curve_pair pair_of(uint8_t seed)
{
	struct curve_pair pair;
	uint8_t random[CURVE_KEY_LEN];

	memset(random, seed, sizeof random);
	if (curve_pair_from_random(random, &pair) != 0)
		abort();
	return pair;
}

/* A hello as a server with real keys would make it, with `chain` as its certificates. */
static void make_hello(const struct curve_pair *client, struct span chain, struct buf *out)
{
	struct curve_pair ephemeral = pair_of(3), fixed = pair_of(4);
	struct buf encrypted_static = { 0 }, encrypted_chain = { 0 };
	Wa__HandshakeMessage message = WA__HANDSHAKE_MESSAGE__INIT;
	Wa__ServerHello hello = WA__SERVER_HELLO__INIT;
	struct noise noise;

	if (noise_start(&noise, span_of(frame_prologue, FRAME_PROLOGUE_LEN)) != 0 ||
	    noise_mix_hash(&noise, span_of(client->public_key, CURVE_KEY_LEN)) != 0 ||
	    noise_mix_hash(&noise, span_of(ephemeral.public_key, CURVE_KEY_LEN)) != 0 ||
	    noise_mix_agreement(&noise, ephemeral.private_key, client->public_key) != 0 ||
	    noise_encrypt(&noise, span_of(fixed.public_key, CURVE_KEY_LEN), &encrypted_static) != 0 ||
	    noise_mix_agreement(&noise, fixed.private_key, client->public_key) != 0 || noise_encrypt(&noise, chain, &encrypted_chain) != 0)
		abort();
	hello.has_ephemeral = hello.has_static_ = hello.has_payload = 1;
	hello.ephemeral = proto_data(span_of(ephemeral.public_key, CURVE_KEY_LEN));
	hello.static_ = proto_data(buf_span(&encrypted_static));
	hello.payload = proto_data(buf_span(&encrypted_chain));
	message.server_hello = &hello;
	proto_pack(out, &message.base);
	buf_free(&encrypted_static);
	buf_free(&encrypted_chain);
}

static void shake(struct span hello, const struct curve_pair *ephemeral)
{
	static const uint8_t root_key[CURVE_KEY_LEN] = { 9 };
	struct curve_pair fixed = pair_of(2);
	struct handshake_peer peer = { .noise_pair = &fixed, .root_key = root_key, .now_s = 1800000000, .payload = span_text("payload") };
	struct handshake handshake;
	struct noise_cipher *write_cipher = NULL, *read_cipher = NULL;
	struct buf out = { 0 };

	if (handshake_start(&handshake, ephemeral, &out) != 0)
		abort();
	/* Nobody can sign for this root key, so nothing may be accepted. */
	if (handshake_finish(&handshake, hello, &peer, &out, &write_cipher, &read_cipher) == 0)
		abort();
	buf_free(&out);
}

static void open_frame(const uint8_t *data, size_t size)
{
	static const uint8_t key[NOISE_KEY_LEN] = { 7 };
	struct noise_cipher *cipher = noise_cipher_new(key, false);
	struct buf frame = { 0 };
	struct span plain;

	buf_append(&frame, data, size);
	if (noise_cipher_open(cipher, frame.data, frame.len, &plain) == 0 && plain.n + NOISE_TAG_LEN != size)
		abort();
	noise_cipher_free(cipher);
	buf_free(&frame);
}

/* First byte: what the rest is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct curve_pair ephemeral = pair_of(1);
	struct buf hello = { 0 };

	if (size < 2)
		return 0;
	switch (data[0] % 3) {
	case 0:
		shake(span_of(data + 1, size - 1), &ephemeral);
		break;
	case 1:
		make_hello(&ephemeral, span_of(data + 1, size - 1), &hello);
		shake(buf_span(&hello), &ephemeral);
		break;
	default:
		open_frame(data + 1, size - 1);
		break;
	}
	buf_free(&hello);
	return 0;
}

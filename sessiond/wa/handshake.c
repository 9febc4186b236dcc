/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Noise XX with the server, see handshake.h. */
#include "sessiond/wa/handshake.h"

#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/cert.h"
#include "sessiond/wa/frame.h"
#include "sessiond/wa/proto/handshake.pb-c.h"
#include "sessiond/wa/proto_scan.h"

const char *handshake_error_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ HANDSHAKE_BROKEN, "the server's handshake message is malformed" },
		{ HANDSHAKE_CRYPTO, "the server's handshake message cannot be decrypted" },
		{ HANDSHAKE_FAILED, "the handshake failed inside the cryptographic library" },
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].error == error)
			return texts[i].text;
	return cert_error_text(error);
}

static int from_noise(int error)
{
	if (error == 0)
		return 0;
	return error == NOISE_AUTH ? HANDSHAKE_CRYPTO : HANDSHAKE_FAILED;
}

int handshake_start(struct handshake *handshake, const struct curve_pair *ephemeral, struct buf *hello)
{
	Wa__HandshakeMessage message = WA__HANDSHAKE_MESSAGE__INIT;
	Wa__ClientHello client_hello = WA__CLIENT_HELLO__INIT;
	struct noise *noise = &handshake->noise;

	handshake->ephemeral = *ephemeral;
	if (noise_start(noise, span_of(frame_prologue, FRAME_PROLOGUE_LEN)) != 0 ||
	    noise_mix_hash(noise, span_of(ephemeral->public_key, CURVE_KEY_LEN)) != 0)
		return HANDSHAKE_FAILED;
	client_hello.has_ephemeral = 1;
	client_hello.ephemeral = proto_data(span_of(ephemeral->public_key, CURVE_KEY_LEN));
	message.client_hello = &client_hello;
	proto_pack(hello, &message.base);
	return 0;
}

/* The server's part: keys agreed, its static key and certificates opened and checked. */
static int take_hello(struct handshake *handshake, const Wa__ServerHello *hello, const struct handshake_peer *peer)
{
	struct noise *noise = &handshake->noise;
	struct buf server_static = { 0 }, chain = { 0 };
	int error = HANDSHAKE_BROKEN;

	if (!hello->has_ephemeral || hello->ephemeral.len != CURVE_KEY_LEN || !hello->has_static_ || !hello->has_payload)
		goto out;
	error = HANDSHAKE_FAILED;
	if (noise_mix_hash(noise, span_of(hello->ephemeral.data, CURVE_KEY_LEN)) != 0 ||
	    noise_mix_agreement(noise, handshake->ephemeral.private_key, hello->ephemeral.data) != 0)
		goto out;
	error = from_noise(noise_decrypt(noise, proto_bytes(1, hello->static_), &server_static));
	if (error == 0 && server_static.len != CURVE_KEY_LEN)
		error = HANDSHAKE_BROKEN;
	if (error == 0)
		error = from_noise(noise_mix_agreement(noise, handshake->ephemeral.private_key, server_static.data));
	if (error == 0)
		error = from_noise(noise_decrypt(noise, proto_bytes(1, hello->payload), &chain));
	if (error == 0)
		error = cert_verify(buf_span(&chain), server_static.data, peer->root_key, peer->now_s);
out:
	buf_free(&server_static);
	buf_free(&chain);
	return error;
}

static int put_finish(struct handshake *handshake, const Wa__ServerHello *hello, const struct handshake_peer *peer, struct buf *out)
{
	Wa__HandshakeMessage message = WA__HANDSHAKE_MESSAGE__INIT;
	Wa__ClientFinish finish = WA__CLIENT_FINISH__INIT;
	struct noise *noise = &handshake->noise;
	struct buf static_key = { 0 }, payload = { 0 };
	int error = HANDSHAKE_FAILED;

	if (noise_encrypt(noise, span_of(peer->noise_pair->public_key, CURVE_KEY_LEN), &static_key) != 0 ||
	    noise_mix_agreement(noise, peer->noise_pair->private_key, hello->ephemeral.data) != 0 ||
	    noise_encrypt(noise, peer->payload, &payload) != 0)
		goto out;
	finish.has_static_ = finish.has_payload = 1;
	finish.static_ = proto_data(buf_span(&static_key));
	finish.payload = proto_data(buf_span(&payload));
	message.client_finish = &finish;
	proto_pack(out, &message.base);
	error = 0;
out:
	buf_free(&static_key);
	buf_free(&payload);
	return error;
}

static int make_ciphers(struct handshake *handshake, struct noise_cipher **write_cipher, struct noise_cipher **read_cipher)
{
	uint8_t write_key[NOISE_KEY_LEN], read_key[NOISE_KEY_LEN];
	int error = from_noise(noise_split(&handshake->noise, write_key, read_key));

	if (error == 0) {
		*write_cipher = noise_cipher_new(write_key, true);
		*read_cipher = noise_cipher_new(read_key, false);
	}
	crypto_wipe(write_key, sizeof write_key);
	crypto_wipe(read_key, sizeof read_key);
	if (error == 0 && (*write_cipher == NULL || *read_cipher == NULL)) {
		noise_cipher_free(*write_cipher);
		noise_cipher_free(*read_cipher);
		*write_cipher = *read_cipher = NULL;
		error = HANDSHAKE_FAILED;
	}
	return error;
}

int handshake_finish(struct handshake *handshake, struct span server_hello, const struct handshake_peer *peer, struct buf *finish,
                     struct noise_cipher **write_cipher, struct noise_cipher **read_cipher)
{
	struct arena arena;
	ProtobufCMessage *message;
	const Wa__ServerHello *hello = NULL;
	int error = HANDSHAKE_BROKEN;

	arena_init(&arena, 0);
	if (proto_unpack(&arena, &wa__handshake_message__descriptor, server_hello, &message) == 0)
		hello = ((const Wa__HandshakeMessage *)message)->server_hello;
	if (hello != NULL)
		error = take_hello(handshake, hello, peer);
	if (error == 0)
		error = put_finish(handshake, hello, peer, finish);
	if (error == 0)
		error = make_ciphers(handshake, write_cipher, read_cipher);
	handshake_wipe(handshake);
	arena_free(&arena);
	return error;
}

void handshake_wipe(struct handshake *handshake)
{
	crypto_wipe(handshake, sizeof *handshake);
}

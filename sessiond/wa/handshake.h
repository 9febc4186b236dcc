/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Noise XX handshake with the server, message by message:
 *
 *     -> ClientHello   our ephemeral key
 *     <- ServerHello   its ephemeral key, its static key (encrypted), its certificates (encrypted)
 *     -> ClientFinish  our static key (encrypted), the client payload (encrypted)
 */
#ifndef SESSIOND_WA_HANDSHAKE_H
#define SESSIOND_WA_HANDSHAKE_H

#include "common/buf.h"
#include "sessiond/wa/curve.h"
#include "sessiond/wa/noise.h"

struct handshake {
	struct noise noise;
	struct curve_pair ephemeral;
};

enum handshake_error {
	HANDSHAKE_OK = 0,
	HANDSHAKE_BROKEN = -100, /* the answer is no ServerHello */
	HANDSHAKE_CRYPTO = -101, /* an encrypted part does not open: not the server it claims to be, or damage on the way */
	HANDSHAKE_FAILED = -102  /* OpenSSL failed */
	/* and the values of enum cert_error */
};

const char *handshake_error_text(int error);

/* Appends ClientHello (a frame's payload). `ephemeral` is copied and used once. */
int handshake_start(struct handshake *handshake, const struct curve_pair *ephemeral, struct buf *hello);

struct handshake_peer {
	const struct curve_pair *noise_pair; /* our static key */
	const uint8_t *root_key;             /* 32 bytes */
	int64_t now_s;                       /* wall clock */
	struct span payload;                 /* serialized ClientPayload */
};

/* Takes ServerHello, appends ClientFinish and gives the transport's ciphers (owned by the caller). Wipes the handshake. */
int handshake_finish(struct handshake *handshake, struct span server_hello, const struct handshake_peer *peer, struct buf *finish,
                     struct noise_cipher **write_cipher, struct noise_cipher **read_cipher);

void handshake_wipe(struct handshake *handshake);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's certificate chain, see cert.h. */
#include "sessiond/wa/cert.h"

#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/curve.h"
#include "sessiond/wa/proto/handshake.pb-c.h"
#include "sessiond/wa/proto_scan.h"

/* The root's serial number, which the intermediate names as its issuer. */
#define ROOT_SERIAL 0U

struct cert {
	struct span details, signature; /* as signed: never re-encoded */
	Wa__CertDetails *parsed;        /* of the arena */
};

const char *cert_error_text(int error)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ CERT_BROKEN, "the server's certificate chain is malformed" },
		{ CERT_ROOT, "the server's intermediate certificate is not signed by the root key" },
		{ CERT_ISSUER, "the server's certificates do not belong together" },
		{ CERT_LEAF, "the server's certificate is not signed by the intermediate key" },
		{ CERT_KEY, "the server's certificate is for another key" },
		{ CERT_NOT_YET, "the server's certificate is not valid yet: is this machine's clock behind?" },
		{ CERT_EXPIRED, "the server's certificate has expired: is this machine's clock ahead?" },
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].error == error)
			return texts[i].text;
	return "the server's certificate chain is good";
}

static int read_cert(struct arena *arena, const Wa__NoiseCertificate *in, struct cert *out)
{
	ProtobufCMessage *message;

	if (in == NULL || !in->has_details || !in->has_signature)
		return CERT_BROKEN;
	out->details = proto_bytes(in->has_details, in->details);
	out->signature = proto_bytes(in->has_signature, in->signature);
	if (out->signature.n != CURVE_SIGNATURE_LEN || proto_unpack(arena, &wa__cert_details__descriptor, out->details, &message) != 0)
		return CERT_BROKEN;
	out->parsed = (Wa__CertDetails *)message;
	return out->parsed->has_key && out->parsed->key.len == CURVE_KEY_LEN ? 0 : CERT_BROKEN;
}

static int check_time(const Wa__CertDetails *details, int64_t now_s)
{
	uint64_t now = now_s > 0 ? (uint64_t)now_s : 0;

	if (!details->has_not_before || !details->has_not_after)
		return CERT_BROKEN;
	if (now < details->not_before)
		return CERT_NOT_YET;
	return now > details->not_after ? CERT_EXPIRED : 0;
}

static int check_chain(const struct cert *leaf, const struct cert *intermediate, const uint8_t server_static[32],
                       const uint8_t root_key[32], int64_t now_s)
{
	int error;

	if (!curve_verify(root_key, intermediate->details, intermediate->signature))
		return CERT_ROOT;
	/* An absent number reads as 0, the root's. */
	if (intermediate->parsed->issuer_serial != ROOT_SERIAL || leaf->parsed->issuer_serial != intermediate->parsed->serial)
		return CERT_ISSUER;
	if (!curve_verify(intermediate->parsed->key.data, leaf->details, leaf->signature))
		return CERT_LEAF;
	if (!crypto_equal(leaf->parsed->key.data, server_static, CURVE_KEY_LEN))
		return CERT_KEY;
	error = check_time(intermediate->parsed, now_s);
	return error != 0 ? error : check_time(leaf->parsed, now_s);
}

int cert_verify(struct span chain, const uint8_t server_static[32], const uint8_t root_key[32], int64_t now_s)
{
	struct cert leaf, intermediate;
	struct arena arena;
	ProtobufCMessage *message;
	const Wa__CertChain *parsed;
	int error = CERT_BROKEN;

	arena_init(&arena, 0);
	if (proto_unpack(&arena, &wa__cert_chain__descriptor, chain, &message) != 0)
		goto out;
	parsed = (const Wa__CertChain *)message;
	error = read_cert(&arena, parsed->intermediate, &intermediate);
	if (error == 0)
		error = read_cert(&arena, parsed->leaf, &leaf);
	if (error == 0)
		error = check_chain(&leaf, &intermediate, server_static, root_key, now_s);
out:
	arena_free(&arena);
	return error;
}

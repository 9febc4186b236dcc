/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, one message from a stranger takes the daemon down: nested too deeply, or unpacked to a thousand times its size. */
#include <stdlib.h>

#include "common/limits.h"
#include "sessiond/wa/creds.h"
#include "sessiond/wa/proto/creds.pb-c.h"
#include "sessiond/wa/proto/e2e.pb-c.h"
#include "sessiond/wa/proto/handshake.pb-c.h"
#include "sessiond/wa/proto/pairing.pb-c.h"
#include "sessiond/wa/proto/payload.pb-c.h"
#include "sessiond/wa/proto_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First byte: which message the rest is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const ProtobufCMessageDescriptor *const descriptors[] = {
		&e2e__message__descriptor,
		&wa__handshake_message__descriptor,
		&wa__cert_chain__descriptor,
		&wa__cert_details__descriptor,
		&wa__signed_device_identity_hmac__descriptor,
		&wa__signed_device_identity__descriptor,
		&wa__device_identity__descriptor,
		&wa__primary_ephemeral_identity__descriptor,
		&wa__client_payload__descriptor,
		&wa__creds__descriptor,
	};
	ProtobufCMessage *message;
	struct wa_creds creds = { 0 };
	struct arena arena;
	struct buf packed = { 0 };
	struct span bytes;

	if (size < 1)
		return 0;
	bytes = span_of(data + 1, size - 1);
	arena_init(&arena, 0);
	if (proto_unpack(&arena, descriptors[data[0] % (sizeof descriptors / sizeof descriptors[0])], bytes, &message) == 0) {
		proto_pack(&packed, message);
		buf_free(&packed);
	} else if (message != NULL) {
		abort();
	}
	/* Alignment and block heads cost a little beside the budget. */
	if (arena.used > LIMIT_WA_PROTO_HEAP + LIMIT_WA_PROTO_HEAP / 2)
		abort();
	if (creds_read(&creds, bytes) == 0)
		creds_free(&creds);
	arena_free(&arena);
	return 0;
}

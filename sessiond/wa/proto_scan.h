/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unpacking of foreign protobufs. protobuf-c recurses without a limit and its heap use has no relation to the input's size, so the
 * bytes are first walked without recursion (depth, number of fields, repeated single submessages), and then unpacked into an arena
 * under a budget. The message lives as long as the arena and is never freed by itself.
 */
#ifndef SESSIOND_WA_PROTO_SCAN_H
#define SESSIOND_WA_PROTO_SCAN_H

#include <protobuf-c/protobuf-c.h>

#include "common/arena.h"
#include "common/buf.h"

enum proto_error {
	PROTO_OK = 0,
	PROTO_BROKEN = -1,   /* not a message of this kind */
	PROTO_TOO_DEEP = -2, /* LIMIT_WA_PROTO_DEPTH */
	PROTO_TOO_BIG = -3   /* LIMIT_WA_PROTO_FIELDS or LIMIT_WA_PROTO_HEAP */
};

/* Only the walk. Unknown fields are skipped over, known submessages are entered. */
int proto_scan(const ProtobufCMessageDescriptor *descriptor, struct span bytes);

/* Walk and unpack. *out points into the arena; NULL on error. The caller casts: Wa__CertChain *chain = (Wa__CertChain *)message. */
int proto_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor, struct span bytes, ProtobufCMessage **out);

/* Appends the packed message. */
void proto_pack(struct buf *out, const ProtobufCMessage *message);

/* A bytes field; empty if it was absent. */
static inline struct span proto_bytes(protobuf_c_boolean has, ProtobufCBinaryData data)
{
	return has ? span_of(data.data, data.len) : span_of(NULL, 0);
}

/* For filling in a bytes field of a message that is only packed: borrows. */
static inline ProtobufCBinaryData proto_data(struct span bytes)
{
	return (ProtobufCBinaryData){ .len = bytes.n, .data = (uint8_t *)(uintptr_t)bytes.p };
}

#endif

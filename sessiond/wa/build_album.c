/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Albums: a message that says how many pictures and videos follow, and the mark on each of them that says to which album it belongs.
 * Source: WAProto (AlbumMessage, MessageAssociation), Baileys Utils/messages.ts.
 */
#include "sessiond/wa/build.h"

#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto_walk.h"

enum { ALBUM_IMAGES = 2, ALBUM_VIDEOS = 3 };
enum { INFO_ASSOCIATION = 10 };
enum { ASSOCIATION_TYPE = 1, ASSOCIATION_PARENT = 2, ASSOCIATION_INDEX = 3 };
enum { MEDIA_ALBUM = 1 };

void wa_build_album(struct buf *out, uint32_t images, uint32_t videos)
{
	struct buf inner = { 0 };

	if (images)
		proto_put_uint(&inner, ALBUM_IMAGES, images);
	if (videos)
		proto_put_uint(&inner, ALBUM_VIDEOS, videos);
	proto_put_bytes(out, E2E_ALBUM, buf_span(&inner));
	buf_free(&inner);
}

void wa_add_to_album(struct buf *out, struct span message, const struct wa_message_key *album, uint32_t index)
{
	struct reader r = reader_of(message.p, message.n);
	struct proto_field f;
	struct buf info = { 0 };
	struct buf association = { 0 };

	while (proto_next(&r, &f))
		buf_append_span(f.number == E2E_CONTEXT_INFO && f.wire == PROTO_BYTES ? &info : out, f.number == E2E_CONTEXT_INFO ? f.bytes : f.raw);
	proto_put_uint(&association, ASSOCIATION_TYPE, MEDIA_ALBUM);
	wa_put_message_key(&association, ASSOCIATION_PARENT, album);
	proto_put_uint(&association, ASSOCIATION_INDEX, index);
	proto_put_bytes(&info, INFO_ASSOCIATION, buf_span(&association));
	proto_put_bytes(out, E2E_CONTEXT_INFO, buf_span(&info));
	buf_free(&association);
	buf_wipe(&info);
}

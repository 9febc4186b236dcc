/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A file that was uploaded, as JSON, so that more messages can be made of it later (campaigns). From the daemon to itself only: whoever could write
 * it could make messages refer to any file. Main loop only. Private to sessiond/rpc.
 *
 *     {"name":"a.png","type":"image/png",                          the input, as it was judged
 *      "mime":"image/jpeg",                                        as it was sent
 *      "kind":1,"path":"/v/..","url":"https://..","key":"..","plainHash":"..","blobHash":"..","length":7,"keyTime":7,     the upload; base64
 *      "width":1,"height":1,"seconds":1,"animated":false,"waveform":"..","thumbnail":".."}                               the preparation
 */
#ifndef SESSIOND_RPC_MEDIA_KEPT_H
#define SESSIOND_RPC_MEDIA_KEPT_H

#include "sessiond/rpc/media_send.h"

/* Appends it. The upload is encrypted. */
void media_kept_put(struct buf *out, const struct media_send *s);
/* Fills in s->input, mime, upload.file and prepared. False: this is none. */
bool media_kept_read(struct media_send *s, struct json_object *kept);

#endif

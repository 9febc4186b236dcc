/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The picture above buttons and lists (rest-a 7.11). Main loop only. Private to sessiond/rpc.
 *
 *     member "input" (media_input.h), else INTERACTIVE_DEFAULT_IMAGE --> got --> made fit --> uploaded --> message with the image
 *
 * "input":null: none is wished for. One that cannot be had is left out: the message says what it has to say without it.
 */
#ifndef SESSIOND_RPC_HEADER_IMAGE_H
#define SESSIOND_RPC_HEADER_IMAGE_H

#include "sessiond/rpc/request.h"

/* image: what wa_build_media() made, borrowed for the call; empty: none. NULL: the session has gone and the request is answered. */
typedef void header_image_done(void *arg, const struct span *image);
/* done is called once; from inside if no picture is wished for. */
void header_image_get(struct rpc_request *request, header_image_done *done, void *arg);

#endif

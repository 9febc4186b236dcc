/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures of groups and people (contract rest-b 3.3, 4.2): got, cut to a square in the media worker, made a JPEG of 640 x 640 pixels.
 * Main loop only. Private to sessiond/rpc.
 *
 *     member "input" (media_input.h) --> media job --> bytes
 */
#ifndef SESSIOND_RPC_SQUARE_PICTURE_H
#define SESSIOND_RPC_SQUARE_PICTURE_H

#include "sessiond/rpc/request.h"

struct square_picture;

/* jpeg: borrowed for the call. Not called if there is none: then the request is answered (400/2002, 413, 503 or 500). */
typedef void square_picture_done(void *arg, struct span jpeg);
/* Never from inside. The request owns the picture (request->work or a part of it) and frees it. */
struct square_picture *square_picture_get(struct rpc_request *request, square_picture_done *done, void *arg);
void square_picture_free(struct square_picture *picture);

#endif

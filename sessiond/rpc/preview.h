/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is shown under a link in a text: the page is fetched (guarded, bounded, the way its session goes), and the picture that it names, which the caged media worker
 * makes small. Main loop only. Private to sessiond/rpc.
 */
#ifndef SESSIOND_RPC_PREVIEW_H
#define SESSIOND_RPC_PREVIEW_H

#include "sessiond/rpc/request.h"
#include "sessiond/wa/wa.h"

/* preview: borrowed for the call, NULL: there is none. */
typedef void preview_done(void *arg, const struct wa_preview *preview);

/* The preview of the first link in the text, if this request wants one. done is called once, at once or later. */
void preview_get(struct rpc_request *request, struct span text, preview_done *done, void *arg);

#endif

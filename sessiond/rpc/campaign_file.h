/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of a campaign's content: got, judged as its route will judge it, and kept in the storage. Main loop only. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_CAMPAIGN_FILE_H
#define SESSIOND_RPC_CAMPAIGN_FILE_H

#include "sessiond/rpc/request.h"

/*
 * content: {"method":"messages.send.media","p":{"input":{..},..},..} of the request's parameters. Its input becomes {"stored":key,"name":..,"type":..,
 * "size":..}; then done(arg, key) is called, never from inside; key NULL, and from inside, when the content has no file. Otherwise the request
 * has been answered, and done is not called. The file goes by itself unless a campaign holds it soon.
 */
void campaign_file_take(struct rpc_request *request, struct json_object *content, void (*done)(void *arg, const char *key), void *arg);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the end of a WebSocket connection is told: libcurl's results sorted into our reasons. Private to the folder. */
#ifndef SESSIOND_NET_WS_END_H
#define SESSIOND_NET_WS_END_H

#include <curl/curl.h>
#include <stdbool.h>

#include "sessiond/net/ws.h"

/* Cut to fit, control characters turned to spaces. */
void ws_end_text(struct ws_end *end, const char *text);
/* detail is libcurl's error text (may be empty). Does nothing if *ended is true already; sets it. */
void ws_end_from_curl(struct ws_end *end, bool *ended, CURL *easy, CURLcode result, bool proxied, const char *detail);

#endif

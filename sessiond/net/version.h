/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client version that is told to WhatsApp is data: 2.3000.N, where N stands in the web client's own page as client_revision
 * (Baileys fetchLatestWaWebVersion: /sw.js; whatsmeow GetLatestVersion: the page itself). It is looked up at most once a day, and
 * once more when the server refused the version (405), but never twice within ten minutes.
 *
 * One struct version belongs to one loop. Times are wall clock milliseconds.
 */
#ifndef SESSIOND_NET_VERSION_H
#define SESSIOND_NET_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

struct net;
struct version;

struct version_handlers {
	/* revision > 0: N as the page has it; 0: not reachable or not found, text says why. at_ms is the time of the look-up. Store both. */
	void (*checked)(void *arg, uint32_t revision, int64_t at_ms, const char *text);
	/* The proxy to ask through, NULL: none. May itself be NULL. */
	const char *(*proxy)(void *arg);
};

/*
 * origin: "https://web.whatsapp.com", see version_origin(); copied. last_ms: at_ms of the last look-up, 0 = never. The net must
 * outlive it; handlers is borrowed.
 */
struct version *version_new(struct net *net, const char *origin, int64_t last_ms, const struct version_handlers *handlers, void *arg);
void version_free(struct version **version);
/* Call now and then (each hour, say), and with rejected=true after a 405. True if a look-up has begun or is under way. */
bool version_refresh(struct version *version, int64_t now_ms, bool rejected);
/* Finds the revision in a page; 0 if there is none. */
uint32_t version_find(struct span page);
/* "wss://host:port/ws/chat" -> "https://host:port" (ws:// -> http://). NULL if it is no such address; the caller frees. */
char *version_origin(const char *ws_url);

#endif

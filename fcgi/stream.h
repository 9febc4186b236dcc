/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Server-sent events (WHATWG HTML 9.2): one request that is answered over minutes.
 *
 *     web server <-- records, flushed -- thread of warest.fcgi -- events.list, again and again --> daemon
 *
 * The next page is asked for when the last one is written: a slow client slows its own stream down and nothing is piled up. The stream
 * ends after its life is over, when the client leaves, or when this program ends; while the daemon is away it stays and tries again.
 */
#ifndef FCGI_STREAM_H
#define FCGI_STREAM_H

#include <stdbool.h>

#include "fcgi/responder.h"

/* Does this request want a stream, and does its route have one? */
bool stream_wanted(const struct request *r);
/* Serves it. q: the question of one page, with parameters. True: the answer is out (or nobody is there); false: w->answer is to be written. */
bool stream_serve(struct responder *w, struct request *r, struct question *q);

#endif

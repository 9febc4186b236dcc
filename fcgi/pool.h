/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FastCGI connections and the threads that answer them.
 *
 *     listening socket --accept--> leader --> answers the request itself
 *                                    |
 *                                    +--> the next idle thread becomes leader (or a new one is started, up to `threads`)
 *
 * One thread at a time waits for connections (the leader), so nobody is woken in vain. When every thread is busy, the overflow thread
 * leads: it accepts, queues, hands the queue to threads that come free, and answers 503 to what has waited POOL_PATIENCE_MS.
 * Requests that need no daemon (ping) are answered by it in full. Threads are started when they are needed: a process manager that
 * runs one request at a time (mod_fcgid) never sees more than the first.
 */
#ifndef FCGI_POOL_H
#define FCGI_POOL_H

#include "common/log.h"
#include "fcgi/daemon.h"
#include "fcgi/settings.h"

#define POOL_PATIENCE_MS 2000
#define POOL_QUEUE 1024
#define POOL_STACK_BYTES (256U << 10)
/* A web server that keeps silent in the middle of a request for so long has forgotten it. */
#define POOL_SILENCE_SECONDS 120

/*
 * Serves the listening socket until `stop_fd` becomes readable, then lets the running requests finish. FCGX_Init() has been called.
 * Blocks. 0, or -1 if no thread could be started.
 */
int pool_serve(int listen_fd, int stop_fd, const struct settings *settings, struct daemon_link *link, struct log log);

#endif

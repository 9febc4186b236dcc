/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FastCGI connections and the threads that answer them.
 *
 *     listening socket --> epoll set of each idle thread (EPOLLEXCLUSIVE: the kernel wakes one) --> accept, answer, idle again
 *            |
 *            +--> overflow thread, only while no thread is idle --> queue --> threads that come free, or 503 after POOL_PATIENCE_MS
 *
 * Threads are started when they are needed, up to `threads`: there is always one idle until that many run, and a process manager
 * that gives a process one request at a time (mod_fcgid) never sees more than two. The overflow thread answers what needs no daemon
 * (ping) in full.
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

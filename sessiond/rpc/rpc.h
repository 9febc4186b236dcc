/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/rpc: the local socket's server side. One request frame carries credentials, guards, choice of session and work; it
 * runs through the same steps whatever the method is:
 *
 *     frame -> parse -> key -> admin -> rate -> cooldown -> quota -> session -> work -> one answer frame
 *                        |       \________guards.c_______/      |        |
 *                      auth.c                             request.c   rpc_<resource>.c, found in one table
 *
 * Everything here lives on the main loop. Work that waits (for the database, a session, WhatsApp) keeps its struct rpc_request
 * and answers later; when the caller is gone or the time is over, its late answer goes nowhere.
 */
#ifndef SESSIOND_RPC_RPC_H
#define SESSIOND_RPC_RPC_H

#include <stddef.h>
#include <sys/types.h>

struct daemon;
struct rpc_server;

/* A server that listens nowhere yet. The daemon outlives it. */
struct rpc_server *rpc_server_new(struct daemon *daemon);
/*
 * Listens on a UNIX socket (mode 0660, owned by group unless that is (gid_t)-1) and watches that its file stays there: when
 * somebody removes it, a new one is made. Which connections are taken is decided by the peer's credentials.
 * 0 or an enum rpc_error of common/rpc.h.
 */
int rpc_server_listen(struct rpc_server *server, const char *path, gid_t group);
/* Takes no new connections and requests; new requests on open connections get 503. */
void rpc_server_drain(struct rpc_server *server);
/* How many requests wait for their answer. */
size_t rpc_server_active(const struct rpc_server *server);
/* The loop has stopped: waits for what requests have in the thread pool. */
void rpc_server_settle(struct rpc_server *server);
/* Closes every connection, removes the socket file. The loop has to run once more. */
void rpc_server_free(struct rpc_server *server);

#endif

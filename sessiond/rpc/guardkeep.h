/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps what the guards and the login lockout count over a restart: in memory first, every few seconds in the store's settings.
 *
 *     "guard.q.<hex of the key>"   "1764300000000 12 0 0"     wall-clock start and count of a window; of a lockout all four values
 *
 * Main loop only. A crash loses what was counted in the last seconds.
 */
#ifndef SESSIOND_RPC_GUARDKEEP_H
#define SESSIOND_RPC_GUARDKEEP_H

struct rpc_context;

/* Reads what was kept and goes on keeping. */
void guardkeep_start(struct rpc_context *context);
/* Keeps all there is: the process is about to end. */
void guardkeep_stop(struct rpc_context *context);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What main.c builds once and everything above the libraries shares. Borrowed everywhere; lives as long as the process.
 */
#ifndef SESSIOND_DAEMON_H
#define SESSIOND_DAEMON_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/log.h"
#include "common/timefmt.h"

struct loop;
struct timers;
struct store;
struct sessions;
struct webhooks;
struct storage;
struct guard;
struct crash;
struct net;
struct mediajobs;
struct bell;
struct call_server;
struct campaigns;
struct actions;

enum { METRICS_KINDS = 16 };

/* Counters that every loop may add to. */
struct metrics {
	atomic_llong rx_bytes, tx_bytes;     /* WebSocket payload */
	atomic_llong decrypted;              /* messages that came out of the protocol library */
	atomic_llong emitted;                /* of these, committed (journalled, or known not to be for the outside) */
	atomic_llong in_kinds[METRICS_KINDS]; /* decrypted, by enum message_kind (session/messagekind.h) */
	atomic_llong undecryptable;
	atomic_llong retries;                /* messages that somebody asked us for once more */
	atomic_llong sent, acked, send_failed;
	atomic_llong acked_kinds[METRICS_KINDS], failed_kinds[METRICS_KINDS];
	atomic_llong queued, queue_full;     /* messages that a send queue took, or had no room for */
	atomic_llong queue_retried, queue_timed_out, queue_restricted; /* attempts */
	atomic_llong events;                 /* journal rows written */
	atomic_llong commits, commit_errors;
	atomic_llong outbox_waiting;         /* rows that no ack has settled yet */
	atomic_llong rpc_requests, rpc_refused;
	atomic_llong sessions;               /* entries of the registry */
};

struct daemon {
	const struct config *config; /* borrowed */
	struct log log;
	const char *version;
	struct loop *loop;           /* the main loop */
	struct timers *timers;       /* of the main loop */
	struct store *store;
	struct sessions *sessions;
	struct webhooks *webhooks;
	struct bell *bell;           /* rung for every event that is committed; NULL: nobody listens */
	struct campaigns *campaigns;
	struct storage *storage;     /* where media rest */
	struct mediajobs *media;        /* the media worker; any thread may submit jobs */
	struct net *net;             /* of the main loop, for webhooks */
	struct crash *crash;         /* what is being decoded; NULL: not remembered */
	struct actions *actions;     /* what receivers answered */
	const struct call_server *calls; /* who does the work of the REST routes (call.h) */
	struct guard *guard;         /* who may be dialled for users */
	struct metrics metrics;
	int64_t started_mono_ms;
	/* Main loop: ends the process with this exit status after a clean stop. */
	void (*stop)(struct daemon *daemon, int exit_status);
};

#endif

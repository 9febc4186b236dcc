/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One question to warest-sessiond per request: credentials, guards, choice of session and work in one frame (common/rpc.h). */
#ifndef FCGI_DAEMON_H
#define FCGI_DAEMON_H

#include <stdatomic.h>

#include "common/log.h"
#include "common/rpc_client.h"
#include "fcgi/answer.h"
#include "fcgi/request.h"
#include "fcgi/validate.h"

/* For work that may wait for WhatsApp; below the time limits of the web server configurations in etc/ (300 s). */
#define DAEMON_SLOW_TIMEOUT_MS 290000

/* What one question asks. */
struct question {
	const char *method;      /* daemon's name of the work */
	enum auth auth;
	unsigned scope;          /* of common/scope.h; SCOPE_NONE: only keys without limits */
	unsigned guards;         /* GUARD_* */
	bool cooldown;           /* the guard applies: raw is the text of "to" */
	struct span cooldown_raw;
	const char *family;      /* of the session selector, NULL: none */
	struct choice choice;
	const char *idempotency; /* NULL: none */
	const char *route;       /* "POST /api/v1/..." */
	struct span params;      /* JSON object, empty: none */
	int64_t timeout_ms;
	bool until_stop;         /* given up when this program ends */
};

enum daemon_result {
	DAEMON_ANSWERED,
	DAEMON_AWAY,       /* down, slow, restarting: the answer holds the 503 */
	DAEMON_CLIENT_GONE /* nobody waits any more */
};

/* The way to the daemon, shared by all threads. */
struct daemon_link {
	struct rpc_pool *pool;     /* borrowed */
	int stop_fd;               /* borrowed: readable when this program ends; -1: it has other ways */
	atomic_uint streams;       /* opened so far, for their names */
	struct log log;
	atomic_bool away;          /* the last call failed */
	_Atomic int64_t logged_ms; /* when that was last written to the log */
};

struct daemon {
	struct daemon_link *link; /* borrowed; NULL: overloaded, every question is answered with 503 */
	struct buf frame;      /* owned, reused */
	struct rpc_reply reply; /* owned; answers borrow from it until the next question */
};

void daemon_link_init(struct daemon_link *link, struct rpc_pool *pool, struct log log);
void daemon_init(struct daemon *d, struct daemon_link *link);
void daemon_free(struct daemon *d);
/* Asks and fills the answer. Its texts live in the arena of the request or in d->reply. */
enum daemon_result daemon_ask(struct daemon *d, struct request *r, const struct question *q, struct answer *answer);
/* Reads an answer frame's JSON. 0, or -1 if it is not what the contract says. */
int daemon_read_answer(struct arena *a, struct span json, struct answer *answer);

#endif

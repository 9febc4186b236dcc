/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request on its way through the daemon, and the ways to answer it. Private to sessiond/rpc. Main loop only.
 */
#ifndef SESSIOND_RPC_REQUEST_H
#define SESSIOND_RPC_REQUEST_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/limits.h"
#include "sessiond/call.h"
#include "sessiond/daemon.h"
#include "sessiond/loop.h"
#include "sessiond/session/session.h"
#include "sessiond/store/store.h"
#include "sessiond/timers.h"

struct audit_rule;
struct internal;
struct rpc_conn;
struct rpc_context;
struct rpc_request;
struct session_entry;

typedef void rpc_work(struct rpc_request *request);

struct rpc_method {
	const char *name;
	rpc_work *work; /* ends in exactly one answer, at once or later */
};

struct rpc_request {
	struct rpc_context *context;      /* borrowed */
	struct rpc_conn *conn;            /* borrowed; NULL once the connection is gone, and for calls from inside */
	struct internal *internal;        /* borrowed: the call from inside that waits for this one (internal.c); NULL: none */
	struct rpc_request *next, *prev;  /* list of the context */
	uint32_t id;                      /* of the frame */
	enum send_source source;          /* who asks: 0 for a request of the outside */
	bool operator;                    /* the peer is root or our own user: ctl.* is allowed */
	bool answered;
	const struct rpc_method *method;
	struct json_object *json;         /* owned: the request */
	struct json_object *p;            /* borrowed from json: the parameters, never NULL */
	struct store_principal caller;    /* valid behind the key check; admin only when the key has that scope too */
	char *scope;                      /* owned: of the idempotency key; NULL: the API key's and the route's */
	char *session_id;                 /* owned: the chosen session's id; NULL if the method needs none */
	int64_t session_number;           /* of the session that the caller was allowed; 0: the work makes it, or an operator asks */
	struct buf headers;               /* members of "headers" so far */
	struct timer deadline;
	int fds[LIMIT_RPC_DESCRIPTORS];   /* owned: descriptors that came with the frame; -1: taken */
	size_t nfds;
	const struct audit_rule *audit;   /* audit.c: what is written when it ends; NULL: nothing */
	char *audit_target;               /* owned: on what it acts */
	struct buf held;                  /* owned: the answer that waits for the audit log */
	int held_fd;
	void *work;                       /* whatever the method keeps; freed by work_free */
	void (*work_free)(void *work);
	void (*gone)(struct rpc_request *request); /* nobody waits for the answer any more: called once, may answer; may be NULL */
};

/* What the requests share. */
struct rpc_context {
	struct daemon *daemon;
	struct log log;
	struct guards *guards;      /* owned */
	struct lockout *lockout;    /* owned */
	struct bytemap *running;    /* owned: idempotency.c, requests with a key */
	struct server_info *info;   /* owned; rpc_server.c */
	struct restarts *restarts;  /* owned; restart.c */
	int64_t audit_minute_ms;    /* audit.c: the minute in which failures are counted */
	unsigned audit_failures;
	struct live *live;          /* owned; live.c */
	bool health_trying;         /* rpc_health.c: a commit is under way */
	struct rpc_request *requests; /* owned list */
	struct internal *internals;   /* owned list; internal.c */
	struct call_server call_server;
	size_t active;
	struct loop_tasks tasks;    /* work of requests in the thread pool */
	bool draining;              /* no new requests */
	bool dropping;              /* the requests are being freed unanswered */
	struct timer sweep;
	struct timer keep;          /* guardkeep.c */
	/* Writes an answer frame to the connection; fd (-1: none) rides along and is taken over. */
	void (*write)(struct rpc_conn *conn, uint32_t id, const struct buf *json, int fd);
};

/* The methods, by resource; each ends with a NULL name. */
extern const struct rpc_method rpc_auth_methods[], rpc_server_methods[], rpc_session_methods[], rpc_message_methods[], rpc_status_methods[], rpc_send_methods[],
	rpc_shared_methods[], rpc_interactive_methods[], rpc_media_methods[], rpc_action_methods[], rpc_fetch_methods[], rpc_change_methods[], rpc_webhook_methods[], rpc_misc_methods[], rpc_poll_methods[], rpc_decrypt_methods[], rpc_storage_methods[], rpc_ctl_methods[];
extern const struct rpc_method rpc_queue_methods[];
extern const struct rpc_method rpc_hook_methods[];
extern const struct rpc_method rpc_run_methods[];
extern const struct rpc_method rpc_history_methods[];
extern const struct rpc_method rpc_key_methods[], rpc_user_methods[], rpc_audit_methods[];
extern const struct rpc_method rpc_events_methods[];
extern const struct rpc_method rpc_proxy_methods[];
extern const struct rpc_method rpc_campaign_methods[];
extern const struct rpc_method rpc_metrics_methods[], rpc_health_methods[];
extern const struct rpc_method rpc_channel_methods[];
extern const struct rpc_method rpc_chats_methods[];
extern const struct rpc_method rpc_profile_methods[], rpc_privacy_methods[], rpc_people_methods[], rpc_contacts_methods[], rpc_calls_methods[],
	rpc_identity_methods[], rpc_tools_methods[], rpc_uuid_methods[];
extern const struct rpc_method rpc_group_methods[], rpc_group_setting_methods[], rpc_group_member_methods[], rpc_group_join_methods[],
	rpc_group_make_methods[], rpc_group_picture_methods[], rpc_community_methods[];

/* Is there such a method? */
bool rpc_method_exists(const char *name);

struct rpc_frame;

/* loop_offload() for the work of a request: done() runs while the request is there, also when the daemon stops meanwhile. */
int rpc_offload(struct rpc_context *context, void (*work)(void *arg), void (*done)(void *arg), void *arg);

/* Takes one request frame from a connection, with its descriptors. */
void rpc_request_take(struct rpc_context *context, struct rpc_conn *conn, bool operator, struct rpc_frame *frame);
/* Takes a request from inside: json, p, caller are set, and it is run for that session alone, without a look at keys. */
void rpc_request_run(struct rpc_request *request, int64_t session);
/* False: whoever asked has gone, so that what would be done now would be done for nobody. */
bool rpc_request_is_awaited(const struct rpc_request *request);
/* The connection is gone: its requests will answer nobody. */
void rpc_request_orphan(struct rpc_context *context, const struct rpc_conn *conn);
/* The caller of that request is gone. */
void rpc_request_cancel(struct rpc_context *context, const struct rpc_conn *conn, uint32_t id);

/* Frees every request without an answer: at the end. */
void rpc_request_drop_all(struct rpc_context *context);

/* audit.c: the entry is stored, the answer that was held back goes out. */
void rpc_request_resume(struct rpc_request *request);

/* ---- answers: each ends the request; it must not be touched afterwards ---- */

/* {"status":..,"code":..,"message":..,"result":<json>}; result_json NULL: no result member. */
void rpc_answer(struct rpc_request *request, int status, int code, const char *message, const char *result_json);
/* The same with the failed members of a partly successful send. */
void rpc_answer_failed(struct rpc_request *request, int status, int code, const char *message, const char *result_json, const char *failed_json);
/* {"status":..,"bare":<json>}; cookie NULL: none, "": cleared. */
void rpc_answer_bare(struct rpc_request *request, int status, const char *bare_json, const char *cookie);
/* {"status":..,"bare":{"error":<text>}} */
void rpc_answer_error(struct rpc_request *request, int status, const char *text);
/* {"status":..,"file":{"type":..,"length":..}}: length bytes are read from fd, which is taken over; -1: none are (HEAD, 304). */
void rpc_answer_file(struct rpc_request *request, int status, const char *type, int64_t length, int fd);
/* A result (an object) of length bytes that stands in a sealed file; fd stays the caller's. */
void rpc_answer_result_file(struct rpc_request *request, const char *message, size_t length, int fd);
/* A header of the answer. */
void rpc_header(struct rpc_request *request, const char *name, const char *value);
void rpc_header_int(struct rpc_request *request, const char *name, int64_t value);
/* An answer that was stored as a whole. */
void rpc_answer_text(struct rpc_request *request, const struct buf *json);

/* ---- parameters ---- */

/* The text of a parameter, NULL if it is absent or no string. Borrowed. */
const char *rpc_param_text(const struct rpc_request *request, const char *name);
bool rpc_param_bool(const struct rpc_request *request, const char *name);

/* The session the request chose, NULL if it has gone meanwhile (then the request is answered with 404/1101). */
struct session_entry *rpc_session(struct rpc_request *request);
/* Is that session the caller's, and one that his key is good for? For lists and whatever is not chosen by choose_session(). */
bool rpc_may_see(const struct rpc_request *request, const struct session_entry *entry);

#endif

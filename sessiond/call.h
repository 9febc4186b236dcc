/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Work of the REST routes, asked for from inside the daemon: actions in a webhook's answer, campaigns, scheduled work. A call goes
 * the way of a request behind its key check, so that there is one way to do a thing:
 *
 *     call_start() --> quota --> session (owner, open) --> the method of sessiond/rpc (Idempotency-Key, queue, outbox) --> done()
 *
 * The caller acts as the session's owner, whose quota it uses up, and never for another session. It has no API key, so the rate
 * limit of requests does not apply; the recipients' cooldown does when it asks for it.
 *
 * Parameters are those that warest.fcgi hands over once it has checked them (fcgi/api_*.c, common/recipient.h): "to" is an array of
 * JIDs, a file is {"url":".."} or {"fd":0}. Nobody checks them again: what comes from outside is to be brought into that form first.
 *
 * Doing a thing once: give a key that says which thing it is ("<event id>/3", "<campaign>/<recipient>"). The store takes it in one
 * transaction with the outbox's rows, and remembers the answer for 24 hours: the same call after a crash gives the first one's
 * answer and sends nothing. Keys belong to a session and a route and are apart from those of API keys. Parameter "messageId"
 * chooses the message's id, which the store refuses to take twice for good. Methods without a row in the outbox know no key.
 *
 * Main loop only.
 */
#ifndef SESSIOND_CALL_H
#define SESSIOND_CALL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call;
struct daemon;
struct send_job;

struct call_result {
	int status;             /* HTTP */
	int code;               /* of the contract; 0: an answer without one */
	const char *message;    /* never NULL; of an answer without a code its "error" */
	int64_t retry_after_s;  /* 0: not said */
	struct json_object *result, *failed; /* NULL: none */
	struct json_object *json;            /* the whole answer */
	struct send_job *job;                /* with only_make, of a good answer: done() owns it from here on; else NULL */
};

struct call_request {
	const char *method;      /* "messages.send.text" */
	const char *route;       /* what the idempotency key belongs to; NULL: the method */
	const char *family;      /* of the session's choice, "messages", "chats-post", ...: what is required of the session */
	int64_t session;         /* number; a session of the same id with another number is another session */
	const char *session_id;
	const char *registry;    /* the session's owner */
	struct json_object *p;   /* taken over; NULL: none */
	const char *idempotency; /* NULL: none; at most 255 characters */
	const char *cooldown;    /* text of the recipient for that guard; NULL: not asked */
	int source;              /* enum send_source of session/session.h: on whose behalf */
	bool quota;              /* counts as one request against the owner's quota */
	bool only_make;          /* messages.send.*: the messages are made (files are uploaded) but not sent: they are in the result's job */
	const int *fds;          /* taken over, also on failure; what {"fd":n} means */
	size_t nfds;
	/* Called once, never from inside call_start(); not after call_cancel(), nor when the daemon ends first. The result is lent. */
	void (*done)(void *arg, const struct call_result *result);
	void *arg;
};

/* Strings are copied where needed. Never NULL. */
struct call *call_start(struct daemon *daemon, const struct call_request *request);
/* Forgets the answer; the work itself may go on. NULLs the pointer; nothing for NULL. A call is over when done() is called. */
void call_cancel(struct call **call);

/* What answers calls: sessiond/rpc. */
struct call_server {
	struct call *(*start)(void *ctx, const struct call_request *request);
	void (*cancel)(struct call *call);
	void *ctx;
};

#endif

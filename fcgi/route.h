/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The route table: one entry says everything about a route. The router, the validator and the OpenAPI document are made from it,
 * so they cannot disagree.
 *
 *     method, path ------> router.c       which route is this request for
 *     params, selector --> validate.c     one RPC frame, or the refusal that the contract words
 *     auth, guards ------> responder.c    what the daemon must check before anything else
 *     family ------------> answer.c       how success and failure look on the wire
 *     all of it ---------> openapi.c      /docs/openapi.json
 */
#ifndef FCGI_ROUTE_H
#define FCGI_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/scope.h"

struct answer;
struct request;

enum auth { AUTH_NONE, AUTH_KEY, AUTH_ADMIN, AUTH_DOCS };

enum { GUARD_RATE = 1, GUARD_COOLDOWN = 2, GUARD_QUOTA = 4 };

/* Bodies of GET are read too (JSON only), they need no mention here. */
enum body_kind { BODY_NONE, BODY_JSON, BODY_JSON_SEND /* with the limit MSG_JSON_LIMIT_MB */, BODY_UPLOAD /* files, see upload.h */ };

/* Envelopes: A errors have results:[], A_NULL (messages) results:null, S (chats) result, BARE a flat object, FILE a document. */
enum family { FAMILY_A, FAMILY_A_NULL, FAMILY_S, FAMILY_BARE, FAMILY_FILE };

enum place { PLACE_END = 0, PLACE_PATH, PLACE_QUERY, PLACE_BODY, PLACE_HEADER };

#define PARAM_MAX_PLACES 3
#define PARAM_MAX_ALIASES 8

/* A refusal: HTTP status, application code (0 in bare answers), text. */
struct fault {
	int status;
	int code;
	const char *message; /* NULL: this cannot happen */
};

/* How a value is read and what the daemon gets. */
enum param_kind {
	PARAM_STRING,     /* trimmed text; numbers and booleans count as their text */
	PARAM_VERBATIM,   /* as PARAM_STRING, but present even when empty; what is no scalar counts as empty */
	PARAM_NUMBER,     /* finite, >= 0, clamped to min..max; anything else counts as absent */
	PARAM_BOOL,       /* 1,true,yes,y,on / 0,false,no,n,off; anything else counts as absent */
	PARAM_TRUE_ONLY,  /* the JSON literal true, nothing else */
	PARAM_ENUM,       /* one of values, case does not matter */
	PARAM_DIGITS,     /* the digits of a text; none at all counts as absent */
	PARAM_STRINGS,    /* text or array of texts; the daemon gets an array */
	PARAM_FIRST,      /* text or array of texts; the first counts */
	PARAM_RECIPIENTS, /* phone numbers and JIDs; the daemon gets an array of JIDs */
	PARAM_RECIPIENT,  /* exactly one of them; the daemon gets its JID */
	PARAM_UNTRIMMED,  /* text as it is, with something in it beside blanks */
	PARAM_PRESENCE,   /* the daemon gets the state to show, or nothing */
	PARAM_MESSAGE_ID, /* 1 to 64 of A-Z a-z 0-9 . _ - */
	PARAM_TIME,       /* seconds, milliseconds or ISO 8601, not negative, at most a year ahead; the daemon gets milliseconds */
	PARAM_MOMENT,     /* the same, however far ahead; empty counts as absent */
	PARAM_SCHEDULE,   /* HH:MM or 0; the daemon gets it zero-padded */
	PARAM_DOCUMENT    /* documented here, read by the route's own prepare() */
};

struct param {
	const char *name;
	const char *aliases[PARAM_MAX_ALIASES];
	enum place in[PARAM_MAX_PLACES]; /* in order of precedence */
	enum param_kind kind;
	const char *type; /* JSON types, '|' between them, for the document */
	bool required;
	const char *fallback;      /* default as JSON text, sent to the daemon when the parameter is absent; NULL: none */
	const char *const *values; /* enum, ends with NULL */
	const char *state;         /* PARAM_PRESENCE: the route's own, NULL: composing */
	double min, max;           /* numbers: clamped, 0 0 = unbounded; texts: refused when shorter than min; recipients: refused when more than max (0: 1,000) */
	struct fault missing, invalid;
	const char *note;
};

/* Which parameters choose the session, and what a failed choice answers (rest-a 1.7). */
struct selector {
	const char *name; /* session.family of the RPC frame */
	const char *ids[PARAM_MAX_ALIASES];
	const char *phones[PARAM_MAX_ALIASES];
	enum place in[PARAM_MAX_PLACES];
	bool nocase;                    /* names of the parameters */
	struct fault missing, malformed; /* malformed.message NULL: not checked here */
	struct fault other[4];           /* the daemon's answers, for the document */
};

struct success {
	int status;
	int code; /* 0: bare */
	const char *message;
	const char *fields; /* names of the members, blank-separated, "a.b", "a[].b", '?' = may be absent */
};

enum {
	ROUTE_PARAMS_FIRST = 1, /* parameters are judged before the choice of the session */
	ROUTE_IDEMPOTENT = 2,   /* reads Idempotency-Key */
	ROUTE_ALSO_POST = 4,    /* POST accepted beside a GET that has side effects (K5) */
	ROUTE_SLOW = 8,         /* the daemon may wait for WhatsApp: long time limit */
	ROUTE_LARGE_FILES = 16, /* BODY_UPLOAD: FILE_PER_FILE_MB instead of MEDIA_PER_FILE_MB */
	ROUTE_TAIL = 32,        /* the last {name} of the path takes the rest of it, slashes included */
	ROUTE_MISC_FILES = 64,  /* BODY_UPLOAD: LIMIT_MISC_FILE_BYTES */
	ROUTE_METRICS = 512,    /* from WAREST_METRICS_ALLOW without a key */
	ROUTE_STREAM = 256,     /* with Accept: text/event-stream the answer goes on and on: stream.c */
	ROUTE_TEXTS_STAY = 128  /* BODY_UPLOAD: a text that could be base64 is a text */
};

/* Fills in what the table cannot say. Writes members of p (an open JSON object) or fills the answer and returns non-zero. */
typedef int route_prepare(struct request *r, struct buf *p, struct answer *answer);
/* Answers without the daemon, or after its docs guard. */
typedef void route_local(struct request *r, struct answer *answer);

struct route {
	const char *method;
	const char *path;   /* "{x}" = a segment of any text */
	const char *name;   /* the daemon's method and the document's operationId */
	enum auth auth;
	unsigned scope;     /* the one of common/scope.h that a key needs; SCOPE_NONE: only keys without limits */
	unsigned guards;
	enum body_kind body;
	const struct selector *selector; /* NULL: no session */
	enum family family;
	unsigned flags;
	const struct param *params; /* count below */
	size_t params_count;
	route_prepare *first; /* judged before the choice of the session; p is NULL */
	route_prepare *prepare;
	route_local *local;
	const char *title, *text; /* for the document */
	const char *tag;
	const struct success *successes; /* ends with status 0 */
	const struct fault *errors;      /* ends with status 0 */
};

/* One resource's routes. */
struct route_group {
	const struct route *routes;
	size_t count;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern const struct route_group *const route_groups[]; /* ends with NULL */

#define ROUTE_MAX_PATH_VALUES 4

struct route_match {
	const struct route *route; /* NULL: unknown */
	struct span values[ROUTE_MAX_PATH_VALUES]; /* raw path segments, in the order of the {names} */
	bool other_method; /* the path is known, the method is not */
};

/* `path` is raw (percent-encoded), without the query. HEAD finds what GET has. */
struct route_match route_find(const char *method, struct span path);
/* The value of {name}, raw; an empty span if the route has no such segment. */
struct span route_value(const struct route_match *m, const char *name);

/* selector.c */
extern const struct selector selector_session, selector_session_create, selector_messages, selector_messages_stored, selector_preflight, selector_chats_get,
	selector_chats_post, selector_groups, selector_profile, selector_misc, selector_misc_auto;
extern const struct selector *const selectors[]; /* all of them, ends with NULL */

#endif

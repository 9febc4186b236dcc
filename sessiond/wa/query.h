/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions of the host that the server answers at once and that change no record: GraphQL over IQ ("mex"), and what channels
 * (newsletters) add to it.
 *
 *     WA_QUERY_MEX        <iq xmlns="w:mex" type="get"><query query_id>{"variables":{..}}     -> <result>{"data":..,"errors":[..]}
 *     WA_QUERY_POSTS      <iq xmlns="newsletter" type="get"><messages type="jid" jid count [before]/>  -> <messages><message server_id ..>
 *     WA_QUERY_UPDATES    <iq xmlns="newsletter" type="get" to=channel><message_updates count [since] [after]/>
 *     WA_QUERY_LIVE       <iq xmlns="newsletter" type="set" to=channel><live_updates/>        -> <live_updates duration/>
 *     WA_QUERY_TERMS      <iq xmlns="tos" type="set"><notice id stage/>                       the terms for making channels
 *
 * JSON goes in and out as text: this library does not look into it. Source: whatsmeow newsletter.go, Baileys Socket/{mex,newsletter}.ts,
 * whatsapp-rust features/newsletter.rs.
 */
#ifndef WA_QUERY_H
#define WA_QUERY_H

#include "sessiond/wa/wa.h"

enum wa_query_kind { WA_QUERY_MEX = 1, WA_QUERY_POSTS, WA_QUERY_UPDATES, WA_QUERY_LIVE, WA_QUERY_TERMS };

/* Borrowed for the call. */
struct wa_query {
	enum wa_query_kind kind;
	const char *id;        /* MEX: number of the query */
	const char *variables; /* MEX: a JSON object */
	struct jid channel;    /* POSTS, UPDATES, LIVE */
	unsigned count;        /* POSTS, UPDATES */
	uint64_t before;       /* POSTS: older than this server id; 0: the newest */
	uint64_t after;        /* UPDATES: newer than this server id; 0: all */
	int64_t since_s;       /* UPDATES: changed since; 0: not said */
};

struct wa_post_reaction {
	const char *code;      /* emoji */
	uint64_t count;
};

/* A post of a channel. Borrowed. */
struct wa_post {
	uint64_t server_id;
	const char *id, *type; /* NULL: not told */
	int64_t time_ms;       /* 0: not told */
	bool from_me;
	bool has_views;
	uint64_t views;
	struct span message;   /* serialized Message; empty in updates of counters, and for deleted posts */
	const struct wa_post_reaction *reactions;
	size_t nreactions;
};

/* Borrowed for the call. */
struct wa_query_answer {
	int code;              /* 0: answered; else the server's error, 408 no answer, 502 unreadable, 503 not connected or the client is going */
	const char *text;      /* the server's word for the error, "" if none */
	struct span json;      /* MEX */
	const struct wa_post *posts; /* POSTS, UPDATES */
	size_t nposts;
	unsigned duration_s;   /* LIVE: for how long; 0: not told */
};

typedef void wa_query_done(void *arg, const struct wa_query_answer *answer);
/* done is called exactly once, never before this returns; inside wa_client_free() with code 503, and may not use the client then. */
void wa_client_query(struct wa_client *client, const struct wa_query *query, wa_query_done *done, void *arg);

/* messages: <messages> or <live_updates>' children. Appends what can be read to an array in the arena; false if there is none. */
struct wa_node;
struct arena;
size_t wa_posts_read(const struct wa_node *messages, struct arena *a, struct wa_post **out);

/* messaging.c: the client goes. */
struct wa_messaging;
void wa_queries_free(struct wa_messaging *m);

#endif

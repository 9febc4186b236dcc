/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Channels (newsletters): what requests ask about them and do with them. A job is made on the main loop, done on the session's, and called
 * back on the main loop; the session owns it meanwhile.
 */
#ifndef SESSIOND_SESSION_CHANNELS_H
#define SESSIOND_SESSION_CHANNELS_H

#include "common/buf.h"
#include "common/jid.h"
#include "sessiond/session/session.h"

enum channel_what {
	CHANNEL_LIST = 1,  /* -> [channel, ...]: those that the account follows or owns */
	CHANNEL_INFO,      /* channel, or invite -> channel */
	CHANNEL_CREATE,    /* name, text (description, may be NULL), on: accept WhatsApp's terms for channels first -> channel */
	CHANNEL_UPDATE,    /* channel; name, text: NULL stays -> channel */
	CHANNEL_DELETE,
	CHANNEL_FOLLOW,
	CHANNEL_UNFOLLOW,
	CHANNEL_MUTE,      /* on */
	CHANNEL_POSTS,     /* count, before -> [post, ...] newest last, as WhatsApp has them */
	CHANNEL_UPDATES,   /* count, before (newer than), since_s -> [post without message, ...]: counters */
	CHANNEL_LIVE       /* -> number of seconds for which notifications come */
};

struct channel_job {
	enum channel_what what;
	struct jid channel;
	char *invite, *name, *text; /* owned */
	bool on;
	unsigned count;
	uint64_t before;
	int64_t since_s;
	/* how it went */
	int code;              /* 0: done; else WhatsApp's code, 408 no answer, 502 unreadable, 503 not connected */
	char error[200];
	struct buf result;     /* owned: JSON; empty: nothing but the code */
	struct jid own;        /* own PN */
	/* called on the main loop; the job is the callee's again */
	void (*done)(struct channel_job *job);
	void *arg;
	/* inside session/ */
	struct session *session;
	struct session_call *call;
	bool accepted;         /* the terms, of CREATE */
};

struct channel_job *channel_job_new(enum channel_what what);
void channel_job_free(struct channel_job *job);
void sessions_channel(struct session_entry *entry, struct channel_job *job);

/*
 * The answer of a GraphQL query: 0 and the value of data[path] as a new object (NULL if it is null), or the first error's code and text.
 * Pure.
 */
struct json_object;
int mex_read(struct span json, const char *path, struct json_object **value, char *error, size_t room);
/* Appends a channel as the API shows it. False if it is none. */
bool channel_json(struct buf *out, struct json_object *channel);

#endif

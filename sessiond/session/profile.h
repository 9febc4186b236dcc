/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a request changes or reads of the account's own profile: jobs as in ask.h. */
#ifndef SESSIOND_SESSION_PROFILE_H
#define SESSIOND_SESSION_PROFILE_H

#include "common/buf.h"
#include "sessiond/session/ask.h"

enum profile_task {
	PROFILE_PICTURE,   /* bytes: JPEG; empty: remove */
	PROFILE_ABOUT,     /* text */
	PROFILE_TIMER,     /* seconds */
	PROFILE_PRIVACY,   /* read, into settings */
	PROFILE_SET_PRIVACY, /* name, text: value; people: to be put on or taken off the list of contact_blacklist; then read */
	PROFILE_BLOCKLIST, /* read, into people */
	PROFILE_BLOCK,     /* people[0], on */
	PROFILE_CATALOG,   /* people[0], limit, text: cursor; into result */
	PROFILE_PRESENCE,  /* of the account: on */
	PROFILE_CHATSTATE, /* people[0], state */
	PROFILE_SUBSCRIBE, /* people[0]; goes online, too */
	PROFILE_REJECT,    /* text: call id, people[0].jid: its creator */
	PROFILE_NAMES      /* people: the other forms, asked from the server where unknown */
};

/* A code beside those of wa/profile.h: whom it is about has no LID that WhatsApp would take. */
enum { PROFILE_NO_LID = 1404 };

struct profile_person {
	struct jid jid;      /* as it was given */
	struct jid pn, lid;  /* both forms where known, else server NONE */
	bool add;            /* PROFILE_SET_PRIVACY */
};

struct profile_setting {
	char *name, *value;  /* owned */
};

struct profile_job {
	struct ask_job ask;  /* first member */
	enum profile_task task;
	char *name, *text;   /* owned, may be NULL */
	struct buf bytes;    /* owned */
	uint32_t seconds;
	unsigned limit;
	bool on;
	enum wa_chatstate state;
	struct profile_person *people; /* owned */
	size_t n;
	struct profile_setting *settings; /* owned */
	size_t nsettings;
	struct buf result;   /* owned: JSON */
};

struct profile_job *profile_job_new(enum profile_task task, size_t people);
/* NULL is allowed. */
void profile_job_free(struct profile_job *job);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Campaigns that run, and how the files of this folder divide the work. Private to the folder. */
#ifndef SESSIOND_CAMPAIGN_RUN_H
#define SESSIOND_CAMPAIGN_RUN_H

#include "common/log.h"
#include "sessiond/call.h"
#include "sessiond/campaign/campaign.h"
#include "sessiond/campaign/spec.h"
#include "sessiond/daemon.h"
#include "sessiond/timers.h"

struct run;

/* Somebody may be in a campaign by phone number and by LID. The store's readers fill it in. */
struct twin {
	int64_t session, campaign;
	char jid[JID_TEXT_MAX]; /* the other form; "": not known */
	int error;              /* STORE_OK: it was added before this one */
};

/* One recipient in work: from the batch to the answer of the outbox. */
struct flight {
	struct flight *next;
	struct run *run;      /* borrowed; a run waits for its flights */
	int64_t recipient;    /* number of the row */
	struct jid to;
	char id[SEND_ID_MAX + 1];
	struct json_object *p; /* owned: the route's parameters; NULL: the call has them */
	struct twin twin;
	struct call *call;    /* under way: the message is being made; NULL otherwise */
};

/* The upload of a campaign's file. */
struct attached {
	struct json_object *kept; /* owned: what the media routes made of it (rpc/media_kept.h); NULL: none yet */
	int64_t made_ms;          /* wall clock */
	struct call *call;        /* under way; NULL otherwise */
	bool storing;             /* it is there, but not stored yet */
	unsigned troubles;        /* attempts that failed */
};

/* A page of recipients. */
struct batch {
	struct arena arena;
	struct store_recipient *rows;
	size_t n, at;
};

enum run_reading { READ_NONE = 0, READ_ROW, READ_PAGE, READ_COUNTS };

/* What a reader of the store fills in; nobody else touches it meanwhile. */
struct run_read {
	enum run_reading what;
	struct arena arena;      /* of row or rows */
	struct store_campaign row;
	struct store_recipient *rows;
	size_t n;
	int64_t minute_count, minute_ms, hour_count, hour_ms;
	int64_t counts[STORE_RECIPIENT_STATES];
	int64_t campaign, after; /* asked for */
	int error;
};

struct run {
	struct run *next;
	struct campaigns *all;   /* borrowed */
	char *id;                /* owned */
	struct arena arena;      /* of the row */
	struct store_campaign row;
	struct campaign_spec spec;
	struct attached attached;
	bool ready;              /* row and spec are there, the state is ACTIVE */
	unsigned held;           /* changes of state that are on their way */
	bool gone;               /* to be freed when nothing refers to it any more */
	bool look_again;         /* when the read that is under way is over */
	size_t busy;             /* answers of the store that are on their way */
	struct run_read read;    /* one at a time */
	int64_t counts[STORE_RECIPIENT_STATES]; /* as last counted */
	int64_t told[STORE_RECIPIENT_STATES];   /* filled in by the read before an event */
	int told_error;
	struct batch batch;
	int64_t last;            /* number of the recipient that was taken last */
	bool end;                /* there are no pending ones behind it */
	bool rewind;             /* some that were taken are pending still: from the beginning, when nothing is in work */
	int64_t retry_ms;        /* monotonic: not before; 0: at once */
	int64_t troubled;        /* the recipient that trouble came with last, and how often */
	unsigned troubles;
	struct flight *flights;  /* owned */
	size_t flying;
	bool count_first;        /* some were not acknowledged in time: look how many wait in the outbox before handing over more */
	struct pace_state pace;
	struct timer timer, tell;
	struct session_watch watch;
	bool watching;
	int64_t told_steps;      /* what the last event said */
};

struct changing;

struct campaigns {
	struct daemon *daemon;   /* borrowed */
	struct log log;
	struct run *runs;        /* owned */
	struct changing *changes; /* owned: states that are being stored */
	struct arena arena;      /* of the list at the start */
	const char **active;
	size_t nactive;
	int error;
	bool stopping;
};

/* run.c */
/* Does what can be done now. */
void run_pump(struct run *run);
/* Frees it when it is gone and nothing refers to it. True: it was freed. */
bool run_let_go(struct run *run);
/* Some that were taken are pending still. wait_ms: not to be tried before. */
void run_rewind(struct run *run, int64_t wait_ms);

/* Nothing more is taken; what is being made is let go, and stays pending. */
void run_halt(struct run *run);
/* NULL: it does not run. */
struct run *run_find(const struct campaigns *campaigns, const char *id);
void runs_free(struct campaigns *campaigns);

/* The campaign pauses, and says why. */
void run_pause(struct run *run, const char *reason);

/* attach.c */
/* Is everything there that messages are made of? */
bool attach_is_ready(const struct run *run);
/* Uploads the file, and pumps when that is done. */
void attach_start(struct run *run);
/* The row was read: takes over the upload that it knows of. */
void attach_take_row(struct run *run);
/* What is under way is let go. */
void attach_cancel(struct run *run);

/* flight.c: makes and sends the message of one recipient. */
void flight_free(struct flight *flight);
void flight_start(struct run *run, const struct store_recipient *recipient);
/* All that are being made are let go; they stay pending. */
void flights_cancel(struct run *run);

/* tell.c */
/* Adds the event unless the session is gone. counts may be NULL. */
void tell_event(struct campaigns *campaigns, struct store_tx *tx, const struct store_campaign *row, const char *kind,
		const int64_t counts[STORE_RECIPIENT_STATES]);
/* Something has moved: a progress event will follow. */
void tell_later(struct run *run);

#endif

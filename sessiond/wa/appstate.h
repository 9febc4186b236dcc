/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * App state: five versioned, encrypted maps that all devices of the account share through the server.
 *
 *     keys from the phone --> keyring        record APPSTATE "keys" (appstate_apply.h)
 *     server_sync, <ib><dirty>, first keys --> wanted --+
 *     wa_client_change() --> queue --------------------+--> one run at a time: ask | upload -> blobs -> apply -> commit
 *
 *     record APPSTATE "state/<collection>"      form(1) | flags(1) | version(8) | wanted(8) | LTHash(128)
 *     record APPSTATE "mac/<collection>/<xx>"   bucket xx of the table, appstate_apply.h
 *
 * What a run found is one batch: state, table, events. A process that dies between upload and commit finds its own patch at the server
 * the next time. A missing key is asked of the phone and waited for; a wrong MAC or a missing version leads to a new snapshot; a wrong
 * hash alone to one snapshot an hour. Conflicts are built anew on the other's patch, at most five times.
 *
 * appstate.c: what is wanted and in which order. appstate_run.c: one run. appstate_effect.c: what the changes mean here.
 * appstate_recover.c: the phone's own copy, when the server's is damaged; keys for other companions.
 */
#ifndef WA_APPSTATE_H
#define WA_APPSTATE_H

#include "sessiond/wa/appstate_action.h"
#include "sessiond/wa/appstate_apply.h"
#include "sessiond/wa/client.h"
#include "sessiond/wa/state.h"

struct receive_job;
struct wa_messaging;

#define APPSTATE_KEYS_RECORD "keys"
#define APPSTATE_NAME_MAX 64U

struct appstate_run;

/* A change of the host's that waits or is under way. */
struct appstate_push {
	struct appstate_push *next;
	uint64_t tag;
	enum appstate_collection collection;
	struct buf index, value; /* owned; the value's time is that of the order */
	int32_t version;
	bool remove;
	bool names_us;           /* contacts learn our new name from the next presence */
	bool refused, crowded;   /* cannot be written; too many wait */
	unsigned rounds;         /* uploads and syncs that it took so far */
};

struct appstate_want {
	bool wanted;         /* to be synced */
	bool again;          /* ... also after the run that is under way */
	bool keyless;        /* waits for a key of the phone */
	unsigned failures;   /* since the connection came up */
	int64_t retry_ms;    /* monotonic: not before */
	bool degraded;       /* the host was told that it is not in order */
	int64_t recovery_ms; /* monotonic: the phone was last asked for its copy; 0: never */
	struct buf copy;     /* owned: that copy, until it is applied */
	int64_t rebuilt_ms;  /* monotonic: last snapshot because of a wrong hash; 0: never */
};

struct appstate_asked {
	uint8_t id[APPSTATE_KEY_ID_MAX];
	size_t len;
	int64_t at_ms; /* monotonic */
};

struct wa_appstate {
	struct wa_messaging *m; /* borrowed */
	struct appstate_want wants[APPSTATE_COLLECTIONS];
	struct appstate_push *pushes, *last_push; /* owned, oldest first */
	size_t npushes;
	struct appstate_run *run;    /* owned; NULL: nothing is under way */
	struct state_op review;      /* reads the five states after a login or new keys */
	bool reviewing;
	bool dirty;                  /* the server said so: to be cleaned when all is synced */
	uint64_t dirty_time;
	struct appstate_asked asked[16]; /* keys asked of the phone, a ring */
	size_t nasked;
	uint64_t last_token;         /* of blobs */
	struct wa_timer timer;       /* next try; also: go on at the loop's next turn */
};

/* ---- life, called by messaging.c ---- */
void wa_appstate_init(struct wa_appstate *as, struct wa_messaging *m);
void wa_appstate_free(struct wa_appstate *as);
void wa_appstate_opened(struct wa_appstate *as);
void wa_appstate_closed(struct wa_appstate *as);

/* ---- keys, called by content.c and message.c ---- */
/* The keyring's record, for the fetch list of a message that may bring keys. */
void wa_appstate_keys(struct state_keys *keys);
/* Takes the keys of a share into the operation; true if there was a new one. */
bool wa_appstate_take_keys(struct receive_job *job, struct span share);
/* A file of wa_host.blob; from client.c. */
void wa_appstate_blob(struct wa_appstate *as, uint64_t token, struct span bytes, const char *error);
/* The keys are stored: what waited for them goes on. */
void wa_appstate_keys_came(struct wa_appstate *as);

/* A PeerDataOperationRequestResponseMessage of the phone: its copy of a collection, if that was asked for. */
void wa_appstate_recovery(struct wa_appstate *as, struct span response);
/* Another own device asks for keys: it gets those that are here. protocol: ProtocolMessage. */
void wa_appstate_answer_keys(struct receive_job *job, struct span protocol);

/* <ib><dirty type="syncd_app_state">, from ib.c. */
void wa_appstate_dirty(struct wa_client *client, uint64_t time);

/* ---- among the files of app state ---- */

struct appstate_stored {
	struct appstate_state state;
	bool synced;       /* complete at least once */
	bool rebuild;      /* only a snapshot helps */
	uint64_t wanted;   /* version that the server announced */
};

void appstate_state_key(struct state_keys *keys, enum appstate_collection c);
void appstate_bucket_name(enum appstate_collection c, size_t bucket, char out[APPSTATE_NAME_MAX]);
/* The record must have been fetched; all zero without one. */
void appstate_load(struct state_op *op, enum appstate_collection c, struct appstate_stored *out);
void appstate_store(struct state_op *op, enum appstate_collection c, const struct appstate_stored *stored);

/* Starts what is due, unless a run is under way. */
void appstate_go(struct wa_appstate *as);
/* The same at the loop's next turn. */
void appstate_go_soon(struct wa_appstate *as);
enum appstate_end {
	APPSTATE_END_OK,
	APPSTATE_END_AGAIN,   /* not done, go on at once (a sync before an upload, a conflict) */
	APPSTATE_END_KEYLESS, /* waits for the phone */
	APPSTATE_END_FAILED,  /* later */
	APPSTATE_END_BROKEN,  /* later, and the snapshot is damaged: the phone is asked for its copy */
	APPSTATE_END_REFUSED  /* not on this connection */
};
/* With APPSTATE_END_KEYLESS: an entry names a key that is not here. Without it no key is, as it is soon after linking. */
#define APPSTATE_MISSING_KEY 1
/* A run is over and freed after this. code and text: for the push and the log. */
void appstate_run_ended(struct wa_appstate *as, enum appstate_collection c, struct appstate_push *push, enum appstate_end end, int code, const char *text);
/* Answers and frees the push. */
void appstate_push_end(struct wa_appstate *as, struct appstate_push *push, int code, const char *text);
/* Asks the phone for a key unless that was done within a day. */
void appstate_ask_key(struct wa_appstate *as, const uint8_t *id, size_t len);

/* Asks the phone for its copy of a collection, at most once an hour. */
void appstate_ask_recovery(struct wa_appstate *as, enum appstate_collection c);

/* push NULL: only a sync. */
void appstate_run_start(struct wa_appstate *as, enum appstate_collection c, struct appstate_push *push);
void appstate_run_free(struct appstate_run *run);
/* The connection is gone, and IQs were answered. What is being stored or computed ends by itself. */
void appstate_run_closed(struct appstate_run *run);
void appstate_run_blob(struct appstate_run *run, uint64_t token, struct span bytes, const char *error);

/* Records that the effects of the changes from..to need. */
void appstate_effect_keys(const struct appstate_work *work, size_t from, size_t to, struct state_keys *keys);
/* Puts them and their events into the operation. */
void appstate_effect(struct wa_messaging *m, struct state_op *op, const struct appstate_work *work, size_t from, size_t to, bool initial, bool own);

/* peer.c: a message to the own phone; nothing happens without a session with it. */
void wa_peer_send(struct wa_messaging *m, struct span message);
/* To another own device; NULL: the phone. */
void wa_peer_send_to(struct wa_messaging *m, const struct jid *device, struct span message);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessiond/store: the database. The daemon alone opens it; nothing outside this folder knows which database it is.
 *
 *     loops ---- struct store_tx (typed changes of one operation) ----> [ queue ] --> writer thread: group commit
 *                                                                                        | done(arg, error)
 *     loops ---- store_read(fn) ----------------------------------> reader threads: fn(reader, arg)
 *
 * A tx is all or nothing; a bad tx does not harm those grouped with it; txs take effect in the order of store_commit(). done() and
 * fn() run on the store's threads: post from there to your loop (loop_post). After error 0 the change survives kill -9 and power
 * loss, and every later store_read() sees it. Values marked "sealed" are encrypted at rest.
 *
 * Functions named store_tx_* add one change to a tx, on the thread that builds it; they copy what they are given and cannot fail
 * (a failure to seal shows as the tx's error). Functions that take a reader are called inside fn only; what they return lives in
 * the caller's arena. Strings are UTF-8, times wall clock milliseconds, 0 = never.
 */
#ifndef SESSIOND_STORE_H
#define SESSIOND_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/reach.h"
#include "common/scope.h"
#include "common/buf.h"

struct store;
struct store_tx;
struct store_reader;

enum store_error {
	STORE_OK = 0,
	STORE_BUSY = -1,       /* locked by somebody else for longer than the limit */
	STORE_FULL = -2,       /* disk or quota */
	STORE_CONSTRAINT = -3, /* a unique value exists already, or the row it refers to does not */
	STORE_CORRUPT = -4,
	STORE_READONLY = -5,
	STORE_IO = -6,
	STORE_NOT_FOUND = -7,
	STORE_NEWER = -8,      /* schema made by a later version */
	STORE_CHECKSUM = -9,   /* an applied migration is not the one of this build */
	STORE_SEAL = -10,      /* a sealed value does not open: wrong master key, or altered */
	STORE_PENDING = -11,   /* migrations are to be applied and options forbid it */
	STORE_CONFIG = -12,    /* an option cannot be used: driver, path, key file */
	STORE_BROKEN = -13     /* an earlier tx of the same chain was not stored */
};

/* A short name for logs and states ("storage_full"), static. */
const char *store_error_name(int error);

/* ---- opening (store.c) ---------------------------------------------------------------------------------------------------------- */

struct store_event;

struct store_options {
	const char *driver;          /* "sqlite" (NULL: the same) */
	const char *path;            /* the database file; its folder is made with mode 0700 */
	const char *master_key_file; /* NULL or "": "master.key" beside the database; made once, 0600 */
	const char *pepper_file;     /* NULL or "": "key.pepper" beside the database; made once, 0600 */
	int busy_ms;                 /* how long a foreign lock is waited for; 0: 5000 */
	int window_ms;               /* group commit window under load; 0: 4, negative: none */
	unsigned readers;            /* reader threads; 0: 2 */
	int64_t journal_max_bytes;   /* bound of the event journal; 0: 2 GiB */
	int64_t outbox_keep_ms;      /* how long finished outbox rows are kept; 0: 14 days */
	int64_t checkpoint_bytes;    /* size of the write-ahead log that starts a checkpoint; four times that restarts it; 0: 4 MiB */
	bool no_migrate;             /* STORE_PENDING instead of migrating */
	const char *vfs;             /* tests: name of a registered SQLite VFS */
	int64_t (*wall_ms)(void);    /* NULL: the system's clock */
	/* One line for the operator's log; any store thread. May be NULL. */
	void (*warn)(void *ctx, const char *line);
	void *warn_ctx;
	/* Around the done() calls of one group: true before the first, false after the last. The writer's thread. May be NULL. */
	void (*finishing)(bool begins);
	/*
	 * An event is in the journal: with its number and its text, in order of commit, within the same bounds as done(). All is lent. The
	 * writer's thread; must not wait for anything. May be NULL.
	 */
	void (*appended)(void *ctx, const struct store_event *event);
	void *appended_ctx;
};

/*
 * Opens and migrates the database, starts the store's threads. Only one process at a time gets it (STORE_BUSY). A database of the
 * original is taken over: its users, keys and sessions are imported once, its other tables stay as they are.
 * why: one line for the operator. Blocks.
 */
int store_open(struct store **store, const struct store_options *options, char *why, size_t why_len);
/* Commits what is queued, calls every done and fn, ends the threads. No other call may be running. NULL is fine. */
void store_close(struct store *store);

/* Upper ends of the classes that commits are counted in by their time; the last class is open. */
enum { STORE_COMMIT_CLASSES = 12 };
extern const double store_commit_ends_ms[STORE_COMMIT_CLASSES - 1];

struct store_status {
	const char *driver;    /* static */
	unsigned schema;       /* number of the last migration */
	bool restored;         /* the database is older than its last known use: a backup was put back */
	int last_error;        /* of the last commit; 0 again after the next good one */
	int64_t failing_since_ms;
	uint64_t queued;       /* txs waiting */
	uint64_t txs, commits; /* since the start: committed txs, and commits they took */
	uint64_t commit_classes[STORE_COMMIT_CLASSES]; /* of these commits, in each class alone */
	uint64_t commit_us;    /* their time together */
	int64_t stored_ms;     /* wall clock of the last good commit; 0: none yet */
	uint64_t reads;
	int64_t journal_bytes; /* what the journal takes of the file, about */
	int64_t wal_bytes;     /* write-ahead log, as of the last commit */
	int64_t checkpoints;
};

enum { STORE_FIGURES_STATES = 9 };

/* What the database alone knows, counted when it is asked for. */
struct store_figures {
	int64_t due, due_oldest_ms; /* outbox rows that no ack has settled and whose time has come; when the oldest was made, 0: none */
	int64_t scheduled;          /* those whose time has not come */
	int64_t dead_letters;
	int64_t campaigns[STORE_FIGURES_STATES], recipients[STORE_FIGURES_STATES]; /* by their states (campaigns.h) */
	struct store_journal_end {
		int64_t session, last;  /* number of its newest event */
	} *ends;                    /* of every session, in order */
	size_t ends_n;
};

int store_figures(struct store_reader *reader, struct arena *arena, int64_t now_ms, struct store_figures *figures);

/* Any thread. */
void store_status(struct store *store, struct store_status *status);

/* ---- migrations (migrate.c) ------------------------------------------------------------------------------------------------------ */

struct store_migration {
	unsigned number;
	const char *name;
	int64_t applied_ms; /* 0: pending */
};

/*
 * For "warestctl db status|migrate", without a running daemon. apply: applies what is pending, one transaction each. Rows of known
 * migrations go to arena. STORE_NEWER and STORE_CHECKSUM as store_open(). Blocks.
 */
int store_migrate(const struct store_options *options, bool apply, struct arena *arena, struct store_migration **rows, size_t *n,
                  char *why, size_t why_len);

/* ---- writing and reading (writer.c, readers.c) ----------------------------------------------------------------------------------- */

typedef void store_done(void *arg, int error);

struct store_tx *store_tx_new(struct store *store);
/* Only for a tx that is not committed. */
void store_tx_free(struct store_tx *tx);
bool store_tx_is_empty(const struct store_tx *tx);
/* Any thread. The store owns tx from here on, in every case; done is called exactly once (may be NULL). */
void store_commit(struct store *store, struct store_tx *tx, store_done *done, void *arg);
/*
 * The same for what nobody waits for (acks and receipts that came in): may take 50 ms longer, and costs no commit of its own when
 * another tx comes along. Order among all txs is kept.
 */
void store_commit_lazy(struct store *store, struct store_tx *tx, store_done *done, void *arg);
/*
 * The same for much of what can wait (history, the index): each takes milliseconds, so only one of them is in a commit, and what others wait
 * for goes between. In order among themselves; others overtake them, except what forgets a session's chats.
 */
void store_commit_bulk(struct store *store, struct store_tx *tx, store_done *done, void *arg);
/*
 * Txs that build on each other: the later ones hold what the earlier ones changed. After one of a chain has failed, all others fail
 * with STORE_BROKEN until the owner clears the mark, which it may only do while none of them is under way.
 */
struct store_chain {
	atomic_bool broken;
};

/* chain outlives the tx. */
void store_tx_chain(struct store_tx *tx, struct store_chain *chain);
/* The same as store_commit(), and waits. For starts, tools and tests, never on a loop or a thread of the store. */
int store_commit_wait(struct store *store, struct store_tx *tx);
/* Any thread. Runs fn on a reader thread with a consistent snapshot. */
void store_read(struct store *store, void (*fn)(struct store_reader *reader, void *arg), void *arg);
/* The same, and waits; not on a loop or a thread of the store. */
void store_read_wait(struct store *store, void (*fn)(struct store_reader *reader, void *arg), void *arg);

/* ---- users (users.c) -------------------------------------------------------------------------------------------------------------- */

struct store_user {
	int64_t number;       /* given by the store */
	const char *registry; /* owner code of sessions, unique; "admin" for the seeded one */
	const char *username; /* unique */
	const char *password; /* stored form, crypto_password_verify() */
	bool admin;
	bool disabled;        /* no log-in, no key of his is good */
	int64_t created_ms, last_login_ms;
};

/* *number is set before done() with error 0; may be NULL, else it lives until then. */
void store_tx_user_add(struct store_tx *tx, const struct store_user *user, int64_t *number);
void store_tx_user_password(struct store_tx *tx, int64_t user, const char *stored);
void store_tx_user_rename(struct store_tx *tx, int64_t user, const char *username);
void store_tx_user_login(struct store_tx *tx, int64_t user, int64_t at_ms);
/* Role and whether he may do anything at all; his keys follow at once. */
void store_tx_user_standing(struct store_tx *tx, int64_t user, bool admin, bool disabled);
/* With its keys and sessions. */
void store_tx_user_remove(struct store_tx *tx, int64_t user);

int store_user_by_name(struct store_reader *reader, struct arena *arena, const char *username, struct store_user *user);
int store_user_by_registry(struct store_reader *reader, struct arena *arena, const char *registry, struct store_user *user);
int store_user_list(struct store_reader *reader, struct arena *arena, struct store_user **rows, size_t *n);

/*
 * The administrator of the configuration, at start: made when missing, renamed when the name changed, its fixed key (may be NULL)
 * valid from now on and the fixed key of before no longer. The password is set when the user is made or renamed, or on reset.
 * Blocks (scrypt, commit).
 */
int store_seed_admin(struct store *store, const char *username, const char *password, const char *api_key, bool reset);

/* ---- API keys (keys.c) ------------------------------------------------------------------------------------------------------------ */

enum store_key_kind {
	STORE_KEY_API = 1, /* until revoked */
	STORE_KEY_FIXED,   /* WAREST_ADMIN_APIKEY */
	STORE_KEY_UI,      /* of a login: expires after 14 days without use */
	STORE_KEY_COOKIE   /* documentation cookie: the same, accepted by store_cookie_check() alone; ends with the key it was given for */
};

enum { STORE_KEY_TEXT = 48, STORE_NAME_MAX = 256 };

/* Who a key belongs to, and what it may do. */
struct store_principal {
	int64_t key, user;
	enum store_key_kind kind;
	bool admin;           /* the user */
	unsigned scopes;      /* of common/scope.h; SCOPE_ADMIN counts only for an administrator */
	struct reach *reach;  /* a reference: reach_drop() it; NULL: every session, from everywhere */
	int64_t expires_ms;   /* 0: never */
	char registry[STORE_NAME_MAX], username[STORE_NAME_MAX];
};

/* A new key in the original's form, "<admin|user>_<ULID>_<12 hex>". Wipe it after use. */
int store_key_make(struct store *store, bool admin, char out[STORE_KEY_TEXT]);
/* Only HMAC(pepper, SHA-256(text)) is stored. label may be NULL. */
void store_tx_key_add(struct store_tx *tx, int64_t user, enum store_key_kind kind, const char *text, const char *label,
                      int64_t *number);
/*
 * A cookie, good no longer and from nowhere else than the key it is given for. *key is read when the tx is applied, so it may be the
 * number of a key that the same tx adds; 0: none.
 */
void store_tx_cookie_add(struct store_tx *tx, int64_t user, const char *text, const char *label, const int64_t *key);
/* A key as the original's database holds it: 64 hex digits of SHA-256, or plain text. */
void store_tx_key_import(struct store_tx *tx, int64_t user, const char *stored, const char *label);
void store_tx_key_revoke(struct store_tx *tx, int64_t key);
/* Every key and cookie that a log-in of this user has made, but for one (0: none excepted). */
void store_tx_logins_end(struct store_tx *tx, int64_t user, int64_t but);
/* Every key of these kinds (bits 1 << kind) of a user; what was made with store_tx_key_grant() by somebody stays. */
void store_tx_key_revoke_all(struct store_tx *tx, int64_t user, unsigned kinds);

/*
 * Any thread, in memory, constant time per comparison: 0 with *who, or STORE_NOT_FOUND. Counts as use of the key. In force as soon
 * as the tx that added or revoked the key is committed.
 */
int store_key_check(struct store *store, const char *text, struct store_principal *who);
int store_cookie_check(struct store *store, const char *token, struct store_principal *who);
/* Any thread, in memory: the oldest API key of a user, which stands for what is done in the user's name inside the daemon. Does not count as use. STORE_NOT_FOUND: none. */
int store_key_of_owner(struct store *store, const char *registry, struct store_principal *who);

/* ---- what a key may do (grants.c) ------------------------------------------------------------------------------------------------- */

struct store_grant {
	const char *label;              /* may be NULL */
	unsigned scopes;                /* of common/scope.h */
	const char *sessions, *networks; /* as reach_new() reads them; NULL: all */
	int64_t expires_ms;             /* 0: never */
	const char *created_by;         /* may be NULL; not changed later */
};

/* A key of kind STORE_KEY_API. The lists have been read with reach_new() before. */
void store_tx_key_grant(struct store_tx *tx, int64_t user, const char *text, const struct store_grant *grant, int64_t *number);
/* Everything but created_by. STORE_NOT_FOUND fails the tx when the key has gone. */
void store_tx_key_change(struct store_tx *tx, int64_t key, const struct store_grant *grant);
/* The key has another text from now on; the one of before is good until until_ms (0: no longer). STORE_NOT_FOUND alike. */
void store_tx_key_rotate(struct store_tx *tx, int64_t key, const char *text, int64_t until_ms);

struct store_key {
	int64_t number, user;
	enum store_key_kind kind;
	int64_t created_ms, used_ms;    /* used_ms is up to a minute behind */
	int64_t old_until_ms;           /* 0, or until when the text of before a rotation is good */
	struct store_grant grant;
	const char *username, *registry; /* of the user */
	bool admin;                     /* the user is one */
};

/* user 0: of everybody. */
int store_key_list(struct store_reader *reader, struct arena *arena, int64_t user, struct store_key **rows, size_t *n);
int store_key_get(struct store_reader *reader, struct arena *arena, int64_t number, struct store_key *key);

/* ---- audit log (audit.c) ---------------------------------------------------------------------------------------------------------- */

struct store_audit {
	int64_t number;         /* given by the store, rising */
	int64_t at_ms;
	int64_t user, key;      /* 0: unknown, or none */
	const char *username;   /* as it was then */
	const char *address;    /* of the client, may be empty */
	const char *action;
	const char *target;     /* may be NULL */
	int status;             /* as in HTTP */
	const char *detail;     /* may be NULL; never a secret */
};

void store_tx_audit_add(struct store_tx *tx, const struct store_audit *entry);
/* How long entries are kept; 0: for ever. */
void store_audit_keep(struct store *store, int64_t keep_ms);

struct store_audit_query {
	int64_t before;         /* number; 0: from the newest back */
	const char *username, *action, *target; /* NULL: all */
	int64_t from_ms, to_ms; /* inclusive; 0: unbounded */
	int64_t status_from, status_to; /* from..to-1; 0: all */
	int64_t limit;
};

/* Newest first. *more: there are older ones. */
int store_audit_list(struct store_reader *reader, struct arena *arena, const struct store_audit_query *query, struct store_audit **rows, size_t *n,
                     bool *more);

/* ---- sessions (sessions.c) -------------------------------------------------------------------------------------------------------- */

struct store_session {
	int64_t number;           /* given by the store, never reused */
	const char *id;           /* unique */
	const char *registry;     /* owner, users.registry */
	const char *label;
	bool auto_start;
	const char *state;        /* session/'s word for it */
	const char *reason;       /* may be NULL */
	int64_t since_ms;
	int attempts;
	const char *webhook_url;    /* may be NULL */
	const char *webhook_secret; /* sealed; may be NULL */
	const char *me_jid, *me_lid, *push_name, *device, *business_name; /* may be NULL */
	const char *proxy;          /* its own; sealed; may be NULL */
	const char *last_proxy;     /* of the pool, the last one it went through; sealed; may be NULL */
	int64_t created_ms, connected_ms;
	int64_t generation;       /* counts store_tx_session_start() */
	bool restored;            /* came from a backup that was put back: must not connect before it is confirmed */
};

/* STORE_CONSTRAINT when the id exists. Uses id, registry, label, auto_start, state, reason, since_ms, webhook_*, proxy, created_ms. */
void store_tx_session_add(struct store_tx *tx, const struct store_session *session, int64_t *number);
/* With everything that belongs to it: records, outbox, journal, receivers. */
void store_tx_session_remove(struct store_tx *tx, int64_t session);
void store_tx_session_state(struct store_tx *tx, int64_t session, const char *state, const char *reason, int64_t since_ms,
                            int attempts);
void store_tx_session_connected(struct store_tx *tx, int64_t session, int64_t at_ms);
/* NULL leaves nothing (erases), "" is kept as empty text. id is the session's id. */
void store_tx_session_webhook(struct store_tx *tx, int64_t session, const char *id, const char *url, const char *secret);
void store_tx_session_proxy(struct store_tx *tx, int64_t session, const char *id, const char *proxy);
void store_tx_session_last_proxy(struct store_tx *tx, int64_t session, const char *id, const char *proxy);
void store_tx_session_me(struct store_tx *tx, int64_t session, const char *jid, const char *lid, const char *device,
                         const char *business_name);
void store_tx_session_push_name(struct store_tx *tx, int64_t session, const char *push_name);
void store_tx_session_auto_start(struct store_tx *tx, int64_t session, bool auto_start);
/* A new generation begins. */
void store_tx_session_start(struct store_tx *tx, int64_t session);
/* The operator confirmed that a restored session may go on. */
void store_tx_session_confirm(struct store_tx *tx, int64_t session);

/* registry NULL: of everybody. Ordered by number. */
int store_session_list(struct store_reader *reader, struct arena *arena, const char *registry, struct store_session **rows, size_t *n);
int store_session_by_id(struct store_reader *reader, struct arena *arena, const char *id, struct store_session *session);

/* ---- protocol records (records.c) ------------------------------------------------------------------------------------------------- */

struct store_record_key {
	int kind;         /* the protocol library's enum, 1..255 */
	const char *name; /* at most 512 bytes */
};

/* Sealed. expires_ms 0: kept until deleted. */
void store_tx_record_put(struct store_tx *tx, int64_t session, int kind, const char *name, struct span value, int64_t expires_ms);
void store_tx_record_delete(struct store_tx *tx, int64_t session, int kind, const char *name);
/* Every record of a session, or of one kind (0: all). */
void store_tx_record_clear(struct store_tx *tx, int64_t session, int kind);

/* values[i].p == NULL: no such record; an empty record has p != NULL and n 0. 0 or the first error (values are unusable then). */
int store_record_get(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_record_key *keys,
                     size_t n, struct span *values);
/* All records of a kind, ordered by name; names and values may be NULL. */
int store_record_list(struct store_reader *reader, struct arena *arena, int64_t session, int kind, const char ***names,
                      struct span **values, size_t *n);

/* ---- outbox (outbox.c) ------------------------------------------------------------------------------------------------------------ */

enum store_outbox_state {
	STORE_OUTBOX_QUEUED = 1,
	STORE_OUTBOX_SENT,      /* stanza is stored; it leaves, or has left */
	STORE_OUTBOX_ACKED,     /* by the server */
	STORE_OUTBOX_DELIVERED,
	STORE_OUTBOX_READ,
	STORE_OUTBOX_PLAYED,
	STORE_OUTBOX_FAILED,
	STORE_OUTBOX_CANCELLED  /* before its time had come */
};

struct store_outbox {
	int64_t number;         /* given by the store; wa_send.tag */
	int64_t session;
	const char *message_id; /* unique per session */
	const char *recipient;  /* JID */
	const char *info;       /* what the sender wants back with it (JSON), may be NULL; sealed */
	struct span message;    /* serialized message; sealed */
	struct span stanza;     /* encrypted stanza while SENT; sealed */
	enum store_outbox_state state;
	int attempts;
	int64_t not_before_ms, created_ms, updated_ms, server_ms;
	int code;               /* FAILED: why */
	const char *error;      /* FAILED: one line, may be NULL */
};

/*
 * STORE_CONSTRAINT when the message id exists. Uses session, message_id, recipient, info, message, not_before_ms, created_ms.
 * number 0: the store gives one. *number (may be NULL) is known at once, so that a tx committed later may name the row.
 */
void store_tx_outbox_add(struct store_tx *tx, const struct store_outbox *row, int64_t *number);
/* Numbers for n rows, one behind the other, so that a row can name others of its request; to be used as row->number. */
void store_outbox_numbers(struct store *store, size_t n, int64_t *numbers);
/* QUEUED -> SENT with the bytes that leave once this is committed. STORE_NOT_FOUND fails the tx when the row is gone. */
void store_tx_outbox_stanza(struct store_tx *tx, int64_t number, struct span stanza, int64_t at_ms);
/* -> ACKED (if not further already) and drops the stanza. */
void store_tx_outbox_ack(struct store_tx *tx, int64_t number, int64_t server_ms, int64_t at_ms);
/* -> FAILED (only from QUEUED or SENT) and drops the stanza. */
void store_tx_outbox_fail(struct store_tx *tx, int64_t number, int code, const char *error, int64_t at_ms);
/* QUEUED -> CANCELLED. */
void store_tx_outbox_cancel(struct store_tx *tx, int64_t number, int64_t at_ms);
/* Another time (negative: as it is) and message (empty: as it is) for a row that is QUEUED. id: its message id. */
void store_tx_outbox_reschedule(struct store_tx *tx, int64_t number, int64_t session, const char *message_id, int64_t not_before_ms,
                                struct span message, int64_t at_ms);
/* -> FAILED for all rows of a session that wait: the account they were meant for is gone. */
void store_tx_outbox_fail_all(struct store_tx *tx, int64_t session, int code, const char *error, int64_t at_ms);
/* Counts an attempt that did not get through; tried again at not_before_ms. */
void store_tx_outbox_retry(struct store_tx *tx, int64_t number, int64_t not_before_ms, int64_t at_ms);
/* A receipt of one device: state DELIVERED, READ or PLAYED. Moves the row forward only; unknown ids are fine. */
void store_tx_outbox_receipt(struct store_tx *tx, int64_t session, const char *message_id, const char *device,
                             enum store_outbox_state state, int64_t at_ms);

/* QUEUED and SENT rows that are due at now_ms (not_before_ms), oldest first. */
int store_outbox_pending(struct store_reader *reader, struct arena *arena, int64_t session, int64_t now_ms, size_t limit,
                         struct store_outbox **rows, size_t *n);
/* Those that are due later, the next one first. */
int store_outbox_scheduled(struct store_reader *reader, struct arena *arena, int64_t session, int64_t now_ms, size_t limit,
                           struct store_outbox **rows, size_t *n);
int store_outbox_get(struct store_reader *reader, struct arena *arena, int64_t number, struct store_outbox *row);
int store_outbox_find(struct store_reader *reader, struct arena *arena, int64_t session, const char *message_id,
                      struct store_outbox *row);

struct store_outbox_device {
	const char *device; /* JID with device */
	enum store_outbox_state state;
	int64_t at_ms;
};

int store_outbox_devices(struct store_reader *reader, struct arena *arena, int64_t number, struct store_outbox_device **rows,
                         size_t *n);

/* ---- event journal (events.c) ----------------------------------------------------------------------------------------------------- */

struct store_event {
	int64_t session;
	int64_t number;       /* per session, 1, 2, 3, ... in order of commit; given by the store */
	const char *event_id; /* unique per session: a second event with this id is left out, silently */
	const char *kind;     /* "message_received", ... */
	const char *chat;     /* what must stay in order belongs to one chat; may be NULL */
	struct span payload;  /* JSON; sealed */
	int64_t time_ms;
};

/* *number as above; 0 when the id was there before. */
void store_tx_event_add(struct store_tx *tx, const struct store_event *event, int64_t *number);
/* Events of a session behind `after`, in order, at most limit rows and about max_bytes of payload (at least one row). */
int store_event_list(struct store_reader *reader, struct arena *arena, int64_t session, int64_t after, size_t limit, size_t max_bytes,
                     struct store_event **rows, size_t *n);
/* Where a reader of several sessions' events stands in one of them. */
struct store_event_place {
	int64_t session;
	int64_t told;    /* everything up to here; negative: whatever is there now. Moved on by store_event_page(). */
	int64_t lost;    /* events behind `told` that the journal's bound took away; set by store_event_page() */
	bool rewound;    /* `told` was beyond the journal's end: an older database was put back; set by store_event_page() */
};

struct store_event_question {
	struct store_event_place *places; /* in order of session; each session once */
	size_t n;
	bool (*wanted)(void *arg, const char *kind); /* others are passed over */
	void *arg;
	size_t limit, max_bytes;          /* of the page: at least one row */
};

/*
 * The next page of several sessions' events, in order of commit; *more: it ended before the journal did. places say how far the page
 * goes: exactly behind its last row, or further where what follows is not wanted.
 */
int store_event_page(struct store_reader *reader, struct arena *arena, const struct store_event_question *question, struct store_event **rows,
                     size_t *n, bool *more);
int store_event_get(struct store_reader *reader, struct arena *arena, int64_t session, int64_t number, struct store_event *event);
/* The number of the event with this id, 0: none. */
int store_event_number(struct store_reader *reader, int64_t session, const char *event_id, int64_t *number);
/* The first and the last number among the events of from_ms..to_ms; both 0 when there is none. */
int store_event_between(struct store_reader *reader, int64_t session, int64_t from_ms, int64_t to_ms, int64_t *first, int64_t *last);
/* First and last number in the journal; both 0 when there is none. */
int store_event_range(struct store_reader *reader, int64_t session, int64_t *first, int64_t *last);

/* ---- receivers of the journal (receivers.c) --------------------------------------------------------------------------------------- */

/* How the events that a receiver's cursor has passed ended. */
struct store_counts {
	int64_t delivered;
	int64_t dead;    /* dead letters that are still there, or were taken away with the journal's oldest rows */
	int64_t skipped; /* of kinds that it does not want, or written while it was off */
	int64_t missed;  /* the journal's bound took them away before */
};

/*
 * One webhook target (or other reader) of one session. Everything up to and including cursor is done with:
 *
 *     cursor - start = delivered + dead + skipped + missed        pending = last event's number - cursor
 */
struct store_receiver {
	int64_t session;
	const char *name;       /* chosen by webhook/, unique per session, at most 255 bytes */
	int64_t start, cursor;
	const char *state;      /* webhook/'s word: "active", "paused", ...; "off": nothing is lost for it */
	int last_status;        /* HTTP, 0: none */
	const char *last_error; /* may be NULL */
	int64_t failed_since_ms, next_ms, delivered_ms;
	int failures;
	int64_t attempts;       /* ever made */
	bool overflow;          /* the journal's bound took undelivered events away (set by the store) */
	int64_t lost;           /* how many (counted by the store) */
	struct store_counts counts; /* kept by store_tx_receiver_count() */
	const char *replays;    /* webhook/'s text of what is to be delivered once more, NULL: nothing; kept by store_tx_receiver_replays() */
};

/* Adds or replaces all but overflow, lost, counts and replays. */
void store_tx_receiver_put(struct store_tx *tx, const struct store_receiver *receiver);
/* Only moves the cursor (forward) and delivered_ms: the short form after a delivery. */
void store_tx_receiver_cursor(struct store_tx *tx, int64_t session, const char *name, int64_t cursor, int64_t delivered_ms);
/* Adds to the counts: in the transaction that moves the cursor. */
void store_tx_receiver_count(struct store_tx *tx, int64_t session, const char *name, const struct store_counts *more);
/* NULL: none. */
void store_tx_receiver_replays(struct store_tx *tx, int64_t session, const char *name, const char *replays);
/* The operator has seen the loss. */
void store_tx_receiver_clear_overflow(struct store_tx *tx, int64_t session, const char *name);
/* With its dead letters and deliveries. */
void store_tx_receiver_remove(struct store_tx *tx, int64_t session, const char *name);
/* session 0: of all sessions. */
int store_receiver_list(struct store_reader *reader, struct arena *arena, int64_t session, struct store_receiver **rows, size_t *n);

/* An event that a receiver's cursor went past without delivery: kept, replayable, counted. */
struct store_dead_letter {
	int64_t session, number;
	const char *receiver;
	const char *reason; /* may be NULL */
	int status;         /* HTTP, 0: none */
	int64_t at_ms;
	const char *event_id, *kind; /* of the event; only where it is read */
};

void store_tx_dead_letter_add(struct store_tx *tx, const struct store_dead_letter *letter);
/* The event was delivered after all: if there is such a letter it goes, and counts as delivered from now on. */
void store_tx_dead_letter_delivered(struct store_tx *tx, int64_t session, const char *receiver, int64_t number);
/* Of one receiver (NULL: of all), with numbers above after. */
int store_dead_letter_list(struct store_reader *reader, struct arena *arena, int64_t session, const char *receiver, int64_t after, size_t limit,
                           struct store_dead_letter **rows, size_t *n);

/* ---- deliveries (deliveries.c): the last attempts of each receiver, to be looked at --------------------------------------------------- */

/* So many are kept of each receiver. */
#define STORE_DELIVERIES 50

struct store_delivery {
	int64_t session;
	const char *receiver;
	int64_t attempt;      /* of the receiver: 1, 2, ...; the newest STORE_DELIVERIES stay */
	int64_t number;       /* of the event */
	const char *event_id, *kind;
	int tried;            /* which attempt for this event */
	int64_t at_ms, took_ms;
	int status;           /* 0 with error */
	const char *error;    /* may be NULL */
	int64_t size;         /* of the body that was sent */
	struct span sent, answer; /* their beginnings; sealed */
};

void store_tx_delivery_put(struct store_tx *tx, const struct store_delivery *delivery);
/* Newest first. */
int store_delivery_list(struct store_reader *reader, struct arena *arena, int64_t session, const char *receiver, struct store_delivery **rows,
                        size_t *n);

/* ---- webhooks (webhooks.c): receivers beyond a session's own URL ---------------------------------------------------------------------- */

struct store_webhook {
	const char *id;       /* unique; the name of its rows among the receivers */
	int64_t session;      /* 0: of every session */
	const char *name, *url;
	const char *events;   /* kinds with a blank between them; "": those that every receiver gets */
	int bits;             /* 224, 256, 384, 512; 0: as the server is set */
	const char *scope;    /* webhook/'s word for what stays in order */
	int parallel;
	int64_t timeout_ms;   /* of an attempt; 0: as the server is set */
	bool actions;         /* what it answers may make the account act */
	bool enabled;
	const char *secret;      /* sealed, like the next two */
	const char *next_secret; /* takes over at rotates_ms; NULL: none */
	const char *headers;     /* "Name: value" lines, each with '\n'; NULL: none */
	int64_t rotates_ms, created_ms;
};

/* Adds or replaces the one with this id; session and created_ms stay as they were. */
void store_tx_webhook_put(struct store_tx *tx, const struct store_webhook *webhook);
/* With its receivers, dead letters and deliveries in all sessions. */
void store_tx_webhook_remove(struct store_tx *tx, const char *id);
/* Those of the session and those of every session, in order of making; session 0: all there are. */
int store_webhook_list(struct store_reader *reader, struct arena *arena, int64_t session, struct store_webhook **rows, size_t *n);

/* ---- files of the storage (files.c) ----------------------------------------------------------------------------------------------- */

enum store_file_state {
	STORE_FILE_ARRIVING = 1, /* bytes are on their way; what is left of them after a crash is taken away at the next start */
	STORE_FILE_STORED,
	STORE_FILE_GOING         /* nobody finds it any more; its bytes are being deleted */
};

struct store_file {
	int64_t number;       /* given by the store, never reused */
	const char *key;      /* how the outside names it; unique among the stored ones */
	const char *driver;   /* "local", "s3" */
	const char *object;   /* the driver's name of it */
	enum store_file_state state;
	bool is_public;
	int64_t key_id;       /* of the key that encrypts it; 0: not encrypted by us */
	int64_t size;         /* bytes of the content */
	uint8_t sha256[32];   /* of the content */
	const char *mime;     /* may be NULL */
	const char *session;  /* id, may be NULL */
	const char *upload;   /* S3: id of the multipart upload while arriving; may be NULL */
	const char *info;     /* JSON of the storage's own; sealed; may be NULL */
	int64_t created_ms, expires_ms;
};

/* As ARRIVING. *number as with users. */
void store_tx_file_add(struct store_tx *tx, const struct store_file *file, int64_t *number);
/* ARRIVING -> STORED; what was stored under the same key becomes GOING. STORE_NOT_FOUND fails the tx when the row has gone. */
void store_tx_file_stored(struct store_tx *tx, int64_t number, const uint8_t sha256[32], int64_t key_id);
void store_tx_file_upload(struct store_tx *tx, int64_t number, const char *upload);
void store_tx_file_key_id(struct store_tx *tx, int64_t number, int64_t key_id);
void store_tx_file_going(struct store_tx *tx, int64_t number);
void store_tx_file_remove(struct store_tx *tx, int64_t number);

/* The STORED one, or STORE_NOT_FOUND. */
int store_file_find(struct store_reader *reader, struct arena *arena, const char *key, struct store_file *file);

struct store_file_query {
	enum store_file_what {
		STORE_FILES_UNSETTLED, /* neither ARRIVING nor GOING is for ever: number > after */
		STORE_FILES_EXPIRED,   /* expires_ms < before_ms */
		STORE_FILES_OLDEST,    /* created_ms < before_ms, oldest first; without those that a campaign holds (campaigns.h) */
		STORE_FILES_OTHER_KEY  /* encrypted under another key than key_id: number > after */
	} what;
	int64_t after, before_ms, key_id;
	int limit;
};

int store_file_list(struct store_reader *reader, struct arena *arena, const struct store_file_query *what, struct store_file **rows,
                    size_t *n);

struct store_file_totals {
	int64_t files, bytes; /* STORED */
	int64_t other_key;    /* of these, encrypted under another key than the given */
	int64_t expiring;     /* of these, with an end */
	int64_t last;         /* highest number */
};

int store_file_totals(struct store_reader *reader, int64_t key_id, struct store_file_totals *totals);

/* ---- idempotency (idempotency.c) -------------------------------------------------------------------------------------------------- */

struct store_idempotency {
	const char *scope;   /* key number and route */
	const char *key;     /* the header's text */
	uint8_t digest[32];  /* of the body */
	int64_t outbox;      /* 0: none yet */
	int status;          /* 0: not answered yet */
	struct span answer;  /* sealed */
	int64_t created_ms;
};

/*
 * Takes the key for 24 hours: STORE_CONSTRAINT fails the tx when it is taken. With store_tx_outbox_add() before it in the same tx
 * the row remembers that outbox row.
 */
void store_tx_idempotency_add(struct store_tx *tx, const struct store_idempotency *entry);
void store_tx_idempotency_answer(struct store_tx *tx, const char *scope, const char *key, int status, struct span answer);
/* Nothing was sent after all: the key may be used again. */
void store_tx_idempotency_remove(struct store_tx *tx, const char *scope, const char *key);
int store_idempotency_get(struct store_reader *reader, struct arena *arena, const char *scope, const char *key,
                          struct store_idempotency *entry);

/* ---- settings (settings.c) -------------------------------------------------------------------------------------------------------- */

/* value NULL deletes. */
void store_tx_setting_put(struct store_tx *tx, const char *name, const char *value);
/* STORE_NOT_FOUND when there is none. */
int store_setting_get(struct store_reader *reader, struct arena *arena, const char *name, const char **value);

struct store_setting {
	const char *name, *value;
};
/* All whose names begin so. */
int store_setting_list(struct store_reader *reader, struct arena *arena, const char *prefix, struct store_setting **rows, size_t *n);

/* ---- chats, people, messages (chats.c, messages.c, ...) -------------------------------------------------------------------------- */

#include "sessiond/store/chats.h"

/* ---- campaigns (campaigns.c, campaign_recipients.c) ------------------------------------------------------------------------------- */

#include "sessiond/store/campaigns.h"

#endif

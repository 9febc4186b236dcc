/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside the registry, on the main loop. Private to sessiond/session.
 *
 *     registry.c   entries, loading, what sessions report, lists
 *     control.c    commands to sessions, watches, shutdown
 *     slots.c      the node's handshakes: how many sessions connect at the same time
 *     proxies.h    through which proxy
 */
#ifndef SESSIOND_SESSION_PRIVATE_H
#define SESSIOND_SESSION_PRIVATE_H

#include "sessiond/bytemap.h"
#include "sessiond/session/object.h"
#include "sessiond/session/proxy.h"
#include "sessiond/session/session.h"

struct session_private {
	struct sessions *sessions;   /* borrowed */
	struct session_loop *on;     /* borrowed */
	struct session *session;     /* lives on that loop; only for letters */
	struct session_watch *watches; /* borrowed list */
	struct session_entry *next, *prev; /* list of all */
	struct session_entry *slot_next;   /* queue of those that wait for a handshake */
	bool waits, holds;           /* for a handshake; one */
	bool wants_version;          /* refused with 405, waits for a look-up */
	bool removing;               /* nothing is asked of it any more */
	struct proxy *proxy;         /* borrowed: the one of the present or last connection; NULL: none */
	struct proxy *own_proxy;     /* owned: entry->proxy_url with its health; NULL: has none of its own */
	char *last_proxy;            /* owned: as the row has it, see store_session */
};

/* The answer of session/list for one owner, until something in it changes. */
struct owner_list {
	struct buf json;
	bool valid;
	bool filed; /* file is its content; else file is nothing */
	int file;   /* owned */
};

struct sessions {
	struct daemon *daemon;         /* borrowed */
	struct log log;
	struct session_loop *loops;    /* owned array */
	unsigned loop_count;
	struct session_entry *first, *last; /* owned list, by age */
	struct bytemap *by_id;         /* id -> struct session_entry * */
	struct bytemap *lists;         /* registry -> struct owner_list; owned */
	size_t total;
	/* slots.c */
	struct session_entry *slot_first, *slot_last;
	size_t slots_used;
	/* proxies.c */
	struct proxy_pool *proxies;    /* owned; NULL: none */
	struct proxy_test *proxy_tests; /* owned list */
	struct net *proxy_net;         /* owned: of the tests; NULL: none yet */
	/* version */
	struct version *version;       /* owned; NULL: no look-ups */
	struct net *version_net;       /* owned */
	struct timer version_timer;
	uint32_t revision;             /* third number of the version in use */
	bool version_fixed;            /* chosen by the configuration */
	/* shutdown */
	size_t stopping;               /* answers that are still out */
	bool stopped;
	struct timer stop_timer;
	void (*stop_done)(void *arg);
	void *stop_arg;
};

/* registry.c */
struct net_options session_net_options(const struct config *config);
struct session_entry *registry_add(struct sessions *sessions, const struct store_session *row);
/* session/list of that owner has to be made anew. */
void registry_forget_list(struct sessions *sessions, const char *registry);

/* control.c: a command; text, job, done and arg may be NULL. text is owned by the call. */
void registry_call(struct session_entry *entry, void (*fn)(struct session *session, struct session_call *call), char *text, struct send_job *job,
	sessions_done *done, void *arg);
void registry_tell_watches(struct session_entry *entry, struct session_entry *shown);

/* slots.c */
void slots_want(struct session_entry *entry);
/* why: of a DIAL_BAD, may be NULL. */
void slots_free(struct session_entry *entry, enum dial_outcome outcome, const char *why);

/* proxies.c; the rest of it is in proxies.h */
void proxies_init(struct sessions *sessions);
void proxies_free(struct sessions *sessions);
void proxies_entry_init(struct session_entry *entry, const char *last);
void proxies_entry_free(struct session_entry *entry);
/* The proxy of the session's next connection (the caller frees), NULL: directly. */
char *proxies_for(struct sessions *sessions, struct session_entry *entry);
/* How that connection went. */
void proxies_told(struct sessions *sessions, struct session_entry *entry, enum dial_outcome outcome, const char *why);

/* version.c */
void versions_init(struct sessions *sessions);
void versions_free(struct sessions *sessions);
/* The server refused the version: asks for another one, then starts the session again or lets it stop. */
void versions_refused(struct session_entry *entry);

#endif

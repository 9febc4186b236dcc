/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an account shows of itself, whom it shuts out, and what it can learn about others. Part of the library's face (wa.h).
 *
 *     picture.c     profile and group pictures: address, set, remove
 *     profile.c     about text, default of disappearing messages, privacy settings
 *     blocklist.c   whom the account has blocked
 *     people.c      usync: is a number registered, its identities, about text, business name
 *     business.c    business profile and catalogue
 *     call.c        refusing a call
 *
 * Every question is answered exactly once, never before its function returns (but wa_client_names(), which may at once), with a code:
 *
 *     0     done
 *     408   no answer in time, or the connection is gone
 *     502   an answer that cannot be read
 *     503   not connected, or the client is being freed (done runs inside wa_client_free() then and may not use the client)
 *     else  the server's: 401 hidden, 403 not allowed, 404 there is none, 406 not acceptable, 409 out of date, 429 too often, 5xx
 *
 * What `done` gets is borrowed for the call. Sources: Baileys Socket/chats.ts and business.ts; whatsmeow user.go, privacysettings.go,
 * call.go.
 */
#ifndef WA_PROFILE_H
#define WA_PROFILE_H

#include "sessiond/wa/wa.h"

typedef void wa_done(void *arg, int code);

/* ---- pictures ---- */

struct wa_picture {
	const char *id, *type; /* decimal seconds; "image" or "preview"; may be "" */
	const char *url;       /* may be "" */
	const char *direct_path;
};

/* picture NULL unless code is 0. full: the large one, else the thumbnail. invite: code by which we know a group we are not in, may be NULL. */
typedef void wa_picture_done(void *arg, const struct wa_picture *picture, int code);
void wa_client_picture(struct wa_client *client, const struct jid *who, bool full, const char *invite, wa_picture_done *done, void *arg);
/* group NULL: the account's own. jpeg: square; empty: the picture is removed. */
void wa_client_set_picture(struct wa_client *client, const struct jid *group, struct span jpeg, wa_done *done, void *arg);

/* ---- own profile ---- */

void wa_client_set_about(struct wa_client *client, const char *text, wa_done *done, void *arg);
/* Timer of new chats; 0: off. */
void wa_client_set_default_timer(struct wa_client *client, uint32_t seconds, wa_done *done, void *arg);

struct wa_privacy {
	const char *name, *value; /* as the server says, unknown ones too */
	const char *dhash;        /* of the list of people behind contact_blacklist; may be "" */
};

typedef void wa_privacy_done(void *arg, const struct wa_privacy *settings, size_t n, int code);
void wa_client_privacy(struct wa_client *client, wa_privacy_done *done, void *arg);

struct wa_privacy_user {
	struct jid lid, pn; /* pn: server NONE if unknown */
	bool add;           /* to the list of those who are shut out; else taken off it */
};

struct wa_privacy_change {
	const char *name, *value;
	const char *dhash;  /* the list's as last seen; NULL: none */
	const struct wa_privacy_user *users;
	size_t n;
};

void wa_client_set_privacy(struct wa_client *client, const struct wa_privacy_change *change, wa_done *done, void *arg);

/* ---- block list ---- */

typedef void wa_blocklist_done(void *arg, const struct jid *blocked, size_t n, int code);
void wa_client_blocklist(struct wa_client *client, wa_blocklist_done *done, void *arg);
/* The server goes by LIDs; pn is needed to block. */
void wa_client_block(struct wa_client *client, const struct jid *lid, const struct jid *pn, bool block, wa_done *done, void *arg);

/* ---- others ---- */

enum {
	WA_ASK_CONTACT = 1,  /* is it registered: needs the phone number */
	WA_ASK_LID = 2,
	WA_ASK_ABOUT = 4,
	WA_ASK_BUSINESS = 8, /* verified name */
	WA_ASK_TIMER = 16    /* its default of disappearing messages */
};

/* In: jid or phone. Out: the rest. */
struct wa_user {
	struct jid jid;        /* whom to ask about; server NONE: by phone */
	const char *phone;     /* digits; NULL: by jid */
	bool answered;         /* the server said something about it */
	bool registered;       /* ... with WA_ASK_CONTACT, or found at all without */
	struct jid pn, lid;    /* server NONE if unknown; what was learnt is remembered */
	const char *about;     /* NULL: none, hidden or not asked; in the answer's memory */
	bool about_hidden;
	int64_t about_s;       /* when it was set */
	const char *verified_name; /* NULL: none */
	int64_t timer_s;       /* -1: not said */
};

/* people: as many and in the order as they were asked for. */
typedef void wa_people_done(void *arg, const struct wa_user *people, size_t n, int code);
void wa_client_people(struct wa_client *client, unsigned what, const struct wa_user *people, size_t n, wa_people_done *done, void *arg);

/* From what is known here: others[i] is the other form of jids[i], server NONE if unknown. */
typedef void wa_names_done(void *arg, const struct jid *others, size_t n, int code);
void wa_client_names(struct wa_client *client, const struct jid *jids, size_t n, wa_names_done *done, void *arg);

struct wa_business_hours {
	const char *day, *mode;      /* "mon"; "specific_hours", "open_24h", "appointment_only" */
	int open_min, close_min;     /* minutes after midnight, -1: not said */
};

struct wa_business {
	struct jid jid;
	const char *email, *address, *description, *timezone; /* NULL: none */
	const char **websites, **categories;
	size_t nwebsites, ncategories;
	struct wa_business_hours *hours;
	size_t nhours;
};

/* business NULL with code 404: no business. */
typedef void wa_business_done(void *arg, const struct wa_business *business, int code);
void wa_client_business(struct wa_client *client, const struct jid *who, wa_business_done *done, void *arg);

struct wa_product {
	const char *id, *name, *description, *retailer_id, *url, *currency; /* NULL: none */
	const char *status;                                                /* of the review, NULL: none */
	const char *image_url, *original_image_url;                        /* of the first picture, NULL: none */
	int64_t price;                                                     /* thousandths of the currency, -1: none */
	bool hidden;
};

/* after: where the next page begins, NULL: there is none. */
typedef void wa_catalog_done(void *arg, const struct wa_product *products, size_t n, const char *after, int code);
void wa_client_catalog(struct wa_client *client, const struct jid *who, unsigned limit, const char *after, wa_catalog_done *done, void *arg);

/* ---- calls ---- */

/* Answers when the server has taken it. creator: as the offer named the caller. */
void wa_client_reject_call(struct wa_client *client, const char *call_id, const struct jid *creator, wa_done *done, void *arg);

#endif

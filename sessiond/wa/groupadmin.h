/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a host can ask the server about groups and communities, and tell it to do with them: one question, one answer.
 *
 *     struct wa_group_ask  -- other forms of the people --> groupask.c     <iq xmlns="w:g2">, "usync"
 *                                                              |
 *     struct wa_group_answer <-- names learned, committed <-- groupanswer.c
 *
 * Whoever is gone from a group loses our sender key with the answer, and what was known of a changed group is asked anew before the next
 * message, whether or not the server tells this device of its own change.
 *
 * Source: Baileys Socket/groups.ts and communities.ts, whatsmeow group.go, whatsapp-rust wacore/src/iq/groups.rs.
 */
#ifndef WA_GROUPADMIN_H
#define WA_GROUPADMIN_H

#include "sessiond/wa/wa.h"

/* Behind each: which members of the question count, what the answer brings besides the code. */
enum wa_ask_kind {
	WA_ASK_GROUPS = 1,     /* -> groups: all that we are in, without members */
	WA_ASK_GROUP,          /* group -> groups[0] */
	WA_ASK_CREATE,         /* text subject, people; parent or community, description -> groups[0], people: refused ones among them */
	WA_ASK_LEAVE,          /* group */
	WA_ASK_SUBJECT,        /* group, text */
	WA_ASK_DESCRIPTION,    /* group, text ("" deletes), previous: the present one's id, NULL if there is none */
	WA_ASK_ANNOUNCE,       /* group, on: only admins write */
	WA_ASK_LOCKED,         /* group, on: only admins change subject, picture and the like */
	WA_ASK_EPHEMERAL,      /* group, seconds, 0: off */
	WA_ASK_MEMBER_ADD,     /* group, on: all members may add others */
	WA_ASK_APPROVAL,       /* group, on: admins approve who joins */
	WA_ASK_ADD,            /* group, people -> people, each with its code */
	WA_ASK_REMOVE,         /* group, people, on: from the groups of the community, too -> people */
	WA_ASK_PROMOTE,        /* group, people -> people */
	WA_ASK_DEMOTE,         /* group, people -> people */
	WA_ASK_REQUESTS,       /* group -> people who ask to join, with method and time */
	WA_ASK_APPROVE,        /* group, people -> people */
	WA_ASK_REJECT,         /* group, people -> people */
	WA_ASK_INVITE,         /* group -> text: code of the link */
	WA_ASK_NEW_INVITE,     /* group -> text: new code */
	WA_ASK_INVITE_INFO,    /* text: code -> groups[0] */
	WA_ASK_JOIN,           /* text: code -> group; pending: an admin has to approve */
	WA_ASK_INVITATION,     /* group, text: code of an invite message, expires_s, admin: who sent it -> groups[0] */
	WA_ASK_ACCEPT,         /* the same -> group */
	WA_ASK_TAKE_BACK,      /* group, people: their invite messages are worth nothing any more */
	WA_ASK_SUBGROUPS,      /* group: community -> groups, without members */
	WA_ASK_COMMUNITY_MEMBERS, /* group: community -> people */
	WA_ASK_LINK,           /* group: community, people: JIDs of groups -> people, each with its code */
	WA_ASK_UNLINK,         /* group: community, people: JIDs of groups; on: who is in no other group of it leaves -> people */
	WA_ASK_DEACTIVATE,     /* group: community: it ends, its groups stay */
	WA_ASK_USERS           /* people: numbers -> people: code 200 with both forms, 404 not on the network */
};

struct wa_group_ask {
	enum wa_ask_kind kind;
	struct jid group, parent, admin;
	const char *text, *description, *previous;
	bool on, community;
	uint32_t seconds;
	uint64_t expires_s;
	const struct jid *people;
	size_t n;
};

/* Somebody in an answer. */
struct wa_group_person {
	struct jid jid, other;     /* as the server named them; the other form, server NONE if unknown */
	enum wa_group_role role;
	int code;                  /* 200 done; else what the server says: 403 refuses to be added, 404, 408 left lately, 409 is one already .. */
	char *invite_code;         /* owned; with 403: what an invite message to them holds; may be NULL */
	uint64_t invite_expires_s; /* then */
	char *method;              /* owned: how they asked to join; may be NULL */
	int64_t time_s;            /* when they did; 0: not told */
};

#define WA_GROUP_COUNTRY_MAX 8

/* A group with what only its <group> node tells. */
struct wa_group_facts {
	struct wa_group group;     /* owned contents */
	struct jid owner_pn;       /* phone forms, server NONE if unknown */
	struct jid subject_owner, subject_owner_pn;
	struct jid description_owner, description_owner_pn;
	int64_t subject_time_s, description_time_s; /* 0: not told */
	char country[WA_GROUP_COUNTRY_MAX]; /* of the owner, "" unknown */
	size_t size;               /* members, as the server counts them; 0: not told */
	bool general_chat;         /* of the community `parent` */
};

struct wa_group_answer {
	int code;                  /* 0: done; else the server's error, 408 no answer, 500 storage, 502 unreadable, 503 the client is going */
	char *reason;              /* owned: the server's word for it ("forbidden"), may be NULL */
	struct wa_group_facts *groups; /* owned */
	size_t ngroups;
	struct wa_group_person *people; /* owned, in the server's order */
	size_t n;
	struct jid group;          /* server NONE: none */
	char *text;                /* owned, may be NULL */
	bool pending;
};

/* Frees what it holds. */
void wa_group_answer_clear(struct wa_group_answer *answer);

/*
 * Asks. Everything is copied. done is called exactly once, never before this returns; the answer is borrowed, but what it holds may be
 * taken out. When the client is freed it is called inside wa_client_free() (code 503) and may not use the client.
 */
typedef void wa_group_answered(void *arg, struct wa_group_answer *answer);
void wa_client_group_ask(struct wa_client *client, const struct wa_group_ask *ask, wa_group_answered *done, void *arg);

#endif

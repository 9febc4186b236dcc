/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an API key may do. A route names the one scope it needs, a key holds a set of them; a key without limits holds all, which is
 * what its user may do.
 *
 *     read    looks: lists, chats, messages, media, profiles, tools
 *     send    acts as the account in conversations: messages, reactions, receipts, presence, labels, statuses
 *     manage  sessions, groups, communities, channels, the profile, contacts, webhooks, the user's own keys
 *     admin   users, everybody's keys, the server, the audit log; only in the hands of an administrator
 */
#ifndef COMMON_SCOPE_H
#define COMMON_SCOPE_H

#include <stddef.h>

enum {
	SCOPE_NONE = 0,   /* a route without a key */
	SCOPE_READ = 1,
	SCOPE_SEND = 2,
	SCOPE_MANAGE = 4,
	SCOPE_ADMIN = 8,
	SCOPE_ALL = 15,
	SCOPE_ANY = 16    /* a route that every valid key may use */
};

/* "read"; "any" for SCOPE_ANY, NULL for what is no single scope. Static. */
const char *scope_name(unsigned scope);
/* The scope of a name of len bytes, case matters; SCOPE_NONE: there is none of that name. "any" is none that a key can hold. */
unsigned scope_of_name(const char *name, size_t len);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading a database of the original, for warestctl import. The file is opened read-only and nothing is ever written to it; one that
 * adopt.h has already taken over (it is ours now, its sessions lie in original_sessions) is read as well.
 *
 *     sessions: id, registry_user, label, credentials_path, auto_start, webhook_url, webhook_secret, status, last_connected_at
 *     users:    registry, username, password (scrypt:SALT:HASH), api_key (SHA-256 in hex, or plain), is_admin
 *
 * Any thread but a loop. Source: the original's src/database/migrations/0001_create_core_tables.js.
 */
#ifndef STORE_ORIGINAL_H
#define STORE_ORIGINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

/* Texts are never NULL: "" where there is none. */
struct original_session {
	const char *id, *owner, *label;
	const char *directory;      /* of its auth state, as the original wrote it down */
	const char *webhook_url, *webhook_secret;
	const char *status;         /* the last one that was written down: "open" also after the program has ended */
	const char *connected;      /* text of a time */
	bool auto_start;
};

struct original_user {
	const char *registry, *username, *password, *key;
	bool admin;
};

struct original {
	struct original_session *sessions; /* in the arena */
	struct original_user *users;       /* in the arena */
	size_t nsessions, nusers;
	bool adopted;               /* a database of ours: users, keys and webhooks have moved already */
};

/* STORE_OK, or an enum store_error with a line for people in why. */
int original_read(struct original *out, struct arena *arena, const char *path, char *why, size_t size);

#endif

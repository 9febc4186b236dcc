/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How far an API key reaches: for which sessions it is good and from which networks. Shared by the table of keys and the requests
 * that are running, so it is counted; never changed once made. NULL is a reach without bounds, everywhere.
 *
 *     "shop support"            session ids, blank-separated; empty or NULL: every session
 *     "10.0.0.0/8 2001:db8::1"  networks, blank-separated; empty or NULL: from everywhere
 */
#ifndef COMMON_REACH_H
#define COMMON_REACH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/cidr.h"

enum { REACH_SESSIONS_MAX = 256, REACH_NETWORKS_MAX = 64 };

struct reach {
	atomic_uint refs;
	size_t nsessions, nnetworks; /* 0: unbounded */
	char **sessions;             /* owned, sorted */
	struct cidr *networks;       /* owned */
};

/* 0 with *out (NULL when neither list bounds anything), or -1 with one line in why. */
int reach_new(struct reach **out, const char *sessions, const char *networks, char *why, size_t why_len);
struct reach *reach_ref(struct reach *reach);
void reach_drop(struct reach *reach);

/* Any thread. */
bool reach_has_session(const struct reach *reach, const char *id);
/* address: text form; what is no address is in no network. */
bool reach_has_address(const struct reach *reach, const char *address);
/* What inner allows, outer allows too. */
bool reach_within(const struct reach *inner, const struct reach *outer);

#endif

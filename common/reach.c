/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/reach.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* The next word of a blank-separated list; false at its end. */
static bool next_word(const char **at, size_t *len)
{
	*at += *len;
	*at += strspn(*at, " ");
	*len = strcspn(*at, " ");
	return *len > 0;
}

static size_t count_words(const char *list)
{
	const char *at = list ? list : "";
	size_t n = 0, len = 0;

	while (next_word(&at, &len))
		n++;
	return n;
}

static bool is_id(const char *text, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	return len <= 64 && strspn(text, letters) >= len && !(len == 1 && text[0] == '.') && !(len == 2 && memcmp(text, "..", 2) == 0);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_sessions(struct reach *reach, const char *list, char *why, size_t why_len)
{
	const char *at = list ? list : "";
	size_t len = 0;

	reach->sessions = xcalloc(count_words(list) + 1, sizeof *reach->sessions);
	while (next_word(&at, &len)) {
		if (!is_id(at, len)) {
			snprintf(why, why_len, "sessions: \"%.*s\" is no session id", (int)(len > 80 ? 80 : len), at);
			return -1;
		}
		reach->sessions[reach->nsessions++] = xstrndup(at, len);
	}
	qsort(reach->sessions, reach->nsessions, sizeof *reach->sessions, compare_ids);
	return 0;
}

static int read_networks(struct reach *reach, const char *list, char *why, size_t why_len)
{
	const char *at = list ? list : "";
	size_t len = 0;

	reach->networks = xcalloc(count_words(list) + 1, sizeof *reach->networks);
	while (next_word(&at, &len)) {
		if (cidr_parse(&reach->networks[reach->nnetworks++], at, len)) {
			snprintf(why, why_len, "networks: \"%.*s\" is no address or network", (int)(len > 80 ? 80 : len), at);
			return -1;
		}
	}
	return 0;
}

int reach_new(struct reach **out, const char *sessions, const char *networks, char *why, size_t why_len)
{
	size_t nsessions = count_words(sessions), nnetworks = count_words(networks);
	struct reach *reach;

	*out = NULL;
	if (nsessions == 0 && nnetworks == 0)
		return 0;
	if (nsessions > REACH_SESSIONS_MAX || nnetworks > REACH_NETWORKS_MAX) {
		snprintf(why, why_len, "at most %d sessions and %d networks", REACH_SESSIONS_MAX, REACH_NETWORKS_MAX);
		return -1;
	}
	reach = xcalloc(1, sizeof *reach);
	atomic_init(&reach->refs, 1);
	if (read_sessions(reach, sessions, why, why_len) || read_networks(reach, networks, why, why_len)) {
		reach_drop(reach);
		return -1;
	}
	*out = reach;
	return 0;
}

struct reach *reach_ref(struct reach *reach)
{
	if (reach)
		atomic_fetch_add_explicit(&reach->refs, 1, memory_order_relaxed);
	return reach;
}

void reach_drop(struct reach *reach)
{
	if (!reach || atomic_fetch_sub_explicit(&reach->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < reach->nsessions; i++)
		free(reach->sessions[i]);
	free(reach->sessions);
	free(reach->networks);
	free(reach);
}

bool reach_has_session(const struct reach *reach, const char *id)
{
	if (!reach || reach->nsessions == 0)
		return true;
	return bsearch(&id, reach->sessions, reach->nsessions, sizeof *reach->sessions, compare_ids) != NULL;
}

bool reach_has_address(const struct reach *reach, const char *address)
{
	uint8_t bytes[16];

	if (!reach || reach->nnetworks == 0)
		return true;
	if (!address || cidr_address(bytes, address))
		return false;
	for (size_t i = 0; i < reach->nnetworks; i++) {
		if (cidr_contains(&reach->networks[i], bytes))
			return true;
	}
	return false;
}

static bool sessions_within(const struct reach *inner, const struct reach *outer)
{
	if (!outer || outer->nsessions == 0)
		return true;
	if (!inner || inner->nsessions == 0)
		return false;
	for (size_t i = 0; i < inner->nsessions; i++) {
		if (!reach_has_session(outer, inner->sessions[i]))
			return false;
	}
	return true;
}

static bool network_within(const struct cidr *inner, const struct reach *outer)
{
	for (size_t i = 0; i < outer->nnetworks; i++) {
		if (cidr_within(inner, &outer->networks[i]))
			return true;
	}
	return false;
}

static bool networks_within(const struct reach *inner, const struct reach *outer)
{
	if (!outer || outer->nnetworks == 0)
		return true;
	if (!inner || inner->nnetworks == 0)
		return false;
	for (size_t i = 0; i < inner->nnetworks; i++) {
		if (!network_within(&inner->networks[i], outer))
			return false;
	}
	return true;
}

bool reach_within(const struct reach *inner, const struct reach *outer)
{
	return sessions_within(inner, outer) && networks_within(inner, outer);
}

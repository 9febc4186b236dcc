/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Login lockout per client address and user name. */
#include "sessiond/rpc/lockout.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/bytemap.h"

enum {
	MAX_PAIRS = 65536,
	MAX_PART = 128,
	FAILURES_PER_LOCK = 5,
	WINDOW_MS = 10 * 60 * 1000
};

static const int64_t lock_steps_ms[] = {2 * 60 * 1000, 5 * 60 * 1000, 10 * 60 * 1000};

struct record {
	int64_t first_ms;
	int64_t locked_until_ms;
	int64_t failures;
	int64_t locks;
};

struct lockout {
	struct bytemap *records; /* "ip|username" -> struct record; owned */
};

struct pair_key {
	size_t len;
	unsigned char bytes[2 * MAX_PART + 1];
};

struct lockout *lockout_new(void)
{
	struct lockout *l = calloc(1, sizeof *l);

	if (l == NULL) {
		return NULL;
	}
	l->records = bytemap_new(sizeof(struct record), MAX_PAIRS);
	if (l->records == NULL) {
		free(l);
		return NULL;
	}
	return l;
}

void lockout_free(struct lockout *lockout)
{
	if (lockout != NULL) {
		bytemap_free(lockout->records);
		free(lockout);
	}
}

static void make_key(struct pair_key *key, const char *ip, const char *username)
{
	size_t ip_len = strnlen(ip, MAX_PART);
	size_t name_len = strnlen(username, MAX_PART);

	memcpy(key->bytes, ip, ip_len);
	key->bytes[ip_len] = '|';
	for (size_t i = 0; i < name_len; i++) {
		key->bytes[ip_len + 1 + i] = (unsigned char)tolower((unsigned char)username[i]);
	}
	key->len = ip_len + 1 + name_len;
}

static int64_t seconds_left(const struct record *r, int64_t mono_ms)
{
	return r->locked_until_ms > mono_ms ? (r->locked_until_ms - mono_ms + 999) / 1000 : 0;
}

int64_t lockout_wait_s(struct lockout *lockout, const char *ip, const char *username,
					   int64_t mono_ms)
{
	struct pair_key key;
	const struct record *r;

	make_key(&key, ip, username);
	r = bytemap_get(lockout->records, key.bytes, key.len);
	return r != NULL ? seconds_left(r, mono_ms) : 0;
}

int64_t lockout_failed(struct lockout *lockout, const char *ip, const char *username,
					   int64_t mono_ms)
{
	const int64_t last_step = (int64_t)(sizeof lock_steps_ms / sizeof *lock_steps_ms) - 1;
	struct pair_key key;
	struct record *r;

	make_key(&key, ip, username);
	r = bytemap_put(lockout->records, key.bytes, key.len);
	if (r == NULL) {
		lockout_sweep(lockout, mono_ms);
		r = bytemap_put(lockout->records, key.bytes, key.len);
	}
	if (r == NULL) {
		/* Somebody tries more pairs than the table holds: slow them all down. */
		return lock_steps_ms[0] / 1000;
	}
	if (r->failures == 0 || mono_ms - r->first_ms >= WINDOW_MS) {
		*r = (struct record){.first_ms = mono_ms};
	}
	r->failures++;
	if (r->failures % FAILURES_PER_LOCK == 0) {
		r->locked_until_ms = mono_ms + lock_steps_ms[r->locks < last_step ? r->locks : last_step];
		r->locks++;
		/* The window outlives the lock, else the next step is never reached. */
		r->first_ms = r->locked_until_ms;
	}
	return seconds_left(r, mono_ms);
}

void lockout_succeeded(struct lockout *lockout, const char *ip, const char *username)
{
	struct pair_key key;

	make_key(&key, ip, username);
	bytemap_remove(lockout->records, key.bytes, key.len);
}

static bool record_is_over(const void *key, size_t key_len, void *value, void *arg)
{
	const struct record *r = value;
	const int64_t *now_ms = arg;

	(void)key;
	(void)key_len;
	return r->locked_until_ms <= *now_ms && *now_ms - r->first_ms >= WINDOW_MS;
}

void lockout_sweep(struct lockout *lockout, int64_t mono_ms)
{
	bytemap_each(lockout->records, record_is_over, &mono_ms);
}

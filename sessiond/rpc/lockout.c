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
	bool changed; /* since it was kept */
	bool kept;
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
		*r = (struct record){.first_ms = mono_ms, .kept = r->kept};
	}
	r->changed = true;
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
	struct record *r;

	make_key(&key, ip, username);
	r = bytemap_get(lockout->records, key.bytes, key.len);
	if (r != NULL && r->kept) {
		/* It goes when it is kept no more. */
		*r = (struct record){.kept = true};
	} else {
		bytemap_remove(lockout->records, key.bytes, key.len);
	}
}

static bool is_over(const struct record *r, int64_t now_ms)
{
	return r->failures == 0 || (r->locked_until_ms <= now_ms && now_ms - r->first_ms >= WINDOW_MS);
}

static bool record_is_over(const void *key, size_t key_len, void *value, void *arg)
{
	const struct record *r = value;
	const int64_t *now_ms = arg;

	(void)key;
	(void)key_len;
	return is_over(r, *now_ms) && !r->kept;
}

void lockout_sweep(struct lockout *lockout, int64_t mono_ms)
{
	bytemap_each(lockout->records, record_is_over, &mono_ms);
}

/* ---- over a restart ---- */

struct keeping {
	int64_t mono_ms, wall_ms;
	guard_save *save;
	void *arg;
};

static bool keep_record(const void *key, size_t key_len, void *value, void *arg)
{
	const struct keeping *k = arg;
	struct record *r = value;
	int64_t shift_ms = k->wall_ms - k->mono_ms;
	const int64_t values[GUARD_VALUES] = {r->first_ms + shift_ms, r->locked_until_ms > 0 ? r->locked_until_ms + shift_ms : 0,
										  r->failures, r->locks};

	if (is_over(r, k->mono_ms)) {
		if (r->kept) {
			k->save(k->arg, 'l', key, key_len, NULL);
		}
		r->kept = false;
	} else if (r->changed) {
		k->save(k->arg, 'l', key, key_len, values);
		r->kept = true;
	}
	r->changed = false;
	return false;
}

void lockout_save(struct lockout *lockout, int64_t mono_ms, int64_t wall_ms, guard_save *save, void *arg)
{
	struct keeping k = {mono_ms, wall_ms, save, arg};

	bytemap_each(lockout->records, keep_record, &k);
}

bool lockout_restore(struct lockout *lockout, char kind, const void *key, size_t key_len,
					 const int64_t values[GUARD_VALUES], int64_t mono_ms, int64_t wall_ms)
{
	const int64_t longest_ms = lock_steps_ms[sizeof lock_steps_ms / sizeof *lock_steps_ms - 1];
	int64_t shift_ms = mono_ms - wall_ms;
	struct record kept = {.first_ms = values[0] + shift_ms, .failures = values[2], .locks = values[3], .kept = true};
	struct record *r;

	/* A clock that was set back must not lock anybody out for longer than a lock lasts. */
	if (values[1] > 0) {
		kept.locked_until_ms = values[1] + shift_ms < mono_ms + longest_ms ? values[1] + shift_ms : mono_ms + longest_ms;
	}
	if (kept.first_ms > mono_ms + longest_ms) {
		kept.first_ms = mono_ms;
	}
	if (kind != 'l' || kept.failures <= 0 || kept.locks < 0 || is_over(&kept, mono_ms)) {
		return false;
	}
	r = bytemap_put(lockout->records, key, key_len);
	if (r == NULL) {
		return false;
	}
	kept.failures += r->failures;
	kept.locked_until_ms = r->locked_until_ms > kept.locked_until_ms ? r->locked_until_ms : kept.locked_until_ms;
	*r = kept;
	return true;
}

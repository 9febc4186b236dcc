/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rate limit, recipient cooldown and quota per key. */
#include "sessiond/rpc/guards.h"

#include <stdlib.h>
#include <string.h>

#include "sessiond/bytemap.h"

enum {
	MAX_KEYS = 65536,
	MAX_COOLDOWNS = 262144,
	/* Longer recipient texts are told apart by their first bytes and length. */
	MAX_TO = 4096,
	MAX_KEY_ID = 64,
	/* What is over sooner is not worth keeping. */
	KEEP_MS = 5000
};

struct window {
	int64_t start_ms;
	int64_t count;
	bool changed; /* since it was kept */
	bool kept;
};

struct guards {
	struct guard_limits limits;
	struct bytemap *rate;     /* key id -> struct window; owned */
	struct bytemap *quota;    /* key id -> struct window; owned */
	struct bytemap *cooldown; /* key id, recipient -> int64_t until_ms; owned */
};

struct guards *guards_new(const struct guard_limits *limits)
{
	struct guards *g = calloc(1, sizeof *g);

	if (g == NULL) {
		return NULL;
	}
	g->limits = *limits;
	g->rate = bytemap_new(sizeof(struct window), MAX_KEYS);
	g->quota = bytemap_new(sizeof(struct window), MAX_KEYS);
	g->cooldown = bytemap_new(sizeof(int64_t), MAX_COOLDOWNS);
	if (g->rate == NULL || g->quota == NULL || g->cooldown == NULL) {
		guards_free(g);
		return NULL;
	}
	return g;
}

void guards_free(struct guards *guards)
{
	if (guards == NULL) {
		return;
	}
	bytemap_free(guards->rate);
	bytemap_free(guards->quota);
	bytemap_free(guards->cooldown);
	free(guards);
}

static struct guard_window count_in(struct bytemap *windows, const void *key_id, size_t key_id_len,
									int64_t window_ms, int64_t max, int64_t mono_ms,
									int64_t wall_ms)
{
	struct guard_window out = {0};
	struct window *w;

	if (max <= 0 || window_ms <= 0) {
		return out;
	}
	out.counted = true;
	out.limit = max;
	w = bytemap_put(windows, key_id, key_id_len);
	if (w == NULL) {
		/* More keys than the table holds: nobody is let through uncounted. */
		out.refused = true;
		out.reset_epoch_s = (wall_ms + window_ms) / 1000;
		return out;
	}
	if (w->count == 0 || mono_ms - w->start_ms >= window_ms) {
		w->start_ms = mono_ms;
		w->count = 0;
	}
	w->count++;
	w->changed = true;
	out.refused = w->count > max;
	out.remaining = out.refused ? 0 : max - w->count;
	out.reset_epoch_s = (wall_ms + (w->start_ms + window_ms - mono_ms)) / 1000;
	return out;
}

struct guard_window guards_rate(struct guards *guards, const void *key_id, size_t key_id_len,
								int64_t mono_ms, int64_t wall_ms)
{
	return count_in(guards->rate, key_id, key_id_len, guards->limits.rate_window_ms,
					guards->limits.rate_max, mono_ms, wall_ms);
}

struct guard_window guards_quota(struct guards *guards, const void *key_id, size_t key_id_len,
								 int64_t mono_ms, int64_t wall_ms)
{
	return count_in(guards->quota, key_id, key_id_len, guards->limits.quota_window_ms,
					guards->limits.quota_max, mono_ms, wall_ms);
}

int64_t guards_cooldown(struct guards *guards, const void *key_id, size_t key_id_len,
						const char *to, size_t to_len, int64_t mono_ms)
{
	unsigned char key[MAX_KEY_ID + sizeof to_len + MAX_TO];
	size_t kept = to_len < MAX_TO ? to_len : MAX_TO;
	size_t id_len = key_id_len < MAX_KEY_ID ? key_id_len : MAX_KEY_ID;
	int64_t *until_ms;
	size_t len = 0;

	if (guards->limits.cooldown_ms <= 0) {
		return 0;
	}
	memcpy(key, key_id, id_len);
	len = id_len;
	memcpy(key + len, &to_len, sizeof to_len);
	len += sizeof to_len;
	memcpy(key + len, to, kept);
	len += kept;
	until_ms = bytemap_put(guards->cooldown, key, len);
	if (until_ms == NULL) {
		guards_sweep(guards, mono_ms);
		until_ms = bytemap_put(guards->cooldown, key, len);
	}
	if (until_ms == NULL) {
		return (guards->limits.cooldown_ms + 999) / 1000;
	}
	if (*until_ms > mono_ms) {
		return (*until_ms - mono_ms + 999) / 1000;
	}
	*until_ms = mono_ms + guards->limits.cooldown_ms;
	return 0;
}

struct sweep {
	int64_t now_ms;
	int64_t window_ms;
};

static bool window_is_over(const void *key, size_t key_len, void *value, void *arg)
{
	const struct window *w = value;
	const struct sweep *s = arg;

	(void)key;
	(void)key_len;
	return s->now_ms - w->start_ms >= s->window_ms && !w->kept;
}

static bool cooldown_is_over(const void *key, size_t key_len, void *value, void *arg)
{
	const int64_t *until_ms = value;
	const struct sweep *s = arg;

	(void)key;
	(void)key_len;
	return *until_ms <= s->now_ms;
}

void guards_sweep(struct guards *guards, int64_t mono_ms)
{
	struct sweep s = {mono_ms, guards->limits.rate_window_ms};

	bytemap_each(guards->rate, window_is_over, &s);
	s.window_ms = guards->limits.quota_window_ms;
	bytemap_each(guards->quota, window_is_over, &s);
	bytemap_each(guards->cooldown, cooldown_is_over, &s);
}

/* ---- over a restart ---- */

struct keeping {
	int64_t mono_ms, wall_ms, window_ms;
	char kind;
	guard_save *save;
	void *arg;
};

static bool keep_window(const void *key, size_t key_len, void *value, void *arg)
{
	const struct keeping *k = arg;
	struct window *w = value;
	int64_t age_ms = k->mono_ms - w->start_ms;
	const int64_t values[GUARD_VALUES] = {k->wall_ms - age_ms, w->count};

	if (age_ms >= k->window_ms) {
		if (w->kept) {
			k->save(k->arg, k->kind, key, key_len, NULL);
		}
		w->kept = false;
	} else if (w->changed && k->window_ms - age_ms > KEEP_MS) {
		k->save(k->arg, k->kind, key, key_len, values);
		w->kept = true;
	}
	w->changed = false;
	return false;
}

void guards_save(struct guards *guards, int64_t mono_ms, int64_t wall_ms, guard_save *save, void *arg)
{
	struct keeping k = {mono_ms, wall_ms, guards->limits.rate_window_ms, 'r', save, arg};

	bytemap_each(guards->rate, keep_window, &k);
	k.window_ms = guards->limits.quota_window_ms;
	k.kind = 'q';
	bytemap_each(guards->quota, keep_window, &k);
}

bool guards_restore(struct guards *guards, char kind, const void *key, size_t key_len,
					const int64_t values[GUARD_VALUES], int64_t mono_ms, int64_t wall_ms)
{
	bool rate = kind == 'r';
	int64_t window_ms = rate ? guards->limits.rate_window_ms : guards->limits.quota_window_ms;
	int64_t age_ms = wall_ms - values[0];
	struct window *w;

	/* A clock that was set back must not lock anybody out for longer than a window. */
	if (age_ms < 0) {
		age_ms = 0;
	}
	if ((kind != 'q' && !rate) || age_ms >= window_ms || values[1] <= 0) {
		return false;
	}
	w = bytemap_put(rate ? guards->rate : guards->quota, key, key_len);
	if (w == NULL) {
		return false;
	}
	w->start_ms = mono_ms - age_ms;
	w->count += values[1] < INT32_MAX ? values[1] : INT32_MAX;
	w->kept = true;
	return true;
}

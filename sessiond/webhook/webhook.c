/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All webhooks of the process: who they are, how they are woken, what is asked about them (see webhook.h). */
#include "sessiond/webhook/webhook.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/webhook/webhooks.h"

#define PAUSE_MS 60000
#define SECURITY_PAUSE_MS 900000

/* ---- the table ------------------------------------------------------------------------------------------------------------------ */

static struct hook **bucket(struct webhooks *webhooks, int64_t session)
{
	return &webhooks->buckets[(uint64_t)session % WEBHOOKS_BUCKETS];
}

struct hook *webhooks_next(struct webhooks *webhooks, int64_t session, const struct hook *hook)
{
	struct hook *at = hook ? hook->next : *bucket(webhooks, session);

	while (at && at->session != session)
		at = at->next;
	return at;
}

struct hook *webhooks_find(struct webhooks *webhooks, int64_t session, const char *name)
{
	for (struct hook *hook = webhooks_next(webhooks, session, NULL); hook; hook = webhooks_next(webhooks, session, hook))
		if (strcmp(hook->name, name) == 0)
			return hook;
	return NULL;
}

struct hook *webhooks_add(struct webhooks *webhooks, int64_t session, const char *id, const char *name)
{
	struct hook *hook = xcalloc(1, sizeof(*hook));
	struct hook **at = bucket(webhooks, session);

	hook->webhooks = webhooks;
	hook->session = session;
	hook->id = xstrdup(id);
	hook->name = xstrdup(name);
	hook->state = HOOK_OFF;
	hook->unproven = true;
	uv_timer_init(loop_uv(webhooks->options.loop), &hook->timer);
	hook->timer.data = hook;
	hook->next = *at;
	*at = hook;
	return hook;
}

const char *hook_state_name(enum hook_state state)
{
	static const char *const names[] = { [HOOK_OFF] = "off", [HOOK_ACTIVE] = "active", [HOOK_PAUSED] = "paused", [HOOK_HELD] = "held" };

	return names[state];
}

void webhooks_dispose(struct hook *hook)
{
	if (!hook->closed || hook->jobs > 0)
		return;
	hook_release(hook);
	free(hook);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct hook *hook = handle->data;

	hook->closed = true;
	if (hook->removed)
		webhooks_dispose(hook);
}

static void unqueue_hungry(struct hungry *line, struct hook *hook)
{
	struct hook *before = NULL;

	for (struct hook *i = line->first; i; before = i, i = i->hungry_next) {
		if (i != hook)
			continue;
		if (before)
			before->hungry_next = hook->hungry_next;
		else
			line->first = hook->hungry_next;
		if (line->last == hook)
			line->last = before;
		return;
	}
}

void webhooks_remove(struct webhooks *webhooks, struct hook *hook)
{
	struct hook **at = bucket(webhooks, hook->session);

	while (*at && *at != hook)
		at = &(*at)->next;
	if (*at)
		*at = hook->next;
	unqueue_hungry(&webhooks->hungry[0], hook);
	unqueue_hungry(&webhooks->hungry[1], hook);
	deliver_cancel(hook);
	hook->removed = true;
	uv_close((uv_handle_t *)&hook->timer, on_timer_closed);
}

/* ---- who and where -------------------------------------------------------------------------------------------------------------- */

static bool is_text(const char *text)
{
	return text && text[0];
}

/* Replaces an owned text; true if it is another one now. */
static bool replace(char **slot, const char *text)
{
	bool same = (!*slot && !text) || (*slot && text && strcmp(*slot, text) == 0);

	if (same)
		return false;
	free(*slot);
	*slot = text ? xstrdup(text) : NULL;
	return true;
}

/* The default URL is only used with a default secret (no built-in secrets, D25). */
static const char *own_url(struct hook *hook, const struct store_session *session, const char **secret)
{
	const struct webhook_options *options = &hook->webhooks->options;
	const char *url = session->webhook_url;

	hook->own_url = is_text(url);
	if (!hook->own_url)
		url = is_text(options->default_url) && is_text(options->default_secret) ? options->default_url : NULL;
	*secret = is_text(session->webhook_secret) ? session->webhook_secret : options->default_secret;
	return url;
}

bool webhooks_apply(struct hook *hook, const struct store_session *session, const struct store_webhook *row, const char *username)
{
	const char *secret = row ? row->secret : NULL;
	const char *url = row ? (row->enabled ? row->url : NULL) : own_url(hook, session, &secret);
	bool moved, renamed;

	if (!secret || strlen(secret) < WEBHOOK_SECRET_MIN)
		url = NULL;
	moved = replace(&hook->url, url);
	moved = replace(&hook->secret, url ? secret : NULL) || moved;
	moved = target_set(&hook->target, row) || moved;
	renamed = replace(&hook->label, session->label);
	renamed = replace(&hook->registry, session->registry) || renamed;
	renamed = replace(&hook->username, username) || renamed;
	if (moved)
		hook->generation++;
	if (moved || renamed)
		hook_forget_bodies(hook);
	return moved;
}

/* ---- news from other threads ---------------------------------------------------------------------------------------------------- */

static void pump_if_on(struct hook *hook)
{
	if (hook->state != HOOK_OFF)
		deliver_pump(hook);
}

/* The journal has grown by something that is not at hand. */
static void make_dirty(struct webhooks *webhooks, struct hook *hook)
{
	(void)webhooks;
	hook->dirty = true;
	pump_if_on(hook);
}

static void take_event(struct webhooks *webhooks, const struct store_event *event)
{
	for (struct hook *hook = webhooks_next(webhooks, event->session, NULL), *next; hook; hook = next) {
		next = webhooks_next(webhooks, event->session, hook);
		if (event->number <= hook->tail)
			continue;
		if (!hook_take_next(hook, event, &webhooks->options))
			hook->dirty = true;
		pump_if_on(hook);
	}
}

static void take_news(struct webhooks *webhooks, const struct news *news)
{
	if (!webhooks->ready || news->session == 0) {
		/* The read that is under way may have begun before this happened. */
		webhooks->again = webhooks->starting;
		jobs_start(webhooks);
	} else if (news->session_id) {
		jobs_reload(webhooks, news->session, news->session_id, NULL, NULL);
	} else {
		take_event(webhooks, news->event);
	}
}

static void each_hook(struct webhooks *webhooks, void (*what)(struct webhooks *webhooks, struct hook *hook))
{
	for (size_t i = 0; i < WEBHOOKS_BUCKETS; i++) {
		for (struct hook *hook = webhooks->buckets[i], *next; hook; hook = next) {
			next = hook->next;
			what(webhooks, hook);
		}
	}
}

static void free_news(struct news *news)
{
	while (news) {
		struct news *next = news->next;

		free(news->session_id);
		free(news->event);
		free(news);
		news = next;
	}
}

/* Takes all that is there off the list; the answer: an event is missing among it. */
static bool collect_news(struct webhooks *webhooks, struct news **list)
{
	bool missed;

	pthread_mutex_lock(&webhooks->lock);
	*list = webhooks->news;
	missed = webhooks->missed;
	webhooks->news = NULL;
	webhooks->news_end = &webhooks->news;
	webhooks->handed = webhooks->handed_bytes = 0;
	webhooks->missed = webhooks->posted = false;
	pthread_mutex_unlock(&webhooks->lock);
	return missed;
}

static void on_news(void *arg)
{
	struct webhooks *webhooks = arg;
	struct news *list;
	bool missed = collect_news(webhooks, &list);

	for (const struct news *news = list; news && !webhooks->stopping; news = news->next)
		take_news(webhooks, news);
	free_news(list);
	if (missed && webhooks->ready && !webhooks->stopping)
		each_hook(webhooks, make_dirty);
	else if (missed && !webhooks->stopping)
		take_news(webhooks, &(struct news){ .session = 0 });
}

/* With the lock held: true if the loop must be told. */
static bool append_news(struct webhooks *webhooks, struct news *news)
{
	bool first = !webhooks->posted;

	*webhooks->news_end = news;
	webhooks->news_end = &news->next;
	webhooks->posted = true;
	return first;
}

static void post_news(struct webhooks *webhooks, int64_t session, const char *session_id)
{
	struct news *news = xcalloc(1, sizeof(*news));
	bool first;

	news->session = session;
	news->session_id = session_id ? xstrdup(session_id) : NULL;
	pthread_mutex_lock(&webhooks->lock);
	first = append_news(webhooks, news);
	pthread_mutex_unlock(&webhooks->lock);
	if (first)
		loop_post(webhooks->options.loop, on_news, webhooks);
}

static const char *put_text(char **at, const char *text)
{
	char *start = *at;
	size_t size;

	if (!text)
		return NULL;
	size = strlen(text) + 1;
	memcpy(start, text, size);
	*at += size;
	return start;
}

/* One piece of memory: the struct, its texts, its payload. */
static struct store_event *copy_event(const struct store_event *event)
{
	size_t texts = strlen(event->event_id) + strlen(event->kind) + (event->chat ? strlen(event->chat) : 0) + 3;
	struct store_event *copy = xmalloc(sizeof(*copy) + texts + event->payload.n);
	char *at = (char *)(copy + 1);

	*copy = *event;
	copy->event_id = put_text(&at, event->event_id);
	copy->kind = put_text(&at, event->kind);
	copy->chat = put_text(&at, event->chat);
	copy->payload = span_of(at, event->payload.n);
	if (event->payload.n > 0)
		memcpy(at, event->payload.p, event->payload.n);
	return copy;
}

void webhooks_appended(struct webhooks *webhooks, const struct store_event *event)
{
	struct news *news = NULL;
	bool first;

	if (!webhooks)
		return;
	pthread_mutex_lock(&webhooks->lock);
	if (webhooks->missed || webhooks->handed == WEBHOOKS_HANDED || webhooks->handed_bytes + event->payload.n > WEBHOOKS_HANDED_BYTES) {
		first = !webhooks->posted;
		webhooks->missed = webhooks->posted = true;
	} else {
		news = xcalloc(1, sizeof(*news));
		news->session = event->session;
		news->event = copy_event(event);
		webhooks->handed++;
		webhooks->handed_bytes += event->payload.n;
		first = append_news(webhooks, news);
	}
	pthread_mutex_unlock(&webhooks->lock);
	if (first)
		loop_post(webhooks->options.loop, on_news, webhooks);
}

void webhooks_all_changed(struct webhooks *webhooks)
{
	post_news(webhooks, 0, NULL);
}

void webhooks_session_changed(struct webhooks *webhooks, int64_t session, const char *session_id)
{
	post_news(webhooks, session, session_id);
}

/* ---- questions and orders -------------------------------------------------------------------------------------------------------- */

void webhooks_reload(struct webhooks *webhooks, int64_t session, const char *session_id, void (*done)(void *arg), void *arg)
{
	if (webhooks->ready) {
		jobs_reload(webhooks, session, session_id, done, arg);
		return;
	}
	webhooks->again = webhooks->starting;
	jobs_start(webhooks);
	done(arg);
}

static struct webhook_status status_of(const struct hook *hook)
{
	return (struct webhook_status){
		.session = hook->id,
		.name = hook->name,
		.state = hook_state_name(hook->state),
		.url = hook->url,
		.last_status = hook->last_status,
		.last_error = hook->last_error,
		.failed_since_ms = hook->failed_since_ms,
		.next_ms = hook->state == HOOK_PAUSED ? hook->next_ms : 0,
		.delivered_ms = hook->delivered_ms,
		.failures = hook->failures,
		.cursor = hook->cursor,
		.lost = hook->lost,
		.overflow = hook->overflow,
		.in_flight = hook->in_flight,
	};
}

bool webhooks_status(struct webhooks *webhooks, int64_t session, const char *receiver, struct webhook_status *status)
{
	const struct hook *hook = webhooks_find(webhooks, session, receiver);

	if (hook)
		*status = status_of(hook);
	return hook != NULL;
}

void webhooks_each(struct webhooks *webhooks, void (*each)(void *arg, int64_t session, const struct webhook_status *status), void *arg)
{
	for (size_t i = 0; i < WEBHOOKS_BUCKETS; i++) {
		for (const struct hook *hook = webhooks->buckets[i]; hook; hook = hook->next) {
			struct webhook_status status = status_of(hook);

			each(arg, hook->session, &status);
		}
	}
}

/* What an operator says to one receiver in one session, or in all (0). */
static int tell(struct webhooks *webhooks, int64_t session, const char *receiver, void (*what)(struct hook *hook))
{
	int found = 0;

	for (size_t i = 0; i < WEBHOOKS_BUCKETS; i++) {
		for (struct hook *hook = webhooks->buckets[i]; hook; hook = hook->next) {
			if ((session != 0 && hook->session != session) || strcmp(hook->name, receiver) != 0)
				continue;
			found++;
			what(hook);
			deliver_pump(hook);
		}
	}
	return found;
}

int webhooks_resume(struct webhooks *webhooks, int64_t session, const char *receiver)
{
	return tell(webhooks, session, receiver, hook_resume);
}

int webhooks_hold(struct webhooks *webhooks, int64_t session, const char *receiver)
{
	return tell(webhooks, session, receiver, hook_hold);
}

void webhooks_replay(struct webhooks *webhooks, const struct webhook_replay *wanted, void (*done)(void *arg, int count), void *arg)
{
	jobs_replay(webhooks, wanted, done, arg);
}

int webhook_secret_make(char out[WEBHOOK_SECRET_ROOM])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const size_t n = sizeof(letters) - 1;
	size_t made = 0;

	while (made < WEBHOOK_SECRET_ROOM - 1) {
		uint8_t byte;

		if (crypto_random(&byte, 1) != 0)
			return -1;
		/* Bytes of the last, incomplete round would make some letters likelier. */
		if (byte < 256 / n * n)
			out[made++] = letters[byte % n];
	}
	out[made] = '\0';
	return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------------------------ */

int64_t webhooks_now_ms(struct webhooks *webhooks)
{
	return loop_now_ms(webhooks->options.loop);
}

double webhooks_random(struct webhooks *webhooks)
{
	/* xorshift64: spreads retries, keeps no secrets. */
	webhooks->random_state ^= webhooks->random_state << 13;
	webhooks->random_state ^= webhooks->random_state >> 7;
	webhooks->random_state ^= webhooks->random_state << 17;
	return (double)(webhooks->random_state >> 11) / 9007199254740992.0;
}

struct webhooks *webhooks_new(const struct webhook_options *options)
{
	struct webhooks *webhooks = xcalloc(1, sizeof(*webhooks));

	webhooks->options = *options;
	webhooks->options.version = xstrdup(options->version);
	webhooks->options.default_url = xstrdup(options->default_url ? options->default_url : "");
	webhooks->options.default_secret = xstrdup(options->default_secret ? options->default_secret : "");
	if (webhooks->options.pause_ms <= 0)
		webhooks->options.pause_ms = PAUSE_MS;
	if (webhooks->options.security_pause_ms <= 0)
		webhooks->options.security_pause_ms = SECURITY_PAUSE_MS;
	pthread_mutex_init(&webhooks->lock, NULL);
	webhooks->news_end = &webhooks->news;
	if (crypto_random(&webhooks->random_state, sizeof(webhooks->random_state)) != 0 || webhooks->random_state == 0)
		webhooks->random_state = uv_hrtime() | 1;
	jobs_start(webhooks);
	return webhooks;
}

void webhooks_stop(struct webhooks *webhooks)
{
	if (webhooks->stopping)
		return;
	for (size_t i = 0; i < WEBHOOKS_BUCKETS; i++) {
		for (struct hook *hook = webhooks->buckets[i]; hook; hook = hook->next) {
			deliver_cancel(hook);
			jobs_store_last(hook);
			uv_close((uv_handle_t *)&hook->timer, on_timer_closed);
		}
	}
	webhooks->stopping = true;
	preflight_cancel_all(webhooks);
}

void webhooks_free(struct webhooks **webhooks_pointer)
{
	struct webhooks *webhooks = *webhooks_pointer;

	if (!webhooks)
		return;
	jobs_free(webhooks);
	for (size_t i = 0; i < WEBHOOKS_BUCKETS; i++) {
		while (webhooks->buckets[i]) {
			struct hook *hook = webhooks->buckets[i];

			webhooks->buckets[i] = hook->next;
			hook_release(hook);
			free(hook);
		}
	}
	free_news(webhooks->news);
	pthread_mutex_destroy(&webhooks->lock);
	free((char *)(uintptr_t)webhooks->options.version);
	free((char *)(uintptr_t)webhooks->options.default_url);
	free((char *)(uintptr_t)webhooks->options.default_secret);
	free(webhooks);
	*webhooks_pointer = NULL;
}

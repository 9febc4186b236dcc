/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attempts: the body is built once per round, signed, sent, and the answer given to hook_judge() (see hook.h). */
#include <stdlib.h>
#include <strings.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/webhook/envelope.h"
#include "sessiond/webhook/webhooks.h"

static struct webhook_subject subject_of(const struct hook *hook)
{
	return (struct webhook_subject){ .id = hook->id, .label = hook->label, .registry = hook->registry, .username = hook->username };
}

static void log_failure(const struct hook *hook, const struct delivery *delivery, const struct hook_answer *answer)
{
	const struct log *log = hook->webhooks->options.log;

	log_warn(log, "webhook delivery failed", LOG_STR("session", hook->id), LOG_STR("receiver", hook->name), LOG_STR("event", delivery->kind),
	         LOG_INT("number", delivery->number), LOG_INT("attempt", delivery->attempts), LOG_INT("status", answer->status),
	         LOG_STR("error", answer->text), LOG_STR("state", hook_state_name(hook->state)));
}

static void pass_on(const struct hook *hook, const struct delivery *delivery, const struct http_answer *http)
{
	const struct webhook_options *options = &hook->webhooks->options;
	const struct webhook_said said = {
		.session = hook->session, .session_id = hook->id, .registry = hook->registry, .receiver = hook->name,
		.event_id = delivery->event_id, .kind = delivery->kind, .number = delivery->number, .lane = delivery->lane,
		.sent = buf_span(&delivery->body), .answer = http->body,
		.encrypted = strncasecmp(http->url, "https:", 6) == 0,
	};

	if (options->answered && hook->target.actions && http->body.n > 0 && !http->truncated)
		options->answered(options->ctx, &said);
}

static void excerpt(struct buf *to, struct span from)
{
	size_t len = from.n > HOOK_EXCERPT ? HOOK_EXCERPT : from.n;

	/* Not in the middle of a character. */
	while (len < from.n && len > 0 && (from.p[len] & 0xC0) == 0x80)
		len--;
	buf_append(to, from.p, len);
}

static void take_note(struct hook *hook, const struct delivery *delivery, const struct http_answer *http)
{
	struct hook_note *note = xcalloc(1, sizeof(*note));

	note->attempt = ++hook->attempts;
	note->number = delivery->number;
	note->at_ms = timefmt_now_ms() - http->round_trip_ms;
	note->took_ms = http->round_trip_ms;
	note->event_id = xstrdup(delivery->event_id);
	note->kind = xstrdup(delivery->kind);
	note->error = http->text[0] ? xstrdup(http->text) : NULL;
	note->tried = delivery->attempts;
	note->status = http->status;
	note->size = delivery->body.len;
	excerpt(&note->sent, buf_span(&delivery->body));
	excerpt(&note->answer, http->body);
	hook_note(hook, note);
}

static void free_request(struct hook *hook, struct delivery *delivery)
{
	struct webhooks *webhooks = hook->webhooks;

	hook->in_flight--;
	webhooks->in_flight--;
	if (delivery->slow)
		webhooks->slow_in_flight--;
	delivery->slow = false;
}

static void count_attempt(struct webhook_attempts *attempts, const struct http_answer *http)
{
	if (http->error == HTTP_REFUSED || http->error == HTTP_BAD_URL)
		attempts->refused++;
	else if (http->error == HTTP_TIMEOUT)
		attempts->timeout++;
	else if (http->error)
		attempts->unreachable++;
	else if (http->status >= 200 && http->status <= 299)
		attempts->success++;
	else if (http->status >= 400 && http->status <= 499)
		attempts->client_error++;
	else if (http->status >= 500)
		attempts->server_error++;
	else
		attempts->other++;
}

const struct webhook_attempts *webhooks_attempts(const struct webhooks *webhooks)
{
	return &webhooks->attempts;
}

static void on_answer(void *arg, const struct http_answer *http)
{
	struct delivery *delivery = arg;
	struct hook *hook = delivery->hook;
	struct webhooks *webhooks = hook->webhooks;
	struct hook_answer answer = {
		.verdict = verdict_of(http->error, http->status),
		.status = http->status,
		.text = http->text,
		.retry_after_s = http->retry_after_s,
		.now_ms = webhooks_now_ms(webhooks),
		.wall_ms = timefmt_now_ms(),
		.random = webhooks_random(webhooks),
	};

	delivery->call = NULL;
	free_request(hook, delivery);
	hook->unproven = false;
	hook->slow = http->round_trip_ms > WEBHOOKS_SLOW_MS || answer.verdict == VERDICT_RETRY;
	take_note(hook, delivery, http);
	count_attempt(&webhooks->attempts, http);
	if (answer.verdict == VERDICT_DELIVERED)
		pass_on(hook, delivery, http);
	hook_judge(hook, delivery, &answer, &webhooks->options);
	if (answer.verdict != VERDICT_DELIVERED)
		log_failure(hook, delivery, &answer);
	deliver_pump(hook);
	deliver_feed(webhooks);
}

static void build_body(struct hook *hook, struct delivery *delivery)
{
	struct webhook_subject subject = subject_of(hook);

	delivery->ts_ms = timefmt_now_ms();
	envelope_body(&delivery->body, delivery->kind, buf_span(&delivery->data), delivery->ts_ms, &subject);
}

/* False: no request could be made; the delivery is due again later. */
static bool attempt(struct hook *hook, struct delivery *delivery)
{
	struct webhooks *webhooks = hook->webhooks;
	const struct webhook_options *options = &webhooks->options;
	struct webhook_subject subject = subject_of(hook);
	const char *lines[ENVELOPE_HEADERS_MAX];
	struct arena arena;
	int64_t wall_ms = timefmt_now_ms();
	bool rotated = hook->target.next_secret && wall_ms >= hook->target.rotates_ms;
	int count, error = -1;

	if (delivery->body.len == 0)
		build_body(hook, delivery);
	arena_init(&arena, 0);
	struct envelope_head head = {
		.event = delivery->kind, .body = buf_span(&delivery->body), .ts_ms = delivery->ts_ms, .subject = &subject,
		.secret = rotated ? hook->target.next_secret : hook->secret, .next_secret = rotated ? NULL : hook->target.next_secret,
		.now_ms = wall_ms, .headers = hook->target.headers,
		.bits = hook->target.bits ? hook->target.bits : options->signature_bits, .version = options->version,
		.event_id = options->event_id_session ? hook->id : delivery->event_id, .attempt = delivery->attempts + 1,
	};
	count = envelope_headers(&arena, &head, lines);
	if (count > 0) {
		struct http_request request = {
			.url = hook->url, .headers = lines, .header_count = (size_t)count, .body = buf_span(&delivery->body),
			.timeout_ms = hook->target.timeout_ms > 0 ? hook->target.timeout_ms : options->timeout_ms, .max_answer = WEBHOOKS_ANSWER_MAX, .guard = options->guard, .follow = true, .http2 = true,
		};

		error = http_send(&delivery->call, options->net, &request, on_answer, delivery);
	}
	arena_free(&arena);
	if (error != 0) {
		delivery->due_ms = webhooks_now_ms(webhooks) + 1000;
		return false;
	}
	delivery->state = DELIVERY_SENDING;
	delivery->generation = hook->generation;
	delivery->attempts++;
	delivery->round++;
	delivery->tried_ms = webhooks_now_ms(webhooks);
	hook->probing = hook->state == HOOK_PAUSED;
	hook->in_flight++;
	webhooks->in_flight++;
	delivery->slow = hook->slow;
	if (delivery->slow)
		webhooks->slow_in_flight++;
	return true;
}

/* ---- who may go on ------------------------------------------------------------------------------------------------------------ */

static bool has_free_request(const struct webhooks *webhooks, bool slow)
{
	return webhooks->in_flight < WEBHOOKS_PARALLEL && (!slow || webhooks->slow_in_flight < WEBHOOKS_SLOW);
}

static void queue_hungry(struct hook *hook)
{
	struct hungry *line = &hook->webhooks->hungry[hook->slow];

	if (hook->hungry)
		return;
	hook->hungry = true;
	hook->hungry_next = NULL;
	if (line->last)
		line->last->hungry_next = hook;
	else
		line->first = hook;
	line->last = hook;
}

/* Those in one line, as long as there is a free request for its kind. Who comes again, because there is none any more, goes behind. */
static void feed(struct webhooks *webhooks, bool slow)
{
	struct hungry *line = &webhooks->hungry[slow];

	while (line->first && has_free_request(webhooks, slow) && !webhooks->stopping) {
		struct hook *hook = line->first;

		line->first = hook->hungry_next;
		if (!line->first)
			line->last = NULL;
		hook->hungry = false;
		deliver_pump(hook);
	}
}

void deliver_feed(struct webhooks *webhooks)
{
	feed(webhooks, false);
	feed(webhooks, true);
}

static void on_timer(uv_timer_t *timer)
{
	deliver_pump(timer->data);
}

void deliver_later(struct hook *hook, int64_t after_ms)
{
	uv_update_time(hook->timer.loop);
	if (!uv_is_active((uv_handle_t *)&hook->timer))
		uv_timer_start(&hook->timer, on_timer, (uint64_t)after_ms, 0);
}

static void arm_timer(struct hook *hook, int64_t now_ms, int64_t due_ms)
{
	if (due_ms == INT64_MAX) {
		uv_timer_stop(&hook->timer);
		return;
	}
	uv_update_time(hook->timer.loop);
	/* Not 0: libuv would run what arms itself again in the same round, for ever. */
	uv_timer_start(&hook->timer, on_timer, due_ms > now_ms ? (uint64_t)(due_ms - now_ms) : 1, 0);
}

static void send_due(struct hook *hook)
{
	struct webhooks *webhooks = hook->webhooks;
	int64_t now_ms = webhooks_now_ms(webhooks), due_ms = INT64_MAX;
	struct delivery *delivery;

	while ((delivery = hook_next(hook, now_ms, &due_ms)) != NULL) {
		if (!has_free_request(webhooks, hook->slow)) {
			queue_hungry(hook);
			break;
		}
		if (delivery->data.len == 0 && delivery->body.len == 0) {
			delivery->state = DELIVERY_FETCHING;
			hook->probing = hook->state == HOOK_PAUSED;
			jobs_fetch(delivery);
		} else if (!attempt(hook, delivery)) {
			due_ms = now_ms + 1000;
			break;
		}
	}
	/* What is left to be written down does not wait for the next event. */
	if (hook->unstored.notes_count > 0 && !hook->committing && due_ms > hook->noted_ms + HOOK_NOTES_MS)
		due_ms = hook->noted_ms + HOOK_NOTES_MS;
	arm_timer(hook, now_ms, due_ms);
}

void deliver_pump(struct hook *hook)
{
	struct webhooks *webhooks = hook->webhooks;

	if (hook->removed || webhooks->stopping)
		return;
	hook_expire(hook, timefmt_now_ms(), webhooks->options.retention_ms);
	hook_unblock(hook);
	hook_settle(hook);
	if (hook->state != HOOK_OFF) {
		send_due(hook);
		if (hook->count < HOOK_WINDOW / 2 && hook_has_room(hook))
			jobs_read(hook);
	}
	jobs_store(hook);
}

void deliver_cancel(struct hook *hook)
{
	for (size_t i = 0; i < hook->count; i++) {
		struct delivery *delivery = hook->window[i];

		if (delivery->state != DELIVERY_SENDING)
			continue;
		http_cancel(&delivery->call);
		delivery->state = DELIVERY_WAITING;
		free_request(hook, delivery);
	}
}

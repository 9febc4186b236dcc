/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * wawire: one client of the protocol library on a command line, over a real WebSocket, with its records in memory: for the tests
 * under tests/wa, which prove pairing and login against the simulator without the daemon. Takes commands from stdin, tells what
 * happens as JSON lines on stdout, ends when stdin does.
 *
 *     open | stop | drop | logout | pair PHONE [CODE] | passkey JSON | confirm | send TAG ID TO TEXT | presence on|off
 *     skip MS         our clocks jump ahead          silence MS       the same, but the server counts as silent meanwhile
 *     count KIND      stored records of a kind       creds            the device record's public facts
 *     fail on|off     commits fail                  restart          forget all but the records, as a new process would
 *     read CHAT ID..  read receipts                  typing TO [off]  chat state
 *     status TAG ID JID[,JID...] TEXT                a text status for this audience
 *     group JID [fresh]                              what is known of a group
 *
 *     wawire URL ROOT_KEY_HEX [CA_FILE] [full] [classic]
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/net/net.h"
#include "sessiond/session/assertion.h"
#include "sessiond/wa/creds.h"
#include "sessiond/wa/wa.h"
#include "tests/unit/fake_host.h"

struct order {
	uint64_t tag;
	char *id; /* owned */
};

struct wire {
	uv_loop_t *loop;
	uv_timer_t timer, answers;
	uv_pipe_t input;
	struct net *net;
	struct ws *ws;
	struct wa_loop *wa_loop;
	struct wa_client *client;
	struct wa_config config;
	struct fake_host store;
	struct wa_host host;
	const char *url;
	int64_t skipped_ms;
	size_t told_events; /* of stored batches */
	struct buf line;
	struct order *orders; /* what was sent: the host's outbox */
	size_t norders;
};

static struct wire wire;

static void put(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}

static struct json_object *event_of(const char *name)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "event", json_object_new_string(name));
	return object;
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
	if (text != NULL)
		json_object_object_add(object, name, json_object_new_string(text));
}

static void add_number(struct json_object *object, const char *name, int64_t number)
{
	json_object_object_add(object, name, json_object_new_int64(number));
}

static void add_jid(struct json_object *object, const char *name, const struct jid *jid)
{
	char text[JID_TEXT_MAX];

	if (!jid_is_none(jid))
		add_text(object, name, jid_format(jid, text, sizeof text));
}

static const char *kind_name(enum wa_event_kind kind)
{
	static const char *const names[] = {
		[WA_EVENT_QR] = "qr", [WA_EVENT_QR_EXPIRED] = "qr_expired", [WA_EVENT_PAIR_CODE] = "pair_code",
		[WA_EVENT_PAIR_ERROR] = "pair_error", [WA_EVENT_PASSKEY_REQUEST] = "passkey_request", [WA_EVENT_PASSKEY_CODE] = "passkey_code",
		[WA_EVENT_OPEN] = "open", [WA_EVENT_OFFLINE_DONE] = "offline_done", [WA_EVENT_PRESENCE] = "presence",
		[WA_EVENT_WARNING] = "warning", [WA_EVENT_PAIRED] = "paired", [WA_EVENT_PROFILE] = "profile", [WA_EVENT_MESSAGE] = "message",
		[WA_EVENT_UNDECRYPTABLE] = "undecryptable", [WA_EVENT_RECEIPT] = "receipt", [WA_EVENT_SEND_STANZA] = "send_stanza",
		[WA_EVENT_SEND_ACK] = "send_ack", [WA_EVENT_SEND_FAILED] = "send_failed", [WA_EVENT_RETRY_REQUESTED] = "retry_requested",
		[WA_EVENT_IDENTITY_CHANGED] = "identity_changed", [WA_EVENT_TIMELOCK] = "timelock", [WA_EVENT_LOGGED_OUT] = "logged_out",
		[WA_EVENT_GROUP] = "group", [WA_EVENT_HISTORY] = "history",
	};

	return (size_t)kind < sizeof names / sizeof names[0] && names[kind] != NULL ? names[kind] : "unknown";
}

static const char *receipt_name(enum wa_receipt_kind kind)
{
	static const char *const names[] = {
		[WA_RECEIPT_DELIVERED] = "delivered", [WA_RECEIPT_READ] = "read", [WA_RECEIPT_READ_SELF] = "read-self",
		[WA_RECEIPT_PLAYED] = "played", [WA_RECEIPT_SENDER] = "sender", [WA_RECEIPT_INACTIVE] = "inactive",
	};

	return (size_t)kind < sizeof names / sizeof names[0] && names[kind] != NULL ? names[kind] : "other";
}

static void put_event(const struct wa_event *event)
{
	struct json_object *object = event_of(kind_name(event->kind));

	add_text(object, "text", event->text);
	add_text(object, "text2", event->text2);
	add_number(object, "code", event->code);
	add_number(object, "number", event->number);
	add_number(object, "ms", event->ms);
	add_number(object, "tag", (int64_t)event->tag);
	add_jid(object, "jid", &event->jid);
	add_jid(object, "other", &event->other);
	if (event->message != NULL) {
		add_text(object, "id", event->message->id);
		add_text(object, "body", event->message->text);
		add_jid(object, "chat", &event->message->chat);
		add_jid(object, "sender", &event->message->sender);
		json_object_object_add(object, "from_me", json_object_new_boolean(event->message->from_me));
	}
	if (event->group != NULL) {
		add_jid(object, "chat", &event->group->group);
		add_jid(object, "actor", &event->group->actor);
		add_number(object, "change", event->group->kind);
		add_number(object, "members", (int64_t)event->group->n);
		if (event->group->n > 0)
			add_jid(object, "member", &event->group->members[0].jid);
		add_text(object, "detail", event->group->text);
		json_object_object_add(object, "on", json_object_new_boolean(event->group->on));
		add_number(object, "value", event->group->number);
	}
	if (event->receipt != NULL) {
		add_text(object, "receipt", receipt_name(event->receipt->kind));
		add_text(object, "id", event->receipt->ids[0]);
		add_jid(object, "chat", &event->receipt->chat);
		add_jid(object, "device", &event->receipt->device);
	}
	put(object);
}

/* ---- the host ---- */

static int64_t host_mono(void *ctx)
{
	(void)ctx;
	return (int64_t)uv_now(wire.loop) + wire.skipped_ms;
}

static int64_t host_wall(void *ctx)
{
	uv_timeval64_t now;

	(void)ctx;
	uv_gettimeofday(&now);
	return now.tv_sec * 1000 + now.tv_usec / 1000 + wire.skipped_ms;
}

static void host_send(void *ctx, const uint8_t *bytes, size_t n)
{
	(void)ctx;
	if (wire.ws != NULL)
		ws_send(wire.ws, bytes, n);
}

static void host_close(void *ctx, const struct wa_close *why)
{
	struct json_object *object = event_of("close");

	(void)ctx;
	add_number(object, "reaction", why->reaction);
	add_number(object, "code", why->code);
	add_number(object, "until_ms", why->until_ms);
	add_text(object, "reason", why->reason);
	put(object);
	if (wire.ws != NULL)
		ws_close(wire.ws, 1000);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
	wa_client_tick(wire.client);
}

static void host_timer(void *ctx, int64_t at_ms)
{
	int64_t left;

	(void)ctx;
	if (at_ms == INT64_MAX) {
		uv_timer_stop(&wire.timer);
		return;
	}
	uv_update_time(wire.loop);
	left = at_ms - host_mono(NULL);
	uv_timer_start(&wire.timer, on_tick, left > 0 ? (uint64_t)left : 0, 0);
}

static void on_answers(uv_timer_t *timer)
{
	(void)timer;
	fake_host_run(&wire.store);
}

static void host_fetch(void *ctx, const struct wa_key *keys, size_t n, uint64_t token)
{
	(void)ctx;
	wire.store.host.fetch(&wire.store, keys, n, token);
	uv_timer_start(&wire.answers, on_answers, 0, 0);
}

static void host_commit(void *ctx, struct wa_batch *batch, uint64_t token)
{
	(void)ctx;
	wire.store.host.commit(&wire.store, batch, token);
	uv_timer_start(&wire.answers, on_answers, 0, 0);
}

static void host_event(void *ctx, const struct wa_event *event)
{
	(void)ctx;
	put_event(event);
}

struct job {
	uv_work_t work;
	void (*run)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void job_run(uv_work_t *work)
{
	struct job *job = work->data;

	job->run(job->arg);
}

static void job_done(uv_work_t *work, int status)
{
	struct job *job = work->data;

	(void)status;
	job->done(job->arg);
	free(job);
}

static void host_offload(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct job *job = xcalloc(1, sizeof *job);

	(void)ctx;
	*job = (struct job){ .run = work, .done = done, .arg = arg };
	job->work.data = job;
	uv_queue_work(wire.loop, &job->work, job_run, job_done);
}

/* ---- the WebSocket ---- */

static void on_opened(void *arg)
{
	(void)arg;
	put(event_of("ws_opened"));
	wa_client_opened(wire.client);
}

static void on_data(void *arg, const uint8_t *bytes, size_t len)
{
	(void)arg;
	wa_client_input(wire.client, bytes, len);
}

static void on_closed(void *arg, const struct ws_end *end)
{
	struct json_object *object = event_of("ws_closed");

	(void)arg;
	add_text(object, "text", end->text);
	ws_free(&wire.ws);
	wa_client_closed(wire.client, end->text);
	put(object);
}

static void open_ws(void)
{
	static const struct ws_handlers handlers = { .opened = on_opened, .data = on_data, .closed = on_closed };
	struct ws_options options = { .url = wire.url, .origin = "https://web.whatsapp.com" };

	if (wire.ws != NULL)
		ws_free(&wire.ws);
	if (ws_open(&wire.ws, wire.net, &options, &handlers, NULL) != 0)
		put(event_of("open_refused"));
}

/* ---- commands ---- */

static void put_creds(void)
{
	struct fake_record *record = fake_host_find(&wire.store, WA_RECORD_CREDS, "");
	struct json_object *object = event_of("creds");
	struct wa_creds creds = { 0 };
	char hex[2 * CURVE_KEY_LEN + 1];

	if (record != NULL && creds_read(&creds, buf_span(&record->value)) == 0) {
		crypto_hex(creds.noise.public_key, CURVE_KEY_LEN, hex);
		add_text(object, "noise", hex);
		crypto_hex(creds.identity.public_key, CURVE_KEY_LEN, hex);
		add_text(object, "identity", hex);
		add_number(object, "registration_id", creds.registration_id);
		add_number(object, "next_prekey_id", creds.next_prekey_id);
		add_number(object, "signed_prekey_id", creds.signed_prekey.id);
		add_number(object, "login_count", creds.login_count);
		add_number(object, "routing_info", (int64_t)creds.routing_info.len);
		add_text(object, "platform", creds.platform);
		add_jid(object, "pn", &creds.pn);
		add_jid(object, "lid", &creds.lid);
		creds_free(&creds);
	}
	put(object);
}

static void count_records(const char *kind)
{
	struct json_object *object = event_of("count");

	add_number(object, "count", (int64_t)fake_host_count(&wire.store, (enum wa_record_kind)strtol(kind, NULL, 10)));
	put(object);
}

static void order(struct wa_send *send, const char *tag, const char *id, const char *body)
{
	struct wa_text text = { .text = body };
	struct buf plain = { 0 };

	wa_build_text(&plain, &text);
	send->tag = strtoull(tag, NULL, 10);
	send->id = id;
	send->plaintext = buf_span(&plain);
	wire.orders = xrealloc(wire.orders, (wire.norders + 1) * sizeof *wire.orders);
	wire.orders[wire.norders++] = (struct order){ .tag = send->tag, .id = xstrdup(id) };
	wa_client_send(wire.client, send);
	buf_free(&plain);
}

static void send_text(char *rest)
{
	char *tag = strtok_r(rest, " ", &rest), *id = strtok_r(rest, " ", &rest), *to = strtok_r(rest, " ", &rest);
	struct wa_send send = { 0 };

	if (tag != NULL && id != NULL && to != NULL && jid_parse_text(&send.to, to) == 0)
		order(&send, tag, id, rest);
}

static void send_status(char *rest)
{
	char *tag = strtok_r(rest, " ", &rest), *id = strtok_r(rest, " ", &rest), *list = strtok_r(rest, " ", &rest);
	struct jid audience[16];
	struct wa_send send = { .audience = audience };

	if (tag == NULL || id == NULL || list == NULL || jid_parse_text(&send.to, "status@broadcast") != 0)
		return;
	for (char *one = strtok_r(list, ",", &list); one != NULL && send.naudience < 16; one = strtok_r(list, ",", &list))
		if (jid_parse_text(&audience[send.naudience], one) == 0)
			send.naudience++;
	order(&send, tag, id, rest);
}

static void put_group(void *arg, const struct wa_group *group, int code)
{
	struct json_object *object = event_of("group_info");

	(void)arg;
	add_number(object, "code", code);
	if (group != NULL) {
		add_jid(object, "jid", &group->jid);
		add_text(object, "subject", group->subject);
		add_number(object, "members", (int64_t)group->n);
		add_number(object, "expiration", group->expiration_s);
		json_object_object_add(object, "announce", json_object_new_boolean(group->announce));
		json_object_object_add(object, "lid", json_object_new_boolean(group->lid_addressed));
	}
	put(object);
}

static void do_group(char *rest)
{
	char *jid = strtok_r(rest, " ", &rest);
	struct jid group;

	if (jid != NULL && jid_parse_text(&group, jid) == 0)
		wa_client_group(wire.client, &group, strcmp(rest, "fresh") == 0, put_group, NULL);
}

static void put_result(const char *what, int result)
{
	struct json_object *object = event_of(what);

	add_number(object, "result", result);
	put(object);
}

static void do_open(char *rest)
{
	(void)rest;
	open_ws();
}

static void do_stop(char *rest)
{
	(void)rest;
	wa_client_stop(wire.client);
}

static void do_drop(char *rest)
{
	(void)rest;
	if (wire.ws != NULL)
		ws_free(&wire.ws);
	wa_client_closed(wire.client, "dropped");
}

static void do_logout(char *rest)
{
	(void)rest;
	wa_client_logout(wire.client);
}

static void do_pair(char *rest)
{
	char *phone = strtok_r(rest, " ", &rest);

	wa_client_pair_code(wire.client, phone != NULL ? phone : "", rest[0] != '\0' ? rest : NULL);
}

static void do_passkey(char *rest)
{
	struct buf credential_id = { 0 }, assertion = { 0 };
	int result = assertion_read(rest, &credential_id, &assertion);

	if (result == 0)
		result = wa_client_passkey_response(wire.client, buf_span(&credential_id), buf_text(&assertion));
	put_result("passkey_response", result);
	buf_free(&credential_id);
	buf_free(&assertion);
}

static void do_confirm(char *rest)
{
	(void)rest;
	put_result("passkey_confirm", wa_client_passkey_confirm(wire.client));
}

static void do_presence(char *rest)
{
	wa_client_presence(wire.client, strcmp(rest, "on") == 0);
}

static void do_silence(char *rest)
{
	wire.skipped_ms += strtoll(rest, NULL, 10);
	wa_client_tick(wire.client);
}

static void do_skip(char *rest)
{
	wire.skipped_ms += strtoll(rest, NULL, 10);
	/* No bytes, but a sign of life: the server did not really fall silent. */
	wa_client_input(wire.client, (const uint8_t *)"", 0);
	wa_client_tick(wire.client);
}

static void do_read(char *rest)
{
	char *chat = strtok_r(rest, " ", &rest);
	const char *ids[512];
	struct jid jid;
	size_t n = 0;

	for (char *id; n < sizeof ids / sizeof ids[0] && (id = strtok_r(rest, " ", &rest)) != NULL;)
		ids[n++] = id;
	if (chat != NULL && jid_parse_text(&jid, chat) == 0)
		wa_client_mark_read(wire.client, &jid, NULL, ids, n, false);
}

static void do_typing(char *rest)
{
	char *to = strtok_r(rest, " ", &rest);
	struct jid jid;

	if (to != NULL && jid_parse_text(&jid, to) == 0)
		wa_client_chatstate(wire.client, &jid, rest[0] == '\0' ? WA_COMPOSING : WA_PAUSED);
}

static bool is_settled(uint64_t tag)
{
	for (size_t i = 0; i < wire.store.nevents; i++)
		if (wire.store.events[i]->tag == tag &&
		    (wire.store.events[i]->kind == WA_EVENT_SEND_ACK || wire.store.events[i]->kind == WA_EVENT_SEND_FAILED))
			return true;
	return false;
}

static void resend(const struct order *order)
{
	const struct wa_event *last = NULL;

	for (size_t i = 0; i < wire.store.nevents; i++)
		if (wire.store.events[i]->kind == WA_EVENT_SEND_STANZA && wire.store.events[i]->tag == order->tag)
			last = wire.store.events[i];
	if (last != NULL && !is_settled(order->tag))
		wa_client_resend(wire.client, order->tag, order->id, buf_span(&last->bytes));
}

static void do_restart(char *rest)
{
	(void)rest;
	if (wire.ws != NULL)
		ws_free(&wire.ws);
	fake_host_crash(&wire.store);
	wa_client_free(wire.client);
	wire.client = wa_client_new(wire.wa_loop, &wire.host, &wire);
	wire.store.to = wire.client;
	for (size_t i = 0; i < wire.norders; i++)
		resend(&wire.orders[i]);
	put(event_of("restarted"));
}

static void do_creds(char *rest)
{
	(void)rest;
	put_creds();
}

static void do_fail(char *rest)
{
	wire.store.fail_commits = strcmp(rest, "on") == 0;
}

static void run_command(char *line)
{
	static const struct {
		const char *name;
		void (*run)(char *rest);
	} commands[] = {
		{ "open", do_open }, { "stop", do_stop }, { "drop", do_drop }, { "logout", do_logout }, { "pair", do_pair },
		{ "passkey", do_passkey }, { "confirm", do_confirm }, { "presence", do_presence }, { "skip", do_skip }, { "silence", do_silence },
		{ "creds", do_creds }, { "fail", do_fail }, { "read", do_read }, { "typing", do_typing }, { "restart", do_restart },
		{ "send", send_text }, { "status", send_status }, { "group", do_group },
	};
	char *rest = strchr(line, ' ');

	if (rest != NULL)
		*rest++ = '\0';
	else
		rest = line + strlen(line);
	if (strcmp(line, "count") == 0)
		count_records(rest);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strcmp(commands[i].name, line) == 0)
			commands[i].run(rest);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	(void)handle;
	*out = uv_buf_init(xmalloc(suggested), (unsigned)suggested);
}

static void on_input(uv_stream_t *stream, ssize_t n, const uv_buf_t *bytes)
{
	(void)stream;
	if (n < 0) {
		uv_stop(wire.loop);
	} else {
		buf_append(&wire.line, bytes->base, (size_t)n);
		for (;;) {
			uint8_t *end = wire.line.len > 0 ? memchr(wire.line.data, '\n', wire.line.len) : NULL;
			size_t length;

			if (end == NULL)
				break;
			length = (size_t)(end - wire.line.data) + 1;
			*end = '\0';
			run_command((char *)wire.line.data);
			buf_consume(&wire.line, length);
		}
	}
	free(bytes->base);
}

static void to_fetched(void *to, uint64_t token, const struct span *values, size_t n, bool error)
{
	wa_client_fetched(to, token, values, n, error);
}

static void to_committed(void *to, uint64_t token, bool ok)
{
	size_t first = wire.told_events;

	while (wire.told_events < wire.store.nevents)
		put_event(wire.store.events[wire.told_events++]);
	wa_client_committed(to, token, ok);
	for (size_t i = first; ok && i < wire.told_events; i++)
		if (wire.store.events[i]->kind == WA_EVENT_HISTORY)
			wa_client_history_done(to, wire.store.events[i]->text);
}

static void setup(int argc, char **argv)
{
	struct net_options options = { 0 };

	wire.url = argv[1];
	wire.config = (struct wa_config){
		.version = { 2, 3000, 1045649367 }, .os_name = "Mac OS", .browser_name = "Chrome", .cache_bytes = 1U << 20,
	};
	if (crypto_unhex(argv[2], strlen(argv[2]), wire.config.root_key, sizeof wire.config.root_key) != 0)
		exit(2);
	for (int i = 3; i < argc; i++) {
		if (strcmp(argv[i], "classic") == 0)
			wire.config.classic_qr = true;
		else if (strcmp(argv[i], "full") == 0)
			wire.config.full_history = true;
		else
			options.ca_file = argv[i];
	}
	wire.loop = uv_default_loop();
	uv_timer_init(wire.loop, &wire.timer);
	uv_timer_init(wire.loop, &wire.answers);
	uv_pipe_init(wire.loop, &wire.input, 0);
	net_global_init();
	net_new(&wire.net, wire.loop, &options);
	fake_host_init(&wire.store);
	wire.host = (struct wa_host){
		.wall_ms = host_wall, .mono_ms = host_mono, .random = wire.store.host.random, .send = host_send, .close = host_close,
		.timer = host_timer, .fetch = host_fetch, .commit = host_commit, .event = host_event, .offload = host_offload,
	};
	wire.wa_loop = wa_loop_new(&wire.config);
	wire.client = wa_client_new(wire.wa_loop, &wire.host, &wire);
	wire.store.fetched = to_fetched;
	wire.store.committed = to_committed;
	wire.store.to = wire.client;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: wawire URL ROOT_KEY_HEX [CA_FILE] [classic] [full]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	setup(argc, argv);
	if (uv_pipe_open(&wire.input, 0) != 0 || uv_read_start((uv_stream_t *)&wire.input, on_alloc, on_input) != 0)
		return 2;
	uv_run(wire.loop, UV_RUN_DEFAULT);
	if (wire.ws != NULL)
		ws_free(&wire.ws);
	wa_client_free(wire.client);
	wa_loop_free(wire.wa_loop);
	fake_host_free(&wire.store);
	buf_free(&wire.line);
	for (size_t i = 0; i < wire.norders; i++)
		free(wire.orders[i].id);
	free(wire.orders);
	net_free(&wire.net);
	uv_close((uv_handle_t *)&wire.timer, NULL);
	uv_close((uv_handle_t *)&wire.answers, NULL);
	uv_close((uv_handle_t *)&wire.input, NULL);
	uv_run(wire.loop, UV_RUN_DEFAULT);
	uv_loop_close(wire.loop);
	net_global_free();
	return 0;
}

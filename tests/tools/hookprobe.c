/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hookprobe: webhooks over a real store on a command line, for the tests under tests/net. Commands on stdin, JSON lines on stdout.
 *
 *     hookprobe [-r RETRIES] [-b BACKOFF_MS] [-p PAUSE_MS] [-s SECURITY_PAUSE_MS] [-t TIMEOUT_MS] [-R RETENTION_MS] [-u URL] [-S SECRET]
 *               [-B BITS] [-C CA_FILE] [-J JOURNAL_BYTES] [-i] [-c] DATABASE
 *     session ID URL SECRET     adds it or changes where it reports to ("-" = none)
 *     remove ID
 *     webhook ID NAME URL SECRET ORDER   another receiver of the session ("-" as ID: of every session)
 *     counts ID                 what became of the journal for each receiver
 *     event ID KIND CHAT TEXT   one journal row, {"id":ID,"text":TEXT,"sessionId":ID}; answers when it is stored ("-" = no chat)
 *     events ID CHATS COUNT     COUNT message_received rows spread over CHATS chats
 *     post ID CHAT TEXT         a message_received row as the daemon stores it: nothing waits, nothing is answered
 *     backlog ID CHATS COUNT    the same in large commits; nothing is delivered before the end
 *     status ID | resume ID | replay ID FROM TO | replays ID | dead ID | stored ID | preflight URL SECRET | stop
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/loop.h"
#include "sessiond/store/store.h"
#include "sessiond/webhook/webhook.h"

static struct store *store;
static struct loop *loop;
static struct webhooks *webhooks;
static struct net *net;
static struct guard *guard;
static uv_pipe_t input;
static struct buf line;
static bool stopping;

struct found {
	const char *id;
	int64_t number;
};

static void find(struct store_reader *reader, void *arg)
{
	struct found *found = arg;
	struct store_session session;
	struct arena arena;

	arena_init(&arena, 0);
	found->number = store_session_by_id(reader, &arena, found->id, &session) == 0 ? session.number : 0;
	arena_free(&arena);
}

static int64_t number_of(const char *id)
{
	struct found found = { .id = id };

	store_read_wait(store, find, &found);
	return found.number;
}

static void put_session(const char *id, const char *url, const char *secret)
{
	struct store_session session = { .id = id, .registry = "admin", .label = id, .state = "stopped",
		.webhook_url = strcmp(url, "-") == 0 ? NULL : url, .webhook_secret = strcmp(secret, "-") == 0 ? NULL : secret };
	int64_t number = number_of(id);
	struct store_tx *tx = store_tx_new(store);

	if (number)
		store_tx_session_webhook(tx, number, id, session.webhook_url, session.webhook_secret);
	else
		store_tx_session_add(tx, &session, &number);
	printf("{\"event\":\"session\",\"error\":%d,\"number\":%" PRId64 "}\n", store_commit_wait(store, tx), number);
	webhooks_session_changed(webhooks, number, id);
}

static void remove_session(const char *id)
{
	int64_t number = number_of(id);
	struct store_tx *tx = store_tx_new(store);

	store_tx_session_remove(tx, number);
	printf("{\"event\":\"removed\",\"error\":%d}\n", store_commit_wait(store, tx));
	webhooks_session_changed(webhooks, number, id);
}

static int64_t add_event(struct store_tx *tx, int64_t session, const char *id, const char *kind, const char *chat, const char *text)
{
	static unsigned long count;
	char event_id[64];
	struct buf payload = { 0 };
	struct store_event event = { .session = session, .kind = kind, .chat = strcmp(chat, "-") == 0 ? NULL : chat, .time_ms = timefmt_now_ms() };

	snprintf(event_id, sizeof(event_id), "E%d.%lu", (int)getpid(), ++count);
	event.event_id = event_id;
	buf_printf(&payload, "{\"id\":\"%s\",\"text\":\"%s\",\"chat\":\"%s\",\"sessionId\":\"%s\"}", id, text, chat, id);
	event.payload = buf_span(&payload);
	store_tx_event_add(tx, &event, NULL);
	buf_free(&payload);
	return 0;
}

static void add_events(const char *id, int chats, int count)
{
	int64_t session = number_of(id);

	for (int i = 0; i < count; i++) {
		struct store_tx *tx = store_tx_new(store);
		char chat[32], text[32];

		snprintf(chat, sizeof(chat), "chat%d", i % chats);
		snprintf(text, sizeof(text), "%d", i / chats);
		add_event(tx, session, id, "message_received", chat, text);
		if (store_commit_wait(store, tx) != 0)
			printf("{\"event\":\"lost\"}\n");
	}
	printf("{\"event\":\"stored\",\"count\":%d}\n", count);
}

static void post_event(const char *id, const char *chat, const char *text)
{
	static int64_t session;
	struct store_tx *tx = store_tx_new(store);

	if (session == 0)
		session = number_of(id);
	add_event(tx, session, id, "message_received", chat, text);
	store_commit(store, tx, NULL, NULL);
}

static void add_backlog(const char *id, int chats, int count)
{
	int64_t session = number_of(id);

	for (int i = 0; i < count;) {
		struct store_tx *tx = store_tx_new(store);

		for (int end = i + 500 < count ? i + 500 : count; i < end; i++) {
			char chat[32], text[32];

			snprintf(chat, sizeof(chat), "chat%d", i % chats);
			snprintf(text, sizeof(text), "%d", i / chats);
			add_event(tx, session, id, "message_received", chat, text);
		}
		store_commit_wait(store, tx);
	}
	printf("{\"event\":\"stored\",\"count\":%d}\n", count);
}

static void put_webhook(char *const word[])
{
	int64_t session = strcmp(word[1], "-") == 0 ? 0 : number_of(word[1]);
	struct store_webhook row = { .id = word[2], .session = session, .name = word[2], .url = word[3], .secret = word[4], .scope = word[5],
		.events = "", .actions = true, .enabled = true };
	struct store_tx *tx = store_tx_new(store);

	store_tx_webhook_put(tx, &row);
	printf("{\"event\":\"webhook\",\"error\":%d}\n", store_commit_wait(store, tx));
	if (session)
		webhooks_session_changed(webhooks, session, word[1]);
	else
		webhooks_all_changed(webhooks);
}

static void print_counts(struct store_reader *reader, void *arg)
{
	int64_t session = *(int64_t *)arg, first = 0, last = 0;
	struct store_receiver *rows = NULL;
	struct arena arena;
	size_t n = 0;

	arena_init(&arena, 0);
	store_event_range(reader, session, &first, &last);
	store_receiver_list(reader, &arena, session, &rows, &n);
	printf("{\"event\":\"counts\",\"last\":%" PRId64 ",\"receivers\":[", last);
	for (size_t i = 0; i < n; i++) {
		const struct store_counts *c = &rows[i].counts;

		printf("%s{\"name\":\"%s\",\"state\":\"%s\",\"start\":%" PRId64 ",\"cursor\":%" PRId64 ",\"delivered\":%" PRId64 ",\"dead\":%" PRId64
		       ",\"skipped\":%" PRId64 ",\"missed\":%" PRId64 "}", i ? "," : "", rows[i].name, rows[i].state, rows[i].start, rows[i].cursor,
		       c->delivered, c->dead, c->skipped, c->missed);
	}
	printf("]}\n");
	arena_free(&arena);
}

static void print_status(const char *id)
{
	struct webhook_status s;

	if (!webhooks_status(webhooks, number_of(id), HOOK_OWN, &s)) {
		printf("{\"event\":\"status\",\"state\":null}\n");
		return;
	}
	printf("{\"event\":\"status\",\"state\":\"%s\",\"url\":\"%s\",\"lastStatus\":%d,\"lastError\":\"%s\",\"failedSince\":%" PRId64
	       ",\"next\":%" PRId64 ",\"delivered\":%" PRId64 ",\"failures\":%d,\"cursor\":%" PRId64 "}\n",
	       s.state, s.url ? s.url : "", s.last_status, s.last_error ? s.last_error : "", s.failed_since_ms, s.next_ms, s.delivered_ms,
	       s.failures, s.cursor);
}

static void read_dead(struct store_reader *reader, void *arg)
{
	struct store_dead_letter *rows = NULL;
	struct arena arena;
	size_t n = 0;

	arena_init(&arena, 0);
	store_dead_letter_list(reader, &arena, *(int64_t *)arg, NULL, 0, 1000, &rows, &n);
	printf("{\"event\":\"dead\",\"letters\":[");
	for (size_t i = 0; i < n; i++)
		printf("%s{\"receiver\":\"%s\",\"number\":%" PRId64 ",\"reason\":\"%s\",\"status\":%d}", i ? "," : "", rows[i].receiver,
		       rows[i].number, rows[i].reason, rows[i].status);
	printf("]}\n");
	arena_free(&arena);
}

static void read_receiver(struct store_reader *reader, void *arg)
{
	struct store_receiver *rows = NULL;
	struct arena arena;
	size_t n = 0;

	arena_init(&arena, 0);
	store_receiver_list(reader, &arena, *(int64_t *)arg, &rows, &n);
	/* The session's own is the last by name. */
	if (n > 0)
		rows += n - 1;
	printf("{\"event\":\"stored_receiver\",\"state\":\"%s\",\"cursor\":%" PRId64 "}\n", n ? rows[0].state : "", n ? rows[0].cursor : 0);
	arena_free(&arena);
}

static void read_replays(struct store_reader *reader, void *arg)
{
	struct store_receiver *rows = NULL;
	struct arena arena;
	size_t n = 0;

	arena_init(&arena, 0);
	store_receiver_list(reader, &arena, *(int64_t *)arg, &rows, &n);
	printf("{\"event\":\"replays\",\"text\":\"%s\"}\n", n > 0 && rows[n - 1].replays ? rows[n - 1].replays : "");
	arena_free(&arena);
}

static void on_replay(void *arg, int count)
{
	(void)arg;
	printf("{\"event\":\"replay\",\"count\":%d}\n", count);
}

static void on_preflight(void *arg, const struct webhook_preflight *result)
{
	(void)arg;
	printf("{\"event\":\"preflight\",\"ok\":%s,\"status\":%d,\"error\":\"%s\"}\n", result->ok ? "true" : "false", result->status,
	       result->error ? result->error : "");
}

static void clear_url(void *ctx, int64_t session, const char *id)
{
	(void)ctx;
	printf("{\"event\":\"clear\",\"session\":\"%s\",\"number\":%" PRId64 "}\n", id, session);
}

static void stop(void)
{
	if (stopping)
		return;
	stopping = true;
	webhooks_stop(webhooks);
	uv_close((uv_handle_t *)&input, NULL);
	net_free(&net);
	loop_stop(loop);
}

static void command(char *text)
{
	char *save = NULL, *word[6] = { NULL };
	static const struct webhook_subject subject = { .id = "sales", .label = "Sales", .registry = "admin", .username = "admin" };

	for (size_t i = 0; i < 6; i++)
		word[i] = strtok_r(i == 0 ? text : NULL, " ", &save);
	if (!word[0] || stopping)
		return;
	if (strcmp(word[0], "stop") == 0) {
		stop();
	} else if (strcmp(word[0], "session") == 0) {
		put_session(word[1], word[2], word[3]);
	} else if (strcmp(word[0], "remove") == 0) {
		remove_session(word[1]);
	} else if (strcmp(word[0], "webhook") == 0 && word[5]) {
		put_webhook(word);
	} else if (strcmp(word[0], "counts") == 0) {
		int64_t session = number_of(word[1]);

		store_read_wait(store, print_counts, &session);
	} else if (strcmp(word[0], "event") == 0) {
		struct store_tx *tx = store_tx_new(store);
		int64_t session = number_of(word[1]);

		add_event(tx, session, word[1], word[2], word[3], word[4]);
		printf("{\"event\":\"stored\",\"error\":%d}\n", store_commit_wait(store, tx));
	} else if (strcmp(word[0], "events") == 0) {
		add_events(word[1], (int)strtol(word[2], NULL, 10), (int)strtol(word[3], NULL, 10));
	} else if (strcmp(word[0], "post") == 0) {
		post_event(word[1], word[2], word[3]);
	} else if (strcmp(word[0], "backlog") == 0) {
		add_backlog(word[1], (int)strtol(word[2], NULL, 10), (int)strtol(word[3], NULL, 10));
	} else if (strcmp(word[0], "status") == 0) {
		print_status(word[1]);
	} else if (strcmp(word[0], "resume") == 0) {
		webhooks_resume(webhooks, number_of(word[1]), HOOK_OWN);
	} else if (strcmp(word[0], "dead") == 0) {
		int64_t session = number_of(word[1]);

		store_read_wait(store, read_dead, &session);
	} else if (strcmp(word[0], "stored") == 0) {
		int64_t session = number_of(word[1]);

		store_read_wait(store, read_receiver, &session);
	} else if (strcmp(word[0], "replays") == 0) {
		int64_t session = number_of(word[1]);

		store_read_wait(store, read_replays, &session);
	} else if (strcmp(word[0], "replay") == 0) {
		const struct webhook_replay wanted = { .session = number_of(word[1]), .receiver = HOOK_OWN, .from = strtol(word[2], NULL, 10),
			.to = strtol(word[3], NULL, 10) };

		webhooks_replay(webhooks, &wanted, on_replay, NULL);
	} else if (strcmp(word[0], "preflight") == 0) {
		webhooks_preflight(webhooks, &subject, &(struct webhook_trial){ .url = word[1], .secret = word[2] }, on_preflight, NULL);
	}
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	static char space[4096];

	(void)handle;
	(void)hint;
	*buf = uv_buf_init(space, sizeof(space));
}

static void on_input(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	(void)stream;
	if (n < 0)
		stop();
	for (ssize_t i = 0; i < n; i++) {
		if (buf->base[i] != '\n') {
			buf_u8(&line, (uint8_t)buf->base[i]);
			continue;
		}
		buf_u8(&line, 0);
		command((char *)line.data);
		buf_clear(&line);
	}
}

static void appended(void *ctx, const struct store_event *event)
{
	(void)ctx;
	webhooks_appended(webhooks, event);
}

static void warn(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "store: %s\n", text);
}

int main(int argc, char **argv)
{
	struct webhook_options options = { .signature_bits = 256, .timeout_ms = 2000, .backoff_ms = 20, .jitter_ms = 5, .retries = 3, .ctx = NULL,
		.preflight_timeout_ms = 2000, .retention_ms = 3600000, .version = "0.1.0", .default_url = "", .default_secret = "" };
	struct store_options store_options = { .warn = warn, .appended = appended };
	struct net_options net_options = { 0 }; /* as the daemon: the requests are bounded, not libcurl */
	struct log_sink sink;
	struct log log = { .sink = &sink, .name = "webhook" };
	char why[300], *allow[] = { "loopback" };
	int option;

	while ((option = getopt(argc, argv, "r:b:p:s:t:R:u:S:B:C:J:ic")) != -1) {
		switch (option) {
		case 'r': options.retries = strtol(optarg, NULL, 10); break;
		case 'b': options.backoff_ms = strtol(optarg, NULL, 10); break;
		case 'p': options.pause_ms = strtol(optarg, NULL, 10); break;
		case 's': options.security_pause_ms = strtol(optarg, NULL, 10); break;
		case 't': options.timeout_ms = strtol(optarg, NULL, 10); break;
		case 'R': options.retention_ms = strtol(optarg, NULL, 10); break;
		case 'u': options.default_url = optarg; break;
		case 'S': options.default_secret = optarg; break;
		case 'B': options.signature_bits = (int)strtol(optarg, NULL, 10); break;
		case 'J': store_options.journal_max_bytes = strtol(optarg, NULL, 10); break;
		case 'C': net_options.ca_file = optarg; break;
		case 'i': options.event_id_session = true; break;
		case 'c': options.clear_gone = true; options.clear_url = clear_url; break;
		default: return 2;
		}
	}
	if (optind + 1 != argc)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_sink_init(&sink, 2, LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	store_options.path = argv[optind];
	if (store_open(&store, &store_options, why, sizeof(why)) != 0) {
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	store_seed_admin(store, "admin", "secret-password", NULL, false);
	loop = loop_new("main");
	if (net_global_init() != 0 || net_new(&net, loop_uv(loop), &net_options) != 0 || guard_new(&guard, allow, 1, why, sizeof(why)) != 0)
		return 1;
	options.loop = loop;
	options.store = store;
	options.net = net;
	options.guard = guard;
	options.log = &log;
	webhooks = webhooks_new(&options);
	uv_pipe_init(loop_uv(loop), &input, 0);
	uv_pipe_open(&input, 0);
	uv_read_start((uv_stream_t *)&input, on_alloc, on_input);
	printf("{\"event\":\"ready\"}\n");
	loop_run(loop);
	store_close(store);
	webhooks_free(&webhooks);
	guard_free(&guard);
	loop_free(loop);
	buf_free(&line);
	net_global_free();
	log_sink_free(&sink);
	return 0;
}

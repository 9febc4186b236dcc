/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a search or a cursor that somebody made up is an error of the database, shows other people's messages, or crashes the daemon. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sessiond/store/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct question {
	const char *text;
};

static struct store *store;
static int64_t own;

static int64_t add_session(const char *id)
{
	struct store_tx *tx = store_tx_new(store);
	struct store_session session = { .id = id, .registry = "owner", .label = id, .state = "stopped", .since_ms = 1, .created_ms = 1 };
	struct store_message m = { .id = "A", .type = "conversation", .body = span_text("word s1 s2 scope body AND or not near * x y z 1 2 3"), .time_ms = 5 };
	struct store_peer who = { .jid = { .server = JID_SERVER_NONE } };
	int64_t number = 0;

	store_tx_session_add(tx, &session, &number);
	if (store_commit_wait(store, tx) != 0 || jid_parse_text(&who.jid, "6281234567890@s.whatsapp.net") != 0)
		abort();
	tx = store_tx_new(store);
	store_tx_messages_put(tx, number, &who, &m, 1, false, 5);
	store_tx_search_fill(tx);
	if (store_commit_wait(store, tx) != 0)
		abort();
	return number;
}

static void setup(void)
{
	static char folder[] = "/tmp/fuzz_search.XXXXXX";
	struct store_options options = { .readers = 1 };
	char path[64], why[256];
	struct store_tx *tx;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/warest.sqlite", folder);
	options.path = path;
	if (store_open(&store, &options, why, sizeof why) != 0)
		abort();
	tx = store_tx_new(store);
	store_tx_user_add(tx, &(struct store_user){ .registry = "owner", .username = "owner", .password = "-", .created_ms = 1 }, NULL);
	if (store_commit_wait(store, tx) != 0)
		abort();
	own = add_session("own");
	(void)add_session("foreign");
}

static void ask(struct store_reader *reader, void *arg)
{
	struct question *q = arg;
	struct store_search search;
	struct store_search_query query = { .search = &search, .from_me = -1, .limit = 10 };
	struct store_chat_query chats = { .archived = -1, .limit = 10, .search = q->text };
	struct store_message_query messages = { .from_me = -1, .limit = 10, .search = q->text, .chat = 1 };
	struct store_message_row *rows;
	struct store_chat *chat_rows;
	struct store_page page;
	struct arena arena;
	size_t n;

	arena_init(&arena, 0);
	if (store_search_parse(&search, q->text)) {
		if (store_message_search(reader, &arena, own, &query, &rows, &n, &page) != 0 || n > 1)
			abort();
		query.cursor = q->text;
		if (store_message_search(reader, &arena, own, &query, &rows, &n, &page) != STORE_NOT_FOUND)
			abort();
	}
	if (store_chat_list(reader, &arena, own, &chats, &chat_rows, &n, &page) != 0 ||
	    store_message_list(reader, &arena, own, &messages, &rows, &n, &page) != 0)
		abort();
	chats.cursor = q->text;
	messages.cursor = q->text;
	if (store_chat_list(reader, &arena, own, &chats, &chat_rows, &n, &page) != STORE_NOT_FOUND ||
	    store_message_list(reader, &arena, own, &messages, &rows, &n, &page) != STORE_NOT_FOUND)
		abort();
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[1024];
	struct question q = { .text = text };

	if (size >= sizeof text || memchr(data, 0, size) != NULL)
		return 0;
	if (store == NULL)
		setup();
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	store_read_wait(store, ask, &q);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store in a folder of its own, for the store's tests. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessiond/store/store.h"

struct fixture {
	char folder[64], path[96];
	struct store_options options;
	struct store *store;
	struct arena arena;
};

static inline void fixture_remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char path[512];

		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(folder);
}

static inline void fixture_open(struct fixture *f)
{
	char why[512];
	int rc = store_open(&f->store, &f->options, why, sizeof why);

	if (rc != 0)
		fail_msg("%s: %s", store_error_name(rc), why);
}

static inline void fixture_reopen(struct fixture *f)
{
	store_close(f->store);
	fixture_open(f);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	snprintf(f->folder, sizeof f->folder, "/tmp/test_store.XXXXXX");
	if (mkdtemp(f->folder) == NULL)
		return -1;
	snprintf(f->path, sizeof f->path, "%s/warest.sqlite", f->folder);
	f->options.path = f->path;
	arena_init(&f->arena, 0);
	fixture_open(f);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	arena_free(&f->arena);
	fixture_remove_folder(f->folder);
	free(f);
	return 0;
}

/* A user "owner" of registry "owner", and a session of this id. */
static inline int64_t fixture_session(struct fixture *f, const char *id)
{
	struct store_tx *tx = store_tx_new(f->store);
	struct store_session session = { .id = id, .registry = "owner", .label = id, .auto_start = true, .state = "stopped",
	                                 .since_ms = 5, .created_ms = 4, .webhook_url = "https://hook.example/x",
	                                 .webhook_secret = "secret-of-webhook", .proxy = "socks5://u:secret-of-proxy@127.0.0.1:9" };
	int64_t number = 0;

	store_tx_user_add(tx, &(struct store_user){ .registry = "owner", .username = "owner", .password = "-", .created_ms = 1 }, NULL);
	(void)store_commit_wait(f->store, tx);
	tx = store_tx_new(f->store);
	store_tx_session_add(tx, &session, &number);
	assert_int_equal(store_commit_wait(f->store, tx), 0);
	assert_true(number > 0);
	return number;
}

/* Question and answer of a store_read_wait(). */
struct fixture_read {
	struct fixture *f;
	int64_t session;
	const char *text;
	int64_t number;
	void *rows;
	size_t n;
	int rc;
};

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Epochs of the database, in it and beside it; see fence.h. */
#include "sessiond/store/fence.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sessiond/crypto/crypto.h"

enum { ID_BYTES = 16, LINE_MAX_BYTES = 80 };

static int64_t number_of(const char *text)
{
	return strtoll(text, NULL, 10);
}

/* Epoch in the file when it speaks of this database, else 0. */
static int64_t epoch_in_file(const char *path, const char *id)
{
	char line[LINE_MAX_BYTES] = "";
	size_t id_len = strlen(id);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, line, sizeof line - 1);
	close(fd);
	if (n <= (ssize_t)id_len || strncmp(line, id, id_len) != 0 || line[id_len] != ' ')
		return 0;
	return number_of(line + id_len + 1);
}

static int write_file(const char *path, const char *id, const char *epoch)
{
	char line[LINE_MAX_BYTES], temporary[PATH_MAX];
	int len = snprintf(line, sizeof line, "%s %s\n", id, epoch);
	int n = snprintf(temporary, sizeof temporary, "%s.new", path);
	int fd, rc = STORE_IO;

	if (n < 0 || (size_t)n >= sizeof temporary || len < 0 || (size_t)len >= sizeof line)
		return STORE_CONFIG;
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return STORE_IO;
	if (write(fd, line, (size_t)len) == len && fsync(fd) == 0 && rename(temporary, path) == 0)
		rc = 0;
	else if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)
		rc = STORE_FULL;
	close(fd);
	return rc;
}

static int make_id(struct db *db, char id[2 * ID_BYTES + 1])
{
	uint8_t random[ID_BYTES];

	if (crypto_random(random, sizeof random) != CRYPTO_OK)
		return STORE_IO;
	crypto_hex(random, sizeof random, id);
	return setting_write(db, "store.id", id);
}

int fence_check(struct store *store, struct db *db)
{
	char id[2 * ID_BYTES + 1] = "", epoch[24] = "0";
	int64_t in_file = 0, in_database;
	int rc = setting_read(db, "store.id", id, sizeof id);

	if (rc == 0)
		rc = setting_read(db, "store.epoch", epoch, sizeof epoch);
	in_database = number_of(epoch);
	if (rc == 0 && id[0] == '\0')
		rc = make_id(db, id);
	else if (rc == 0)
		in_file = epoch_in_file(store->fence_path, id);
	store->restored = in_file > in_database;
	if (rc == 0 && store->restored)
		rc = db_run(db, "UPDATE sessions SET restored = 1", "");
	snprintf(epoch, sizeof epoch, "%" PRId64, (store->restored ? in_file : in_database) + 1);
	if (rc == 0)
		rc = setting_write(db, "store.epoch", epoch);
	snprintf(store->fence_id, sizeof store->fence_id, "%s", id);
	store->fence_epoch = number_of(epoch);
	return rc;
}

static int apply_advance(struct store_tx *tx, struct db *db, struct tx_op *op)
{
	char epoch[24];

	(void)op;
	snprintf(epoch, sizeof epoch, "%" PRId64, tx->store->fence_epoch + 1);
	return setting_write(db, "store.epoch", epoch);
}

static void advanced(struct store *store, struct db *db, struct tx_op *op)
{
	(void)db;
	(void)op;
	store->fence_epoch++;
}

void fence_advance(struct store_tx *tx)
{
	struct tx_op *op = tx_op_add(tx, sizeof *op, apply_advance);

	op->committed = advanced;
}

int fence_follow(struct store *store)
{
	char epoch[24];

	snprintf(epoch, sizeof epoch, "%" PRId64, store->fence_epoch);
	return write_file(store->fence_path, store->fence_id, epoch);
}

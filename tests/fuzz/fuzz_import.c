/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * If this fails, what an operator moves from the original crashes warestctl, or the daemon is handed something that it cannot read.
 *
 *     byte 0: 0 creds.json; 1..6 a file of that kind, its name up to a NUL, then its content; 7 the original's list (database or JSON);
 *             8 the file between warestctl and the daemon
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sessiond/import/import.h"
#include "sessiond/import/registry.h"
#include "sessiond/session/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CREDS = 0, LIST = 7, HANDED = 8, KINDS = 9, NAME_BYTES = 120 };

#define KEY "{\"type\":\"Buffer\",\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}"
#define PAIR "{\"private\":" KEY ",\"public\":" KEY "}"
#define BYTE "{\"type\":\"Buffer\",\"data\":\"AA==\"}"

static const char creds[] = "{\"registrationId\":0,\"noiseKey\":" PAIR ",\"signedIdentityKey\":" PAIR ",\"signedPreKey\":{\"keyId\":1,\"keyPair\":" PAIR
	",\"signature\":{\"data\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==\"}},"
	"\"account\":{\"details\":" BYTE ",\"accountSignatureKey\":" BYTE ",\"accountSignature\":" BYTE ",\"deviceSignature\":" BYTE "},"
	"\"me\":{\"id\":\"15550001111:7@s.whatsapp.net\",\"lid\":\"222333444:7@lid\"}}";

static const char *const prefixes[] = { "", "pre-key-", "session-", "sender-key-", "app-state-sync-key-", "lid-mapping-", "tctoken-" };

static char folder[64];

static void write_file(const char *name, const void *bytes, size_t n)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n)
		abort();
	close(fd);
}

static void remove_file(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	unlink(path);
}

static void leave(void)
{
	remove_file("creds.json");
	remove_file("list");
	rmdir(folder);
}

static void enter(void)
{
	snprintf(folder, sizeof folder, "/dev/shm/warest-fuzz-XXXXXX");
	if (!mkdtemp(folder)) {
		snprintf(folder, sizeof folder, "/tmp/warest-fuzz-XXXXXX");
		if (!mkdtemp(folder))
			abort();
	}
	atexit(leave);
	write_file("creds.json", creds, sizeof creds - 1);
}

/* What is taken can be handed over, and counts; what is not says why and leaves nothing. */
static int take(void)
{
	struct imported imported;
	int rc = import_baileys(&imported, folder, 0);
	long n = session_import_count(buf_span(&imported.records));

	if (rc == 0 ? n < 2 : imported.text[0] == '\0' || imported.records.len != 0)
		abort();
	imported_free(&imported);
	return rc;
}

/* Parts of a name that readdir() could give. */
static void on_file(const char *prefix, const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	char name[NAME_MAX];
	size_t n = end ? (size_t)(end - data) : 0;

	if (n == 0 || n > NAME_BYTES || memchr(data, '/', n))
		return;
	snprintf(name, sizeof name, "%s%.*s.json", prefix, (int)n, (const char *)data);
	write_file(name, end + 1, size - n - 1);
	take();
	remove_file(name);
}

static void on_creds(const uint8_t *data, size_t size)
{
	write_file("creds.json", data, size);
	take();
	write_file("creds.json", creds, sizeof creds - 1);
}

static void on_list(const uint8_t *data, size_t size)
{
	char path[PATH_MAX], why[256] = "", found[PATH_MAX];
	struct import_registry registry;

	write_file("list", data, size);
	snprintf(path, sizeof path, "%s/list", folder);
	if (import_registry_read(&registry, path, why, sizeof why) && why[0] == '\0')
		abort();
	for (size_t i = 0; i < registry.list.nsessions; i++) {
		const struct original_session *session = &registry.list.sessions[i];

		if (import_registry_directory(&registry, session, found) && found[0] != '/')
			abort();
		if (!import_registry_find(&registry, session->id))
			abort();
		import_registry_owner(&registry, session->owner);
	}
	import_registry_free(&registry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned kind;

	if (size < 2)
		return 0;
	if (folder[0] == '\0')
		enter();
	kind = data[0] % KINDS;
	data++;
	size--;
	if (kind == CREDS)
		on_creds(data, size);
	else if (kind == LIST)
		on_list(data, size);
	else if (kind == HANDED)
		session_import_count(span_of(data, size));
	else
		on_file(prefixes[kind], data, size);
	return 0;
}

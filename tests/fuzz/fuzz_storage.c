/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this finds something, a damaged or planted file in the storage, a sidecar of the original, or an S3 server's answer can end the daemon. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sessiond/storage/legacy.h"
#include "sessiond/storage/naming.h"
#include "sessiond/storage/s3_xml.h"
#include "sessiond/storage/sealedfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/*
 * The first byte chooses: a whole file; a good header with these bytes behind it; a sidecar; an answer.
 */
static void read_file(const uint8_t *bytes, size_t len, int good_header)
{
	static uint8_t buffer[SEALED_CHUNK + SEALED_TAG];
	struct keyring ring = { .count = 1, .keys = { { .id = 1 } } };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct sealed_file file;

	if (fd < 0)
		return;
	if (good_header && len > SEALED_TAG) {
		if (sealed_create(&file, fd, len - SEALED_TAG, &ring) == 0)
			(void)!pwrite(fd, bytes, len, SEALED_HEADER);
	} else {
		(void)!pwrite(fd, bytes, len, 0);
	}
	if (sealed_open(&file, fd, &ring) == 0) {
		for (uint64_t chunk = 0; chunk < sealed_chunks(file.size) && chunk < 4; chunk++) {
			/* Nobody finds a tag by chance. */
			if (sealed_read(&file, chunk, buffer) == 0)
				abort();
		}
	}
	sealed_close(&file);
	(void)sealed_rewrap(fd, &ring);
	close(fd);
}

static void read_sidecar(const uint8_t *bytes, size_t len)
{
	struct legacy_file file = { .fd = -1 };
	char *text = malloc(len + 1);
	struct arena arena;

	arena_init(&arena, 0);
	memcpy(text, bytes, len);
	text[len] = '\0';
	(void)legacy_parse(&file, text, len, &arena);
	(void)naming_key_is_valid(text);
	(void)naming_served_type(text);
	free(text);
	arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char text[40];

	if (len == 0)
		return 0;
	switch (bytes[0] % 4) {
	case 0:
	case 1:
		read_file(bytes + 1, len - 1, bytes[0] % 4);
		break;
	case 2:
		read_sidecar(bytes + 1, len - 1);
		break;
	default:
		if (s3_xml_text(span_of(bytes + 1, len - 1), "Code", text, sizeof text) && strlen(text) >= sizeof text)
			abort();
		(void)s3_xml_text(span_of(bytes + 1, len - 1), "UploadId", text, 1);
		break;
	}
	return 0;
}

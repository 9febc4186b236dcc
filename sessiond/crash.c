/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shared page of stanzas being decoded. */
#include "sessiond/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/mem.h"

static const char magic[8] = "WADECOD1";

struct slot {
	char session[CRASH_SESSION_MAX];
	char name[CRASH_NAME_MAX];
};

struct page {
	char magic[8];
	volatile unsigned char crashed;
	unsigned char pad[7];
	struct slot slots[CRASH_SLOTS];
};

struct crash {
	struct page *page;                 /* mapped */
	struct slot suspects[CRASH_SLOTS]; /* of the last life */
};

static void terminate(struct slot *slot)
{
	slot->session[CRASH_SESSION_MAX - 1] = '\0';
	slot->name[CRASH_NAME_MAX - 1] = '\0';
}

struct crash *crash_open(const char *path)
{
	struct crash *crash = NULL;
	struct page *page;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return NULL;
	page = ftruncate(fd, sizeof *page) ? MAP_FAILED : mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return NULL;
	crash = xcalloc(1, sizeof *crash);
	crash->page = page;
	if (memcmp(page->magic, magic, sizeof magic) == 0 && page->crashed) {
		memcpy(crash->suspects, page->slots, sizeof crash->suspects);
		for (int i = 0; i < CRASH_SLOTS; i++)
			terminate(&crash->suspects[i]);
	}
	memset(page, 0, sizeof *page);
	memcpy(page->magic, magic, sizeof magic);
	return crash;
}

void crash_close(struct crash *crash)
{
	if (!crash)
		return;
	memset(crash->page, 0, sizeof *crash->page);
	munmap(crash->page, sizeof *crash->page);
	free(crash);
}

void crash_mark(struct crash *crash)
{
	crash->page->crashed = 1;
}

const char *crash_suspect(const struct crash *crash, const char *session)
{
	for (int i = 0; crash && i < CRASH_SLOTS; i++) {
		if (crash->suspects[i].name[0] && strcmp(crash->suspects[i].session, session) == 0)
			return crash->suspects[i].name;
	}
	return NULL;
}

void crash_decoding(struct crash *crash, unsigned slot, const char *session, const char *name)
{
	struct slot *s;

	if (!crash || slot >= CRASH_SLOTS)
		return;
	s = &crash->page->slots[slot];
	if (!name) {
		s->name[0] = '\0';
		return;
	}
	memcpy(s->session, session, strnlen(session, CRASH_SESSION_MAX - 1) + 1);
	memcpy(s->name, name, strnlen(name, CRASH_NAME_MAX - 1) + 1);
	terminate(s);
}

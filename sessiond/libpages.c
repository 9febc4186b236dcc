/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Code pages of libraries at rest, see libpages.h. */
#include "sessiond/libpages.h"

#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NEEDED_MAX = 32 };

struct walk {
	const char *needed[NEEDED_MAX]; /* file names, in the program's string table */
	size_t count;
	bool seen_program; /* the first object of every walk */
	size_t released;
};

static const ElfW(Phdr) *segment(const struct dl_phdr_info *info, ElfW(Word) type)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == type)
			return &info->dlpi_phdr[i];
	}
	return NULL;
}

static const ElfW(Dyn) *dynamic_of(const struct dl_phdr_info *info)
{
	const ElfW(Phdr) *header = segment(info, PT_DYNAMIC);

	return header ? (const ElfW(Dyn) *)(uintptr_t)(info->dlpi_addr + header->p_vaddr) : NULL;
}

static const ElfW(Dyn) *entry_of(const ElfW(Dyn) *dynamic, ElfW(Sxword) tag)
{
	for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
		if (dynamic->d_tag == tag)
			return dynamic;
	}
	return NULL;
}

/* What the program itself names as needed. */
static void read_needed(struct walk *walk, const struct dl_phdr_info *info)
{
	const ElfW(Dyn) *dynamic = dynamic_of(info);
	const ElfW(Dyn) *table = entry_of(dynamic, DT_STRTAB);
	uintptr_t texts = table ? (uintptr_t)table->d_un.d_ptr : 0;

	/* some loaders leave the address as the file has it */
	if (texts < info->dlpi_addr)
		texts += info->dlpi_addr;
	for (const ElfW(Dyn) *d = dynamic; table && d && d->d_tag != DT_NULL && walk->count < NEEDED_MAX; d++) {
		if (d->d_tag == DT_NEEDED)
			walk->needed[walk->count++] = (const char *)(texts + d->d_un.d_val);
	}
}

static bool is_needed(const struct walk *walk, const char *name)
{
	for (size_t i = 0; i < walk->count; i++) {
		if (strcmp(walk->needed[i], name) == 0)
			return true;
	}
	return false;
}

/* Segments that nothing may write to are as they are in the file: dropped pages come back the same. */
static void release(const struct dl_phdr_info *info)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t from = (uintptr_t)(info->dlpi_addr + header->p_vaddr) & ~(page - 1);
		uintptr_t to = (uintptr_t)(info->dlpi_addr + header->p_vaddr + header->p_filesz + page - 1) & ~(page - 1);

		if (header->p_type == PT_LOAD && !(header->p_flags & PF_W))
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct walk *walk = arg;
	const char *name = strrchr(info->dlpi_name, '/');

	(void)size;
	if (!walk->seen_program) {
		walk->seen_program = true;
		read_needed(walk, info);
		return walk->count == 0;
	}
	/* the loader itself, and what has relocations in its code, stay as they are */
	if (!name || strncmp(name + 1, "ld-", 3) == 0 || is_needed(walk, name + 1) || entry_of(dynamic_of(info), DT_TEXTREL))
		return 0;
	release(info);
	walk->released++;
	return 0;
}

size_t libpages_release(void)
{
	struct walk walk = { .count = 0 };

	(void)dl_iterate_phdr(visit, &walk);
	return walk.released;
}

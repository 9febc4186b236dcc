/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a child of the worker may do: compute, read and write the descriptors it has, take memory up to its limit, end. Private to
 * the worker program.
 *
 *     path calls (open, stat, access, ...)          EACCES: libraries look for files and go on without them
 *     everything else (socket, fork, exec, ...)     the kernel ends the process (SIGSYS): MEDIAJOB_E_CAGE
 *
 * Sanitizer builds have no system call filter and no limit of memory: their runtimes open /proc, start threads and reserve
 * terabytes of address space. All other limits are in force there.
 */
#ifndef SESSIOND_MEDIA_CAGE_H
#define SESSIOND_MEDIA_CAGE_H

#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAGE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define CAGE_SANITIZED 1
#endif
#endif
#ifndef CAGE_SANITIZED
#define CAGE_SANITIZED 0
#endif

struct cage {
	int64_t memory_bytes;  /* on top of what the process has mapped already */
	int64_t output_bytes;  /* largest file */
	int64_t cpu_seconds;
};

/* No way back. 0, or -1 and errno: then the process must end without touching its input. */
int cage_enter(const struct cage *cage);

#endif

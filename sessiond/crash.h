/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Remembers what was being decoded when the process crashed, so that the same stanza does not crash it again and again.
 *
 *     shared file page:  | magic | crashed | slot 0: session, stanza | slot 1 | ... one per session loop
 *
 * A loop writes the stanza's name into its slot before it decodes and clears it behind; that is memory only, so it costs nothing. A
 * handler of deadly signals sets "crashed"; a kill -9 or a power cut does not, so no good message is suspected for them.
 */
#ifndef SESSIOND_CRASH_H
#define SESSIOND_CRASH_H

#include <stddef.h>

struct crash;

enum { CRASH_SLOTS = 64, CRASH_SESSION_MAX = 72, CRASH_NAME_MAX = 208 };

/* Maps the page of this file (made if missing), keeps what the last life left there and empties it. NULL: errno says why. */
struct crash *crash_open(const char *path);
/* A regular end: nothing is suspected. */
void crash_close(struct crash *crash);
/* From a signal handler. */
void crash_mark(struct crash *crash);
/* The stanza that the last life was decoding for this session when it crashed; NULL: none. Any thread. */
const char *crash_suspect(const struct crash *crash, const char *session);
/* Slot's own thread. name NULL: nothing is being decoded. */
void crash_decoding(struct crash *crash, unsigned slot, const char *session, const char *name);

#endif

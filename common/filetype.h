/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a file is, by its first bytes, its name or its declared type; and which files are not passed on (contract rest-a 1.13). Nothing is
 * parsed here: a few bytes at fixed places are compared. Pure functions, any thread.
 */
#ifndef COMMON_FILETYPE_H
#define COMMON_FILETYPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* Bytes from the start of a file that filetype_sniff() looks at. */
#define FILETYPE_HEAD 512
#define FILETYPE_UNKNOWN "application/octet-stream"

/* MIME type of these first bytes; NULL: none that is known. Static. */
const char *filetype_sniff(struct span head);
/* Opus in Ogg: what voice notes are. */
bool filetype_is_opus(struct span head);
/* MIME type of a file name's extension; NULL: none or unknown. Static. */
const char *filetype_of_name(const char *name);
/* Extension for a MIME type without its dot, "bin" if unknown. Static. */
const char *filetype_extension(const char *mime);
/* The extension of a name, behind its last dot; "" without. Borrowed. */
const char *filetype_name_extension(const char *name);

enum filetype_kind { FILETYPE_IMAGE = 1, FILETYPE_VIDEO, FILETYPE_AUDIO, FILETYPE_GIF, FILETYPE_OTHER };

enum filetype_kind filetype_kind(const char *mime);
/* The MIME type WhatsApp's clients expect of audio of this type; NULL: it is none. Static. */
const char *filetype_audio(const char *mime);

/*
 * Why a file of this name, type and beginning is not passed on, in the words of the contract; false: it may pass. reason takes at least
 * 128 bytes.
 */
bool filetype_blocked(const char *name, const char *mime, struct span head, char *reason, size_t reason_len);

/*
 * The administrator's list of types. count 0: every type may pass. Otherwise a type that is not listed counts as FILETYPE_UNKNOWN if that
 * is listed; else it is not allowed (false).
 */
bool filetype_allowed(char *const *list, size_t count, const char **mime);

#endif

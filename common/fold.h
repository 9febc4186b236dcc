/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text without the difference between capital and small letters, the same on every machine and database: simple case folding of the
 * alphabets whose capitals lie in a fixed distance (Latin, Greek, Cyrillic, Armenian). Everything else stays as it is.
 */
#ifndef COMMON_FOLD_H
#define COMMON_FOLD_H

#include "common/buf.h"

/* Appends the folded text. Bytes that are no UTF-8 are left out. */
void fold_append(struct buf *out, const char *text);

/* True for characters that words are made of; false for blanks, punctuation, symbols and pictures. */
bool fold_is_word(uint32_t c);

/* The character at the start of text, 0 at the end; *len: its bytes (1 for what is no UTF-8, then U+FFFD). */
uint32_t fold_next(const char *text, size_t left, size_t *len);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The token dictionary (version 3) of the binary stanza format.
 *
 * A token number below WA_TOKENS_SINGLE is written as one byte; a greater one as two:
 *
 *     number - WA_TOKENS_SINGLE = page * 256 + word
 *     bytes: (236 + page) word
 */
#ifndef SESSIOND_WA_TOKENS_H
#define SESSIOND_WA_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#define WA_TOKENS_VERSION 3
#define WA_TOKENS_SINGLE 236

/* Text of a single-byte token; NULL for 0 and for numbers that are no token. */
const char *wa_token_text(unsigned number);

/* Text of word `word` (0-255) on page `page` (0-3), NULL if there is none. */
const char *wa_token_text_paged(unsigned page, unsigned word);

/* Number of the token whose text is exactly text[0..len), or -1. */
int wa_token_find(const char *text, size_t len);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* UTF-8, strictly: no overlong forms, no surrogates, nothing beyond U+10FFFF. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text (1 to 4), or 0 if the bytes there are none. left: how many bytes may be looked at. */
size_t utf8_length(const char *text, size_t left);

/* True if all of it is UTF-8 without NUL. */
bool utf8_is_valid(const char *text, size_t len);

/* Writes the character c (at most U+10FFFF, no surrogate: the caller sees to that); returns its length, 1 to 4. No terminator. */
size_t utf8_put(uint32_t c, char out[4]);

#endif

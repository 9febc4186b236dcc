/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done to the text of a message before it is sent: markup to WhatsApp's marks, short codes to emoji, mentions found. */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "common/recipient.h"

/*
 * Appends the normalised text to out, in this order:
 *
 *     [https://x]            https://x
 *     <br>                   line end
 *     <b> <strong>           *...*         pairs only, any case; a tag without its partner is removed
 *     <i> <em>               _..._
 *     <s> <strike> <del>     ~...~
 *     <code>                 ```...```
 *     any other <...>        removed
 *     :smile:                emoji, 24 names, any case; unknown names stay
 */
void text_normalise(struct buf *out, const char *text, size_t len);

/* Every @ with 6 to 20 digits after it, as phone number addresses, each once, in order. At most LIMIT_RECIPIENTS. */
void text_mentions(const char *text, size_t len, struct recipient_list *out);

#endif

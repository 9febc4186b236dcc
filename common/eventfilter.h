/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which events somebody wants: a list of event names, divided by commas or blanks.
 *
 *     message_received,message_receipt      these two
 *     message_*                             '*' stands for any letters, also none
 *     *,!presence_update                    '!' excludes, wherever it stands in the list
 *     !message_receipt                      nothing but exclusions: everything else
 *
 * An empty list is everything. Names are matched without regard to ASCII case. The same language for webhook receivers and the live view.
 */
#ifndef COMMON_EVENTFILTER_H
#define COMMON_EVENTFILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

#define EVENTFILTER_MAX_PATTERNS 64U
#define EVENTFILTER_MAX_NAME 64U

/* All zero is the empty list. */
struct eventfilter {
	struct buf patterns; /* owned: lower case, each ended by NUL */
	size_t count;
	bool chooses;        /* one of them does not exclude */
};

void eventfilter_init(struct eventfilter *filter);
void eventfilter_free(struct eventfilter *filter);
/* Adds a list. False (the filter is as before) when an entry holds anything but letters, digits, '_', '.', '-', '*' behind an optional '!',
 * or is too long, or there are too many. */
bool eventfilter_add(struct eventfilter *filter, const char *list);
bool eventfilter_wants(const struct eventfilter *filter, const char *event);
/* The list as one text, commas between the entries, appended to out; nothing for the empty list. */
void eventfilter_format(const struct eventfilter *filter, struct buf *out);

#endif

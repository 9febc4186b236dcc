/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls under way, as far as their offers have told of them. Private to sessiond/wa. */
#ifndef WA_CALL_H
#define WA_CALL_H

#include <stdbool.h>

enum { CALL_ID_MAX = 64, CALLS_REMEMBERED = 16 };

/* What later stanzas of a call do not repeat. A ring: the oldest is forgotten. */
struct call_memory {
	char id[CALL_ID_MAX + 1]; /* empty: unused */
	bool video, group;
};

#endif

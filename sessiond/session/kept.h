/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a message stands in the store: type name and body (rest-b 6.3, 6.4). Pure; any thread. Private to sessiond/session. */
#ifndef SESSIOND_SESSION_KEPT_H
#define SESSIOND_SESSION_KEPT_H

#include <stdbool.h>

#include "common/buf.h"

struct kept {
	const char *type; /* NULL: such messages are not stored. Inside `name`, or static */
	bool media;
	struct buf body;
	char name[64];
};

void kept_read(struct kept *kept, struct span message);
void kept_free(struct kept *kept);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/scope.h"

#include <string.h>

static const struct {
	unsigned scope;
	const char *name;
} scopes[] = { { SCOPE_READ, "read" }, { SCOPE_SEND, "send" }, { SCOPE_MANAGE, "manage" }, { SCOPE_ADMIN, "admin" }, { SCOPE_ANY, "any" } };

enum { SCOPES = sizeof scopes / sizeof *scopes };

const char *scope_name(unsigned scope)
{
	for (size_t i = 0; i < SCOPES; i++) {
		if (scopes[i].scope == scope)
			return scopes[i].name;
	}
	return NULL;
}

unsigned scope_of_name(const char *name, size_t len)
{
	for (size_t i = 0; i < SCOPES; i++) {
		if (scopes[i].scope != SCOPE_ANY && strlen(scopes[i].name) == len && memcmp(scopes[i].name, name, len) == 0)
			return scopes[i].scope;
	}
	return SCOPE_NONE;
}

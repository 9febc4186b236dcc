/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stored files may be asked for under paths of the operator's choice (WAREST_STORAGE_LOCAL_PUBLIC_URL, _SIGNED_PATH); the route table has one. */
#ifndef FCGI_STORAGE_PATH_H
#define FCGI_STORAGE_PATH_H

#include "common/arena.h"
#include "common/buf.h"
#include "fcgi/settings.h"

/* The route table's path for this one; the same when it is none of theirs. */
struct span storage_path(const struct settings *settings, struct arena *arena, struct span path);

#endif

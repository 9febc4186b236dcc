/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Environment files: NAME=value lines, as dotenv and systemd read them.
 *
 *     # comment
 *     export NAME=value            unquoted: ends at " #" or the line's end, blanks around it dropped
 *     NAME='as it stands'          no escapes; may span lines
 *     NAME="line\nnext \"q\" \$"   \n \r \t \\ \" \$ \` are escapes; may span lines
 *
 * Lines may end with CR LF; a byte order mark is skipped.
 */
#ifndef COMMON_ENVFILE_H
#define COMMON_ENVFILE_H

#include <stddef.h>

struct envfile_error {
	size_t line;         /* counted from 1 */
	const char *message; /* static */
};

/* Called for every setting in order; both texts are terminated and valid during the call only. */
typedef void envfile_fn(void *arg, const char *name, const char *value, size_t line);

/* 0, or -1 with *error filled in at the first line that cannot be understood. Any thread. */
int envfile_parse(const char *text, size_t len, envfile_fn *found, void *arg, struct envfile_error *error);

#endif

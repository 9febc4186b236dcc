/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator's side of an import. */
#ifndef SESSIOND_IMPORT_COMMAND_H
#define SESSIOND_IMPORT_COMMAND_H

#include <stdbool.h>

#include <json-c/json.h>

struct import_request {
	const char *id, *dir;
	const char *owner; /* NULL: admin, or that of the session which is here */
	const char *label, *webhook_url, *webhook_secret; /* may be NULL */
	bool force;        /* no look at whether the source is in use */
	bool quiet;        /* nothing on standard output */
};

/* 0 with the parameters and the file for ctl.session.import; else an enum import_error, and a line is on standard error. */
int import_command(const struct import_request *request, struct json_object **p, int *fd);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of warestctl share. */
#ifndef SESSIOND_WARESTCTL_H
#define SESSIOND_WARESTCTL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

enum { STATUS_OK = 0, STATUS_REFUSED = 1, STATUS_USAGE = 64, STATUS_DOWN = 69 };

struct config;
struct rpc_pool;

struct ctl {
	struct config *config;
	struct rpc_pool *pool;
	const char *socket;  /* --socket */
	const char *owner;   /* --owner */
	bool json;           /* --json */
	bool wait;           /* not --no-wait */
	bool hidden;         /* --private */
	bool force;          /* --force */
	const char *scopes, *sessions, *networks; /* --scopes and so on: comma lists */
	const char *expires; /* --expires */
	const char *grace;   /* --grace */
	const char *receiver; /* --receiver */
	const char *registry, *as; /* --registry, --as */
	bool all;            /* --all */
	char **args;         /* behind the command */
	int count;
};

/* Asks the daemon and shows the answer: with --json as it is, else by show(result), or its message when show is NULL. The exit status. */
int ask(struct ctl *ctl, const char *method, struct json_object *p, void (*show)(struct json_object *result));
/* The answer, or NULL after a line on stderr; *status is the exit status then. fd rides along unless it is -1. */
struct json_object *call_with(struct ctl *ctl, const char *method, struct json_object *p, int fd, int *status);
/* With --json the answer itself; else show() prints a good one, and a bad one goes to stderr. Takes answer, returns status. */
int finish(struct ctl *ctl, struct json_object *answer, int status, void (*show)(struct json_object *result));
void usage(FILE *out);
/* p (NULL: a new object) with a member; text NULL: without. Returns p. */
struct json_object *with_text(struct json_object *p, const char *name, const char *text);
struct json_object *with_number(struct json_object *p, const char *name, const char *text);
/* A member's text, "-" without one. Borrowed. */
const char *member(struct json_object *o, const char *name);
/* A column with a time: milliseconds, or ISO 8601. */
void show_time(struct json_object *o, const char *name);
/* Every member of an object, one a line. */
void show_members(struct json_object *result);

/* warestctl_access.c */
int key_create(struct ctl *ctl);
int key_list(struct ctl *ctl);
int key_rotate(struct ctl *ctl);
int key_revoke(struct ctl *ctl);
int user_add(struct ctl *ctl);
int user_list(struct ctl *ctl);
int user_password(struct ctl *ctl);
int user_role(struct ctl *ctl);
int user_disable(struct ctl *ctl);
int user_enable(struct ctl *ctl);
int user_delete(struct ctl *ctl);
int audit_list(struct ctl *ctl);

/* warestctl_import.c */
int import_source(struct ctl *ctl);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Turns a request into what the daemon may see, by the route's table entry alone: chosen session, typed parameters under their first
 * names, or the refusal that the table words.
 */
#ifndef FCGI_VALIDATE_H
#define FCGI_VALIDATE_H

#include "fcgi/answer.h"
#include "fcgi/request.h"

#define VALIDATE_MAX_RECIPIENTS 1000U

struct choice {
	struct span id;    /* empty: none */
	struct span phone; /* digits, empty: none */
};

/* 0, or -1 with the selector's fault in the answer. */
int validate_session(struct request *r, struct choice *choice, struct answer *answer);
/* Writes the parameters as members of `p` (an open object). 0, or -1 with the parameter's fault in the answer. */
int validate_params(struct request *r, struct buf *p, struct answer *answer);
/* The raw text that the recipient cooldown goes by (K7): the JSON body's "to" when it is truthy. False: no cooldown. */
bool validate_cooldown(struct request *r, struct span *raw);
/* Idempotency-Key: 0 with *key (NULL without header), or -1 with the fault in the answer. */
int validate_idempotency(struct request *r, const char **key, struct answer *answer);
/* The first scalar that stands under one of the parameter's names and places, as trimmed text; false without one. */
bool validate_text(struct request *r, const struct param *p, struct span *text);

#endif

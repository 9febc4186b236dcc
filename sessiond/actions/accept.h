/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an answer and the envelope that it answers to a plan (plan.h). Pure; any thread. Private to the folder.
 *
 * Reading the greatest answers takes tens of milliseconds, which a loop does not have. Those are stored as they came, and read where they
 * are read back, on a thread of the store:
 *
 *     stored plan = '{' ...                            a plan
 *                 | 'R' | length (4, LE) | answer | sent    as they came; the length is the answer's
 */
#ifndef SESSIOND_ACTIONS_ACCEPT_H
#define SESSIOND_ACTIONS_ACCEPT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "sessiond/actions/plan.h"

enum {
	ACCEPT_QUICK_ANSWER = 4096, /* bytes of an answer that is read at once */
	ACCEPT_QUICK_WORK = 65536   /* bytes that it, the envelope and what its templates may grow to have together */
};

/* Reading it takes a few milliseconds at most. */
bool accept_is_quick(struct span answer, struct span sent);
/* As plan_accept(), from the texts; *plan is an empty one with PLAN_TOO_COMPLEX. */
enum plan_error accept_read(struct span answer, struct span sent, int64_t default_delay_ms, struct json_object **plan);
/* Appends what is stored of an answer that is read later. Each of them has less than 4 GiB. */
void accept_pack(struct buf *out, struct span answer, struct span sent);
/* From what is stored. PLAN_NOTHING also for what is neither form. */
enum plan_error accept_unpack(struct span stored, int64_t default_delay_ms, struct json_object **plan);

#endif

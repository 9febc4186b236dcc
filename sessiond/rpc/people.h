/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the profile, people and call routes share. Main loop only. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_PEOPLE_H
#define SESSIOND_RPC_PEOPLE_H

#include "sessiond/rpc/request.h"
#include "sessiond/session/cards.h"
#include "sessiond/session/change.h"
#include "sessiond/session/profile.h"

/* Sends the job to the request's session; done gets it back with arg = the request. The job is freed if the session has gone (answered). */
bool people_ask(struct rpc_request *request, struct ask_job *ask, void (*done)(struct ask_job *ask));
/* 502/2800 with WhatsApp's word for the code, or `fallback`. */
void people_refuse(struct rpc_request *request, int code, const char *fallback);
/* Answers what a change of shared state came to, other than CHANGE_DONE. */
void people_refuse_change(struct rpc_request *request, const struct change_job *job);
/* A change of shared state has ended: answers 200 with `message` and what `put` adds to the object, or why not. Frees the job. */
void people_changed(struct change_job *job, const char *message, void (*put)(struct buf *out, const struct change_job *job));
/* The JID of a parameter; false: the request is answered (wording of jid). */
bool people_person(struct rpc_request *request, const char *name, struct jid *out);
/* {"sessionId":..,"phone":.. */
void people_open(struct buf *out, const struct rpc_request *request, const struct jid *own);
/* A JID, or null. */
void people_put_jid(struct buf *out, const char *name, const struct jid *jid);
/* Digits of a phone number's JID, or null. */
void people_put_phone(struct buf *out, const char *name, const struct jid *jid);
/* "picture":{"full","preview"} with what there is, "about", "businessProfile": those that were found. */
void people_put_found(struct buf *out, const struct card *card);
/* Members url, id, type, imgFull, imgPreview. */
void people_put_picture(struct buf *out, const struct card *card);
/* Texts of parameter `name` (an array), split at commas, trimmed, empties dropped. Owned by the caller, n of them. */
char **people_texts(const struct rpc_request *request, const char *name, size_t *n);
void people_texts_free(char **texts, size_t n);
/* Bytes that make more characters than this are refused. */
bool people_fits(const char *text, size_t characters);

#endif

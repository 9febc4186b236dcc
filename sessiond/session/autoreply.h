/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Automatic answers: AUTOREPLY_ENABLED and AUTOREPLY_PING_PONG, both off unless set so. A text "ping" from somebody else in a
 * conversation or group is answered with a quoting "pong!" and the version, after a moment of "composing". It goes the way of a REST
 * request (call.h), with an idempotency key made of the message's id: a message that is read twice is answered once.
 */
#ifndef SESSIOND_SESSION_AUTOREPLY_H
#define SESSIOND_SESSION_AUTOREPLY_H

struct session;
struct wa_message;

/* On the session's loop: the message is stored. */
void autoreply_stored(struct session *session, const struct wa_message *message);

#endif

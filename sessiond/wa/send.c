/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue of outgoing messages: order, storing before writing, acks, and what is done about refusals. */
#include "sessiond/wa/send.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/groupkeys.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/secret.h"
#include "sessiond/wa/tctoken.h"

/* Messages prepared at the same time; the rest waits its turn. */
#define PREPARING_MAX 32
/* ... and started in one turn of the loop, so that other sessions get theirs. */
#define STARTED_PER_TURN 8
#define ACK_WAIT_MS 60000
#define SERVER_ERROR_WAIT_MS 2000
#define SERVER_ERRORS_MAX 5
#define REBUILDS_MAX 1
#define UNANSWERED_MAX 5
#define CODE_TIMED_OUT 408
#define CODE_TOO_MANY 429

/* Error attribute of an ack. Source: whatsmeow send.go, Baileys, whatsapp-rust. */
enum {
	ACK_BAD_REQUEST = 400,
	ACK_FORBIDDEN = 403,
	ACK_NOT_FOUND = 404,
	ACK_NOT_ACCEPTABLE = 406,
	ACK_ADDRESSING_MODE = 421,
	ACK_TOKEN_OR_TIMELOCK = 463,
	ACK_CHAT_CAPPED = 475,
	ACK_STALE_DEVICES = 479,
	ACK_SERVER_ERROR = 500
};

static void start_jobs(struct wa_messaging *m);
static void write_stanza(struct send_job *job);

/* ---- the list ---- */

static struct send_job *job_new(struct wa_messaging *m, uint64_t tag, const char *id)
{
	struct send_job *job = xcalloc(1, sizeof *job);

	job->m = m;
	job->tag = tag;
	job->id = xstrdup(id);
	if (m->last_job != NULL)
		m->last_job->next = job;
	else
		m->jobs = job;
	m->last_job = job;
	return job;
}

static void job_unlink(struct send_job *job)
{
	struct wa_messaging *m = job->m;
	struct send_job *before = NULL;

	for (struct send_job *j = m->jobs; j != job; j = j->next)
		before = j;
	if (before != NULL)
		before->next = job->next;
	else
		m->jobs = job->next;
	if (m->last_job == job)
		m->last_job = before;
}

static void job_free(struct send_job *job)
{
	wa_send_unprepare(job);
	job_unlink(job);
	free(job->id);
	free(job->audience);
	free(job->media_handle);
	buf_wipe(&job->message);
	buf_free(&job->stanza);
	free(job);
}

static struct send_job *job_find(struct wa_messaging *m, const char *id)
{
	for (struct send_job *j = m->jobs; j != NULL; j = j->next)
		if (j->phase == SEND_SENT && strcmp(j->id, id) == 0)
			return j;
	return NULL;
}

/* A chat's messages leave in order: nothing overtakes one that is still being prepared. Parts of one message have one id, by which their
 * acks go: each waits for the end of the one before it. */
static bool may_start(const struct send_job *job)
{
	for (const struct send_job *j = job->m->jobs; j != job; j = j->next)
		if (((j->phase == SEND_WAITING || j->phase == SEND_PREPARING) && jid_same_user(&j->to, &job->to)) || strcmp(j->id, job->id) == 0)
			return false;
	return true;
}

static struct send_job *next_job(struct wa_messaging *m)
{
	size_t preparing = 0;

	for (const struct send_job *j = m->jobs; j != NULL; j = j->next)
		preparing += j->phase == SEND_PREPARING;
	if (preparing >= PREPARING_MAX)
		return NULL;
	for (struct send_job *j = m->jobs; j != NULL; j = j->next)
		if (j->phase == SEND_WAITING && j->timer.fn == NULL && may_start(j))
			return j;
	return NULL;
}

static void start_later(struct wa_client *client, void *arg)
{
	(void)client;
	start_jobs(arg);
}

static void start_jobs(struct wa_messaging *m)
{
	struct send_job *job;

	/* A job whose records are all in memory is built inside wa_send_prepare() and comes back here: the loop below goes on instead. */
	if (m->starting)
		return;
	m->starting = true;
	for (int started = 0; m->open && (job = next_job(m)) != NULL; started++) {
		if (started == STARTED_PER_TURN) {
			wa_timer_start(m->client, &m->start_timer, wa_client_mono_ms(m->client), start_later, m);
			break;
		}
		job->phase = SEND_PREPARING;
		wa_send_prepare(job);
	}
	m->starting = false;
}

/* ---- the host's orders ---- */

void wa_client_send(struct wa_client *client, const struct wa_send *send)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct send_job *job = job_new(m, send->tag, send->id);

	job->to = jid_bare(&send->to);
	buf_append_span(&job->message, send->plaintext);
	if (send->naudience > 0)
		job->audience = xmemdup(send->audience, send->naudience * sizeof *send->audience);
	job->naudience = send->naudience;
	job->media_handle = send->media_handle != NULL ? xstrdup(send->media_handle) : NULL;
	job->server_id = send->server_id;
	start_jobs(m);
}

bool wa_client_withdraw(struct wa_client *client, uint64_t tag)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct send_job *job = m->jobs;

	while (job != NULL && job->tag != tag)
		job = job->next;
	if (job == NULL || (job->phase != SEND_WAITING && job->phase != SEND_PREPARING))
		return false;
	wa_timer_stop(client, &job->timer);
	job_free(job);
	start_jobs(m);
	return true;
}

void wa_client_resend(struct wa_client *client, uint64_t tag, const char *id, struct span stanza)
{
	struct wa_messaging *m = wa_client_messaging(client);
	struct send_job *job = job_new(m, tag, id);

	buf_append_span(&job->stanza, stanza);
	job->phase = SEND_SENT;
	if (m->open)
		write_stanza(job);
}

/* ---- writing ---- */

static void ack_overdue(struct wa_client *client, void *arg)
{
	struct send_job *job = arg;

	(void)client;
	/* The server knows the id: a second copy of the same bytes is acked and goes nowhere. */
	if (job->m->open)
		write_stanza(job);
}

static void write_stanza(struct send_job *job)
{
	struct wa_client *client = job->m->client;

	if (wa_client_write_bytes(client, buf_span(&job->stanza)))
		wa_timer_start(client, &job->timer, wa_client_mono_ms(client) + ACK_WAIT_MS, ack_overdue, job);
}

static void stanza_stored(void *arg, bool ok)
{
	struct send_job *job = arg;
	struct wa_messaging *m = job->m;

	if (!ok) {
		/* Nothing of it has left; it starts anew from what is stored. */
		buf_clear(&job->stanza);
		job->phase = SEND_WAITING;
		return;
	}
	job->phase = SEND_SENT;
	if (!m->open)
		return;
	write_stanza(job);
	if (job->gave_token)
		wa_tctoken_issue(m->client, jid_is_none(&job->pn) ? &job->chat : &job->pn, jid_is_none(&job->lid) ? &job->chat : &job->lid,
				 wa_client_wall_ms(m->client) / 1000);
	job->gave_token = false;
}

void wa_send_built(struct send_job *job)
{
	struct wa_messaging *m = job->m;
	struct wa_event *event = wa_event_new(WA_EVENT_SEND_STANZA);
	struct jid own;

	event->tag = job->tag;
	buf_append_span(&event->bytes, buf_span(&job->stanza));
	wa_send_remember(job, wa_client_wall_ms(m->client));
	own = wa_messaging_own(m, &job->chat);
	wa_secret_remember(&job->op, &job->chat, &own, job->id, buf_span(&job->message));
	state_op_event(&job->op, event);
	job->phase = SEND_COMMITTING;
	state_op_commit(&job->op, stanza_stored, job);
	wa_send_unprepare(job);
	start_jobs(m);
}

/* ---- the end of a message ---- */

static void end_stored(void *arg, bool ok)
{
	struct send_job *job = arg;
	struct wa_messaging *m = job->m;

	if (ok) {
		job_free(job);
		start_jobs(m);
		return;
	}
	/* The outcome is not stored: after the restart of the connection the server acks the same stanza again. */
	job->phase = job->stanza.len > 0 ? SEND_SENT : SEND_WAITING;
}

static void finish(struct send_job *job, struct wa_event *event)
{
	event->tag = job->tag;
	wa_timer_stop(job->m->client, &job->timer);
	job->phase = SEND_FINISHING;
	/* Lists and sessions that a failed attempt has gathered are stored with its end. */
	if (job->op.state == NULL)
		state_op_init(&job->op, wa_client_state(job->m->client));
	state_op_event(&job->op, event);
	state_op_commit(&job->op, end_stored, job);
	wa_send_unprepare(job);
}

void wa_send_fail(struct send_job *job, int code, const char *text)
{
	struct wa_event *event = wa_event_new(WA_EVENT_SEND_FAILED);

	event->code = code;
	event->text = xstrdup(text);
	finish(job, event);
}

/* ---- acks ---- */

bool wa_send_is_passing(int code)
{
	return code == 0 || code == CODE_TIMED_OUT || code == CODE_TOO_MANY || code >= ACK_SERVER_ERROR;
}

static void try_later(struct wa_client *client, void *arg)
{
	(void)arg;
	start_jobs(wa_client_messaging(client));
}

void wa_send_unanswered(struct send_job *job, int code, const char *text)
{
	struct wa_client *client = job->m->client;

	/* wa_send_closed() puts it back when the end of the connection is told. */
	if (!wa_client_is_open(client))
		return;
	if (job->unanswered >= UNANSWERED_MAX) {
		wa_send_fail(job, code != 0 ? code : CODE_TIMED_OUT, text);
		return;
	}
	wa_send_unprepare(job);
	job->phase = SEND_WAITING;
	wa_timer_start(client, &job->timer, wa_client_mono_ms(client) + (SERVER_ERROR_WAIT_MS << job->unanswered++), try_later, job);
}

void wa_send_restart(struct send_job *job)
{
	struct wa_client *client = job->m->client;

	wa_send_unprepare(job);
	job->phase = SEND_WAITING;
	wa_timer_start(client, &job->timer, wa_client_mono_ms(client), try_later, job);
}

static const char *refusal_text(int code)
{
	static const struct {
		int code;
		const char *text;
	} TEXTS[] = {
		{ ACK_BAD_REQUEST, "the server calls the message malformed" },
		{ ACK_FORBIDDEN, "this account may not write here (not a member, only admins write, or blocked)" },
		{ ACK_NOT_FOUND, "the recipient was not found" },
		{ ACK_ADDRESSING_MODE, "the group is addressed in another way now" },
		{ ACK_NOT_ACCEPTABLE, "a device of the recipient is not registered any more" },
		{ ACK_TOKEN_OR_TIMELOCK, "the account may not start chats with new contacts now (reach-out restriction), or has no token of this contact" },
		{ ACK_CHAT_CAPPED, "the limit of messages to new chats is reached" },
		{ ACK_STALE_DEVICES, "the server does not accept the list of devices" },
	};

	for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++)
		if (TEXTS[i].code == code)
			return TEXTS[i].text;
	return "the server refused the message";
}

static bool has_members(const struct jid *chat)
{
	return jid_is_group(chat) || jid_is_status(chat);
}

static void forget_lists(struct send_job *job, struct state_op *op)
{
	struct jid own = wa_messaging_own(job->m, &job->chat);

	if (jid_is_none(&job->chat))
		return; /* a stanza of an earlier life: the lists age by themselves */
	if (!jid_is_person(&job->chat)) {
		wa_group_forget(op, &job->chat);
		return;
	}
	wa_devices_forget(op, &job->chat);
	wa_devices_forget(op, &own);
	if (!jid_is_none(&job->pn))
		wa_devices_forget(op, &job->pn);
}

static void rebuild(struct send_job *job)
{
	job->rebuilds++;
	job->fresh_lists = true;
	job->fresh_group = true;
	wa_timer_stop(job->m->client, &job->timer);
	buf_clear(&job->stanza);
	job->phase = SEND_WAITING;
	start_jobs(job->m);
}

static void server_error_over(struct wa_client *client, void *arg)
{
	(void)client;
	ack_overdue(client, arg);
}

/* The same stanza goes out once more. */
static bool is_passing(const struct send_job *job, int code)
{
	return code >= ACK_SERVER_ERROR && code < 600 && job->server_errors < SERVER_ERRORS_MAX;
}

/* True if the refusal is not the last word. */
static bool try_again(struct send_job *job, int code)
{
	struct wa_client *client = job->m->client;

	if ((code == ACK_STALE_DEVICES || code == ACK_ADDRESSING_MODE) && job->message.len > 0 && job->rebuilds < REBUILDS_MAX) {
		rebuild(job);
		return true;
	}
	if (is_passing(job, code)) {
		wa_timer_start(client, &job->timer, wa_client_mono_ms(client) + (SERVER_ERROR_WAIT_MS << job->server_errors++),
			       server_error_over, job);
		return true;
	}
	return false;
}

static void token_for_later(struct send_job *job)
{
	struct wa_client *client = job->m->client;

	/* One refusal by missing token: give ours, so that the contact's devices answer with theirs. */
	if (!jid_is_none(&job->chat))
		wa_tctoken_issue(client, jid_is_none(&job->pn) ? &job->chat : &job->pn, jid_is_none(&job->lid) ? &job->chat : &job->lid,
				 wa_client_wall_ms(client) / 1000);
}

static void refused(struct send_job *job, int code)
{
	bool lists = code == ACK_STALE_DEVICES || code == ACK_NOT_ACCEPTABLE || code == ACK_NOT_FOUND || code == ACK_ADDRESSING_MODE ||
		     code == ACK_FORBIDDEN;
	/* Nobody got the key that a refused stanza brought. */
	bool keys = job->gave_keys && !is_passing(job, code);
	struct state_op op;

	if (lists || keys) {
		state_op_init(&op, wa_client_state(job->m->client));
		if (lists)
			forget_lists(job, &op);
		if (keys)
			wa_group_keys_forget(&op, &job->chat);
		job->gave_keys = job->gave_keys && !keys;
		state_op_commit(&op, NULL, NULL);
		state_op_end(&op);
	}
	if (try_again(job, code))
		return;
	if (code == ACK_TOKEN_OR_TIMELOCK)
		token_for_later(job);
	wa_send_fail(job, code, refusal_text(code));
}

static void accepted(struct send_job *job, const struct wa_node *ack)
{
	struct wa_event *event = wa_event_new(WA_EVENT_SEND_ACK);
	const char *hash = wa_node_get(ack, "phash");
	uint64_t seconds;

	event->ms = wa_client_wall_ms(job->m->client);
	if (wa_node_get_u64(ack, "t", &seconds) && seconds < INT64_MAX / 1000)
		event->ms = (int64_t)seconds * 1000;
	if (wa_node_get_u64(ack, "server_id", &seconds) && seconds < INT64_MAX)
		event->number = (int64_t)seconds;
	/* Before the end: that may free the job. */
	if (hash != NULL && has_members(&job->chat) && job->hash_sent[0] != '\0' && strcmp(hash, job->hash_sent) != 0)
		wa_send_group_stale(job);
	finish(job, event);
	/* Devices that the stanza missed ask by retry receipt; the next message has them. */
	if (hash != NULL && jid_is_person(&job->chat) && job->hash_sent[0] != '\0' && strcmp(hash, job->hash_sent) != 0 && strcmp(hash, job->hash_all) != 0) {
		struct state_op op;

		state_op_init(&op, wa_client_state(job->m->client));
		forget_lists(job, &op);
		state_op_commit(&op, NULL, NULL);
		state_op_end(&op);
	}
}

void wa_on_message_ack(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *ack = wa_stanza_node(stanza);
	const char *id = wa_node_get(ack, "id");
	struct send_job *job = id == NULL ? NULL : job_find(wa_client_messaging(client), id);
	uint64_t error = 0;

	if (job != NULL) {
		if (wa_node_get_u64(ack, "error", &error) && error > 0 && error < 1000)
			refused(job, (int)error);
		else
			accepted(job, ack);
	}
	wa_stanza_done(client, stanza);
}

/* ---- the connection ---- */

void wa_send_opened(struct wa_messaging *m)
{
	for (struct send_job *j = m->jobs; j != NULL; j = j->next)
		if (j->phase == SEND_SENT)
			write_stanza(j);
	start_jobs(m);
}

void wa_send_closed(struct wa_messaging *m)
{
	for (struct send_job *j = m->jobs; j != NULL; j = j->next) {
		wa_timer_stop(m->client, &j->timer);
		if (j->phase == SEND_PREPARING) {
			wa_send_unprepare(j);
			j->phase = SEND_WAITING;
		}
	}
}

void wa_send_free(struct wa_messaging *m)
{
	wa_timer_stop(m->client, &m->start_timer);
	while (m->jobs != NULL) {
		struct send_job *job = m->jobs;

		wa_timer_stop(m->client, &job->timer);
		job_free(job);
		assert(m->jobs != job);
	}
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a request to send to stored rows: quote looked up, messages built, ids chosen, one transaction. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/async.h"
#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/object.h"
#include "sessiond/session/registry.h"

enum { MAX_WAITING = 10000, RECORD_MESSAGE = 200 };

/* A job while its rows are made. */
struct preparation {
	struct session *session;
	struct send_job *job;
	int64_t session_number;
	struct jid from;        /* the account it is sent from */
	struct buf *plaintexts; /* owned, one per recipient */
	int64_t *numbers;       /* owned; numbers of the rows */
	size_t n;               /* of both */
	/* the quoted message */
	struct arena arena;
	int found;              /* enum store_error */
	struct span record;     /* of a received message */
	struct store_outbox sent;
};

struct send_job *send_job_new(size_t recipients)
{
	struct send_job *job = xcalloc(1, sizeof *job);

	job->n = recipients;
	job->to = xcalloc(recipients, sizeof *job->to);
	job->results = xcalloc(recipients, sizeof *job->results);
	return job;
}

void send_job_free(struct send_job *job)
{
	if (!job)
		return;
	free(job->to);
	free(job->text);
	free(job->mentions);
	free(job->quoted_id);
	free(job->idem_scope);
	free(job->idem_key);
	free(job->results);
	free(job);
}

static void preparation_free(struct preparation *p)
{
	for (size_t i = 0; i < p->n; i++)
		buf_wipe(&p->plaintexts[i]);
	free(p->plaintexts);
	free(p->numbers);
	arena_free(&p->arena);
	free(p);
}

static void give_up(struct preparation *p, enum send_state state)
{
	struct session *session = p->session;
	struct send_job *job = p->job;

	session->outbox.preparing -= p->n;
	preparation_free(p);
	job->state = state;
	job->own = session->view.me_pn;
	registry_job_done(session, job);
	session->busy--;
	session_released(session);
}

/* The queue takes the messages; the job is the queue's from here on. */
static void enqueue(struct preparation *p)
{
	struct session *session = p->session;

	for (size_t i = 0; i < p->n; i++)
		outbox_add(session, p->job, i, p->numbers[i], &p->plaintexts[i]);
	session->outbox.preparing -= p->n;
	p->job = NULL;
	outbox_pump(session);
}

static void stored(void *arg, int error)
{
	struct preparation *p = arg;
	struct session *session = p->session;

	if (error)
		log_error(&session->log, "outbox rows cannot be stored", LOG_STR("session", session->id), LOG_STR("reason", store_error_name(error)));
	if (error && p->job) {
		give_up(p, SEND_STORE_ERROR);
		return;
	}
	/* Logged out meanwhile: the rows were failed with the others. */
	if (p->job && !jid_same_user(&p->from, &session->view.me_pn)) {
		give_up(p, SEND_SESSION_GONE);
		return;
	}
	if (error)
		outbox_rows_failed(session, p->numbers, p->n);
	else if (p->job)
		enqueue(p);
	if (!error)
		outbox_rows_stored(session, p->numbers, p->n);
	preparation_free(p);
	session->busy--;
	session_released(session);
}

static void put_idempotency(struct preparation *p, struct store_tx *tx)
{
	const struct send_job *job = p->job;
	struct store_idempotency entry = { .scope = job->idem_scope, .key = job->idem_key, .created_ms = timefmt_now_ms() };

	if (!job->idem_key)
		return;
	memcpy(entry.digest, job->idem_digest, sizeof entry.digest);
	store_tx_idempotency_add(tx, &entry);
}

/* What the quoted message was: author and content of a received one, or our own. */
static void quote(const struct preparation *p, struct wa_text *text, const struct jid *to)
{
	const uint8_t *end;

	text->quoted_id = p->job->quoted_id;
	if (!text->quoted_id)
		return;
	/* Unknown ids are quoted as a stub of the other side, like the original does. */
	text->quoted_sender = *to;
	end = p->record.p ? memchr(p->record.p, 0, p->record.n) : NULL;
	if (end) {
		const uint8_t *chat_end = memchr(end + 1, 0, p->record.n - (size_t)(end + 1 - p->record.p));

		if (chat_end && !jid_parse(&text->quoted_sender, (const char *)p->record.p, (size_t)(end - p->record.p)))
			text->quoted_message = span_of(chat_end + 1, p->record.n - (size_t)(chat_end + 1 - p->record.p));
	} else if (p->found == STORE_OK) {
		text->quoted_sender = jid_bare(&p->session->view.me_pn);
		text->quoted_message = p->sent.message;
	}
}

static void make_rows(struct preparation *p)
{
	struct session *session = p->session;
	struct send_job *job = p->job;
	struct store_tx *tx;
	char recipient[JID_TEXT_MAX];

	if (!session->client || jid_is_none(&session->view.me_pn)) {
		give_up(p, SEND_SESSION_GONE);
		return;
	}
	p->from = session->view.me_pn;
	tx = store_tx_new(session->on->daemon->store);
	for (size_t i = 0; i < job->n; i++) {
		struct wa_text text = { .text = job->text, .mentions = job->mentions, .nmentions = job->nmentions, .forwarded = job->forwarded };
		struct store_outbox row = { .session = session->number, .created_ms = timefmt_now_ms() };

		quote(p, &text, &job->to[i]);
		wa_build_text(&p->plaintexts[i], &text);
		wa_message_id(&session_host, session, session->view.me_pn.user, job->results[i].id);
		job->results[i].to = job->to[i];
		row.message_id = job->results[i].id;
		row.recipient = jid_format(&job->to[i], recipient, sizeof recipient);
		row.message = buf_span(&p->plaintexts[i]);
		store_tx_outbox_add(tx, &row, &p->numbers[i]);
	}
	if (job->idem_key) {
		/* Another request may hold the key: nothing leaves before that is known. */
		put_idempotency(p, tx);
		async_commit(session->on->loop, session->on->daemon->store, tx, stored, p);
		return;
	}
	/* The rows are committed together with the stanzas, which are queued behind them: no byte leaves before both are stored. */
	async_commit_lazy(session->on->loop, session->on->daemon->store, tx, stored, p);
	enqueue(p);
}

static void find_quoted(struct store_reader *reader, void *arg)
{
	struct preparation *p = arg;
	const struct store_record_key key = { .kind = RECORD_MESSAGE, .name = p->job->quoted_id };

	if (store_record_get(reader, &p->arena, p->session_number, &key, 1, &p->record))
		p->record = span_of(NULL, 0);
	p->found = store_outbox_find(reader, &p->arena, p->session_number, p->job->quoted_id, &p->sent);
}

static void quoted_found(void *arg)
{
	make_rows(arg);
}

void session_cmd_send(struct session *session, struct session_call *call)
{
	struct outbox *outbox = &session->outbox;
	int64_t limit = session->on->daemon->config->queue_max_size;
	struct send_job *job = call->job;
	struct preparation *p;
	size_t waiting = outbox->waiting + outbox->preparing + job->n;

	registry_answer(session, call);
	p = xcalloc(1, sizeof *p);
	p->session = session;
	p->session_number = session->number;
	p->job = job;
	p->plaintexts = xcalloc(job->n, sizeof *p->plaintexts);
	p->numbers = xcalloc(job->n, sizeof *p->numbers);
	p->n = job->n;
	p->found = STORE_NOT_FOUND;
	arena_init(&p->arena, 0);
	outbox->preparing += job->n;
	session->busy++;
	if (session->wish || session->view.status != SESSION_OPEN)
		give_up(p, SEND_SESSION_GONE);
	else if (waiting > MAX_WAITING || (limit > 0 && waiting > (size_t)limit))
		give_up(p, SEND_QUEUE_FULL);
	else if (job->quoted_id)
		async_read(session->on->loop, session->on->daemon->store, find_quoted, quoted_found, p);
	else
		make_rows(p);
}

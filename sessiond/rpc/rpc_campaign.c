/* SPDX-License-Identifier: GPL-3.0-or-later */
/* campaigns.*: making, changing, steering and looking at campaigns (sessiond/campaign/). The responder has checked contents and recipients. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/ulid.h"
#include "sessiond/async.h"
#include "sessiond/campaign/campaign.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/campaign_file.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/session.h"

enum { LIST_MAX = 100, PAGE_MAX = 1000 };

#define BIT STORE_CAMPAIGN_BIT

static const unsigned not_ended = BIT(STORE_CAMPAIGN_DRAFT) | BIT(STORE_CAMPAIGN_ACTIVE) | BIT(STORE_CAMPAIGN_PAUSED);

/* A step that an owner may take. */
struct step {
	unsigned from;
	enum store_campaign_state to;
	const char *done;    /* message of the answer */
	const char *refusal; /* of a campaign in another state */
	const char *reason;
};

/* One request, while the store is asked. */
struct work {
	struct rpc_request *request;
	struct arena arena;
	struct store_campaign row;
	int64_t counts[STORE_RECIPIENT_STATES];
	struct store_campaign *rows;
	int64_t (*row_counts)[STORE_RECIPIENT_STATES]; /* in the arena: of each of them */
	struct store_recipient *recipients;
	size_t n;
	struct store_campaign_query query;
	unsigned states;
	int64_t after;
	size_t limit;
	char id[ULID_LENGTH + 1]; /* of one that is being made */
	int64_t added;
	size_t given;             /* recipients of the request that could be addressed */
	const struct step *step;
	int error;
	bool over; /* nothing is left of the one that is being removed */
};

static void work_free(void *arg)
{
	struct work *w = arg;

	arena_free(&w->arena);
	free(w);
}

static struct work *work_new(struct rpc_request *request)
{
	struct work *w = xcalloc(1, sizeof *w);

	w->request = request;
	arena_init(&w->arena, 0);
	request->work = w;
	request->work_free = work_free;
	return w;
}

static void refuse(struct work *w)
{
	if (w->error == STORE_NOT_FOUND)
		rpc_answer(w->request, 404, 2600, "Campaign not found", NULL);
	else
		rpc_answer(w->request, 500, 8003, "Database error", NULL);
}

/* ---- reading ---- */

/* What belongs to somebody else, or to a session that the key is not good for, is not there. */
static bool may_see(const struct rpc_request *request, const struct store_campaign *row)
{
	return strcmp(row->registry, request->caller.registry) == 0 && reach_has_session(request->caller.reach, row->session_id);
}

static void read_campaign(struct store_reader *reader, void *arg)
{
	struct work *w = arg;
	const char *id = rpc_param_text(w->request, "campaignId");

	w->error = store_campaign_get(reader, &w->arena, w->id[0] ? w->id : id ? id : "", &w->row);
	if (!w->error && !may_see(w->request, &w->row))
		w->error = STORE_NOT_FOUND;
	if (!w->error)
		w->error = store_campaign_counts(reader, w->row.number, w->counts);
}

static void read_then(struct work *w, void (*then)(void *arg))
{
	const struct daemon *daemon = w->request->context->daemon;

	async_read(daemon->loop, daemon->store, read_campaign, then, w);
}

/* ---- telling ---- */

static struct json_object *parse_spec(const struct store_campaign *row)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *json = tokener ? json_tokener_parse_ex(tokener, (const char *)row->spec.p, (int)row->spec.n) : NULL;

	if (tokener)
		json_tokener_free(tokener);
	return json;
}

static void put_tree(struct buf *out, const char *name, struct json_object *tree)
{
	if (tree)
		json_put_raw(out, name, json_object_to_json_string_ext(tree, JSON_C_TO_STRING_PLAIN));
}

static void put_campaign(struct buf *out, const struct store_campaign *row, const int64_t counts[STORE_RECIPIENT_STATES])
{
	static const char *const parts[] = { "missing", "variables", "pace", "window" };
	struct json_object *spec = parse_spec(row), *content = json_object_object_get(spec, "content");

	json_put_member(out, "campaignId", row->id);
	json_put_member(out, "sessionId", row->session_id);
	json_put_member(out, "name", row->name);
	json_put_member(out, "type", json_object_get_string(json_object_object_get(content, "type")));
	campaign_put(out, row, counts, timefmt_now_ms());
	put_tree(out, "content", json_object_object_get(content, "p"));
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		put_tree(out, parts[i], json_object_object_get(spec, parts[i]));
	json_put_time(out, "createdAt", row->created_ms);
	if (row->started_ms)
		json_put_time(out, "startedAt", row->started_ms);
	if (row->ended_ms)
		json_put_time(out, "endedAt", row->ended_ms);
	json_object_put(spec);
}

static void answer_campaign(struct work *w, int status, int code, const char *message)
{
	struct buf result = { 0 };

	buf_u8(&result, '{');
	put_campaign(&result, &w->row, w->counts);
	buf_u8(&result, '}');
	rpc_answer(w->request, status, code, message, buf_text(&result));
	buf_free(&result);
}

static void tell_campaign(void *arg)
{
	struct work *w = arg;

	if (w->error)
		refuse(w);
	else
		answer_campaign(w, 200, 1000, w->step ? w->step->done : "Campaign");
}

static void do_get(struct rpc_request *request)
{
	read_then(work_new(request), tell_campaign);
}

/* ---- the list ---- */

static unsigned states_of(const char *word)
{
	if (!word)
		return 0;
	if (strcmp(word, "scheduled") == 0 || strcmp(word, "running") == 0)
		return BIT(STORE_CAMPAIGN_ACTIVE);
	if (strcmp(word, "draft") == 0)
		return BIT(STORE_CAMPAIGN_DRAFT);
	if (strcmp(word, "paused") == 0)
		return BIT(STORE_CAMPAIGN_PAUSED);
	return strcmp(word, "done") == 0 ? BIT(STORE_CAMPAIGN_DONE) : BIT(STORE_CAMPAIGN_CANCELLED);
}

static void read_list(struct store_reader *reader, void *arg)
{
	struct work *w = arg;

	w->error = store_campaign_list(reader, &w->arena, &w->query, &w->rows, &w->n);
	w->row_counts = arena_alloc(&w->arena, (w->n + 1) * sizeof *w->row_counts);
	for (size_t i = 0; i < w->n && !w->error; i++)
		w->error = store_campaign_counts(reader, w->rows[i].number, w->row_counts[i]);
}

/* One more than asked for was read: is there a next page? */
static void put_page(struct buf *out, size_t limit, size_t n, int64_t last)
{
	buf_u8(out, ']');
	json_put_name(out, "pagination");
	buf_u8(out, '{');
	json_put_int(out, "limit", (int64_t)limit);
	json_put_name(out, "nextCursor");
	if (n > limit)
		buf_printf(out, "\"%" PRId64 "\"", last);
	else
		buf_append_text(out, "null");
	buf_append_text(out, "}}");
}

static void tell_list(void *arg)
{
	struct work *w = arg;
	struct buf result = { 0 };
	size_t shown = 0;

	if (w->error) {
		refuse(w);
		return;
	}
	buf_append_text(&result, "{\"items\":[");
	for (size_t i = 0; i < w->n && i < w->limit; i++) {
		if (!may_see(w->request, &w->rows[i]))
			continue;
		buf_append_text(&result, shown++ ? ",{" : "{");
		put_campaign(&result, &w->rows[i], w->row_counts[i]);
		buf_u8(&result, '}');
	}
	put_page(&result, w->limit, w->n, w->n > w->limit ? w->rows[w->limit - 1].number : 0);
	rpc_answer(w->request, 200, 1000, "Campaigns", buf_text(&result));
	buf_free(&result);
}

static size_t limit_of(const struct rpc_request *request, size_t most)
{
	int64_t limit = json_object_get_int64(json_object_object_get(request->p, "limit"));

	return limit < 1 ? 1 : (size_t)limit > most ? most : (size_t)limit;
}

static int64_t cursor_of(const struct rpc_request *request)
{
	const char *text = rpc_param_text(request, "cursor");

	return text ? strtoll(text, NULL, 10) : 0;
}

static void do_list(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	struct work *w = work_new(request);

	w->limit = limit_of(request, LIST_MAX);
	w->query = (struct store_campaign_query){ .registry = request->caller.registry, .session_id = rpc_param_text(request, "sessionId"),
		.states = states_of(rpc_param_text(request, "state")), .before = cursor_of(request), .limit = w->limit + 1 };
	async_read(daemon->loop, daemon->store, read_list, tell_list, w);
}

/* ---- recipients ---- */

static const char *const recipient_states[STORE_RECIPIENT_STATES] = { "pending", "queued", "sent", "server_ack", "delivered", "read", "played", "failed",
	"cancelled" };

static void read_recipients(struct store_reader *reader, void *arg)
{
	struct work *w = arg;

	read_campaign(reader, w);
	/* Those that never had their turn show as cancelled. */
	if (!w->error && w->row.state == STORE_CAMPAIGN_CANCELLED && w->states) {
		bool cancelled = w->states & (1U << STORE_OUTBOX_CANCELLED);

		w->states = (w->states & ~(1U << STORE_RECIPIENT_PENDING)) | (cancelled ? 1U << STORE_RECIPIENT_PENDING : 0);
		if (!w->states)
			return;
	}
	if (!w->error)
		w->error = store_campaign_recipients(reader, &w->arena, w->row.number, w->states, w->after, w->limit + 1, &w->recipients, &w->n);
}

static void put_recipient(struct buf *out, const struct store_campaign *campaign, const struct store_recipient *row)
{
	bool cancelled = campaign->state == STORE_CAMPAIGN_CANCELLED && row->state == STORE_RECIPIENT_PENDING;
	int state = cancelled ? (int)STORE_OUTBOX_CANCELLED : row->state;

	buf_u8(out, '{');
	json_put_member(out, "toJid", row->jid);
	json_put_member(out, "state", state >= 0 && state < STORE_RECIPIENT_STATES ? recipient_states[state] : "unknown");
	if (row->state != STORE_RECIPIENT_PENDING)
		json_put_member(out, "messageId", row->message_id);
	if (row->queued_ms)
		json_put_time(out, "queuedAt", row->queued_ms);
	if (row->server_ms)
		json_put_time(out, "ackedAt", row->server_ms);
	if (row->updated_ms)
		json_put_time(out, "updatedAt", row->updated_ms);
	if (row->state == (int)STORE_OUTBOX_FAILED) {
		json_put_int(out, "code", row->code);
		json_put_member(out, "error", row->error);
	}
	if (row->variables.n) {
		json_put_name(out, "variables");
		buf_append_span(out, row->variables);
	}
	buf_u8(out, '}');
}

static void tell_recipients(void *arg)
{
	struct work *w = arg;
	struct buf result = { 0 };

	if (w->error) {
		refuse(w);
		return;
	}
	buf_append_text(&result, "{\"items\":[");
	for (size_t i = 0; i < w->n && i < w->limit; i++) {
		if (i)
			buf_u8(&result, ',');
		put_recipient(&result, &w->row, &w->recipients[i]);
	}
	put_page(&result, w->limit, w->n, w->n > w->limit ? w->recipients[w->limit - 1].number : 0);
	rpc_answer(w->request, 200, 1000, "Recipients", buf_text(&result));
	buf_free(&result);
}

static void do_recipients(struct rpc_request *request)
{
	const struct daemon *daemon = request->context->daemon;
	const char *state = rpc_param_text(request, "state");
	struct work *w = work_new(request);

	w->limit = limit_of(request, PAGE_MAX);
	w->after = cursor_of(request);
	for (unsigned i = 0; state && i < STORE_RECIPIENT_STATES; i++) {
		if (strcmp(state, recipient_states[i]) == 0)
			w->states = 1U << i;
	}
	async_read(daemon->loop, daemon->store, read_recipients, tell_recipients, w);
}

/* ---- making ---- */

/* [["628..@s.whatsapp.net",{..}|null],..]; in the arena. */
static struct store_recipient *take_recipients(struct work *w, const char *campaign)
{
	struct json_object *list = json_object_object_get(w->request->p, "recipients");
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	struct store_recipient *rows = arena_alloc(&w->arena, (n + 1) * sizeof *rows);

	for (size_t i = 0; i < n; i++) {
		struct json_object *entry = json_object_array_get_idx(list, i), *variables;
		char id[SEND_ID_MAX + 1];
		const char *jid;

		if (!json_object_is_type(entry, json_type_array) || json_object_array_length(entry) != 2)
			continue;
		variables = json_object_array_get_idx(entry, 1);
		jid = json_object_get_string(json_object_array_get_idx(entry, 0));
		campaign_message_id(campaign, jid, id);
		rows[w->given].jid = jid;
		rows[w->given].message_id = arena_strdup(&w->arena, id);
		if (variables)
			rows[w->given].variables = span_text(json_object_to_json_string_ext(variables, JSON_C_TO_STRING_PLAIN));
		w->given++;
	}
	return rows;
}

/* accepted, duplicates (of this request and of those before), rejected. */
static void put_taken(struct buf *out, const struct work *w)
{
	int64_t twice = json_object_get_int64(json_object_object_get(w->request->p, "duplicates"));

	json_put_int(out, "accepted", w->added);
	json_put_int(out, "duplicates", twice + (int64_t)w->given - w->added);
	put_tree(out, "rejected", json_object_object_get(w->request->p, "rejected"));
}

static void refuse_recipients(struct work *w, int error)
{
	if (error == STORE_CONSTRAINT)
		rpc_answer(w->request, 413, 2006, "A campaign has at most 100000 recipients", NULL);
	else if (error == STORE_NOT_FOUND)
		rpc_answer(w->request, 409, 2003, "The campaign has ended", NULL);
	else
		rpc_answer(w->request, 500, 8003, "Database error", NULL);
}

static void tell_made(void *arg)
{
	struct work *w = arg;
	struct buf result = { 0 };

	if (w->error) {
		refuse(w);
		return;
	}
	buf_u8(&result, '{');
	put_campaign(&result, &w->row, w->counts);
	put_taken(&result, w);
	buf_u8(&result, '}');
	rpc_answer(w->request, 201, 1000, "Campaign created", buf_text(&result));
	buf_free(&result);
}

static void made(void *arg, int error)
{
	struct work *w = arg;

	if (error) {
		refuse_recipients(w, error);
		return;
	}
	campaigns_look(w->request->context->daemon->campaigns, w->id);
	read_then(w, tell_made);
}

/* The parts of a spec that the request has, over those that are there. */
static char *spec_of(const struct rpc_request *request, const struct store_campaign *before)
{
	static const char *const parts[] = { "content", "missing", "variables", "pace", "window" };
	struct json_object *spec = before ? parse_spec(before) : NULL, *p;
	char *text;

	if (!spec)
		spec = json_object_new_object();
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct json_object *part = NULL;

		if (!json_object_object_get_ex(request->p, parts[i], &part))
			continue;
		if (part)
			json_object_object_add(spec, parts[i], json_object_get(part));
		else
			json_object_object_del(spec, parts[i]);
	}
	/* The recipient that the responder put in. */
	p = json_object_object_get(json_object_object_get(spec, "content"), "p");
	if (json_object_is_type(p, json_type_object))
		json_object_object_del(p, "to");
	text = xstrdup(json_object_to_json_string_ext(spec, JSON_C_TO_STRING_PLAIN));
	json_object_put(spec);
	return text;
}

static int64_t start_of(const struct rpc_request *request, int64_t otherwise)
{
	struct json_object *start = json_object_object_get(request->p, "startAt");

	return start ? json_object_get_int64(start) : otherwise;
}

static void create(void *arg, const char *file_key)
{
	struct work *w = arg;
	struct rpc_request *request = w->request;
	const struct daemon *daemon = request->context->daemon;
	const struct session_entry *entry = rpc_session(request);
	const char *name = rpc_param_text(request, "name");
	struct store_recipient *recipients;
	struct store_campaign row;
	struct store_tx *tx;
	char *spec;

	if (!entry)
		return;
	recipients = take_recipients(w, w->id);
	spec = spec_of(request, NULL);
	row = (struct store_campaign){ .id = w->id, .registry = entry->registry, .session = entry->number, .session_id = entry->id, .name = name ? name : "",
		.state = rpc_param_bool(request, "draft") || !w->given ? STORE_CAMPAIGN_DRAFT : STORE_CAMPAIGN_ACTIVE, .start_ms = start_of(request, 0),
		.created_ms = timefmt_now_ms(), .file_key = file_key, .spec = span_text(spec) };
	tx = store_tx_new(daemon->store);
	store_tx_campaign_add(tx, &row);
	store_tx_campaign_recipients(tx, w->id, recipients, w->given, CAMPAIGN_MAX_RECIPIENTS, &w->added);
	free(spec);
	async_commit(daemon->loop, daemon->store, tx, made, w);
}

static void do_create(struct rpc_request *request)
{
	struct work *w = work_new(request);

	ulid_new(w->id);
	campaign_file_take(request, json_object_object_get(request->p, "content"), create, w);
}

/* ---- more recipients ---- */

static void recipients_added(void *arg, int error)
{
	struct work *w = arg;
	struct buf result = { 0 };

	if (error) {
		refuse_recipients(w, error);
		return;
	}
	campaigns_look(w->request->context->daemon->campaigns, w->row.id);
	buf_u8(&result, '{');
	json_put_member(&result, "campaignId", w->row.id);
	put_taken(&result, w);
	buf_u8(&result, '}');
	rpc_answer(w->request, 200, 1000, "Recipients added", buf_text(&result));
	buf_free(&result);
}

static void add_recipients(void *arg)
{
	struct work *w = arg;
	const struct daemon *daemon = w->request->context->daemon;
	struct store_recipient *recipients;
	struct store_tx *tx;

	if (w->error) {
		refuse(w);
		return;
	}
	recipients = take_recipients(w, w->row.id);
	tx = store_tx_new(daemon->store);
	store_tx_campaign_recipients(tx, w->row.id, recipients, w->given, CAMPAIGN_MAX_RECIPIENTS, &w->added);
	async_commit(daemon->loop, daemon->store, tx, recipients_added, w);
}

static void do_add_recipients(struct rpc_request *request)
{
	read_then(work_new(request), add_recipients);
}

/* ---- steps ---- */

static const struct step starting = { BIT(STORE_CAMPAIGN_DRAFT), STORE_CAMPAIGN_ACTIVE, "Campaign started", "Only a draft can be started", NULL };
static const struct step pausing = { BIT(STORE_CAMPAIGN_ACTIVE), STORE_CAMPAIGN_PAUSED, "Campaign paused", "Only a running campaign can be paused",
	"Paused by request" };
static const struct step resuming = { BIT(STORE_CAMPAIGN_PAUSED), STORE_CAMPAIGN_ACTIVE, "Campaign resumed", "Only a paused campaign can be resumed", NULL };
static const struct step cancelling = { BIT(STORE_CAMPAIGN_DRAFT) | BIT(STORE_CAMPAIGN_ACTIVE) | BIT(STORE_CAMPAIGN_PAUSED), STORE_CAMPAIGN_CANCELLED,
	"Campaign cancelled", "The campaign has ended", "Cancelled by request" };

static void stepped(void *arg, int error)
{
	struct work *w = arg;

	if (error == STORE_NOT_FOUND)
		rpc_answer(w->request, 409, 2003, w->step->refusal, NULL);
	else if (error)
		rpc_answer(w->request, 500, 8003, "Database error", NULL);
	else
		read_then(w, tell_campaign);
}

static void take_step(void *arg)
{
	struct work *w = arg;
	const struct step *step = w->step;

	if (w->error)
		refuse(w);
	else if (!(step->from & BIT(w->row.state)))
		rpc_answer(w->request, 409, 2003, step->refusal, NULL);
	else if (step == &starting && !w->counts[STORE_RECIPIENT_PENDING])
		rpc_answer(w->request, 409, 2003, "The campaign has no recipients", NULL);
	else
		campaigns_change(w->request->context->daemon->campaigns, &w->row, step->from, step->to, step->reason, stepped, w);
}

static void begin_step(struct rpc_request *request, const struct step *step)
{
	struct work *w = work_new(request);

	w->step = step;
	read_then(w, take_step);
}

static void do_start(struct rpc_request *request)
{
	begin_step(request, &starting);
}

static void do_pause(struct rpc_request *request)
{
	begin_step(request, &pausing);
}

static void do_resume(struct rpc_request *request)
{
	begin_step(request, &resuming);
}

static void do_cancel(struct rpc_request *request)
{
	begin_step(request, &cancelling);
}

/* ---- changing ---- */

static const struct step changing = { 0, STORE_CAMPAIGN_DRAFT, "Campaign changed", "The campaign has ended", NULL };

static void changed(void *arg, int error)
{
	struct work *w = arg;

	if (!error)
		campaigns_look(w->request->context->daemon->campaigns, w->row.id);
	stepped(w, error);
}

static void store_change(void *arg, const char *file_key)
{
	struct work *w = arg;
	struct rpc_request *request = w->request;
	const struct daemon *daemon = request->context->daemon;
	bool content = json_object_object_get(request->p, "content") != NULL;
	const char *name = rpc_param_text(request, "name");
	struct store_campaign row = w->row;
	struct store_tx *tx;
	char *spec = spec_of(request, &row);

	row.name = name ? name : row.name;
	row.start_ms = start_of(request, row.start_ms);
	row.file_key = content ? file_key : row.file_key;
	row.spec = span_text(spec);
	row.updated_ms = timefmt_now_ms();
	tx = store_tx_new(daemon->store);
	store_tx_campaign_change(tx, row.number, content ? BIT(STORE_CAMPAIGN_DRAFT) : not_ended, &row);
	free(spec);
	async_commit(daemon->loop, daemon->store, tx, changed, w);
}

static void change(void *arg)
{
	struct work *w = arg;
	struct rpc_request *request = w->request;
	struct json_object *content = json_object_object_get(request->p, "content");

	if (w->error) {
		refuse(w);
		return;
	}
	if (content && w->row.state != STORE_CAMPAIGN_DRAFT) {
		rpc_answer(request, 409, 2003, "The content of a campaign that was started cannot be changed", NULL);
		return;
	}
	/* Files are the session's. */
	if (!request->session_id)
		request->session_id = xstrdup(w->row.session_id);
	campaign_file_take(request, content, store_change, w);
}

static void do_change(struct rpc_request *request)
{
	struct work *w = work_new(request);

	w->step = &changing;
	read_then(w, change);
}

/* ---- removing ---- */

static void removed(void *arg, int error);

static void remove_part(struct work *w)
{
	const struct daemon *daemon = w->request->context->daemon;
	struct store_tx *tx = store_tx_new(daemon->store);

	store_tx_campaign_remove(tx, w->row.number, timefmt_now_ms(), &w->over);
	async_commit_bulk(daemon->loop, daemon->store, tx, removed, w);
}

static void removed(void *arg, int error)
{
	struct work *w = arg;
	struct buf result = { 0 };

	if (error) {
		rpc_answer(w->request, 500, 8003, "Database error", NULL);
		return;
	}
	if (!w->over) {
		remove_part(w);
		return;
	}
	campaigns_look(w->request->context->daemon->campaigns, w->row.id);
	buf_u8(&result, '{');
	json_put_member(&result, "campaignId", w->row.id);
	json_put_bool(&result, "deleted", true);
	buf_u8(&result, '}');
	rpc_answer(w->request, 200, 1000, "Campaign deleted", buf_text(&result));
	buf_free(&result);
}

static void remove_campaign(void *arg)
{
	struct work *w = arg;

	if (w->error)
		refuse(w);
	else if (w->row.state == STORE_CAMPAIGN_ACTIVE)
		rpc_answer(w->request, 409, 2003, "Pause or cancel the campaign first", NULL);
	else
		remove_part(w);
}

static void do_remove(struct rpc_request *request)
{
	read_then(work_new(request), remove_campaign);
}

const struct rpc_method rpc_campaign_methods[] = {
	{ "campaigns.create", do_create },
	{ "campaigns.list", do_list },
	{ "campaigns.get", do_get },
	{ "campaigns.change", do_change },
	{ "campaigns.remove", do_remove },
	{ "campaigns.recipients.add", do_add_recipients },
	{ "campaigns.recipients", do_recipients },
	{ "campaigns.start", do_start },
	{ "campaigns.pause", do_pause },
	{ "campaigns.resume", do_resume },
	{ "campaigns.cancel", do_cancel },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is added to earlier messages: reading it, and checking who may. */
#include "sessiond/wa/addon.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/e2e.h"
#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/group.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/poll.h"
#include "sessiond/wa/proto_walk.h"
#include "sessiond/wa/secret.h"
#include "sessiond/wa/sent.h"

enum { KEY_FROM_ME = 2, KEY_ID = 3, KEY_PARTICIPANT = 4 };
enum { VOTE = 2, VOTE_PAYLOAD = 1, VOTE_IV = 2, VOTE_TIME = 4 };
enum { ADDED_KEY = 1, ADDED_PAYLOAD = 2, ADDED_IV = 3, ADDED_TYPE = 4 };
enum { TARGET_ID_MAX = 200, FORMS = 2 };

#define UNKNOWN_TARGET "the message it belongs to is not known here"
#define WRONG_KEY "it does not open with the secret of the message it belongs to"
#define NOT_A_VOTE "its content is malformed"

struct addon {
	enum wa_addon_kind kind;
	bool plain;                /* an edit or revocation that is not encrypted */
	bool asked_group;          /* the server was asked who the administrators are */
	bool refused;              /* the sender may not do that */
	bool claims_own;           /* the key says that its sender wrote the target */
	struct buf message;        /* owned: all of it */
	char *id;                  /* owned: of the target */
	struct jid authors[FORMS]; /* of the target as the key has it, and its other form; server NONE: unknown */
	struct jid adders[FORMS];
	struct span payload, iv;   /* into message */
	int64_t time_ms;
	char name[SECRET_NAME_MAX]; /* of the secret that opened it, from behind the prefix */
	struct jid chat, author;    /* the forms in that name */
	struct wa_addon *result;    /* owned until it is in an event */
	void (*done)(struct receive_job *job);
};

void wa_addon_free(struct addon *addon)
{
	if (addon == NULL)
		return;
	buf_wipe(&addon->message);
	wa_addon_result_free(addon->result);
	free(addon->id);
	free(addon);
}

/* ---- noting ---- */

static uint64_t number_in(struct span part, uint32_t number)
{
	struct reader r = reader_of(part.p, part.n);
	struct proto_field f;
	uint64_t value = 0;

	while (proto_next(&r, &f))
		if (f.number == number && f.wire == PROTO_VARINT)
			value = f.value;
	return value;
}

static void own_forms(const struct wa_messaging *m, struct jid forms[static FORMS])
{
	forms[0] = jid_bare(wa_client_own_pn(m->client));
	forms[1] = jid_bare(wa_client_own_lid(m->client));
}

static void author_forms(const struct receive_job *job, struct jid forms[static FORMS])
{
	const struct envelope *e = &job->envelope;

	if (wa_messaging_is_own(job->job.m, &e->author)) {
		own_forms(job->job.m, forms);
		return;
	}
	forms[0] = jid_bare(&e->author);
	forms[1] = jid_bare(&e->author_other);
}

/* Who wrote the target. The key is in the words of its sender: "from me" is the sender's. */
static void read_key(const struct receive_job *job, struct span key, struct addon *addon)
{
	const struct envelope *e = &job->envelope;
	struct span participant = { 0 };
	struct jid named;

	addon->claims_own = number_in(key, KEY_FROM_ME) != 0;
	if (addon->claims_own) {
		author_forms(job, addon->authors);
	} else if (proto_find(key, KEY_PARTICIPANT, &participant) && jid_parse(&named, (const char *)participant.p, participant.n) == 0 &&
		   jid_is_person(&named)) {
		if (wa_messaging_is_own(job->job.m, &named))
			own_forms(job->job.m, addon->authors);
		else
			addon->authors[0] = jid_bare(&named);
	} else if (e->kind == ENVELOPE_PERSON && e->from_me) {
		addon->authors[0] = e->chat;
		addon->authors[1] = e->chat_other;
	} else if (e->kind == ENVELOPE_PERSON) {
		own_forms(job->job.m, addon->authors);
	}
}

static struct addon *addon_new(const struct receive_job *job, enum wa_addon_kind kind, struct span key)
{
	struct addon *addon;
	struct span id;

	if (!proto_find(key, KEY_ID, &id) || id.n == 0 || id.n > TARGET_ID_MAX || memchr(id.p, 0, id.n) != NULL)
		return NULL;
	addon = xcalloc(1, sizeof *addon);
	addon->kind = kind;
	addon->id = xstrndup((const char *)id.p, id.n);
	addon->time_ms = job->envelope.time_ms;
	read_key(job, key, addon);
	author_forms(job, addon->adders);
	return addon;
}

static struct addon *note_protocol(const struct receive_job *job, struct span message)
{
	struct e2e_protocol protocol;
	struct addon *addon;
	struct span key;

	if (!e2e_protocol_message(message, &protocol) || (protocol.type != E2E_MESSAGE_EDIT && protocol.type != E2E_REVOKE) ||
	    !proto_find(protocol.bytes, 1, &key))
		return NULL;
	addon = addon_new(job, protocol.type == E2E_REVOKE ? WA_ADDON_REVOKE : WA_ADDON_MESSAGE_EDIT, key);
	if (addon != NULL)
		addon->plain = true;
	return addon;
}

static struct addon *note_vote(const struct receive_job *job, struct span content)
{
	uint64_t time_ms = number_in(content, VOTE_TIME);
	struct addon *addon;
	struct span key;
	struct span vote;

	if (!proto_find(content, ADDED_KEY, &key) || !proto_find(content, VOTE, &vote))
		return NULL;
	addon = addon_new(job, WA_ADDON_POLL_VOTE, key);
	if (addon == NULL)
		return NULL;
	proto_find(vote, VOTE_PAYLOAD, &addon->payload);
	proto_find(vote, VOTE_IV, &addon->iv);
	/* The voter's clock orders the votes of one voter only. */
	if (time_ms > 0 && time_ms < INT64_MAX)
		addon->time_ms = (int64_t)time_ms;
	return addon;
}

static struct addon *note_added(const struct receive_job *job, struct span content, enum wa_addon_kind kind)
{
	struct addon *addon;
	struct span key;

	addon = proto_find(content, ADDED_KEY, &key) ? addon_new(job, kind, key) : NULL;
	if (addon == NULL)
		return NULL;
	proto_find(content, ADDED_PAYLOAD, &addon->payload);
	proto_find(content, ADDED_IV, &addon->iv);
	return addon;
}

static struct addon *note_response(const struct receive_job *job, struct span content)
{
	return note_added(job, content, WA_ADDON_EVENT_RESPONSE);
}

static struct addon *note_reaction(const struct receive_job *job, struct span content)
{
	return note_added(job, content, WA_ADDON_REACTION);
}

static struct addon *note_comment(const struct receive_job *job, struct span content)
{
	return note_added(job, content, WA_ADDON_COMMENT);
}

static struct addon *note_encrypted(const struct receive_job *job, struct span content)
{
	/* secretEncType */
	static const enum wa_addon_kind kinds[] = { [1] = WA_ADDON_EVENT_EDIT, [2] = WA_ADDON_MESSAGE_EDIT, [4] = WA_ADDON_POLL_EDIT,
						    [5] = WA_ADDON_POLL_ADD_OPTION };
	uint64_t type = number_in(content, ADDED_TYPE);

	if (type >= sizeof kinds / sizeof kinds[0] || kinds[type] == 0)
		return NULL;
	return note_added(job, content, kinds[type]);
}

bool wa_addon_note(struct receive_job *job, struct span message)
{
	static const struct {
		uint32_t content;
		struct addon *(*note)(const struct receive_job *job, struct span content);
	} notes[] = {
		{ E2E_POLL_UPDATE, note_vote }, { E2E_ENC_REACTION, note_reaction },
		{ E2E_ENC_COMMENT, note_comment }, { E2E_EVENT_RESPONSE, note_response }, { E2E_SECRET_ENCRYPTED, note_encrypted },
	};
	struct span content;
	uint32_t number = e2e_content(message, &content);
	/* Wherever it stands in the message: its right is checked. */
	struct addon *addon = note_protocol(job, message);
	size_t payload_at;
	size_t iv_at;

	for (size_t i = 0; i < sizeof notes / sizeof notes[0] && addon == NULL; i++)
		if (notes[i].content == number)
			addon = notes[i].note(job, content);
	if (addon == NULL)
		return false;
	if (job->addon != NULL) { /* the same message in another <enc> */
		wa_addon_free(addon);
		return true;
	}
	payload_at = addon->payload.p != NULL ? (size_t)(addon->payload.p - message.p) : 0;
	iv_at = addon->iv.p != NULL ? (size_t)(addon->iv.p - message.p) : 0;
	buf_append_span(&addon->message, message);
	addon->payload.p = addon->message.data + payload_at;
	addon->iv.p = addon->message.data + iv_at;
	addon->result = xcalloc(1, sizeof *addon->result);
	job->addon = addon;
	return true;
}

/* ---- the end ---- */

static void finish(struct receive_job *job, const char *error)
{
	struct addon *addon = job->addon;
	struct wa_addon *result = addon->result;
	struct wa_event *event;
	bool refused = addon->refused;

	if (!refused)
		wa_receive_emit(job, buf_span(&addon->message), addon->plain ? addon->id : NULL, wa_messaging_is_own(job->job.m, &addon->authors[0]));
	if (addon->plain && error == NULL) {
		addon->done(job);
		return;
	}
	result->kind = addon->kind;
	result->refused = refused;
	result->error = error;
	result->target_id = xstrdup(addon->id);
	result->target_author = addon->authors[0];
	result->target_from_me = wa_messaging_is_own(job->job.m, &addon->authors[0]);
	result->time_ms = addon->time_ms;
	addon->result = NULL;
	event = wa_event_new(WA_EVENT_ADDON);
	event->addon = result;
	event->message = wa_receive_message(job);
	state_op_event(&job->job.op, event);
	if (refused)
		wa_receive_refused(job, error);
	addon->done(job);
}

/* ---- edits and revocations ---- */

static bool is_adder(const struct addon *addon, const struct jid *author)
{
	for (size_t i = 0; i < FORMS; i++)
		if (!jid_is_none(&addon->adders[i]) && jid_same_user(&addon->adders[i], author))
			return true;
	return false;
}

/* Who wrote a kept message, and when; false if it is not kept. */
static bool read_kept(struct receive_job *job, const char *id, struct jid *author, int64_t *time_ms)
{
	struct span value;
	size_t n = 0;

	if (!state_op_get(&job->job.op, WA_RECORD_MESSAGE, id, &value))
		return false;
	while (n < value.n && value.p[n] != ' ' && value.p[n] != '\0')
		n++;
	*time_ms = 0;
	for (size_t i = n + 1; i < value.n && value.p[i] >= '0' && value.p[i] <= '9' && *time_ms < INT64_MAX / 100; i++)
		*time_ms = *time_ms * 10 + (value.p[i] - '0');
	return jid_parse(author, (const char *)value.p, n) == 0;
}

/* An administrator's revocation of what somebody else wrote. */
static bool needs_group(const struct receive_job *job)
{
	return job->envelope.kind == ENVELOPE_GROUP && job->addon->plain && job->addon->kind == WA_ADDON_REVOKE && !job->addon->claims_own;
}

static bool is_admin(struct receive_job *job)
{
	struct wa_group group = { 0 };
	bool admin = false;

	if (!needs_group(job))
		return false;
	if (wa_group_load(&job->job.op, &job->envelope.chat, &group))
		for (size_t i = 0; i < FORMS; i++) {
			const struct jid *who = &job->addon->adders[i];
			const struct wa_group_member *member = jid_is_none(who) ? NULL : wa_group_member_find(&group, who);

			admin = admin || (member != NULL && member->role != WA_GROUP_MEMBER);
		}
	wa_group_clear(&group);
	return admin;
}

/* Only its author changes a message; others may add to it. */
static bool changes_target(const struct addon *addon)
{
	return addon->plain || addon->kind == WA_ADDON_MESSAGE_EDIT || addon->kind == WA_ADDON_EVENT_EDIT || addon->kind == WA_ADDON_POLL_EDIT;
}

/* Why the sender may not do this to the target; NULL: it may. Only authors edit; authors and group administrators revoke. */
static const char *check_author(struct receive_job *job, bool kept, const struct jid *author)
{
	const struct addon *addon = job->addon;
	struct span sent;

	if (wa_messaging_is_own(job->job.m, &job->envelope.author) && (addon->claims_own || addon->kind == WA_ADDON_REVOKE))
		return NULL;
	if (!addon->claims_own && addon->kind == WA_ADDON_REVOKE)
		return is_admin(job) ? NULL : "only the author or a group administrator may revoke a message";
	if (!addon->claims_own)
		return "only the author may edit a message";
	if (kept ? !is_adder(addon, author) : state_op_get(&job->job.op, WA_RECORD_SENT, addon->id, &sent))
		return "the message was written by somebody else";
	return NULL;
}

/* By the times of both messages: one that was made in time may be delivered late. */
static const char *check_right(struct receive_job *job)
{
	struct jid author = { 0 };
	int64_t time_ms = 0;
	bool kept = read_kept(job, job->addon->id, &author, &time_ms);
	const char *why = check_author(job, kept, &author);

	if (why == NULL && job->addon->kind == WA_ADDON_MESSAGE_EDIT && time_ms > 0 && job->envelope.time_ms - time_ms >= RECEIVE_EDIT_WINDOW_MS)
		why = "the message was more than 20 minutes old";
	return why;
}

/* ---- secrets ---- */

/* Where the secret of the target may be: 2 forms of the chat by 2 of the author. */
static void each_name(struct receive_job *job, void (*use)(struct receive_job *job, const struct jid *chat, const struct jid *author, void *arg),
		      void *arg)
{
	const struct envelope *e = &job->envelope;
	const struct jid *chats[FORMS] = { &e->chat, &e->chat_other };

	for (size_t c = 0; c < FORMS; c++)
		for (size_t a = 0; a < FORMS; a++)
			if (!jid_is_none(chats[c]) && !jid_is_none(&job->addon->authors[a]))
				use(job, chats[c], &job->addon->authors[a], arg);
}

static void add_secret_key(struct receive_job *job, const struct jid *chat, const struct jid *author, void *arg)
{
	char name[SECRET_NAME_MAX];

	if (wa_secret_name(name, 's', NULL, chat, author, job->addon->id))
		state_keys_add(arg, WA_RECORD_SECRET, name);
}

static enum wa_secret_use use_of(enum wa_addon_kind kind)
{
	switch (kind) {
	case WA_ADDON_POLL_VOTE:
		return WA_SECRET_POLL_VOTE;
	case WA_ADDON_EVENT_RESPONSE:
		return WA_SECRET_EVENT_RESPONSE;
	case WA_ADDON_REACTION:
		return WA_SECRET_REACTION;
	case WA_ADDON_COMMENT:
		return WA_SECRET_COMMENT;
	case WA_ADDON_EVENT_EDIT:
		return WA_SECRET_EVENT_EDIT;
	case WA_ADDON_POLL_EDIT:
		return WA_SECRET_POLL_EDIT;
	case WA_ADDON_POLL_ADD_OPTION:
		return WA_SECRET_POLL_ADD_OPTION;
	case WA_ADDON_MESSAGE_EDIT:
	case WA_ADDON_REVOKE:
		break;
	}
	return WA_SECRET_MESSAGE_EDIT;
}

/* Tries every pair of forms: each side takes the namespace it likes. */
static bool open_for(struct addon *addon, const uint8_t *secret, enum wa_secret_use use)
{
	struct wa_secret s = { .secret = secret, .id = addon->id, .use = use };
	char author[JID_TEXT_MAX];
	char adder[JID_TEXT_MAX];

	s.author = author;
	s.adder = adder;
	for (size_t i = 0; i < (size_t)FORMS * FORMS; i++) {
		const struct jid *by = &addon->authors[i / FORMS];
		const struct jid *who = &addon->adders[i % FORMS];

		if (jid_is_none(by) || jid_is_none(who))
			continue;
		jid_format(by, author, sizeof author);
		jid_format(who, adder, sizeof adder);
		if (wa_secret_open(&s, addon->iv, addon->payload, &addon->result->plaintext) == 0) {
			addon->result->creator = *by;
			addon->result->adder = *who;
			return true;
		}
	}
	return false;
}

/* Some clients add an option as an edit (whatsmeow), others under a name of its own (whatsapp-rust). */
static bool open_with(struct addon *addon, const uint8_t *secret)
{
	return open_for(addon, secret, use_of(addon->kind)) ||
	       (addon->kind == WA_ADDON_POLL_ADD_OPTION && open_for(addon, secret, WA_SECRET_POLL_EDIT));
}

struct found {
	bool any, opened;
	struct jid chat, author; /* of the name */
	struct secret_record record;
};

static void try_secret(struct receive_job *job, const struct jid *chat, const struct jid *author, void *arg)
{
	struct found *found = arg;
	struct secret_record record;
	char name[SECRET_NAME_MAX];
	struct span value;

	if (found->opened || !wa_secret_name(name, 's', NULL, chat, author, job->addon->id) ||
	    !state_op_get(&job->job.op, WA_RECORD_SECRET, name, &value) || !wa_secret_read(value, &record))
		return;
	found->any = true;
	found->opened = open_with(job->addon, record.secret);
	if (!found->opened)
		return;
	found->chat = *chat;
	found->author = *author;
	found->record = record;
}

/* An ordinary message: its secret is in what was kept of it. */
static void try_kept_message(struct receive_job *job, struct found *found)
{
	uint8_t secret[SECRET_LEN];
	struct span value;
	struct reader r;

	if (found->opened || !state_op_get(&job->job.op, WA_RECORD_MESSAGE, job->addon->id, &value))
		return;
	r = reader_of(value.p, value.n);
	for (int zeros = 0; r.ok && zeros < 2;)
		zeros += read_u8(&r) == 0 ? 1 : 0;
	if (r.ok && wa_secret_find(span_of(r.p, r.left), secret)) {
		found->any = true;
		found->opened = open_with(job->addon, secret);
	}
	crypto_wipe(secret, sizeof secret);
}

/* ---- votes ---- */

static void put_result(struct wa_addon *result, const struct poll *poll, const struct poll_vote *vote, const struct poll_tally *tally,
		       enum poll_counted counted)
{
	struct wa_poll_result *p = xcalloc(1, sizeof *p);

	p->title = xstrndup((const char *)poll->title.p, poll->title.n);
	p->selectable = poll->selectable;
	p->n = poll->n;
	p->names = xcalloc(poll->n + 1, sizeof *p->names);
	p->votes = xcalloc(poll->n + 1, sizeof *p->votes);
	for (size_t i = 0; i < poll->n; i++) {
		p->names[i] = xstrndup((const char *)poll->names[i].p, poll->names[i].n);
		p->votes[i] = tally->votes[i];
	}
	p->voters = tally->voters;
	p->chosen = xcalloc(vote->n + 1, sizeof *p->chosen);
	p->nchosen = vote->n;
	memcpy(p->chosen, vote->options, vote->n * sizeof *p->chosen);
	p->unknown = vote->unknown;
	p->older = counted == POLL_OLDER;
	p->uncounted = counted == POLL_FULL;
	result->poll = p;
}

static bool vote_name(const struct addon *addon, size_t form, char name[static SECRET_NAME_MAX])
{
	return !jid_is_none(&addon->adders[form]) && wa_secret_name(name, 'v', &addon->adders[form], &addon->chat, &addon->author, addon->id);
}

static void count(struct receive_job *job, const struct poll *poll, const struct poll_vote *vote)
{
	struct addon *addon = job->addon;
	struct state_op *op = &job->job.op;
	char tally_name[SECRET_NAME_MAX];
	char name[SECRET_NAME_MAX];
	char old_name[SECRET_NAME_MAX] = "";
	struct span tally = { 0 };
	struct span before = { 0 };
	struct poll_tally result;
	struct buf tally_out = { 0 };
	struct buf vote_out = { 0 };
	enum poll_counted counted;

	for (size_t i = 0; i < FORMS && before.p == NULL; i++)
		if (vote_name(addon, i, name) && state_op_get(op, WA_RECORD_SECRET, name, &before))
			memcpy(old_name, name, sizeof old_name);
	if (wa_secret_name(tally_name, 't', NULL, &addon->chat, &addon->author, addon->id))
		state_op_get(op, WA_RECORD_SECRET, tally_name, &tally);
	counted = wa_poll_count(poll, tally, before, vote, addon->time_ms, &result, &tally_out, &vote_out);
	put_result(addon->result, poll, vote, &result, counted);
	if (counted == POLL_COUNTED) {
		/* One record per voter, whichever form it votes in. */
		if (old_name[0] == '\0')
			vote_name(addon, 0, old_name);
		state_op_put(op, WA_RECORD_SECRET, tally_name, buf_span(&tally_out));
		state_op_put(op, WA_RECORD_SECRET, old_name, buf_span(&vote_out));
	}
	buf_free(&tally_out);
	buf_free(&vote_out);
}

static void tally_loaded(void *arg, bool ok)
{
	struct receive_job *job = arg;
	struct addon *addon = job->addon;
	struct secret_record record;
	char name[SECRET_NAME_MAX];
	struct poll_vote vote;
	struct poll *poll;
	struct span value;
	const char *error = NOT_A_VOTE;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	poll = xcalloc(1, sizeof *poll);
	if (wa_secret_name(name, 's', NULL, &addon->chat, &addon->author, addon->id) &&
	    state_op_get(&job->job.op, WA_RECORD_SECRET, name, &value) && wa_secret_read(value, &record) && wa_poll_read(record.poll, poll) &&
	    wa_poll_vote_read(buf_span(&addon->result->plaintext), poll, &vote)) {
		count(job, poll, &vote);
		error = NULL;
	}
	free(poll);
	finish(job, error);
}

static void load_tally(struct receive_job *job, const struct found *found)
{
	struct addon *addon = job->addon;
	struct state_keys keys = { 0 };
	char name[SECRET_NAME_MAX];

	addon->chat = found->chat;
	addon->author = found->author;
	if (wa_secret_name(name, 't', NULL, &addon->chat, &addon->author, addon->id))
		state_keys_add(&keys, WA_RECORD_SECRET, name);
	for (size_t i = 0; i < FORMS; i++)
		if (vote_name(addon, i, name))
			state_keys_add(&keys, WA_RECORD_SECRET, name);
	state_op_fetch(&job->job.op, keys.keys, keys.n, tally_loaded, job);
	state_keys_free(&keys);
}

/* An edited poll, or one with a new option: later votes are read against it. */
static void change_poll(struct receive_job *job, const struct found *found)
{
	char name[SECRET_NAME_MAX];
	struct buf poll = { 0 };

	if (wa_poll_change(found->record.poll, buf_span(&job->addon->result->plaintext), &poll) &&
	    wa_secret_name(name, 's', NULL, &found->chat, &found->author, job->addon->id))
		wa_secret_put_poll(&job->job.op, name, found->record.secret, buf_span(&poll));
	buf_free(&poll);
}

/* ---- steps ---- */

static void records_loaded(void *arg, bool ok);

static void group_known(void *arg, int code)
{
	(void)code;
	records_loaded(arg, true);
}

/* True if the server has to say first who the administrators are. */
static bool ask_group(struct receive_job *job)
{
	struct wa_group group = { 0 };
	bool known;

	if (!needs_group(job) || job->addon->asked_group)
		return false;
	known = wa_group_load(&job->job.op, &job->envelope.chat, &group);
	wa_group_clear(&group);
	if (known)
		return false;
	job->addon->asked_group = true;
	wa_group_fetch(job->job.m, &job->envelope.chat, group_known, job);
	return true;
}

static void records_loaded(void *arg, bool ok)
{
	struct receive_job *job = arg;
	struct found found = { 0 };

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	if (ask_group(job))
		return;
	if (changes_target(job->addon)) {
		const char *why = check_right(job);

		job->addon->refused = why != NULL;
		if (why != NULL || job->addon->plain) {
			finish(job, why);
			return;
		}
	}
	each_name(job, try_secret, &found);
	try_kept_message(job, &found);
	if (found.opened && found.record.kind == SECRET_POLL && (job->addon->kind == WA_ADDON_POLL_EDIT || job->addon->kind == WA_ADDON_POLL_ADD_OPTION))
		change_poll(job, &found);
	if (found.opened && job->addon->kind == WA_ADDON_POLL_VOTE && found.record.kind == SECRET_POLL)
		load_tally(job, &found);
	else
		finish(job, found.opened ? NULL : found.any ? WRONG_KEY : UNKNOWN_TARGET);
	crypto_wipe(found.record.secret, sizeof found.record.secret);
}

static void forms_loaded(void *arg, bool ok)
{
	struct receive_job *job = arg;
	struct addon *addon = job->addon;
	struct state_keys keys = { 0 };
	struct jid other;

	if (!ok) {
		wa_job_done(&job->job);
		return;
	}
	if (jid_is_none(&addon->authors[1]) && !jid_is_none(&addon->authors[0]) &&
	    wa_lidmap_other(&job->job.op, &addon->authors[0], &other))
		addon->authors[1] = jid_bare(&other);
	each_name(job, add_secret_key, &keys);
	state_keys_add(&keys, WA_RECORD_MESSAGE, addon->id);
	wa_sent_keys(&keys, addon->id);
	if (needs_group(job))
		wa_group_keys(&keys, &job->envelope.chat);
	state_op_fetch(&job->job.op, keys.keys, keys.n, records_loaded, job);
	state_keys_free(&keys);
}

void wa_addon_resolve(struct receive_job *job, void (*done)(struct receive_job *job))
{
	struct state_keys keys = { 0 };

	if (job->addon == NULL) {
		done(job);
		return;
	}
	job->addon->done = done;
	if (!jid_is_none(&job->addon->authors[0]))
		wa_lidmap_keys(&keys, &job->addon->authors[0]);
	state_op_fetch(&job->job.op, keys.keys, keys.n, forms_loaded, job);
	state_keys_free(&keys);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * /api/v1/campaigns: one content to many recipients. A content is the body of the send route of its type: it is read by that route's own
 * parameters (/api/v1/messages/send/{type}), with a recipient put in for those that it will go to.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/recipient.h"
#include "common/timefmt.h"
#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/param_kinds.h"
#include "fcgi/request.h"
#include "fcgi/send_params.h"
#include "fcgi/upload.h"
#include "fcgi/upload_input.h"
#include "fcgi/validate.h"

enum { REQUEST_RECIPIENTS = 10000, NAME_BYTES = 200, REJECTED_SHOWN = 1000, DAY_MIN = 24 * 60, WEEK = 7 };

/* Longest gap or jitter: a week. */
#define LONGEST_GAP_MS 604800000.0
#define MOST_IN_TIME 1000000.0

#define BAD_TYPE { 400, 2002, "type is not one that a campaign can send" }
#define SEVERAL_FILES { 501, 2005, "A campaign sends each recipient one message, files may be several: send one as media or document" }
#define STRAY_FILE { 400, 2002, "The request brings a file that no content takes" }
#define NO_CONTENT { 400, 2001, "content is required" }
#define BAD_RECIPIENTS { 400, 2002, "recipients is a list of phone numbers, JIDs, or objects with to and variables" }
#define MANY_RECIPIENTS { 413, 2006, "A request has at most 10000 recipients, a campaign at most 100000" }
#define BAD_VARIABLES { 400, 2002, "variables is an object of texts, numbers and booleans" }
#define BAD_PACE { 400, 2002, "pace is an object with gapMs, jitterMs, perMinute, perHour" }
#define BAD_WINDOW { 400, 2002, "window is an object with from and to as HH:MM, zone, and days as mon..sun or 1..7" }
#define BAD_NAME { 400, 2002, "name has at most 200 bytes" }
#define BAD_START { 400, 2002, "startAt must be a time within a year: seconds, milliseconds or ISO 8601" }
#define BAD_MISSING { 400, 2002, "missing is one of fail, empty, keep" }
#define NOT_FOUND { 404, 2600, "Campaign not found" }
#define DATABASE { 500, 8003, "Database error" }

static int refuse(struct answer *answer, const struct fault *fault)
{
	answer_fault(answer, fault);
	return -1;
}

static const struct json *member(const struct json *object, const char *name)
{
	return object && object->type == JSON_OBJECT ? json_get(object, name) : NULL;
}

/* ---- content ---- */

static const char *const types[] = { "text", "location", "live-location", "contact", "poll", "event", "group-invite", "button", "list", "media", "audio",
	"document", "sticker", "gif", NULL };

/* What belongs to a single request to send. */
static const char *const not_content[] = { "to", "jid", "target", "number", "messageId", "wait", "send_at", "sendAt", "dry_run", "dryRun", "audience",
	"statusJidList", "priority", "sessionId", "phone", NULL };

static bool is_content(const struct json *v)
{
	for (const char *const *name = not_content; *name; name++) {
		if (span_is(v->name, *name))
			return false;
	}
	return true;
}

static struct json *body_for_route(struct request *r, const struct json *content)
{
	struct json *body = json_new(r->arena, JSON_OBJECT);

	for (const struct json *c = content->first; c; c = c->next) {
		struct json *copy = arena_dup(r->arena, c, sizeof *c);

		copy->next = NULL;
		if (is_content(c))
			json_add(body, c->name, copy);
	}
	json_add(body, span_text("to"), json_new_string(r->arena, span_text("10000000000")));
	return body;
}

static bool is_word(struct span text, const char *word)
{
	return text.n == strlen(word) && strncasecmp((const char *)text.p, word, text.n) == 0;
}

static const char *const type_names[] = { "type", NULL };

static const char *type_of(const struct json *body)
{
	struct span word = send_text(body, type_names);

	if (!word.n)
		return "text";
	for (const char *const *type = types; *type; type++) {
		if (is_word(word, *type))
			return *type;
	}
	return NULL;
}

/* A long text that looks like base64 was cut out of the body, and is no text any more (upload.h). */
static int no_stray_files(struct request *r, struct answer *answer)
{
	static const struct fault stray = STRAY_FILE;
	size_t n = 0;

	for (size_t i = 0; r->upload && i < r->upload->form.files_count; i++) {
		const struct form_file *file = &r->upload->form.files[i];

		n += !file->broken && (file->cut || file->spool.size || file->filename.n);
	}
	return n && n > r->upload->nfds ? refuse(answer, &stray) : 0;
}

static int put_content(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const names[] = { "content", NULL };
	static const struct fault bad_type = BAD_TYPE, several = SEVERAL_FILES, no_content = NO_CONTENT;
	const struct json *content = send_member(r, r->body, names);
	const char *type = type_of(r->body);
	struct request route = *r;
	int error;

	if (!type)
		return refuse(answer, is_word(send_text(r->body, type_names), "files") ? &several : &bad_type);
	/* A form may bring nothing but the file. */
	if (!content && r->upload && r->upload->form.files_count)
		content = json_new(r->arena, JSON_OBJECT);
	if (!content || content->type != JSON_OBJECT)
		return refuse(answer, &no_content);
	route.match = route_find("POST", span_text(arena_printf(r->arena, "/api/v1/messages/send/%s", type)));
	if (!route.match.route)
		return refuse(answer, &bad_type);
	route.query = json_new(r->arena, JSON_OBJECT);
	route.body = body_for_route(r, content);
	json_name(p, "content");
	json_open(p, '{');
	json_member(p, "type", type);
	json_member(p, "method", route.match.route->name);
	json_name(p, "p");
	json_open(p, '{');
	error = validate_params(&route, p, answer);
	json_close(p, '}');
	json_close(p, '}');
	return error ? error : no_stray_files(r, answer);
}

/* ---- variables ---- */

static bool is_value(const struct json *v)
{
	return v->type != JSON_OBJECT && v->type != JSON_ARRAY && v->type != JSON_NULL;
}

static bool put_variables(struct buf *p, const struct json *v)
{
	json_open(p, '{');
	for (const struct json *c = v->first; c; c = c->next) {
		if (c->type == JSON_NULL)
			continue;
		if (!is_value(c))
			return false;
		json_span(p, c->name);
		buf_u8(p, ':');
		json_tree(p, c);
	}
	json_close(p, '}');
	return true;
}

static int put_common_variables(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const names[] = { "variables", NULL };
	static const struct fault bad = BAD_VARIABLES;
	const struct json *v = send_member(r, r->body, names);

	if (!v)
		return 0;
	json_name(p, "variables");
	return v->type == JSON_OBJECT && put_variables(p, v) ? 0 : refuse(answer, &bad);
}

/* ---- pace and window ---- */

static bool put_number(struct request *r, struct buf *p, const struct json *object, const char *name, double most)
{
	const struct json *v = member(object, name);
	double number;

	if (!v || v->type == JSON_NULL)
		return true;
	if (!send_number(r, v, &number) || number < 0 || number > most)
		return false;
	json_name(p, name);
	json_int(p, (int64_t)number);
	return true;
}

static int put_pace(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const names[] = { "pace", NULL };
	static const struct fault bad = BAD_PACE;
	const struct json *pace = send_member(r, r->body, names);

	if (!pace)
		return 0;
	if (pace->type != JSON_OBJECT)
		return refuse(answer, &bad);
	json_name(p, "pace");
	json_open(p, '{');
	if (!put_number(r, p, pace, "gapMs", LONGEST_GAP_MS) || !put_number(r, p, pace, "jitterMs", LONGEST_GAP_MS) ||
	    !put_number(r, p, pace, "perMinute", MOST_IN_TIME) || !put_number(r, p, pace, "perHour", MOST_IN_TIME))
		return refuse(answer, &bad);
	json_close(p, '}');
	return 0;
}

/* "HH:MM" as minutes since midnight; -1: it is none. */
static int clock_of(const struct json *v)
{
	struct span s = v && v->type == JSON_STRING ? v->text : span_of(NULL, 0);
	int hour, minute;

	if (s.n != 5 || !isdigit(s.p[0]) || !isdigit(s.p[1]) || s.p[2] != ':' || !isdigit(s.p[3]) || !isdigit(s.p[4]))
		return -1;
	hour = (s.p[0] - '0') * 10 + s.p[1] - '0';
	minute = (s.p[3] - '0') * 10 + s.p[4] - '0';
	return hour < 24 && minute < 60 ? hour * 60 + minute : -1;
}

/* Bit 0 is Sunday. -1: no day of that name. */
static int day_of(const struct json *v)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	struct span s = v->text;

	if (v->type == JSON_NUMBER)
		return s.n == 1 && s.p[0] >= '1' && s.p[0] <= '7' ? (s.p[0] - '0') % WEEK : -1;
	for (int i = 0; v->type == JSON_STRING && i < WEEK; i++) {
		if (s.n == 3 && strncasecmp((const char *)s.p, days[i], 3) == 0)
			return i;
	}
	return -1;
}

static bool put_days(struct buf *p, const struct json *days)
{
	int bits = 0;

	if (!days || days->type == JSON_NULL)
		return true;
	if (days->type != JSON_ARRAY)
		return false;
	for (const struct json *c = days->first; c; c = c->next) {
		int day = day_of(c);

		if (day < 0)
			return false;
		bits |= 1 << day;
	}
	json_name(p, "days");
	json_int(p, bits);
	return true;
}

static bool put_times(struct request *r, struct buf *p, const struct json *window)
{
	const struct json *zone = member(window, "zone");
	int from = clock_of(member(window, "from")), to = clock_of(member(window, "to"));
	const char *name = zone && zone->type == JSON_STRING ? arena_text(r->arena, zone->text.p, zone->text.n) : "UTC";

	if (from < 0 || to < 0 || (zone && zone->type != JSON_STRING) || !timefmt_zone_exists(name))
		return false;
	json_name(p, "from");
	json_int(p, from);
	json_name(p, "to");
	json_int(p, to);
	json_member(p, "zone", name);
	return put_days(p, member(window, "days"));
}

static int put_window(struct request *r, struct buf *p, struct answer *answer)
{
	static const struct fault bad = BAD_WINDOW;
	static const char *const names[] = { "window", NULL };
	const struct json *plain = member(r->body, "window"), *window = send_member(r, r->body, names);

	if (plain && plain->type == JSON_NULL) {
		json_name(p, "window");
		json_null(p);
		return 0;
	}
	if (!window)
		return 0;
	if (window->type != JSON_OBJECT)
		return refuse(answer, &bad);
	json_name(p, "window");
	json_open(p, '{');
	if (!put_times(r, p, window))
		return refuse(answer, &bad);
	json_close(p, '}');
	return 0;
}

/* ---- recipients ---- */

/* What was read of a request's list so far. */
struct reading {
	struct request *r;
	struct buf rejected;
	size_t index, refused, duplicates;
	struct seen {
		uint64_t hash;
		const char *jid;
	} *seen; /* open addressing, twice as many places as entries */
	size_t places;
};

static void reject(struct reading *reading, const struct json *value, const char *reason)
{
	struct buf *out = &reading->rejected;
	struct span text;

	if (reading->refused++ >= REJECTED_SHOWN)
		return;
	json_open(out, '{');
	json_name(out, "index");
	json_int(out, (int64_t)reading->index);
	if (value && param_text(value, &text)) {
		json_name(out, "value");
		json_span(out, text.n > NAME_BYTES ? utf8_clean(reading->r->arena, span_of(text.p, NAME_BYTES)) : text);
	}
	json_member(out, "reason", reason);
	json_close(out, '}');
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
	return hash;
}

/* True if it was there before. */
static bool is_known(struct reading *reading, const char *jid)
{
	uint64_t hash = hash_of(jid);
	size_t at = (size_t)(hash % reading->places);

	while (reading->seen[at].jid) {
		if (reading->seen[at].hash == hash && strcmp(reading->seen[at].jid, jid) == 0)
			return true;
		at = (at + 1) % reading->places;
	}
	reading->seen[at] = (struct seen){ hash, jid };
	return false;
}

static const struct json *address_of(const struct json *entry)
{
	static const char *const names[] = { "to", "jid", "phone", "number" };

	if (entry->type != JSON_OBJECT)
		return entry;
	for (size_t i = 0; i < COUNT(names); i++) {
		const struct json *v = json_get(entry, names[i]);

		if (v && param_is_text(v))
			return v;
	}
	return NULL;
}

/* The variables of an entry: its member, or everything that stands beside the address. */
static bool put_own_variables(struct buf *p, const struct json *entry)
{
	static const char *const names[] = { "to", "jid", "phone", "number" };
	const struct json *variables = member(entry, "variables");
	size_t n = 0;

	if (entry->type != JSON_OBJECT) {
		json_null(p);
		return true;
	}
	if (variables)
		return variables->type == JSON_OBJECT && put_variables(p, variables);
	json_open(p, '{');
	for (const struct json *c = entry->first; c; c = c->next) {
		bool address = false;

		for (size_t i = 0; i < COUNT(names); i++)
			address = address || span_is(c->name, names[i]);
		if (address || !is_value(c))
			continue;
		json_span(p, c->name);
		buf_u8(p, ':');
		json_tree(p, c);
		n++;
	}
	json_close(p, '}');
	return true;
}

static void put_recipient(struct reading *reading, struct buf *p, const struct json *entry)
{
	struct request *r = reading->r;
	const struct json *address = address_of(entry);
	char text[JID_TEXT_MAX];
	size_t mark = p->len;
	struct span written;
	const char *jid;
	struct jid to;

	if (!address || !param_text(address, &written) || recipient_resolve(&to, (const char *)written.p, written.n, r->settings->country_code)) {
		reject(reading, address, "no phone number or JID");
		return;
	}
	if (!jid_is_person(&to) && to.server != JID_SERVER_GROUP) {
		reject(reading, address, "neither a person nor a group");
		return;
	}
	jid = arena_strdup(r->arena, jid_format(&to, text, sizeof text));
	if (is_known(reading, jid)) {
		reading->duplicates++;
		return;
	}
	json_open(p, '[');
	json_text(p, jid);
	if (put_own_variables(p, entry)) {
		json_close(p, ']');
		return;
	}
	p->len = mark;
	reject(reading, address, "variables is an object of texts, numbers and booleans");
}

static int put_recipients(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const names[] = { "recipients", NULL };
	static const struct fault bad = BAD_RECIPIENTS, many = MANY_RECIPIENTS;
	const struct json *list = send_member(r, r->body, names);
	struct reading reading = { .r = r };

	if (!list)
		return 0;
	if (list->type != JSON_ARRAY)
		return refuse(answer, &bad);
	if (list->count > REQUEST_RECIPIENTS)
		return refuse(answer, &many);
	reading.places = 2 * list->count + 1;
	reading.seen = arena_alloc(r->arena, reading.places * sizeof *reading.seen);
	json_name(p, "recipients");
	json_open(p, '[');
	for (const struct json *c = list->first; c; c = c->next, reading.index++)
		put_recipient(&reading, p, c);
	json_close(p, ']');
	json_name(p, "duplicates");
	json_int(p, (int64_t)reading.duplicates);
	json_name(p, "rejected");
	json_open(p, '[');
	buf_append_span(p, buf_span(&reading.rejected));
	json_close(p, ']');
	buf_free(&reading.rejected);
	return 0;
}

/* ---- the routes' bodies ---- */

static int check_name(struct request *r, struct answer *answer)
{
	static const char *const names[] = { "name", NULL };
	static const struct fault bad = BAD_NAME;

	return send_text(r->body, names).n > NAME_BYTES ? refuse(answer, &bad) : 0;
}

static int prepare_manner(struct request *r, struct buf *p, struct answer *answer)
{
	if (check_name(r, answer) || put_common_variables(r, p, answer) || put_pace(r, p, answer))
		return -1;
	return put_window(r, p, answer);
}

static int prepare_create(struct request *r, struct buf *p, struct answer *answer)
{
	static const struct fault no_content = NO_CONTENT;

	if (!r->body || r->body->type != JSON_OBJECT)
		return refuse(answer, &no_content);
	if (put_content(r, p, answer) || prepare_manner(r, p, answer))
		return -1;
	return put_recipients(r, p, answer);
}

static int prepare_change(struct request *r, struct buf *p, struct answer *answer)
{
	if (!r->body || r->body->type != JSON_OBJECT)
		return 0;
	if ((json_get(r->body, "content") || r->upload->form.files_count) && put_content(r, p, answer))
		return -1;
	return prepare_manner(r, p, answer);
}

static int prepare_recipients(struct request *r, struct buf *p, struct answer *answer)
{
	static const struct fault bad = BAD_RECIPIENTS;

	if (!r->body || r->body->type != JSON_OBJECT || !json_get(r->body, "recipients"))
		return refuse(answer, &bad);
	return put_recipients(r, p, answer);
}

/* ---- parameters ---- */

static const char *const missing_values[] = { "fail", "empty", "keep", NULL };
static const char *const states[] = { "draft", "scheduled", "running", "paused", "done", "cancelled", NULL };
static const char *const recipient_states[] = { "pending", "queued", "sent", "server_ack", "delivered", "read", "played", "failed", "cancelled", NULL };

#define BODY_ONLY { PLACE_BODY }
#define CAMPAIGN_ID \
	{ .name = "campaignId", .in = { PLACE_PATH }, .kind = PARAM_STRING, .type = "string", .required = true, .missing = NOT_FOUND }
#define EXPLAINED(NAME, TYPE, NOTE) { .name = NAME, .in = BODY_ONLY, .kind = PARAM_DOCUMENT, .type = TYPE, .note = NOTE }
#define MANNER \
	{ .name = "name", .in = BODY_ONLY, .kind = PARAM_STRING, .type = "string", .note = "at most 200 bytes" }, \
	{ .name = "startAt", .aliases = { "send_at", "sendAt" }, .in = BODY_ONLY, .kind = PARAM_TIME, .type = "string|number", .invalid = BAD_START, \
	  .note = "not before this time" }, \
	{ .name = "missing", .in = BODY_ONLY, .kind = PARAM_ENUM, .type = "string", .values = missing_values, .invalid = BAD_MISSING, \
	  .note = "of a variable without a value: the recipient fails (default), it counts as empty, or {{name}} stays as it stands" }, \
	EXPLAINED("variables", "object", "values for every recipient that has none of its own"), \
	EXPLAINED("pace", "object", "gapMs and jitterMs between two messages; at most perMinute and perHour"), \
	EXPLAINED("window", "object", "only in this time of day: from and to (HH:MM), zone (Europe/Berlin; default UTC), days (mon to sun, or 1 to 7); null: none")
#define CONTENT \
	EXPLAINED("type", "string", "text (default), location, live-location, contact, poll, event, group-invite, button, list, media, audio, document, sticker, gif"), \
	EXPLAINED("content", "object", "the body of /api/v1/messages/send/{type} without to; {{name}} and {{name|otherwise}} in its texts are variables, " \
		  "{{phone}} is the recipient's number. A file (data URI, base64, URL, file part of a form, or storageKey of one that is stored) is uploaded once for all")
#define RECIPIENTS \
	EXPLAINED("recipients", "array", "phone numbers, JIDs of persons and groups, or objects: to (or phone, jid) and variables, or members that are the " \
		  "variables; at most 10000 a request")
#define LIMIT(MOST) { .name = "limit", .in = { PLACE_QUERY }, .kind = PARAM_NUMBER, .type = "number", .fallback = "50", .min = 1, .max = MOST }
#define CURSOR { .name = "cursor", .in = { PLACE_QUERY }, .kind = PARAM_DIGITS, .type = "string", .note = "pagination.nextCursor of the page before" }

static const struct param create_params[] = {
	MANNER,
	{ .name = "draft", .in = BODY_ONLY, .kind = PARAM_BOOL, .type = "boolean", .note = "true: it starts when it is told to" },
	CONTENT, RECIPIENTS,
};
static const struct param change_params[] = { CAMPAIGN_ID, MANNER, CONTENT };
static const struct param add_params[] = { CAMPAIGN_ID, RECIPIENTS };
static const struct param id_params[] = { CAMPAIGN_ID };
static const struct param list_params[] = {
	{ .name = "sessionId", .in = { PLACE_QUERY }, .kind = PARAM_STRING, .type = "string", .note = "only campaigns of this session" },
	{ .name = "state", .in = { PLACE_QUERY }, .kind = PARAM_ENUM, .type = "string", .values = states,
	  .invalid = { 400, 2002, "state is one of draft, scheduled, running, paused, done, cancelled" } },
	LIMIT(100), CURSOR,
};
static const struct param recipients_params[] = {
	CAMPAIGN_ID,
	{ .name = "state", .in = { PLACE_QUERY }, .kind = PARAM_ENUM, .type = "string", .values = recipient_states,
	  .invalid = { 400, 2002, "state is one of pending, queued, sent, server_ack, delivered, read, played, failed, cancelled" } },
	LIMIT(1000), CURSOR,
};

/* ---- answers ---- */

#define FIELDS(WHERE) \
	WHERE "campaignId " WHERE "sessionId " WHERE "name " WHERE "type " WHERE "state " WHERE "reason? " WHERE "startAt? " WHERE "progress.total " \
	WHERE "progress.pending " WHERE "progress.queued " WHERE "progress.sent " WHERE "progress.server_ack " WHERE "progress.delivered " \
	WHERE "progress.read " WHERE "progress.played " WHERE "progress.failed " WHERE "progress.cancelled " WHERE "content " WHERE "missing? " \
	WHERE "variables? " WHERE "pace? " WHERE "window? " WHERE "createdAt " WHERE "startedAt? " WHERE "endedAt? "
#define TAKEN "accepted duplicates rejected[].index? rejected[].value? rejected[].reason? "

static const struct success created[] = { { 201, 1000, "Campaign created", FIELDS("") TAKEN }, { 0 } };
static const struct success listed[] = { { 200, 1000, "Campaigns", FIELDS("items[].") "pagination.limit pagination.nextCursor" }, { 0 } };
static const struct success shown[] = { { 200, 1000, "Campaign", FIELDS("") }, { 0 } };
static const struct success changed[] = { { 200, 1000, "Campaign changed", FIELDS("") }, { 0 } };
static const struct success started[] = { { 200, 1000, "Campaign started", FIELDS("") }, { 0 } };
static const struct success paused[] = { { 200, 1000, "Campaign paused", FIELDS("") }, { 0 } };
static const struct success resumed[] = { { 200, 1000, "Campaign resumed", FIELDS("") }, { 0 } };
static const struct success cancelled[] = { { 200, 1000, "Campaign cancelled", FIELDS("") }, { 0 } };
static const struct success deleted[] = { { 200, 1000, "Campaign deleted", "campaignId deleted" }, { 0 } };
static const struct success added[] = { { 200, 1000, "Recipients added", "campaignId " TAKEN }, { 0 } };
static const struct success outcomes[] = {
	{ 200, 1000, "Recipients", "items[].toJid items[].state items[].messageId? items[].queuedAt? items[].ackedAt? items[].updatedAt? items[].code? "
	  "items[].error? items[].variables? pagination.limit pagination.nextCursor" }, { 0 }
};

#define FILE_FAULTS \
	{ 400, 2000, "Invalid <type> input" }, { 413, 2009, "<Type> too large (limit <n>MB)" }, { 415, 2007, "<why the file is not taken>" }, \
	{ 500, 8000, "The file cannot be stored" }, { 507, 8000, "No space left for files" }
#define MANNER_FAULTS BAD_NAME, BAD_VARIABLES, BAD_PACE, BAD_WINDOW, BAD_START, BAD_MISSING
static const struct fault create_errors[] = { NO_CONTENT, STRAY_FILE, BAD_TYPE, SEVERAL_FILES, FILE_FAULTS, BAD_RECIPIENTS, MANY_RECIPIENTS, MANNER_FAULTS, DATABASE, { 0 } };
static const struct fault change_errors[] = { NOT_FOUND, NO_CONTENT, STRAY_FILE, BAD_TYPE, SEVERAL_FILES, FILE_FAULTS, MANNER_FAULTS, { 409, 2003, "The campaign has ended" },
	{ 409, 2003, "The content of a campaign that was started cannot be changed" }, DATABASE, { 0 } };
static const struct fault add_errors[] = { NOT_FOUND, BAD_RECIPIENTS, MANY_RECIPIENTS, { 409, 2003, "The campaign has ended" }, DATABASE, { 0 } };
static const struct fault find_errors[] = { NOT_FOUND, DATABASE, { 0 } };
static const struct fault list_errors[] = { { 400, 2002, "state is one of draft, scheduled, running, paused, done, cancelled" }, DATABASE, { 0 } };
static const struct fault outcome_errors[] = { NOT_FOUND,
	{ 400, 2002, "state is one of pending, queued, sent, server_ack, delivered, read, played, failed, cancelled" }, DATABASE, { 0 } };
static const struct fault start_errors[] = { NOT_FOUND, { 409, 2003, "Only a draft can be started" }, { 409, 2003, "The campaign has no recipients" },
	DATABASE, { 0 } };
static const struct fault pause_errors[] = { NOT_FOUND, { 409, 2003, "Only a running campaign can be paused" }, DATABASE, { 0 } };
static const struct fault resume_errors[] = { NOT_FOUND, { 409, 2003, "Only a paused campaign can be resumed" }, DATABASE, { 0 } };
static const struct fault cancel_errors[] = { NOT_FOUND, { 409, 2003, "The campaign has ended" }, DATABASE, { 0 } };
static const struct fault delete_errors[] = { NOT_FOUND, { 409, 2003, "Pause or cancel the campaign first" }, DATABASE, { 0 } };

/* ---- the table ---- */

#define CAMPAIGN_ROUTE(METHOD, WHERE, NAME, SCOPE, LIST, WINS, FAILS, HEADING, WORDS) \
	.method = METHOD, .path = "/api/v1/campaigns" WHERE, .name = "campaigns." NAME, .auth = AUTH_KEY, .scope = SCOPE, .guards = GUARD_RATE | GUARD_QUOTA, \
	.family = FAMILY_S, .params = LIST, .params_count = COUNT(LIST), .tag = "Campaigns", .title = HEADING, .text = WORDS, .successes = WINS, .errors = FAILS
#define STEP(WHERE, WINS, FAILS, HEADING, WORDS) \
	{ CAMPAIGN_ROUTE("POST", "/{campaignId}/" WHERE, WHERE, SCOPE_SEND, id_params, WINS, FAILS, HEADING, WORDS), .body = BODY_JSON }

static const struct route routes[] = {
	{ CAMPAIGN_ROUTE("POST", "", "create", SCOPE_SEND, create_params, created, create_errors, "Create a campaign",
		"One content to many recipients, each once, at a pace. It starts at once, or at startAt, unless it is a draft or has no recipients yet. "
		"Recipients that cannot be addressed are told in rejected, those that are there already are counted in duplicates. What is on its way "
		"survives a restart; nobody gets it twice."), .body = BODY_UPLOAD, .flags = ROUTE_SLOW, .selector = &selector_session, .prepare = prepare_create },
	{ CAMPAIGN_ROUTE("GET", "", "list", SCOPE_READ, list_params, listed, list_errors, "List campaigns", "Newest first.") },
	{ CAMPAIGN_ROUTE("GET", "/{campaignId}", "get", SCOPE_READ, id_params, shown, find_errors, "Show a campaign",
		"progress counts recipients by their present state.") },
	{ CAMPAIGN_ROUTE("PATCH", "/{campaignId}", "change", SCOPE_SEND, change_params, changed, change_errors, "Change a campaign",
		"Name, start, pace, window and variables until it has ended; the content while it is a draft."), .body = BODY_UPLOAD, .flags = ROUTE_SLOW, .prepare = prepare_change },
	{ CAMPAIGN_ROUTE("DELETE", "/{campaignId}", "remove", SCOPE_SEND, id_params, deleted, delete_errors, "Delete a campaign",
		"With all that is known of its recipients. Not while it runs.") },
	{ CAMPAIGN_ROUTE("POST", "/{campaignId}/recipients", "recipients.add", SCOPE_SEND, add_params, added, add_errors, "Add recipients",
		"Until the campaign has ended."), .body = BODY_JSON, .prepare = prepare_recipients },
	{ CAMPAIGN_ROUTE("GET", "/{campaignId}/recipients", "recipients", SCOPE_READ, recipients_params, outcomes, outcome_errors, "List recipients and outcomes",
		"In the order in which they were added. A person who was added by phone number and by LID, as far as that is known when the turn comes, gets one "
		"message: the later entry is failed with code 2009, Duplicate.") },
	STEP("start", started, start_errors, "Start a draft", "At once, or at its startAt."),
	STEP("pause", paused, pause_errors, "Pause a campaign", "Nothing more is queued; at most 8 messages that are queued already still go out."),
	STEP("resume", resumed, resume_errors, "Resume a campaign", "Also one that paused by itself: reason says why it did."),
	STEP("cancel", cancelled, cancel_errors, "Cancel a campaign", "For good. At most 8 messages that are queued already still go out."),
};

extern const struct route_group campaign_routes;
const struct route_group campaign_routes = { routes, COUNT(routes) };

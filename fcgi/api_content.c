/* SPDX-License-Identifier: GPL-3.0-or-later */
/* /api/v1/messages/send: contacts, places, polls, events, invitations (contract rest-a 7.8 to 7.10). */
#include <string.h>

#include "fcgi/answer.h"
#include "fcgi/json_out.h"
#include "fcgi/param_kinds.h"
#include "fcgi/send_params.h"

#define CONTENT_ROUTE(what) \
	.method = "POST", .path = "/api/v1/messages/send/" what, .name = "messages.send." what, .auth = AUTH_KEY, .scope = SCOPE_SEND, \
	.guards = GUARD_RATE | GUARD_COOLDOWN | GUARD_QUOTA, .body = BODY_JSON_SEND, .selector = &selector_messages, \
	.family = FAMILY_A_NULL, .flags = ROUTE_SLOW | ROUTE_IDEMPOTENT, .tag = "Messages"
#define TO_ERROR { 400, 2001, "Missing or invalid 'to'" }
/* The last arguments of EXPLAINED: further members, such as .note. */
#define DOCUMENTED(NAME, TYPE) { .name = NAME, .in = SEND_BODY, .kind = PARAM_DOCUMENT, .type = TYPE }
#define EXPLAINED(NAME, TYPE, ...) { .name = NAME, .in = SEND_BODY, .kind = PARAM_DOCUMENT, .type = TYPE, __VA_ARGS__ }

enum { POLL_MIN_OPTIONS = 2, POLL_MAX_OPTIONS = 12, MAX_CONTACTS = 256 };

static const char *const no_names[] = { "name", NULL };

static int refuse(struct answer *answer, const struct fault *fault)
{
	answer_fault(answer, fault);
	return -1;
}

static void put_number(struct request *r, struct buf *p, const char *name, double number)
{
	json_name(p, name);
	json_raw(p, span_text(arena_printf(r->arena, "%.15g", number)));
}

/* ---- contacts ---- */

static void put_contact(struct buf *p, const struct json *o, bool flat)
{
	static const char *const name[] = { "name", NULL }, *const full[] = { "fullName", NULL };
	static const char *const phone[] = { "phone", NULL }, *const organization[] = { "organization", "org", NULL };
	static const char *const email[] = { "email", NULL }, *const vcard[] = { "vcard", NULL };
	static const char *const flat_name[] = { "name", "contactName", NULL }, *const flat_phone[] = { "contactPhone", "phone", NULL };
	static const char *const flat_email[] = { "email", "contactEmail", NULL };

	json_open(p, '{');
	send_put_text(p, "name", send_text(o, flat ? flat_name : name));
	send_put_text(p, "fullName", send_text(o, full));
	send_put_text(p, "phone", send_text(o, flat ? flat_phone : phone));
	send_put_text(p, "organization", send_text(o, organization));
	send_put_text(p, "email", send_text(o, flat ? flat_email : email));
	send_put_text(p, "vcard", send_text(o, vcard));
	json_close(p, '}');
}

static int prepare_contact(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const one[] = { "contact", NULL }, *const many[] = { "contacts", NULL };
	static const struct fault too_many = { 400, 2002, "contacts must have 1 to 256 entries" };
	const struct json *list = send_member(r, r->body, many), *contact = send_member(r, r->body, one);

	json_name(p, "contacts");
	json_open(p, '[');
	if (list && list->type == JSON_ARRAY) {
		if (!list->count || list->count > MAX_CONTACTS)
			return refuse(answer, &too_many);
		for (const struct json *c = list->first; c; c = c->next)
			put_contact(p, c, false);
	} else if (contact) {
		put_contact(p, contact, false);
	} else {
		put_contact(p, r->body, true);
	}
	json_close(p, ']');
	return 0;
}

static const struct param contact_params[] = {
	SEND_TO(SEND_BODY, 2001, "Missing or invalid 'to'"),
	SEND_COMMON(SEND_BODY),
	EXPLAINED("contact", "object|string", .note = "{name,fullName,phone,organization|org,email}; or {name,vcard} with a vCard of your own"),
	EXPLAINED("contacts", "array", .note = "several of them in one message"),
	EXPLAINED("name", "string", .aliases = { "fullName", "contactName" }),
	EXPLAINED("contactPhone", "string", .note = "flat form also reads phone"),
	EXPLAINED("organization", "string", .aliases = { "org" }),
	EXPLAINED("email", "string", .aliases = { "contactEmail" }),
};
static const struct success contact_sent[] = { SEND_SUCCESSES("Contact message", "advancedInfo.displayName") };
static const struct fault contact_errors[] = { TO_ERROR, { 400, 2002, "contacts must have 1 to 256 entries" }, SEND_ERRORS("contact") };

/* ---- places ---- */

static const struct fault bad_location = { 400, 3012, "Invalid location payload" };
static const char *const latitude_names[] = { "latitude", "lat", NULL }, *const longitude_names[] = { "longitude", "lng", NULL };

static bool parse_pair(struct request *r, struct span text, double *latitude, double *longitude)
{
	const uint8_t *comma = memchr(text.p, ',', text.n);
	size_t n;

	if (!comma)
		return false;
	n = (size_t)(comma - text.p);
	return send_number(r, json_new_string(r->arena, span_of(text.p, n)), latitude) &&
	       send_number(r, json_new_string(r->arena, span_of(comma + 1, text.n - n - 1)), longitude);
}

/* {latitude, longitude}, [lat, lng] or "lat,lng". */
static bool read_position(struct request *r, const struct json *v, double *latitude, double *longitude)
{
	struct span text;
	bool good;

	if (v && v->type == JSON_ARRAY)
		good = v->count >= 2 && send_number(r, v->first, latitude) && send_number(r, v->first->next, longitude);
	else if (v && v->type == JSON_OBJECT)
		good = send_number(r, send_member(r, v, latitude_names), latitude) && send_number(r, send_member(r, v, longitude_names), longitude);
	else
		good = v && v->type == JSON_STRING && param_text(v, &text) && parse_pair(r, text, latitude, longitude);
	return good && *latitude >= -90 && *latitude <= 90 && *longitude >= -180 && *longitude <= 180;
}

static bool put_location(struct request *r, struct buf *p, const struct json *v)
{
	static const char *const address[] = { "address", NULL };
	double latitude, longitude;

	if (!read_position(r, v, &latitude, &longitude))
		return false;
	put_number(r, p, "latitude", latitude);
	put_number(r, p, "longitude", longitude);
	if (v->type == JSON_OBJECT) {
		send_put_text(p, "name", send_text(v, no_names));
		send_put_text(p, "address", send_text(v, address));
	}
	return true;
}

static const struct json *location_of(struct request *r)
{
	static const char *const names[] = { "location", "loc", NULL };
	const struct json *v = send_member(r, r->body, names);

	return v ? v : r->body;
}

static int prepare_location(struct request *r, struct buf *p, struct answer *answer)
{
	return put_location(r, p, location_of(r)) ? 0 : refuse(answer, &bad_location);
}

static const struct param location_params[] = {
	SEND_TO(SEND_BODY, 2001, "Missing or invalid 'to'"),
	SEND_COMMON(SEND_BODY),
	EXPLAINED("location", "object|array|string", .aliases = { "loc" }, .note = "{latitude|lat,longitude|lng,name?,address?} or [lat,lng] or 'lat,lng'"),
	EXPLAINED("latitude", "number", .aliases = { "lat" }, .note = "-90..90"),
	EXPLAINED("longitude", "number", .aliases = { "lng" }, .note = "-180..180"),
	DOCUMENTED("name", "string"),
	DOCUMENTED("address", "string"),
};
static const struct success location_sent[] = {
	SEND_SUCCESSES("Location message", "advancedInfo.location.degreesLatitude advancedInfo.location.degreesLongitude "
					   "advancedInfo.location.name? advancedInfo.location.address?")
};
static const struct fault location_errors[] = { TO_ERROR, { 400, 3012, "Invalid location payload" }, SEND_ERRORS("location") };

static const struct param live_params[] = {
	SEND_TO(SEND_BODY, 2001, "Missing or invalid 'to'"),
	SEND_COMMON(SEND_BODY),
	EXPLAINED("location", "object|array|string", .aliases = { "loc" }, .note = "as for send/location"),
	EXPLAINED("latitude", "number", .aliases = { "lat" }, .note = "-90..90"),
	EXPLAINED("longitude", "number", .aliases = { "lng" }, .note = "-180..180"),
	{ .name = "caption", .in = SEND_BODY, .kind = PARAM_STRING, .type = "string" },
	{ .name = "accuracy", .in = SEND_BODY, .kind = PARAM_NUMBER, .type = "number", .max = 1000000, .note = "metres" },
	{ .name = "speed", .in = SEND_BODY, .kind = PARAM_NUMBER, .type = "number", .max = 1000, .note = "metres a second" },
	{ .name = "heading", .in = SEND_BODY, .kind = PARAM_NUMBER, .type = "number", .max = 359, .note = "degrees clockwise from north" },
	{ .name = "sequence", .in = SEND_BODY, .kind = PARAM_NUMBER, .type = "number", .max = 9007199254740991.0 },
};
static const struct success live_sent[] = {
	SEND_SUCCESSES("Live location message", "advancedInfo.location.degreesLatitude advancedInfo.location.degreesLongitude advancedInfo.caption?")
};
static const struct fault live_errors[] = { TO_ERROR, { 400, 3012, "Invalid location payload" }, SEND_ERRORS("live location") };

/* ---- polls ---- */

static const struct fault bad_poll = { 400, 3012, "Poll payload invalid" };

/* Options as an array, a JSON array's text, or a comma list; each option once in `options`. Their number, 0 for anything wrong. */
static size_t read_options(const struct json *v, struct span *options)
{
	struct span text;
	size_t n = 0;

	if (v && v->type == JSON_ARRAY) {
		for (const struct json *c = v->first; c; c = c->next) {
			if (!param_text(c, &text))
				continue;
			if (n == POLL_MAX_OPTIONS)
				return 0;
			options[n++] = text;
		}
	} else if (v && param_text(v, &text)) {
		while (text.n) {
			const uint8_t *comma = memchr(text.p, ',', text.n);
			size_t len = comma ? (size_t)(comma - text.p) : text.n;
			struct json part = { .type = JSON_STRING, .text = span_of(text.p, len) };

			if (param_is_text(&part)) {
				if (n == POLL_MAX_OPTIONS)
					return 0;
				param_text(&part, &options[n++]);
			}
			text = span_of(text.p + len + (comma != NULL), text.n - len - (comma != NULL));
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (span_equal(options[i], options[k]))
				return 0;
		}
	}
	return n;
}

static int prepare_poll(struct request *r, struct buf *p, struct answer *answer)
{
	static const char *const poll_names[] = { "poll", NULL }, *const question_names[] = { "question", "name", NULL };
	static const char *const option_names[] = { "options", NULL }, *const select_names[] = { "maxSelection", "selectableCount", NULL };
	const struct json *poll = send_member(r, r->body, poll_names), *v;
	struct span question = send_text(poll, question_names), options[POLL_MAX_OPTIONS];
	size_t n;
	double most = 1;

	if (!question.n && poll && poll->type == JSON_STRING)
		param_text(poll, &question);
	if (!question.n)
		question = send_text(r->body, question_names);
	v = poll && poll->type == JSON_ARRAY ? poll : send_member(r, poll, option_names);
	n = read_options(v ? v : send_member(r, r->body, option_names), options);
	if (!question.n || n < POLL_MIN_OPTIONS)
		return refuse(answer, &bad_poll);
	v = send_member(r, poll, select_names);
	if (!send_number(r, v ? v : send_member(r, r->body, select_names), &most) || most < 1)
		most = 1;
	send_put_text(p, "question", question);
	json_name(p, "options");
	json_open(p, '[');
	for (size_t i = 0; i < n; i++)
		json_span(p, options[i]);
	json_close(p, ']');
	json_name(p, "maxSelection");
	json_int(p, most > (double)n ? (int64_t)n : (int64_t)most);
	return 0;
}

static const struct param poll_params[] = {
	SEND_TO(SEND_BODY, 2001, "Missing or invalid 'to'"),
	SEND_COMMON(SEND_BODY),
	EXPLAINED("poll", "object|array|string", .note = "{question|name,options,maxSelection|selectableCount}"),
	EXPLAINED("question", "string", .aliases = { "name" }),
	EXPLAINED("options", "array|string", .note = "2 to 12 different ones"),
	EXPLAINED("maxSelection", "integer", .aliases = { "selectableCount" }, .fallback = "1", .note = "clamped 1..options"),
};
static const struct success poll_sent[] = {
	SEND_SUCCESSES("Poll message", "advancedInfo.question advancedInfo.options[] advancedInfo.maxSelection")
};
static const struct fault poll_errors[] = { TO_ERROR, { 400, 3012, "Poll payload invalid" }, SEND_ERRORS("poll") };

/* ---- events ---- */

static int prepare_event(struct request *r, struct buf *p, struct answer *answer)
{
	static const struct fault bad_place = { 400, 2002, "location must have a latitude and a longitude, or a name" };
	static const char *const names[] = { "location", "loc", NULL };
	const struct json *v = send_member(r, r->body, names);
	struct span name;

	if (!v)
		return 0;
	json_name(p, "location");
	json_open(p, '{');
	if (!put_location(r, p, v)) {
		name = v->type == JSON_OBJECT ? send_text(v, no_names) : span_of(NULL, 0);
		if (v->type == JSON_STRING)
			param_text(v, &name);
		if (!name.n)
			return refuse(answer, &bad_place);
		send_put_text(p, "name", name);
	}
	json_close(p, '}');
	return 0;
}

static const struct param event_params[] = {
	SEND_TO(SEND_BODY, 2001, "Missing or invalid 'to'"),
	{ .name = "name", .aliases = { "title" }, .in = SEND_BODY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "Event name is required" } },
	{ .name = "startTime", .aliases = { "start" }, .in = SEND_BODY, .kind = PARAM_TIME, .type = "string|number", .required = true,
	  .missing = { 400, 2001, "Event startTime is required" }, .invalid = { 400, 2002, "Event startTime must be a time: seconds, milliseconds or ISO 8601" } },
	{ .name = "endTime", .aliases = { "end" }, .in = SEND_BODY, .kind = PARAM_TIME, .type = "string|number",
	  .invalid = { 400, 2002, "Event endTime must be a time: seconds, milliseconds or ISO 8601" } },
	{ .name = "description", .in = SEND_BODY, .kind = PARAM_STRING, .type = "string" },
	{ .name = "joinLink", .in = SEND_BODY, .kind = PARAM_STRING, .type = "string", .note = "https://call.whatsapp.com/video/... or /voice/..." },
	{ .name = "extraGuests", .in = SEND_BODY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false" },
	{ .name = "canceled", .in = SEND_BODY, .kind = PARAM_BOOL, .type = "boolean", .fallback = "false" },
	EXPLAINED("location", "object|array|string", .aliases = { "loc" }, .note = "as for send/location, or the name of a place"),
	SEND_COMMON(SEND_BODY),
};
static const struct success event_sent[] = { SEND_SUCCESSES("Event message", "advancedInfo.name advancedInfo.startTime") };
static const struct fault event_errors[] = {
	TO_ERROR, { 400, 2002, "location must have a latitude and a longitude, or a name" }, SEND_ERRORS("event")
};

/* ---- group invitations ---- */

static const struct param invite_params[] = {
	SEND_TO(SEND_BODY, 2001, "Missing or invalid 'to'"),
	{ .name = "groupId", .aliases = { "group", "groupJid" }, .in = SEND_BODY, .kind = PARAM_RECIPIENTS, .type = "string", .required = true,
	  .missing = { 400, 2001, "groupId is required" }, .invalid = { 400, 2002, "groupId is invalid" } },
	{ .name = "inviteCode", .aliases = { "code" }, .in = SEND_BODY, .kind = PARAM_STRING, .type = "string", .required = true,
	  .missing = { 400, 2001, "inviteCode is required" } },
	{ .name = "groupName", .in = SEND_BODY, .kind = PARAM_STRING, .type = "string" },
	{ .name = "caption", .in = SEND_BODY, .kind = PARAM_STRING, .type = "string" },
	{ .name = "expiresAt", .aliases = { "expiration" }, .in = SEND_BODY, .kind = PARAM_TIME, .type = "string|number",
	  .invalid = { 400, 2002, "expiresAt must be a time: seconds, milliseconds or ISO 8601" } },
	SEND_COMMON(SEND_BODY),
};
static const struct success invite_sent[] = { SEND_SUCCESSES("Group invite message", "advancedInfo.groupJid advancedInfo.inviteCode") };
static const struct fault invite_errors[] = { TO_ERROR, { 400, 2002, "groupId is invalid" }, SEND_ERRORS("group invite") };

/* ---- the table ---- */

#define PARTS(x) \
	.params = x##_params, .params_count = COUNT(x##_params), .successes = x##_sent, .errors = x##_errors

static const struct route routes[] = {
	{ CONTENT_ROUTE("contact"), PARTS(contact), .prepare = prepare_contact, .title = "Send a contact",
	  .text = "One contact, or several in one message. The vCard is made of the fields; every field may be left out." },
	{ CONTENT_ROUTE("location"), PARTS(location), .prepare = prepare_location, .title = "Send a location", .text = "A place on the map." },
	{ CONTENT_ROUTE("live-location"), PARTS(live), .prepare = prepare_location, .title = "Send a live location",
	  .text = "Where somebody is now. Later positions travel on a channel that linked devices do not have: send another message instead." },
	{ CONTENT_ROUTE("poll"), PARTS(poll), .prepare = prepare_poll, .title = "Send a poll",
	  .text = "A question with 2 to 12 different options. Votes arrive by webhook." },
	{ CONTENT_ROUTE("event"), PARTS(event), .prepare = prepare_event, .title = "Send an event",
	  .text = "An appointment that members of the chat can accept or decline." },
	{ CONTENT_ROUTE("group-invite"), PARTS(invite), .title = "Invite to a group",
	  .text = "An invitation to a group as a message. group/invite gives the code." },
};

extern const struct route_group content_routes;
const struct route_group content_routes = { routes, COUNT(routes) };

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* messages.send.*: contact, location, live-location, poll, event, group-invite (rest-a 7.8 to 7.10). The web side has checked and
 * normalised what comes here. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/json_text.h"
#include "sessiond/rpc/send.h"
#include "sessiond/wa/wa.h"

static const char *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, name, &value) && json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static double number(struct json_object *object, const char *name)
{
	return json_object_get_double(json_object_object_get(object, name));
}

static struct json_object *array(const struct rpc_request *request, const char *name, size_t *n)
{
	struct json_object *list = json_object_object_get(request->p, name);

	*n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	return list;
}

static void put_extra(struct send_plan *plan, const char *name, const char *text)
{
	if (text && text[0])
		json_put_member(&plan->shape.extras, name, text);
}

/* ---- contacts ---- */

static const char *display_name(struct json_object *contact)
{
	const char *name = member(contact, "name");

	if (!name || !name[0])
		name = member(contact, "fullName");
	return name && name[0] ? name : "Contact";
}

static void build_contact(struct rpc_request *request)
{
	size_t n;
	struct json_object *list = array(request, "contacts", &n);
	struct wa_contact *contacts;
	struct buf *cards;
	struct send_plan *plan;
	struct buf title = { 0 };

	if (!n) {
		rpc_answer(request, 400, 2002, "contacts must have 1 to 256 entries", NULL);
		return;
	}
	plan = send_plan_new(1, "Contact message", "contact", "contact");
	contacts = xcalloc(n, sizeof *contacts);
	cards = xcalloc(n, sizeof *cards);
	for (size_t i = 0; i < n; i++) {
		struct json_object *c = json_object_array_get_idx(list, i);
		struct wa_person person = { .name = display_name(c), .full_name = member(c, "fullName"), .phone = member(c, "phone"),
			.organization = member(c, "organization"), .email = member(c, "email") };
		const char *own = member(c, "vcard");

		if (own)
			buf_append_text(&cards[i], own);
		else
			wa_vcard(&cards[i], &person);
		contacts[i] = (struct wa_contact){ .display_name = display_name(c), .vcard = buf_text(&cards[i]) };
	}
	buf_printf(&title, "%zu contacts", n);
	wa_build_contacts(&plan->contents[0].message, buf_text(&title), contacts, n);
	put_extra(plan, "displayName", n == 1 ? contacts[0].display_name : buf_text(&title));
	for (size_t i = 0; i < n; i++)
		buf_wipe(&cards[i]);
	free(cards);
	free(contacts);
	buf_free(&title);
	send_go(request, plan);
}

/* ---- places ---- */

static void put_number(struct buf *out, const char *name, double value)
{
	json_put_name(out, name);
	buf_printf(out, "%.15g", value);
}

static void put_position(struct buf *out, double latitude, double longitude, const char *name, const char *address)
{
	json_put_name(out, "location");
	buf_u8(out, '{');
	put_number(out, "degreesLatitude", latitude);
	put_number(out, "degreesLongitude", longitude);
	if (name && name[0])
		json_put_member(out, "name", name);
	if (address && address[0])
		json_put_member(out, "address", address);
	buf_u8(out, '}');
}

static void build_location(struct rpc_request *request)
{
	struct send_plan *plan = send_plan_new(1, "Location message", "location", "location");
	struct wa_location location = { .latitude = number(request->p, "latitude"), .longitude = number(request->p, "longitude"),
		.name = member(request->p, "name"), .address = member(request->p, "address") };

	wa_build_location(&plan->contents[0].message, &location);
	put_position(&plan->shape.extras, location.latitude, location.longitude, location.name, location.address);
	send_go(request, plan);
}

static void build_live_location(struct rpc_request *request)
{
	struct send_plan *plan = send_plan_new(1, "Live location message", "live location", "live location");
	struct wa_live_location location = { .latitude = number(request->p, "latitude"), .longitude = number(request->p, "longitude"),
		.accuracy_m = (uint32_t)number(request->p, "accuracy"), .speed_mps = (float)number(request->p, "speed"),
		.degrees = (uint32_t)number(request->p, "heading"), .caption = member(request->p, "caption"),
		.sequence = (int64_t)number(request->p, "sequence") };

	wa_build_live_location(&plan->contents[0].message, &location);
	put_position(&plan->shape.extras, location.latitude, location.longitude, NULL, NULL);
	put_extra(plan, "caption", location.caption);
	send_go(request, plan);
}

/* ---- polls and events ---- */

static void build_poll(struct rpc_request *request)
{
	size_t n;
	struct json_object *list = array(request, "options", &n);
	struct send_plan *plan = send_plan_new(1, "Poll message", "poll", "poll");
	const char **options = xcalloc(n + 1, sizeof *options);
	uint8_t secret[WA_SECRET_BYTES];
	struct wa_poll poll = { .question = member(request->p, "question"), .options = options, .noptions = n,
		.selectable = (uint32_t)number(request->p, "maxSelection"), .secret = secret };
	struct buf *extras = &plan->shape.extras;

	if (crypto_random(secret, sizeof secret))
		abort();
	put_extra(plan, "question", poll.question);
	json_put_name(extras, "options");
	buf_u8(extras, '[');
	for (size_t i = 0; i < n; i++) {
		options[i] = json_object_get_string(json_object_array_get_idx(list, i));
		if (i)
			buf_u8(extras, ',');
		json_put_string(extras, options[i]);
	}
	buf_u8(extras, ']');
	json_put_int(extras, "maxSelection", poll.selectable);
	wa_build_poll(&plan->contents[0].message, &poll);
	free(options);
	send_go(request, plan);
}

static void build_event(struct rpc_request *request)
{
	struct send_plan *plan = send_plan_new(1, "Event message", "event", "event");
	struct json_object *place = json_object_object_get(request->p, "location");
	struct wa_location location = { .latitude = number(place, "latitude"), .longitude = number(place, "longitude"), .name = member(place, "name"),
		.address = member(place, "address") };
	uint8_t secret[WA_SECRET_BYTES];
	struct wa_calendar_event event = { .name = member(request->p, "name"), .description = member(request->p, "description"),
		.join_link = member(request->p, "joinLink"), .location = place ? &location : NULL,
		.start_s = (int64_t)number(request->p, "startTime") / 1000, .end_s = (int64_t)number(request->p, "endTime") / 1000,
		.canceled = rpc_param_bool(request, "canceled"), .extra_guests = rpc_param_bool(request, "extraGuests"), .secret = secret };

	if (crypto_random(secret, sizeof secret))
		abort();
	wa_build_event(&plan->contents[0].message, &event);
	put_extra(plan, "name", event.name);
	json_put_int(&plan->shape.extras, "startTime", event.start_s);
	send_go(request, plan);
}

/* ---- invitations ---- */

/* Phones give an invitation this long. */
#define INVITE_LIFE_S ((int64_t)3 * 24 * 3600)

static void build_invite(struct rpc_request *request)
{
	size_t n;
	struct json_object *groups = array(request, "groupId", &n);
	struct wa_invite invite = { .code = member(request->p, "inviteCode"), .group_name = member(request->p, "groupName"),
		.caption = member(request->p, "caption"), .expires_s = (int64_t)number(request->p, "expiresAt") / 1000 };
	struct send_plan *plan;
	char text[JID_TEXT_MAX];

	if (n != 1 || jid_parse_text(&invite.group, json_object_get_string(json_object_array_get_idx(groups, 0))) || invite.group.server != JID_SERVER_GROUP) {
		rpc_answer(request, 400, 2002, "groupId is invalid", NULL);
		return;
	}
	if (!invite.expires_s)
		invite.expires_s = timefmt_now_ms() / 1000 + INVITE_LIFE_S;
	plan = send_plan_new(1, "Group invite message", "group invite", "group invite");
	wa_build_invite(&plan->contents[0].message, &invite);
	put_extra(plan, "groupJid", jid_format(&invite.group, text, sizeof text));
	put_extra(plan, "inviteCode", invite.code);
	send_go(request, plan);
}

/* ---- the table ---- */

#define SEND_METHOD(what) \
	static void do_##what(struct rpc_request *request) \
	{ \
		send_begin(request, build_##what); \
	}
SEND_METHOD(contact)
SEND_METHOD(location)
SEND_METHOD(live_location)
SEND_METHOD(poll)
SEND_METHOD(event)
SEND_METHOD(invite)

const struct rpc_method rpc_send_methods[] = {
	{ "messages.send.contact", do_contact },
	{ "messages.send.location", do_location },
	{ "messages.send.live-location", do_live_location },
	{ "messages.send.poll", do_poll },
	{ "messages.send.event", do_event },
	{ "messages.send.group-invite", do_invite },
	{ NULL, NULL },
};

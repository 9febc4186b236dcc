/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Contacts, places, invitations. */
#include "sessiond/wa/build.h"

#include <ctype.h>
#include <string.h>

#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto_walk.h"

enum { CONTACT_NAME = 1, CONTACT_VCARD = 16 };
enum { CONTACTS_NAME = 1, CONTACTS_CONTACT = 2 };
enum { LOCATION_LATITUDE = 1, LOCATION_LONGITUDE = 2, LOCATION_NAME = 3, LOCATION_ADDRESS = 4, LOCATION_URL = 5 };
enum {
	LIVE_LATITUDE = 1,
	LIVE_LONGITUDE = 2,
	LIVE_ACCURACY = 3,
	LIVE_SPEED = 4,
	LIVE_DEGREES = 5,
	LIVE_CAPTION = 6,
	LIVE_SEQUENCE = 7,
	LIVE_TIME_OFFSET = 8
};
enum { INVITE_GROUP = 1, INVITE_CODE = 2, INVITE_EXPIRES = 3, INVITE_NAME = 4, INVITE_THUMBNAIL = 5, INVITE_CAPTION = 6 };

/* ---- contacts ---- */

/* RFC 2426: backslash, comma, semicolon and line ends are escaped. */
static void put_escaped(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_append_text(out, "\\n");
		else if (*text != '\r') {
			if (strchr("\\,;", *text))
				buf_u8(out, '\\');
			buf_u8(out, (uint8_t)*text);
		}
	}
}

static void put_line(struct buf *out, const char *name, const char *value)
{
	if (!value || !value[0])
		return;
	buf_append_text(out, name);
	put_escaped(out, value);
	buf_u8(out, '\n');
}

static void put_phone(struct buf *out, const char *phone)
{
	struct buf digits = { 0 };

	for (; phone && *phone; phone++) {
		if (isdigit((unsigned char)*phone))
			buf_u8(&digits, (uint8_t)*phone);
	}
	if (digits.len)
		buf_printf(out, "TEL;type=CELL;type=VOICE;waid=%s:%s\n", buf_text(&digits), buf_text(&digits));
	buf_free(&digits);
}

void wa_vcard(struct buf *out, const struct wa_person *person)
{
	const char *full = person->full_name && person->full_name[0] ? person->full_name : person->name;

	buf_append_text(out, "BEGIN:VCARD\nVERSION:3.0\n");
	if (full && full[0]) {
		/* N has five parts; the name as a whole is the first one: who splits it guesses. */
		buf_append_text(out, "N:");
		put_escaped(out, full);
		buf_append_text(out, ";;;;\n");
	}
	put_line(out, "FN:", full);
	put_line(out, "ORG:", person->organization);
	put_phone(out, person->phone);
	put_line(out, "EMAIL:", person->email);
	buf_append_text(out, "END:VCARD");
}

static void put_contact(struct buf *out, uint32_t number, const struct wa_contact *contact)
{
	struct buf inner = { 0 };

	proto_put_text(&inner, CONTACT_NAME, contact->display_name);
	proto_put_text(&inner, CONTACT_VCARD, contact->vcard);
	proto_put_bytes(out, number, buf_span(&inner));
	buf_wipe(&inner);
}

void wa_build_contacts(struct buf *out, const char *title, const struct wa_contact *contacts, size_t n)
{
	struct buf inner = { 0 };

	if (n == 1) {
		put_contact(out, E2E_CONTACT, contacts);
		return;
	}
	proto_put_text(&inner, CONTACTS_NAME, title);
	for (size_t i = 0; i < n; i++)
		put_contact(&inner, CONTACTS_CONTACT, &contacts[i]);
	proto_put_bytes(out, E2E_CONTACTS, buf_span(&inner));
	buf_wipe(&inner);
}

/* ---- places ---- */

void wa_build_location(struct buf *out, const struct wa_location *location)
{
	struct buf inner = { 0 };

	proto_put_double(&inner, LOCATION_LATITUDE, location->latitude);
	proto_put_double(&inner, LOCATION_LONGITUDE, location->longitude);
	proto_put_text(&inner, LOCATION_NAME, location->name);
	proto_put_text(&inner, LOCATION_ADDRESS, location->address);
	proto_put_text(&inner, LOCATION_URL, location->url);
	proto_put_bytes(out, E2E_LOCATION, buf_span(&inner));
	buf_wipe(&inner);
}

void wa_build_live_location(struct buf *out, const struct wa_live_location *location)
{
	struct buf inner = { 0 };

	proto_put_double(&inner, LIVE_LATITUDE, location->latitude);
	proto_put_double(&inner, LIVE_LONGITUDE, location->longitude);
	if (location->accuracy_m)
		proto_put_uint(&inner, LIVE_ACCURACY, location->accuracy_m);
	if (location->speed_mps > 0)
		proto_put_float(&inner, LIVE_SPEED, location->speed_mps);
	if (location->degrees)
		proto_put_uint(&inner, LIVE_DEGREES, location->degrees);
	proto_put_text(&inner, LIVE_CAPTION, location->caption);
	if (location->sequence > 0)
		proto_put_uint(&inner, LIVE_SEQUENCE, (uint64_t)location->sequence);
	if (location->time_offset_s)
		proto_put_uint(&inner, LIVE_TIME_OFFSET, location->time_offset_s);
	proto_put_bytes(out, E2E_LIVE_LOCATION, buf_span(&inner));
	buf_wipe(&inner);
}

/* ---- invitations ---- */

void wa_build_invite(struct buf *out, const struct wa_invite *invite)
{
	struct buf inner = { 0 };
	char group[JID_TEXT_MAX];

	proto_put_text(&inner, INVITE_GROUP, jid_format(&invite->group, group, sizeof group));
	proto_put_text(&inner, INVITE_CODE, invite->code);
	if (invite->expires_s > 0)
		proto_put_uint(&inner, INVITE_EXPIRES, (uint64_t)invite->expires_s);
	proto_put_text(&inner, INVITE_NAME, invite->group_name);
	if (invite->thumbnail.n)
		proto_put_bytes(&inner, INVITE_THUMBNAIL, invite->thumbnail);
	proto_put_text(&inner, INVITE_CAPTION, invite->caption);
	proto_put_bytes(out, E2E_GROUP_INVITE, buf_span(&inner));
	buf_wipe(&inner);
}

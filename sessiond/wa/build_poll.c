/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Polls and events: contents with a secret. */
#include "sessiond/wa/build.h"

#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto_walk.h"

enum { POLL_NAME = 2, POLL_OPTION = 3, POLL_SELECTABLE = 4 };
enum { OPTION_NAME = 1 };
enum {
	EVENT_CANCELED = 2,
	EVENT_NAME = 3,
	EVENT_DESCRIPTION = 4,
	EVENT_LOCATION = 5,
	EVENT_JOIN_LINK = 6,
	EVENT_START = 7,
	EVENT_END = 8,
	EVENT_EXTRA_GUESTS = 9
};
enum { INFO_SECRET = 3 };

static void put_secret(struct buf *out, const uint8_t *secret)
{
	struct buf info = { 0 };

	proto_put_bytes(&info, INFO_SECRET, span_of(secret, WA_SECRET_BYTES));
	proto_put_bytes(out, E2E_CONTEXT_INFO, buf_span(&info));
	buf_wipe(&info);
}

void wa_build_poll(struct buf *out, const struct wa_poll *poll)
{
	struct buf inner = { 0 };

	proto_put_text(&inner, POLL_NAME, poll->question);
	for (size_t i = 0; i < poll->noptions; i++) {
		struct buf option = { 0 };

		proto_put_text(&option, OPTION_NAME, poll->options[i]);
		proto_put_bytes(&inner, POLL_OPTION, buf_span(&option));
		buf_wipe(&option);
	}
	proto_put_uint(&inner, POLL_SELECTABLE, poll->selectable);
	proto_put_bytes(out, poll->selectable == 1 ? E2E_POLL_ONE : E2E_POLL, buf_span(&inner));
	put_secret(out, poll->secret);
	buf_wipe(&inner);
}

void wa_build_event(struct buf *out, const struct wa_calendar_event *event)
{
	struct buf inner = { 0 };

	proto_put_uint(&inner, EVENT_CANCELED, event->canceled);
	proto_put_text(&inner, EVENT_NAME, event->name);
	proto_put_text(&inner, EVENT_DESCRIPTION, event->description);
	if (event->location) {
		struct buf message = { 0 };
		struct span location;

		wa_build_location(&message, event->location);
		if (proto_find(buf_span(&message), E2E_LOCATION, &location))
			proto_put_bytes(&inner, EVENT_LOCATION, location);
		buf_wipe(&message);
	}
	proto_put_text(&inner, EVENT_JOIN_LINK, event->join_link);
	proto_put_uint(&inner, EVENT_START, (uint64_t)event->start_s);
	if (event->end_s > 0)
		proto_put_uint(&inner, EVENT_END, (uint64_t)event->end_s);
	proto_put_uint(&inner, EVENT_EXTRA_GUESTS, event->extra_guests);
	proto_put_bytes(out, E2E_EVENT, buf_span(&inner));
	put_secret(out, event->secret);
	buf_wipe(&inner);
}

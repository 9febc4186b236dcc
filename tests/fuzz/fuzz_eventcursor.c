/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a strange Last-Event-ID or list of events crashes the daemon or is taken for something that it is not. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/eventfilter.h"
#include "common/limits.h"
#include "sessiond/rpc/eventcursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_cursor(const char *text)
{
	static struct store_event_place places[LIMIT_EVENT_SESSIONS], again[LIMIT_EVENT_SESSIONS];
	struct buf out = { 0 };
	size_t n, m;

	if (!eventcursor_read(text, places, &n))
		return;
	eventcursor_write(&out, places, n);
	if (out.len <= EVENTCURSOR_MAX && (!eventcursor_read(buf_text(&out), again, &m) || m != n))
		abort();
	for (size_t i = 0; i < n; i++) {
		if ((i && places[i].session <= places[i - 1].session) || places[i].told <= 0)
			abort();
		if (out.len <= EVENTCURSOR_MAX && (places[i].session != again[i].session || places[i].told != again[i].told))
			abort();
	}
	buf_free(&out);
}

static void read_filter(const char *text)
{
	struct eventfilter filter, again;
	struct buf out = { 0 };

	eventfilter_init(&filter);
	eventfilter_init(&again);
	if (eventfilter_add(&filter, text)) {
		(void)eventfilter_wants(&filter, "message_received");
		eventfilter_format(&filter, &out);
		if (!eventfilter_add(&again, buf_text(&out)) || again.count != filter.count || eventfilter_wants(&again, "call") != eventfilter_wants(&filter, "call"))
			abort();
	} else if (filter.count) {
		abort();
	}
	buf_free(&out);
	eventfilter_free(&filter);
	eventfilter_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	read_cursor(text);
	read_filter(text);
	free(text);
	return 0;
}

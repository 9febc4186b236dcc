/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Receipts by person, see receipts.h. */
#include "sessiond/store/receipts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- moments ---- */

static int64_t *moment_of(struct receipt_times *times, enum store_message_status status)
{
	switch (status) {
	case STORE_MESSAGE_DELIVERED:
		return &times->delivered_ms;
	case STORE_MESSAGE_READ:
		return &times->read_ms;
	case STORE_MESSAGE_PLAYED:
		return &times->played_ms;
	case STORE_MESSAGE_NONE:
	case STORE_MESSAGE_ERROR:
	case STORE_MESSAGE_PENDING:
	case STORE_MESSAGE_SENT:
	default:
		return NULL;
	}
}

bool receipt_add(struct receipt_times *times, enum store_message_status status, int64_t time_ms)
{
	int64_t *moment = moment_of(times, status);
	bool further = status > times->status;
	bool first = moment != NULL && time_ms > 0 && *moment == 0;

	if (moment == NULL)
		return false;
	if (first)
		*moment = time_ms;
	if (further)
		times->status = status;
	return first || further;
}

/* A number, and the blank behind it. */
static int64_t take_number(const char **text)
{
	char *end;
	long long number = strtoll(*text, &end, 10);

	*text = end;
	return number > 0 ? number : 0;
}

void receipt_parse(const char *value, int64_t time_ms, struct receipt_times *out)
{
	int64_t status;

	*out = (struct receipt_times){ .status = STORE_MESSAGE_NONE };
	if (value == NULL)
		return;
	status = take_number(&value);
	if (status < STORE_MESSAGE_DELIVERED || status > STORE_MESSAGE_PLAYED)
		return;
	out->delivered_ms = take_number(&value);
	out->read_ms = take_number(&value);
	out->played_ms = take_number(&value);
	receipt_add(out, (enum store_message_status)status, time_ms);
}

void receipt_format(const struct receipt_times *times, char out[static RECEIPT_TEXT_MAX])
{
	snprintf(out, RECEIPT_TEXT_MAX, "%d %" PRId64 " %" PRId64 " %" PRId64, (int)times->status, times->delivered_ms, times->read_ms, times->played_ms);
}

/* ---- one message's ---- */

/* A device, or a person as an addon has it. */
struct told {
	const char *jid, *lid, *device; /* device NULL: an addon */
	struct receipt_times times;
};

static const char *bare_of(struct arena *arena, const char *device)
{
	char text[JID_TEXT_MAX];
	struct jid jid;

	if (jid_parse_text(&jid, device) != 0)
		return arena_strdup(arena, device);
	jid = jid_bare(&jid);
	return arena_strdup(arena, jid_format(&jid, text, sizeof text));
}

static enum store_message_status status_of(int64_t state)
{
	return state == STORE_OUTBOX_DELIVERED ? STORE_MESSAGE_DELIVERED : state == STORE_OUTBOX_READ ? STORE_MESSAGE_READ :
	       state == STORE_OUTBOX_PLAYED ? STORE_MESSAGE_PLAYED : STORE_MESSAGE_NONE;
}

static int read_devices(struct store_reader *reader, struct arena *arena, int64_t session, const char *id, size_t limit, struct rows *list)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc,
	                                      "SELECT d.device, d.state, d.at_ms, d.delivered_ms, d.read_ms FROM outbox AS o "
	                                      "JOIN outbox_devices AS d ON d.outbox = o.number WHERE o.session = ? AND o.message_id = ? "
	                                      "ORDER BY d.state DESC, d.device LIMIT ?", "iti", session, id, (int64_t)limit);

	while (query != NULL && (rc = db_step(query)) > 0) {
		struct told *told = rows_add(list);

		told->device = db_text(query, arena, 0);
		told->times.delivered_ms = db_int(query, 3);
		told->times.read_ms = db_int(query, 4);
		receipt_add(&told->times, status_of(db_int(query, 1)), db_int(query, 2));
	}
	return db_done(query, rc);
}

static void take_addons(const struct store_message_row *row, size_t limit, struct rows *list)
{
	for (size_t i = 0; i < row->naddons && list->count < limit; i++) {
		const struct store_addon *addon = &row->addons[i];
		struct told *told;

		if (addon->kind != STORE_ADDON_RECEIPT || addon->author[0] == '\0')
			continue;
		told = rows_add(list);
		told->jid = addon->author;
		told->lid = addon->author_lid;
		receipt_parse(addon->value, addon->time_ms, &told->times);
	}
}

static int name_devices(struct store_reader *reader, struct arena *arena, int64_t session, struct told *told, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		if (told[i].device != NULL)
			rc = person_forms(reader, arena, session, bare_of(arena, told[i].device), &told[i].jid, &told[i].lid);
	}
	return rc;
}

static int by_person(const void *a, const void *b)
{
	const struct told *x = a, *y = b;
	int order = strcmp(x->jid, y->jid);

	if (order != 0 || x->device == NULL || y->device == NULL)
		return order != 0 ? order : (x->device != NULL) - (y->device != NULL);
	return strcmp(x->device, y->device);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b > 0 && b < a) ? b : a;
}

static void merge(struct store_receipt *into, const struct told *told)
{
	into->jid = told->jid;
	if (told->lid != NULL)
		into->lid = told->lid;
	if (told->times.status > into->status)
		into->status = told->times.status;
	into->delivered_ms = earlier(into->delivered_ms, told->times.delivered_ms);
	into->read_ms = earlier(into->read_ms, told->times.read_ms);
	into->played_ms = earlier(into->played_ms, told->times.played_ms);
	if (told->device != NULL)
		into->devices[into->ndevices++] = told->device;
}

int store_message_receipts(struct store_reader *reader, struct arena *arena, int64_t session, const struct store_message_row *row, size_t limit,
                           struct store_receipt **out, size_t *n)
{
	struct store_receipt *receipts;
	const char **devices;
	struct rows list;
	struct told *told;
	int rc;

	*out = NULL;
	*n = 0;
	rows_init(&list, arena, sizeof *told);
	rc = read_devices(reader, arena, session, row->id, limit, &list);
	take_addons(row, limit, &list);
	told = list.data;
	if (rc == 0)
		rc = name_devices(reader, arena, session, told, list.count);
	if (rc != 0 || list.count == 0)
		return rc;
	qsort(told, list.count, sizeof *told, by_person);
	receipts = arena_alloc(arena, list.count * sizeof *receipts);
	memset(receipts, 0, list.count * sizeof *receipts);
	devices = arena_alloc(arena, list.count * sizeof *devices);
	for (size_t i = 0; i < list.count; i++) {
		if (i == 0 || strcmp(told[i - 1].jid, told[i].jid) != 0)
			receipts[(*n)++].devices = devices + i;
		merge(&receipts[*n - 1], &told[i]);
	}
	*out = receipts;
	return 0;
}

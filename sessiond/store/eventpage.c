/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The journal as one stream of several sessions. Each session has a place of its own, so that the stream is exact whatever order the
 * sessions' rows have among themselves; the row number only says which of them comes next.
 */
#include <stdlib.h>

#include "sessiond/store/private.h"

/* Rows that one page looks at, of other sessions and unwanted ones too. */
enum { MOST_LOOKED_AT = 5000 };

static int compare_places(const void *a, const void *b)
{
	int64_t x = ((const struct store_event_place *)a)->session, y = ((const struct store_event_place *)b)->session;

	return x < y ? -1 : x > y;
}

static struct store_event_place *find_place(const struct store_event_question *question, int64_t session)
{
	const struct store_event_place key = { .session = session };

	return bsearch(&key, question->places, question->n, sizeof key, compare_places);
}

/* Compares a place with what the journal holds. */
static int settle(struct store_reader *reader, struct store_event_place *place, bool *behind)
{
	int64_t first, last;
	int rc = store_event_range(reader, place->session, &first, &last);

	if (rc != 0)
		return rc;
	place->lost = 0;
	place->rewound = place->told > last;
	if (place->told < 0 || place->rewound)
		place->told = last;
	if (first > place->told + 1) {
		place->lost = first - 1 - place->told;
		place->told = first - 1;
	}
	*behind = place->told < last;
	return 0;
}

/* The row number of the first event behind a place. */
static int head_of(struct store_reader *reader, const struct store_event_place *place, int64_t *number)
{
	int rc = 0;
	struct db_statement *query = db_query(reader->db, &rc, "SELECT number FROM events WHERE session = ? AND sequence > ? ORDER BY sequence LIMIT 1",
	                                      "ii", place->session, place->told);

	rc = db_read_number(query, rc, number);
	return rc < 0 ? rc : rc > 0 ? 0 : STORE_NOT_FOUND;
}

/* How many places are behind, the last of them, and the row number to look from. */
struct behind {
	size_t count;
	const struct store_event_place *one;
	int64_t from;
};

static int find_behind(struct store_reader *reader, const struct store_event_question *question, struct behind *behind)
{
	int rc = 0;

	*behind = (struct behind){ .from = INT64_MAX };
	for (size_t i = 0; i < question->n && rc == 0; i++) {
		struct store_event_place *place = &question->places[i];
		int64_t head = 0;
		bool is_behind = false;

		rc = settle(reader, place, &is_behind);
		if (rc == 0 && is_behind)
			rc = head_of(reader, place, &head);
		if (rc != 0 || !is_behind)
			continue;
		behind->count++;
		behind->one = place;
		behind->from = head < behind->from ? head : behind->from;
	}
	return rc;
}

/* The rows to look at, from the first that somebody waits for on. */
static struct db_statement *look(struct store_reader *reader, const struct behind *behind, int *rc)
{
	if (behind->count == 1)
		return db_query(reader->db, rc, EVENT_COLUMNS "WHERE session = ? AND sequence > ? ORDER BY sequence LIMIT ?", "iii", behind->one->session,
		                behind->one->told, (int64_t)MOST_LOOKED_AT);
	return db_query(reader->db, rc, EVENT_COLUMNS "WHERE number >= ? ORDER BY number LIMIT ?", "ii", behind->from, (int64_t)MOST_LOOKED_AT);
}

int store_event_page(struct store_reader *reader, struct arena *arena, const struct store_event_question *question, struct store_event **rows,
                     size_t *n, bool *more)
{
	struct rows list;
	struct behind behind;
	struct db_statement *query;
	size_t bytes = 0;
	int looked = 0, rc = find_behind(reader, question, &behind);

	rows_init(&list, arena, sizeof **rows);
	*rows = NULL;
	*n = 0;
	*more = false;
	if (rc != 0 || behind.count == 0)
		return rc;
	query = look(reader, &behind, &rc);
	while (query != NULL && (rc = db_step(query)) > 0) {
		struct store_event_place *place = find_place(question, db_int(query, 0));
		int64_t sequence = db_int(query, 1);
		struct store_event *event;

		*more = ++looked == MOST_LOOKED_AT;
		if (place == NULL || sequence <= place->told)
			continue;
		if (question->wanted(question->arg, db_text_borrowed(query, 3))) {
			*more = *more || list.count == question->limit || (list.count > 0 && bytes >= question->max_bytes);
			if (list.count == question->limit || (list.count > 0 && bytes >= question->max_bytes))
				break;
			event = rows_add(&list);
			rc = event_of_row(reader, query, arena, event);
			if (rc != 0)
				break;
			bytes += event->payload.n;
		}
		place->told = sequence;
	}
	*rows = list.data;
	*n = list.count;
	return db_done(query, rc < 0 ? rc : 0);
}

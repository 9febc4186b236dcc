/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Places of live views, see live.h. */
#include "sessiond/rpc/live.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/bell.h"
#include "sessiond/daemon.h"

/* As long as a slow client may hold warest.fcgi between two questions. */
enum { KEPT_MS = 130000 };

struct live_place {
	struct live_place *next;
	int64_t key;
	char *name;       /* owned; NULL: of one request */
	unsigned used;    /* by so many requests now */
	int64_t until_ms; /* unused: kept so long */
};

struct live *live_new(struct daemon *daemon)
{
	struct live *live = xcalloc(1, sizeof *live);

	live->daemon = daemon;
	if (daemon->bell)
		bell_listen(daemon->bell, live_heard, live);
	return live;
}

static void free_place(struct live_place *place)
{
	free(place->name);
	free(place);
}

void live_free(struct live *live)
{
	if (!live)
		return;
	if (live->daemon->bell)
		bell_listen(live->daemon->bell, NULL, NULL);
	while (live->places) {
		struct live_place *place = live->places;

		live->places = place->next;
		free_place(place);
	}
	free(live);
}

void live_drain(struct live *live)
{
	live->draining = true;
	live_answer_all(live);
}

/* Takes the places away that fn says, and counts the others; the next of a removed one is looked at too. */
static void sweep(struct live *live, int64_t key, size_t *of_key, size_t *total)
{
	int64_t now_ms = timefmt_monotonic_ms();
	struct live_place **at = &live->places;

	*of_key = *total = 0;
	while (*at) {
		struct live_place *place = *at;

		if (place->used == 0 && place->until_ms <= now_ms) {
			*at = place->next;
			free_place(place);
			continue;
		}
		*of_key += place->key == key;
		*total += 1;
		at = &place->next;
	}
}

size_t live_count(struct live *live)
{
	size_t of_key, total;

	sweep(live, 0, &of_key, &total);
	return total;
}

static struct live_place *find(struct live *live, int64_t key, const char *name)
{
	struct live_place *place = live->places;

	while (place && !(name && place->name && place->key == key && strcmp(place->name, name) == 0))
		place = place->next;
	return place;
}

enum live_claim live_claim(struct live *live, int64_t key, const char *name, struct live_place **place)
{
	const struct config *config = live->daemon->config;
	size_t of_key, total, most = (size_t)config->events_streams;

	sweep(live, key, &of_key, &total);
	*place = find(live, key, name);
	if (*place) {
		(*place)->used++;
		return LIVE_CLAIMED;
	}
	if (most == 0)
		most = config->fcgi_threads > 1 ? (size_t)config->fcgi_threads / 2 : 1;
	if (of_key >= (size_t)config->events_per_key)
		return LIVE_KEY_FULL;
	if (total >= most)
		return LIVE_FULL;
	*place = xcalloc(1, sizeof **place);
	**place = (struct live_place){ .next = live->places, .key = key, .name = name ? xstrdup(name) : NULL, .used = 1 };
	live->places = *place;
	return LIVE_CLAIMED;
}

void live_leave(struct live *live, struct live_place *place, bool stays)
{
	(void)live;
	if (!place)
		return;
	place->used--;
	place->until_ms = stays ? timefmt_monotonic_ms() + KEPT_MS : 0;
}

void live_end(struct live *live, int64_t key, const char *name)
{
	struct live_place *place = find(live, key, name);

	if (place)
		place->until_ms = 0;
}

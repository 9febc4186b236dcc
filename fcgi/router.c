/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the route of a request. Paths match without regard to case and to one trailing slash, as in the original. */
#include "fcgi/route.h"

#include <string.h>
#include <strings.h>

/* The next segment of a path and what follows it; false at the end. */
static bool next_segment(struct span *rest, struct span *segment)
{
	const uint8_t *slash;

	if (!rest->n || rest->p[0] != '/')
		return false;
	*rest = span_of(rest->p + 1, rest->n - 1);
	slash = rest->n ? memchr(rest->p, '/', rest->n) : NULL;
	*segment = span_of(rest->p, slash ? (size_t)(slash - rest->p) : rest->n);
	*rest = span_of(rest->p + segment->n, rest->n - segment->n);
	return true;
}

static bool path_matches(const struct route *route, struct span path, struct span values[ROUTE_MAX_PATH_VALUES])
{
	const char *pattern = route->path;
	struct span wanted = span_text(pattern), want, have;
	size_t n = 0;

	while (next_segment(&wanted, &want)) {
		if (!next_segment(&path, &have))
			return false;
		if (want.n && want.p[0] == '{') {
			if (!have.n || n == ROUTE_MAX_PATH_VALUES)
				return false;
			if (route->flags & ROUTE_TAIL && !wanted.n) {
				values[n] = span_of(have.p, have.n + path.n);
				return true;
			}
			values[n++] = have;
		} else if (want.n != have.n || strncasecmp((const char *)want.p, (const char *)have.p, want.n)) {
			return false;
		}
	}
	return path.n == 0 || span_is(path, "/");
}

struct route_match route_find(const char *method, struct span path)
{
	const char *wanted = strcmp(method, "HEAD") ? method : "GET";
	struct route_match m = { 0 };

	for (const struct route_group *const *g = route_groups; *g; g++) {
		for (size_t i = 0; i < (*g)->count; i++) {
			const struct route *route = &(*g)->routes[i];
			struct span values[ROUTE_MAX_PATH_VALUES] = { { 0 } };

			if (!path_matches(route, path, values))
				continue;
			if (strcmp(route->method, wanted)) {
				m.other_method = true;
				continue;
			}
			m.route = route;
			memcpy(m.values, values, sizeof values);
			return m;
		}
	}
	return m;
}

struct span route_value(const struct route_match *m, const char *name)
{
	struct span rest = span_text(m->route->path), segment;
	size_t i = 0;

	while (next_segment(&rest, &segment)) {
		if (!segment.n || segment.p[0] != '{')
			continue;
		if (segment.n == strlen(name) + 2 && !memcmp(segment.p + 1, name, segment.n - 2))
			return m->values[i];
		i++;
	}
	return span_of(NULL, 0);
}

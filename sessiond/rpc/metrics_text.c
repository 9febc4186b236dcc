/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See metrics_text.h. */
#include "sessiond/rpc/metrics_text.h"

#include <stdarg.h>

void metric_family(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_value(struct buf *out, double value)
{
	if (value >= -9e15 && value <= 9e15 && value == (double)(int64_t)value)
		buf_printf(out, " %lld\n", (long long)value);
	else
		buf_printf(out, " %.17g\n", value);
}

static void put_label(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=\"", name);
	for (const char *c = value; *c; c++) {
		if (*c == '\n')
			buf_append_text(out, "\\n");
		else if (*c == '"' || *c == '\\')
			buf_printf(out, "\\%c", *c);
		else
			buf_u8(out, (uint8_t)*c);
	}
	buf_u8(out, '"');
}

void metric_labelled(struct buf *out, const char *name, double value, ...)
{
	const char *label;
	va_list labels;
	bool first = true;

	buf_append_text(out, name);
	va_start(labels, value);
	while ((label = va_arg(labels, const char *)) != NULL) {
		buf_u8(out, first ? '{' : ',');
		first = false;
		put_label(out, label, va_arg(labels, const char *));
	}
	va_end(labels);
	if (!first)
		buf_u8(out, '}');
	put_value(out, value);
}

void metric_one(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	metric_family(out, name, type, help);
	metric_labelled(out, name, value, (const char *)NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Views of sessions: names, copies, JSON. */
#include "sessiond/session/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/json_text.h"

static const char *const status_names[SESSION_STATUS_COUNT] = {
	[SESSION_STOPPED] = "stopped",
	[SESSION_STARTING] = "starting",
	[SESSION_CONNECTING] = "connecting",
	[SESSION_OPEN] = "open",
	[SESSION_RECONNECTING] = "reconnecting",
	[SESSION_REPLACED] = "replaced",
	[SESSION_LOGGED_OUT] = "logged_out",
	[SESSION_BANNED] = "banned",
	[SESSION_STORAGE_ERROR] = "storage_error",
};

const char *session_status_name(enum session_status status)
{
	return status < SESSION_STATUS_COUNT ? status_names[status] : "stopped";
}

enum session_status session_status_of(const char *name)
{
	for (size_t i = 0; name && i < SESSION_STATUS_COUNT; i++) {
		if (strcmp(name, status_names[i]) == 0)
			return (enum session_status)i;
	}
	return SESSION_STOPPED;
}

const char *passkey_step_name(enum passkey_step step)
{
	static const char *const names[] = { "none", "requested", "answered", "code" };

	return step <= PASSKEY_CODE ? names[step] : "none";
}

void session_view_set_text(char **member, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*member);
	*member = copy;
}

void session_view_copy(struct session_view *out, const struct session_view *from)
{
	session_view_free(out);
	*out = *from;
	out->qr = from->qr ? xstrdup(from->qr) : NULL;
	out->passkey_options = from->passkey_options ? xstrdup(from->passkey_options) : NULL;
	out->push_name = from->push_name ? xstrdup(from->push_name) : NULL;
}

void session_view_free(struct session_view *view)
{
	free(view->qr);
	free(view->passkey_options);
	free(view->push_name);
	memset(view, 0, sizeof *view);
}

void session_view_set(struct session_view *view, enum session_status status, int reason, const char *text, int64_t wall_ms)
{
	if (view->status != status || view->since_ms == 0)
		view->since_ms = wall_ms;
	view->status = status;
	view->reason = reason;
	snprintf(view->reason_text, sizeof view->reason_text, "%s", text ? text : "");
}

void session_view_clear_pairing(struct session_view *view)
{
	session_view_set_text(&view->qr, NULL);
	session_view_set_text(&view->passkey_options, NULL);
	view->pair_code[0] = view->pair_phone[0] = view->pair_error[0] = view->passkey_code[0] = '\0';
	view->pair_code_at_ms = 0;
	view->passkey = PASSKEY_NONE;
}

void session_view_put_me(struct buf *out, const struct session_view *view)
{
	char text[JID_TEXT_MAX];

	if (!view->registered || jid_is_none(&view->me_pn)) {
		buf_append_text(out, "null");
		return;
	}
	buf_u8(out, '{');
	json_put_member(out, "id", jid_format(&view->me_pn, text, sizeof text));
	if (view->push_name && view->push_name[0])
		json_put_member(out, "name", view->push_name);
	if (!jid_is_none(&view->me_lid))
		json_put_member(out, "lid", jid_format(&view->me_lid, text, sizeof text));
	buf_u8(out, '}');
}

void session_view_put_item(struct buf *out, const char *id, const struct session_view *view)
{
	json_put_member(out, "id", id);
	json_put_member(out, "status", session_status_name(view->status));
	json_put_name(out, "me");
	session_view_put_me(out, view);
	json_put_member(out, "pushName", view->push_name);
	if (view->degraded[0])
		json_put_member(out, "appStateDegraded", view->degraded);
	if (view->last_conn_ms > 0)
		json_put_int(out, "lastConn", view->last_conn_ms);
	else
		json_put_raw(out, "lastConn", "null");
}

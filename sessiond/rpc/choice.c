/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Choice of the session by id or own phone number, with the owner check. */
#include "sessiond/rpc/choice.h"

#include <ctype.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/rpc/request.h"
#include "sessiond/session/session.h"

struct refusal {
	int status, code; /* code 0: a bare {"error":message} */
	const char *message;
};

struct family {
	const char *name;
	bool may_be_missing;  /* the work creates it */
	bool must_be_open;
	bool first_open;      /* neither id nor phone: the caller's first open session */
	bool admin_all;       /* WAREST_COMPAT_ADMIN_ALL_SESSIONS (C2) reaches here */
	struct refusal absent, invalid, unknown, foreign, closed, no_phone;
};

#define NOT_FOUND { 404, 1101, "Session not found" }
#define FORBIDDEN { 403, 2201, "Forbidden" }
#define LOGIN_REQUIRED { 409, 1106, "Login required (scan QR or pairing)" }
#define ID_REQUIRED { 400, 1100, "sessionId is required" }
#define ID_INVALID { 400, 2002, "sessionId is invalid" }

static const struct family families[] = {
	{ .name = "session", .absent = ID_REQUIRED, .invalid = ID_REQUIRED, .unknown = NOT_FOUND, .foreign = FORBIDDEN, .closed = NOT_FOUND, .no_phone = NOT_FOUND },
	{ .name = "session-create", .may_be_missing = true, .absent = ID_REQUIRED, .invalid = ID_REQUIRED, .unknown = NOT_FOUND, .foreign = FORBIDDEN, .closed = NOT_FOUND, .no_phone = NOT_FOUND },
	{ .name = "messages", .must_be_open = true, .admin_all = true, .absent = NOT_FOUND, .invalid = NOT_FOUND, .unknown = NOT_FOUND, .foreign = NOT_FOUND, .closed = NOT_FOUND, .no_phone = NOT_FOUND },
	{ .name = "messages-stored", .admin_all = true, .absent = NOT_FOUND, .invalid = NOT_FOUND, .unknown = NOT_FOUND, .foreign = NOT_FOUND, .closed = NOT_FOUND, .no_phone = NOT_FOUND },
	{ .name = "chats-get", .must_be_open = true, .admin_all = true, .absent = NOT_FOUND, .invalid = NOT_FOUND, .unknown = NOT_FOUND, .foreign = NOT_FOUND, .closed = NOT_FOUND, .no_phone = NOT_FOUND },
	{ .name = "chats-post", .must_be_open = true, .admin_all = true, .absent = NOT_FOUND, .invalid = NOT_FOUND, .unknown = NOT_FOUND, .foreign = NOT_FOUND, .closed = NOT_FOUND, .no_phone = NOT_FOUND },
	{ .name = "groups", .must_be_open = true, .absent = NOT_FOUND, .invalid = ID_INVALID, .unknown = NOT_FOUND, .foreign = FORBIDDEN, .closed = LOGIN_REQUIRED, .no_phone = NOT_FOUND },
	{ .name = "profile", .must_be_open = true, .absent = { 400, 2001, "Provide sessionId or phone" }, .invalid = ID_INVALID, .unknown = NOT_FOUND, .foreign = FORBIDDEN, .closed = LOGIN_REQUIRED, .no_phone = { 404, 1101, "Open session for this phone not found" } },
	{ .name = "misc", .must_be_open = true, .absent = { 400, 2001, "Provide sessionId or sessionPhone" }, .invalid = ID_INVALID, .unknown = NOT_FOUND, .foreign = NOT_FOUND, .closed = { 409, 1106, "Session is not ready" }, .no_phone = { 404, 1101, "Matching session not found" } },
	{ .name = "misc-auto", .must_be_open = true, .first_open = true, .absent = { 404, 1101, "No active session available" }, .invalid = ID_INVALID, .unknown = NOT_FOUND, .foreign = NOT_FOUND, .closed = { 409, 1106, "Session is not ready" }, .no_phone = { 404, 1101, "Matching session not found" } },
	{ .name = "preflight", .admin_all = true, .absent = { 404, 0, "Session not found" }, .invalid = { 404, 0, "Session not found" }, .unknown = { 404, 0, "Session not found" }, .foreign = { 404, 0, "Session not found" }, .closed = { 404, 0, "Session not found" }, .no_phone = { 404, 0, "Session not found" } },
};

bool session_id_is_valid(const char *id)
{
	size_t len = strlen(id);

	if (len == 0 || len > 64 || strcmp(id, ".") == 0 || strcmp(id, "..") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)id[i];

		if (c >= 0x80 || (!isalnum(c) && c != '.' && c != '_' && c != '-'))
			return false;
	}
	return true;
}

static bool refuse(struct rpc_request *request, const struct refusal *refusal)
{
	if (refusal->code)
		rpc_answer(request, refusal->status, refusal->code, refusal->message, NULL);
	else
		rpc_answer_error(request, refusal->status, refusal->message);
	return false;
}

static bool by_id(struct rpc_request *request, const struct family *family, const char *id, bool any_owner)
{
	struct session_entry *entry;

	if (!session_id_is_valid(id))
		return refuse(request, &family->invalid);
	entry = sessions_find(request->context->daemon->sessions, id);
	if (!entry && !family->may_be_missing)
		return refuse(request, &family->unknown);
	if (entry && !any_owner && strcmp(entry->registry, request->caller.registry) != 0)
		return refuse(request, &family->foreign);
	/* also one that is yet to be made */
	if (!reach_has_session(request->caller.reach, id))
		return refuse(request, &family->foreign);
	if (entry && family->must_be_open && entry->view.status != SESSION_OPEN)
		return refuse(request, &family->closed);
	request->session_id = xstrdup(id);
	request->session_number = entry ? entry->number : 0;
	return true;
}

static bool take_entry(struct rpc_request *request, const struct session_entry *entry, const struct refusal *refusal)
{
	if (!entry)
		return refuse(request, refusal);
	request->session_id = xstrdup(entry->id);
	request->session_number = entry->number;
	return true;
}

bool choose_session(struct rpc_request *request)
{
	struct json_object *wanted = json_object_object_get(request->json, "session");
	const char *name = json_object_get_string(json_object_object_get(wanted, "family"));
	const char *id = json_object_get_string(json_object_object_get(wanted, "id"));
	const char *phone = json_object_get_string(json_object_object_get(wanted, "phone"));
	const struct daemon *daemon = request->context->daemon;
	const struct family *family = NULL;
	bool any_owner;

	if (!name)
		return true;
	for (size_t i = 0; i < sizeof families / sizeof *families && !family; i++)
		family = strcmp(families[i].name, name) == 0 ? &families[i] : NULL;
	if (!family) {
		rpc_answer_error(request, 500, "Malformed request frame");
		return false;
	}
	any_owner = family->admin_all && request->caller.admin && daemon->config->compat_admin_all_sessions;
	if (id && id[0])
		return by_id(request, family, id, any_owner);
	if (phone && phone[0])
		return take_entry(request, sessions_find_phone(daemon->sessions, any_owner ? NULL : request->caller.registry, request->caller.reach, phone), &family->no_phone);
	if (family->first_open)
		return take_entry(request, sessions_first_open(daemon->sessions, request->caller.registry, request->caller.reach), &family->absent);
	return refuse(request, &family->absent);
}

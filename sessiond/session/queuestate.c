/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is kept of a session's queue besides its rows, as records of kind RECORD_QUEUE:
 *
 *     "settings"  the session's own settings (sendpolicy.h), what is missing is the configuration's
 *     "state"     {"lock":{"until":ms,"kind":".."},"cold":{"day":20419,"used":3,"contacts":["..@lid",..]}}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/daemon.h"
#include "sessiond/json_text.h"
#include "sessiond/session/lookup.h"
#include "sessiond/session/object.h"

const char *send_hold_name(enum send_hold hold)
{
	static const char *const names[HOLD_COUNT] = {
		[HOLD_NONE] = "none", [HOLD_PAUSED] = "paused", [HOLD_RESTRICTED] = "restricted", [HOLD_QUIET_HOURS] = "quiet_hours",
		[HOLD_COLD_BUDGET] = "cold_budget", [HOLD_PACE] = "pace", [HOLD_RETRY] = "retry", [HOLD_CHECK] = "check",
	};

	return hold < HOLD_COUNT ? names[hold] : names[HOLD_NONE];
}

/* ---- reading ---- */

static struct json_object *object_of(struct span value)
{
	struct json_tokener *tokener = value.n > 0 && value.n <= INT32_MAX ? json_tokener_new() : NULL;
	struct json_object *object = tokener ? json_tokener_parse_ex(tokener, (const char *)value.p, (int)value.n) : NULL;

	if (tokener)
		json_tokener_free(tokener);
	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

int queue_record_read(struct store_reader *reader, struct arena *arena, int64_t session, struct queue_record *record)
{
	static const struct store_record_key keys[] = { { .kind = RECORD_QUEUE, .name = "settings" }, { .kind = RECORD_QUEUE, .name = "state" } };
	struct span values[2] = { { 0 }, { 0 } };
	int error = store_record_get(reader, arena, session, keys, 2, values);

	*record = (struct queue_record){ 0 };
	if (error)
		return error;
	record->settings = object_of(values[0]);
	record->state = object_of(values[1]);
	return 0;
}

void queue_record_free(struct queue_record *record)
{
	json_object_put(record->settings);
	json_object_put(record->state);
	*record = (struct queue_record){ 0 };
}

static void take_state(struct session *session, struct json_object *state)
{
	struct outbox *outbox = &session->outbox;
	struct json_object *lock = json_object_object_get(state, "lock"), *cold = json_object_object_get(state, "cold");
	struct json_object *contacts = json_object_object_get(cold, "contacts");
	const char *kind = json_object_get_string(json_object_object_get(lock, "kind"));

	outbox->cold.day = json_object_get_int64(json_object_object_get(cold, "day"));
	outbox->cold.used = json_object_get_int64(json_object_object_get(cold, "used"));
	if (json_object_is_type(contacts, json_type_array))
		outbox->cold.contacts = json_object_get(contacts);
	queue_lock_restore(session, json_object_get_int64(json_object_object_get(lock, "until")), kind ? kind : "");
}

void queue_record_take(struct session *session, const struct queue_record *record)
{
	struct outbox *outbox = &session->outbox;

	if (outbox->known)
		return;
	outbox->known = true;
	if (record->settings) {
		send_policy_merge(outbox->overrides, record->settings);
		outbox_policy_changed(session);
	}
	if (record->state)
		take_state(session, record->state);
}

/* ---- writing ---- */

void queue_state_store(struct session *session)
{
	const struct outbox *outbox = &session->outbox;
	struct store_tx *tx = store_tx_new(session->on->daemon->store);
	struct buf value = { 0 };

	buf_append_text(&value, "{\"lock\":{");
	json_put_int(&value, "until", outbox->lock.until_ms);
	json_put_member(&value, "kind", outbox->lock.kind);
	buf_append_text(&value, "},\"cold\":{");
	json_put_int(&value, "day", outbox->cold.day);
	json_put_int(&value, "used", outbox->cold.used);
	if (outbox->cold.contacts)
		json_put_raw(&value, "contacts", json_object_to_json_string_ext(outbox->cold.contacts, JSON_C_TO_STRING_PLAIN));
	buf_append_text(&value, "}}");
	store_tx_record_put(tx, session->number, RECORD_QUEUE, "state", buf_span(&value), 0);
	store_commit(session->on->daemon->store, tx, NULL, NULL);
	buf_free(&value);
}

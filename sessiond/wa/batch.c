/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Life of events and batches, the things that the library hands to its host. */
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/wa/wa.h"

struct wa_event *wa_event_new(enum wa_event_kind kind)
{
	struct wa_event *event = xcalloc(1, sizeof *event);

	event->kind = kind;
	return event;
}

static void message_free(struct wa_message *m)
{
	if (m == NULL)
		return;
	free(m->id);
	free(m->push_name);
	free(m->type);
	free(m->category);
	free(m->edit);
	free(m->verified_name);
	buf_wipe(&m->plaintext);
	free(m->text);
	free(m->target);
	free(m);
}

static void receipt_free(struct wa_receipt *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++)
		free(r->ids[i]);
	free(r->ids);
	free(r);
}

static void poll_free(struct wa_poll_result *poll)
{
	if (poll == NULL)
		return;
	for (size_t i = 0; i < poll->n; i++)
		free(poll->names[i]);
	free(poll->names);
	free(poll->votes);
	free(poll->chosen);
	free(poll->title);
	free(poll);
}

void wa_addon_result_free(struct wa_addon *addon)
{
	if (addon == NULL)
		return;
	free(addon->target_id);
	buf_wipe(&addon->plaintext);
	poll_free(addon->poll);
	free(addon);
}

void wa_action_free(struct wa_action *action)
{
	if (action == NULL)
		return;
	free(action->message_id);
	free(action->id);
	free(action->text);
	free(action->text2);
	free(action);
}

static void group_change_free(struct wa_group_change *change)
{
	if (change == NULL)
		return;
	free(change->members);
	free(change->text);
	free(change->id);
	free(change->notify);
	free(change->stanza_id);
	wa_group_free(change->info);
	free(change);
}

static void call_free(struct wa_call *call)
{
	if (call == NULL)
		return;
	free(call->id);
	free(call->reason);
	free(call);
}

void wa_event_free(struct wa_event *event)
{
	if (event == NULL)
		return;
	free(event->text);
	free(event->text2);
	buf_wipe(&event->bytes);
	message_free(event->message);
	receipt_free(event->receipt);
	wa_addon_result_free(event->addon);
	wa_action_free(event->action);
	group_change_free(event->group);
	call_free(event->call);
	free(event);
}

void wa_batch_free(struct wa_batch *batch)
{
	if (batch == NULL)
		return;
	for (size_t i = 0; i < batch->nputs; i++) {
		free(batch->puts[i].name);
		buf_wipe(&batch->puts[i].value);
	}
	for (size_t i = 0; i < batch->nevents; i++)
		wa_event_free(batch->events[i]);
	free(batch->puts);
	free(batch->events);
	free(batch);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the recipient sees before a message comes (rest-a 1.9), see outbox.h. */
#include "sessiond/daemon.h"
#include "sessiond/session/object.h"

struct step {
	int least_ms, most_ms;
};

static int64_t wait_of(struct session *session, struct step s)
{
	return timefmt_monotonic_ms() + s.least_ms + (int64_t)(session_random01(session->on) * (double)(s.most_ms - s.least_ms));
}

static void next_step(void *arg)
{
	struct session *session = arg;

	session->outbox.step++;
	outbox_pump(session);
}

void outbox_presence_step(struct session *session, struct outbox_item *item)
{
	static const struct step available = { 280, 420 }, composing = { 1200, 1850 }, recording = { 2200, 3600 }, paused = { 260, 520 },
				 unavailable = { 220, 360 };
	struct outbox *outbox = &session->outbox;
	struct step wait = available;
	bool typing = item->presence == PRESENCE_COMPOSING || item->presence == PRESENCE_RECORDING;

	if (outbox->step == 0) {
		wa_client_subscribe_presence(session->client, &item->to);
		wa_client_presence(session->client, true);
	} else if (outbox->step == 1 && item->presence == PRESENCE_UNAVAILABLE) {
		wa_client_presence(session->client, false);
		wait = unavailable;
	} else if (outbox->step == 1 && typing) {
		wa_client_chatstate(session->client, &item->to, item->presence == PRESENCE_COMPOSING ? WA_COMPOSING : WA_RECORDING);
		wait = item->presence == PRESENCE_COMPOSING ? composing : recording;
	} else if ((outbox->step == 1 && item->presence == PRESENCE_PAUSED) || (outbox->step == 2 && typing)) {
		wa_client_chatstate(session->client, &item->to, WA_PAUSED);
		wait = paused;
	} else {
		item->presence = PRESENCE_OFF;
		outbox->step = 0;
		return;
	}
	timer_start(session->on->timers, &outbox->presence, wait_of(session, wait), next_step, session);
}

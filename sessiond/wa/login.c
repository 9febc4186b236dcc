/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * After the server accepted the login:
 *
 *     <success> -> enough prekeys there? (upload) -> <active/> -> open: unified session, queries, presence, digest, rotation
 *
 * The backlog starts with <active/>, so messages never meet an account that cannot be written to.
 */
#include <inttypes.h>
#include <stdio.h>

#include "sessiond/wa/connection.h"
#include "sessiond/wa/lidmap.h"
#include "sessiond/wa/messaging.h"

#define WEEK_MS (7LL * 86400000)
#define UNIFIED_SHIFT_MS (3LL * 86400000)
#define OPENING_TIMEOUT_MS 120000

void login_unified_session(struct wa_client *client)
{
	int64_t id = (wa_client_wall_ms(client) + client->server_offset_ms + UNIFIED_SHIFT_MS) % WEEK_MS;
	struct wa_node *ib;
	struct arena arena;

	arena_init(&arena, 0);
	ib = wa_node_new(&arena, "ib");
	wa_node_attr_u64(&arena, wa_node_add_new(&arena, ib, "unified_session"), "id", id > 0 ? (uint64_t)id : 0);
	wa_client_write(client, ib);
	arena_free(&arena);
}

static void query_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	/* Asked because every client asks; a client that never does stands out. The answers are for later. */
	(void)client;
	(void)answer;
	(void)arg;
}

static void privacy_answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	(void)arg;
	if (client->messaging != NULL && wa_iq_ok(answer, NULL, NULL))
		wa_read_privacy(client->messaging, wa_node_child(answer, "privacy"));
}

static void send_queries(struct wa_client *client)
{
	struct wa_node *iq, *props;
	struct arena arena;

	arena_init(&arena, 0);
	iq = wa_iq_new(&arena, "get", "abt");
	props = wa_node_add_new(&arena, iq, "props");
	wa_node_attr(&arena, props, "protocol", "1");
	wa_client_iq(client, &arena, iq, query_answered, NULL);
	wa_client_iq(client, &arena, wa_iq_new(&arena, "get", "blocklist"), query_answered, NULL);
	iq = wa_iq_new(&arena, "get", "privacy");
	wa_node_add_new(&arena, iq, "privacy");
	wa_client_iq(client, &arena, iq, privacy_answered, NULL);
	arena_free(&arena);
}

static void open_now(struct wa_client *client)
{
	struct wa_event event = { .kind = WA_EVENT_OPEN, .jid = client->creds.pn, .other = client->creds.lid };

	client->phase = PHASE_OPEN;
	wa_timer_stop(client, &client->step_timer);
	login_unified_session(client);
	wa_client_event(client, &event);
	send_queries(client);
	wa_messaging_opened(client->messaging);
	wa_client_presence(client, wa_client_config(client)->mark_online);
	prekeys_check_digest(client);
	prekeys_check_rotation(client);
}

static void activated(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	(void)arg;
	if (client->phase != PHASE_OPENING)
		return;
	if (!wa_iq_ok(answer, NULL, NULL))
		client_close(client, WA_RECONNECT_BACKOFF, CODE_TIMED_OUT, "the server did not let us become active");
	else
		open_now(client);
}

static void prekeys_ready(struct wa_client *client, bool ok)
{
	struct wa_node *iq;
	struct arena arena;

	if (client->phase != PHASE_OPENING)
		return;
	if (!ok) {
		client_close(client, WA_RECONNECT_BACKOFF, CODE_TIMED_OUT, "the prekeys could not be checked or uploaded");
		return;
	}
	arena_init(&arena, 0);
	iq = wa_iq_new(&arena, "set", "passive");
	wa_node_add_new(&arena, iq, "active");
	wa_client_iq(client, &arena, iq, activated, NULL);
	arena_free(&arena);
}

static void opening_timed_out(struct wa_client *client, void *arg)
{
	(void)arg;
	client_close(client, WA_RECONNECT_BACKOFF, CODE_TIMED_OUT, "the login took too long");
}

/* What success tells about us: stored with the count of logins. */
static void learn(struct wa_client *client, const struct wa_node *success)
{
	struct state_op op;
	struct jid lid;
	bool known = true;

	state_op_init(&op, client->state);
	if (wa_node_get_jid(success, "lid", &lid) && jid_is_lid(&lid)) {
		/* Written with or without our device. */
		lid.device = client->creds.pn.device;
		known = jid_equal(&lid, &client->creds.lid);
	}
	if (!known) {
		client->creds.lid = lid;
		wa_lidmap_learn(&op, &client->creds.pn, &client->creds.lid);
	}
	client->creds.login_count++;
	client_put_creds(client, &op);
	state_op_commit(&op, NULL, NULL);
	state_op_end(&op);
}

void login_on_success(struct wa_client *client, struct wa_stanza *stanza)
{
	const struct wa_node *node = wa_stanza_node(stanza);
	uint64_t t;

	/* The first one counts. */
	if (client->phase == PHASE_LOGIN) {
		client->phase = PHASE_OPENING;
		if (wa_node_get_u64(node, "t", &t) && t < INT64_MAX / 1000)
			client->server_offset_ms = (int64_t)t * 1000 - wa_client_wall_ms(client);
		wa_timer_start(client, &client->step_timer, wa_client_mono_ms(client) + OPENING_TIMEOUT_MS, opening_timed_out, NULL);
		learn(client, node);
		prekeys_check(client, false, prekeys_ready);
	}
	wa_stanza_done(client, stanza);
}

/* ---- logout ---- */

static void removed(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	char reason[120];
	const char *text;
	int code;

	(void)arg;
	if (client->logging_out)
		return;
	if (wa_iq_ok(answer, &code, &text)) {
		client_logged_out(client, CODE_LOGGED_OUT, "logged out on request");
		return;
	}
	/* The device stays linked: the host can try again, or delete the session by force. */
	snprintf(reason, sizeof reason, "logout failed: %s (%d)", text, code);
	wa_client_warn(client, code, reason);
}

void wa_client_logout(struct wa_client *client)
{
	struct wa_node *iq, *device;
	struct arena arena;

	if (client->phase != PHASE_OPENING && client->phase != PHASE_OPEN) {
		wa_client_warn(client, CODE_CLOSED, "logout failed: not connected");
		return;
	}
	client_enter(client);
	arena_init(&arena, 0);
	iq = wa_iq_new(&arena, "set", "md");
	device = wa_node_add_new(&arena, iq, "remove-companion-device");
	wa_node_attr_jid(&arena, device, "jid", &client->creds.pn);
	wa_node_attr(&arena, device, "reason", "user_initiated");
	wa_client_iq(client, &arena, iq, removed, NULL);
	arena_free(&arena);
	client_leave(client);
}

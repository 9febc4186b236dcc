/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a connection: device record, handshake, bytes in and out, the orderly end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/cert.h"
#include "sessiond/wa/connection.h"
#include "sessiond/wa/messaging.h"
#include "sessiond/wa/payload.h"
#include "sessiond/wa/signal.h"

#define SCRATCH_KEEP_BYTES (64U << 10)
#define STOP_TIMEOUT_MS 5000

struct wa_loop *wa_loop_new(const struct wa_config *config)
{
	struct wa_loop *loop = xcalloc(1, sizeof *loop);

	loop->config = config;
	loop->signer = curve_signer_new();
	loop->signal = wa_signal_env_new();
	if (loop->signer == NULL || loop->signal == NULL) {
		wa_loop_free(loop);
		return NULL;
	}
	return loop;
}

void wa_loop_free(struct wa_loop *loop)
{
	if (loop == NULL)
		return;
	curve_signer_free(loop->signer);
	wa_signal_env_free(loop->signal);
	stanza_free_spare(loop);
	buf_free(&loop->plain);
	buf_free(&loop->wire);
	free(loop);
}

static void on_storage_failure(void *arg)
{
	client_close(arg, WA_STOP_STORAGE, CODE_BAD_SESSION, "storage failed, nothing was acknowledged");
}

struct wa_client *wa_client_new(struct wa_loop *loop, const struct wa_host *host, void *ctx)
{
	struct wa_client *client = xcalloc(1, sizeof *client);

	client->loop = loop;
	client->host = host;
	client->ctx = ctx;
	client->wake_ms = client->told_ms = INT64_MAX;
	client->state = wa_state_new(host, ctx, loop->config->cache_bytes, on_storage_failure, client);
	client->messaging = wa_messaging_new(client);
	return client;
}

static void end_op(struct wa_client *client)
{
	if (client->op_active)
		state_op_end(&client->op);
	client->op_active = false;
}

/* Everything that belongs to one connection. */
static void drop_connection(struct wa_client *client)
{
	if (client->handshake != NULL)
		handshake_wipe(client->handshake);
	free(client->handshake);
	client->handshake = NULL;
	noise_cipher_free(client->write_cipher);
	noise_cipher_free(client->read_cipher);
	client->write_cipher = client->read_cipher = NULL;
	frame_reader_free(&client->reader);
	wa_timer_stop(client, &client->step_timer);
	wa_timer_stop(client, &client->keepalive_timer);
	wa_timer_stop(client, &client->rotation_timer);
	backlog_reset(client);
	pair_reset(client);
	prekeys_reset(client);
	end_op(client);
}

void wa_client_free(struct wa_client *client)
{
	if (client == NULL)
		return;
	/* No callback may reach the host from here on. */
	client->depth++;
	client->phase = PHASE_CLOSED;
	iq_fail_all(client);
	wa_messaging_free(client->messaging);
	drop_connection(client);
	prekeys_free(client);
	iq_free_all(client);
	stanza_free_all(client);
	wa_state_free(client->state);
	creds_free(&client->creds);
	free(client);
}

/* ---- entry and exit ---- */

void client_enter(struct wa_client *client)
{
	client->depth++;
}

static void take_down(struct wa_client *client)
{
	struct wa_close why = client->close_why;

	client->phase = PHASE_CLOSED;
	client->generation++;
	stanza_drop_queue(client);
	iq_fail_all(client);
	wa_messaging_closed(client->messaging);
	drop_connection(client);
	client->closing = client->stopping = client->logging_out = false;
	why.reason = client->close_reason;
	client->host->close(client->ctx, &why);
}

void client_leave(struct wa_client *client)
{
	if (client->depth == 1) {
		if (!client->closing)
			stanza_run_queue(client);
		if (client->closing)
			take_down(client);
		timer_tell(client);
	}
	client->depth--;
}

void wa_client_close(struct wa_client *client, const struct wa_close *why)
{
	if (client->closing || client->phase == PHASE_CLOSED)
		return;
	/* The credentials are being deleted: whatever ends the connection meanwhile, that is what happened. */
	if (client->logging_out && why->reaction != WA_STOP_LOGGED_OUT && why->reaction != WA_STOP_STORAGE)
		return;
	client->closing = true;
	client->close_why = *why;
	snprintf(client->close_reason, sizeof client->close_reason, "%s", why->reason != NULL ? why->reason : "");
	/* Outside of all entry points nobody else would do it. */
	if (client->depth == 0) {
		client_enter(client);
		client_leave(client);
	}
}

void client_close(struct wa_client *client, enum wa_reaction reaction, int code, const char *reason)
{
	struct wa_close why = { .reaction = reaction, .code = code, .reason = reason };

	wa_client_close(client, &why);
}

static void step_timed_out(struct wa_client *client, void *arg)
{
	client_close(client, WA_RECONNECT_BACKOFF, CODE_TIMED_OUT, arg);
}

static void limit_step(struct wa_client *client, int64_t ms, const char *reason)
{
	wa_timer_start(client, &client->step_timer, wa_client_mono_ms(client) + ms, step_timed_out, (void *)(uintptr_t)reason);
}

/* ---- the device record ---- */

void client_put_creds(struct wa_client *client, struct state_op *op)
{
	struct buf stored = { 0 };

	creds_write(&client->creds, &stored);
	state_op_put(op, WA_RECORD_CREDS, "", buf_span(&stored));
	buf_wipe(&stored);
}

void client_save_creds(struct wa_client *client)
{
	struct state_op op;

	state_op_init(&op, client->state);
	client_put_creds(client, &op);
	state_op_commit(&op, NULL, NULL);
	state_op_end(&op);
}

void wa_client_set_push_name(struct wa_client *client, struct state_op *op, const char *push_name)
{
	struct wa_event *event;

	if (push_name == NULL || (client->creds.push_name != NULL && strcmp(client->creds.push_name, push_name) == 0))
		return;
	creds_set_text(&client->creds.push_name, push_name);
	client_put_creds(client, op);
	event = wa_event_new(WA_EVENT_PROFILE);
	event->text = xstrdup(push_name);
	state_op_event(op, event);
}

static void logged_out_stored(void *arg, bool ok)
{
	struct wa_client *client = arg;

	if (!ok || client->logout_generation != client->generation)
		return;
	client_enter(client);
	creds_free(&client->creds);
	client->creds_loaded = false;
	client_close(client, WA_STOP_LOGGED_OUT, client->logout_code, client->logout_reason);
	client_leave(client);
}

void client_logged_out(struct wa_client *client, int code, const char *reason)
{
	struct wa_event *event = wa_event_new(WA_EVENT_LOGGED_OUT);
	struct state_op op;

	client->logging_out = true;
	client->logout_generation = client->generation;
	client->logout_code = code;
	snprintf(client->logout_reason, sizeof client->logout_reason, "%s", reason);
	event->code = code;
	event->text = xstrdup(reason);
	state_op_init(&op, client->state);
	state_op_delete(&op, WA_RECORD_CREDS, "");
	state_op_event(&op, event);
	state_op_commit(&op, logged_out_stored, client);
	state_op_end(&op);
}

/* ---- handshake ---- */

static void start_handshake(struct wa_client *client)
{
	struct curve_pair ephemeral;
	uint8_t random[CURVE_KEY_LEN];
	struct buf hello = { 0 };
	int error;

	client->handshake = xcalloc(1, sizeof *client->handshake);
	wa_client_random(client, random, sizeof random);
	error = curve_pair_from_random(random, &ephemeral);
	if (error == 0)
		error = handshake_start(client->handshake, &ephemeral, &hello);
	crypto_wipe(random, sizeof random);
	crypto_wipe(&ephemeral, sizeof ephemeral);
	if (error == 0) {
		buf_clear(&client->loop->wire);
		frame_put_intro(&client->loop->wire, buf_span(&client->creds.routing_info));
		frame_put(&client->loop->wire, buf_span(&hello));
		client->phase = PHASE_HANDSHAKE;
		limit_step(client, HANDSHAKE_TIMEOUT_MS, "no answer to the handshake");
		client->host->send(client->ctx, client->loop->wire.data, client->loop->wire.len);
	} else {
		client_close(client, WA_RECONNECT_BACKOFF, CODE_BAD_SESSION, handshake_error_text(HANDSHAKE_FAILED));
	}
	buf_free(&hello);
}

static void creds_stored(void *arg, bool ok)
{
	struct wa_client *client = arg;

	if (!ok || !client->op_active)
		return;
	end_op(client);
	client->creds_loaded = true;
	start_handshake(client);
}

/* A new device: its keys are stored before anybody hears of them. */
static void generate_creds(struct wa_client *client)
{
	const struct signed_prekey *skey = &client->creds.signed_prekey;
	struct buf record = { 0 };

	if (creds_generate(&client->creds, client->loop->signer, client->host->random, client->ctx, wa_client_wall_ms(client)) != 0) {
		client_close(client, WA_STOP, CODE_BAD_SESSION, "the device's keys could not be made");
		return;
	}
	prekeys_write_signed(skey, &record);
	state_op_put(&client->op, WA_RECORD_SIGNED_PREKEY, "1", buf_span(&record));
	buf_wipe(&record);
	client_put_creds(client, &client->op);
	state_op_commit(&client->op, creds_stored, client);
}

static void creds_fetched(void *arg, bool ok)
{
	struct wa_client *client = arg;
	struct span stored;

	if (!ok || !client->op_active)
		return;
	if (!state_op_get(&client->op, WA_RECORD_CREDS, "", &stored)) {
		generate_creds(client);
		return;
	}
	creds_free(&client->creds);
	if (creds_read(&client->creds, stored) != 0) {
		client_close(client, WA_STOP, CODE_BAD_SESSION, "the stored device record is damaged");
		return;
	}
	end_op(client);
	client->creds_loaded = true;
	start_handshake(client);
}

void wa_client_opened(struct wa_client *client)
{
	static const struct wa_key keys[] = { { WA_RECORD_CREDS, "" }, { WA_RECORD_SIGNED_PREKEY, "1" } };

	if (client->phase != PHASE_CLOSED)
		return;
	client_enter(client);
	client->phase = PHASE_LOADING;
	client->generation++;
	client->last_received_ms = wa_client_mono_ms(client);
	iq_new_prefix(client);
	if (wa_state_failed(client->state)) {
		wa_state_reset(client->state);
		client->creds_loaded = false;
	}
	if (client->creds_loaded) {
		start_handshake(client);
	} else {
		limit_step(client, HANDSHAKE_TIMEOUT_MS, "the device record could not be read in time");
		client->op_active = true;
		state_op_init(&client->op, client->state);
		state_op_fetch(&client->op, keys, sizeof keys / sizeof keys[0], creds_fetched, client);
	}
	client_leave(client);
}

static void handshake_refused(struct wa_client *client, int error)
{
	/* A wrong clock or certificate does not mend itself within seconds. */
	bool certificate = error <= CERT_BROKEN && error >= CERT_EXPIRED;

	client_close(client, certificate ? WA_RECONNECT_SLOW : WA_RECONNECT_BACKOFF, CODE_BAD_SESSION, handshake_error_text(error));
}

static void finish_handshake(struct wa_client *client, struct span hello)
{
	struct buf payload = { 0 }, finish = { 0 };
	struct handshake_peer peer = { .noise_pair = &client->creds.noise,
		                       .root_key = client->loop->config->root_key,
		                       .now_s = wa_client_wall_ms(client) / 1000 };
	int error = payload_write(&client->creds, client->loop->config, &payload);

	if (error != 0)
		error = HANDSHAKE_FAILED;
	peer.payload = buf_span(&payload);
	if (error == 0)
		error = handshake_finish(client->handshake, hello, &peer, &finish, &client->write_cipher, &client->read_cipher);
	free(client->handshake);
	client->handshake = NULL;
	if (error == 0) {
		buf_clear(&client->loop->wire);
		frame_put(&client->loop->wire, buf_span(&finish));
		client->host->send(client->ctx, client->loop->wire.data, client->loop->wire.len);
		client->phase = creds_linked(&client->creds) ? PHASE_LOGIN : PHASE_UNLINKED;
		limit_step(client, LOGIN_TIMEOUT_MS, "no answer to the login");
		if (client->phase == PHASE_UNLINKED)
			pair_started(client);
		else
			pair_not_needed(client);
		keepalive_start(client);
	} else {
		handshake_refused(client, error);
	}
	buf_wipe(&payload);
	buf_free(&finish);
}

/* ---- bytes ---- */

static void take_frame(struct wa_client *client, uint8_t *frame, size_t n)
{
	struct span plain;

	if (client->phase == PHASE_HANDSHAKE) {
		finish_handshake(client, span_of(frame, n));
	} else if (noise_cipher_open(client->read_cipher, frame, n, &plain) != 0) {
		client_close(client, WA_RECONNECT_BACKOFF, CODE_BAD_SESSION, "a frame could not be decrypted");
	} else {
		stanza_received(client, plain);
		if (noise_cipher_worn(client->read_cipher))
			client_close(client, WA_RECONNECT_NOW, CODE_RESTART, "frame counter nearly used up");
	}
}

void wa_client_input(struct wa_client *client, const uint8_t *bytes, size_t n)
{
	uint8_t *frame;
	size_t length;

	/* While loading nothing was sent yet, so there is nothing to answer. */
	if (client->phase < PHASE_HANDSHAKE || client->closing)
		return;
	client_enter(client);
	client->last_received_ms = wa_client_mono_ms(client);
	keepalive_received(client);
	frame_reader_push(&client->reader, bytes, n);
	while (!client->closing && frame_reader_next(&client->reader, &frame, &length))
		take_frame(client, frame, length);
	client_leave(client);
}

bool wa_client_write_bytes(struct wa_client *client, struct span encoded_node)
{
	struct buf *wire = &client->loop->wire;

	if (client->write_cipher == NULL || client->closing || encoded_node.n > LIMIT_WA_FRAME_BYTES - NOISE_TAG_LEN)
		return false;
	buf_clear(wire);
	buf_be24(wire, (uint32_t)(encoded_node.n + NOISE_TAG_LEN));
	if (noise_cipher_seal(client->write_cipher, encoded_node, wire) != 0) {
		client_close(client, WA_RECONNECT_BACKOFF, CODE_BAD_SESSION, "a frame could not be encrypted");
		return false;
	}
	client->host->send(client->ctx, wire->data, wire->len);
	if (wire->cap > SCRATCH_KEEP_BYTES)
		buf_free(wire);
	if (noise_cipher_worn(client->write_cipher))
		client_close(client, WA_RECONNECT_NOW, CODE_RESTART, "frame counter nearly used up");
	return true;
}

bool wa_client_write(struct wa_client *client, const struct wa_node *node)
{
	struct buf *plain = &client->loop->plain;
	bool written;

	if (client->write_cipher == NULL || client->closing)
		return false;
	buf_clear(plain);
	if (wa_node_encode(plain, node) != 0) {
		wa_client_warn(client, CODE_BAD_SESSION, "a stanza could not be encoded and was not sent");
		return false;
	}
	snprintf(client->last_sent[client->last_sent_next++ % LAST_SENT], LAST_SENT_LEN, "%s %s %s", node->tag,
	         wa_node_get_or_empty(node, "type"), wa_node_get_or_empty(node, "id"));
	written = wa_client_write_bytes(client, buf_span(plain));
	if (plain->cap > SCRATCH_KEEP_BYTES)
		buf_free(plain);
	return written;
}

/* ---- other entry points of the host ---- */

void wa_client_closed(struct wa_client *client, const char *reason)
{
	char text[160];

	if (client->phase == PHASE_CLOSED)
		return;
	client_enter(client);
	snprintf(text, sizeof text, "connection closed: %s", reason);
	if (pair_succeeded(client))
		client_close(client, WA_RECONNECT_NOW, CODE_RESTART, "restart after pairing");
	else
		client_close(client, WA_RECONNECT_BACKOFF, CODE_CLOSED, text);
	client_leave(client);
}

void wa_client_tick(struct wa_client *client)
{
	client_enter(client);
	timer_run_due(client);
	client_leave(client);
}

void wa_client_fetched(struct wa_client *client, uint64_t token, const struct span *values, size_t n, bool error)
{
	client_enter(client);
	wa_state_fetched(client->state, token, values, n, error);
	client_leave(client);
}

void wa_client_committed(struct wa_client *client, uint64_t token, bool ok)
{
	client_enter(client);
	wa_state_committed(client->state, token, ok);
	client_leave(client);
}

void wa_client_blob(struct wa_client *client, uint64_t token, struct span bytes, const char *error)
{
	client_enter(client);
	wa_appstate_blob(&client->messaging->appstate, token, bytes, error);
	client_leave(client);
}

struct offload {
	struct wa_client *client;
	void (*work)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void offload_work(void *arg)
{
	struct offload *o = arg;

	o->work(o->arg);
}

static void offload_done(void *arg)
{
	struct offload *o = arg;
	struct wa_client *client = o->client;

	client_enter(client);
	o->done(o->arg);
	free(o);
	client_leave(client);
}

void wa_client_offload(struct wa_client *client, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	struct offload *o = xcalloc(1, sizeof *o);

	*o = (struct offload){ .client = client, .work = work, .done = done, .arg = arg };
	client->host->offload(client->ctx, offload_work, offload_done, o);
}

static void stop_now(struct wa_client *client, void *arg)
{
	(void)arg;
	client_close(client, WA_STOP, CODE_CLOSED, "stopped");
}

static void stop_stored(void *arg, bool ok)
{
	struct wa_client *client = arg;

	if (ok && client->stopping)
		stop_now(client, NULL);
}

void wa_client_stop(struct wa_client *client)
{
	struct state_op op;

	if (client->phase == PHASE_CLOSED || client->stopping)
		return;
	client_enter(client);
	if (client->phase == PHASE_OPEN)
		wa_client_presence(client, false);
	client->stopping = true;
	/* Acks follow what is being stored now: an empty commit comes after all of it. */
	wa_timer_start(client, &client->step_timer, wa_client_mono_ms(client) + STOP_TIMEOUT_MS, stop_now, NULL);
	state_op_init(&op, client->state);
	state_op_commit(&op, stop_stored, client);
	state_op_end(&op);
	client_leave(client);
}

bool wa_client_is_open(const struct wa_client *client)
{
	return client->phase == PHASE_OPEN && !client->closing;
}

/* ---- access ---- */

void wa_client_event(struct wa_client *client, const struct wa_event *event)
{
	client->host->event(client->ctx, event);
}

void wa_client_warn(struct wa_client *client, int code, const char *text)
{
	struct wa_event event = { .kind = WA_EVENT_WARNING, .code = code, .text = (char *)(uintptr_t)text };

	wa_client_event(client, &event);
}

int64_t wa_client_mono_ms(const struct wa_client *client)
{
	return client->host->mono_ms(client->ctx);
}

int64_t wa_client_wall_ms(const struct wa_client *client)
{
	return client->host->wall_ms(client->ctx);
}

int64_t wa_client_server_offset_ms(const struct wa_client *client)
{
	return client->server_offset_ms;
}

void wa_client_random(const struct wa_client *client, void *out, size_t n)
{
	client->host->random(client->ctx, out, n);
}

const struct wa_host *wa_client_host(const struct wa_client *client)
{
	return client->host;
}

void *wa_client_host_ctx(const struct wa_client *client)
{
	return client->ctx;
}

const struct wa_config *wa_client_config(const struct wa_client *client)
{
	return client->loop->config;
}

struct wa_state *wa_client_state(const struct wa_client *client)
{
	return client->state;
}

struct wa_messaging *wa_client_messaging(const struct wa_client *client)
{
	return client->messaging;
}

struct signal_env *wa_client_signal(const struct wa_client *client)
{
	return client->loop->signal;
}

struct curve_signer *wa_client_signer(const struct wa_client *client)
{
	return client->loop->signer;
}

const struct wa_creds *wa_client_creds(const struct wa_client *client)
{
	return &client->creds;
}

const struct jid *wa_client_own_pn(const struct wa_client *client)
{
	return &client->creds.pn;
}

const struct jid *wa_client_own_lid(const struct wa_client *client)
{
	return &client->creds.lid;
}

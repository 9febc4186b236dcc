/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client from inside: what client.c, iq.c, stanza.c and the parts that make a connection usable share. Message handling sees
 * client.h only.
 *
 *     CLOSED -> LOADING -> HANDSHAKE -> UNLINKED (pairing) ------------------------> CLOSED, then again as
 *                              |
 *                              +------> LOGIN (waiting for <success>) -> OPENING (prekeys, active) -> OPEN -> CLOSED
 */
#ifndef SESSIOND_WA_CONNECTION_H
#define SESSIOND_WA_CONNECTION_H

#include "sessiond/wa/client.h"
#include "sessiond/wa/curve.h"
#include "sessiond/wa/frame.h"
#include "sessiond/wa/handshake.h"
#include "sessiond/wa/state.h"

enum wa_phase { PHASE_CLOSED, PHASE_LOADING, PHASE_HANDSHAKE, PHASE_UNLINKED, PHASE_LOGIN, PHASE_OPENING, PHASE_OPEN };

/* Numbers that clients of the original know as close reasons. */
enum close_code {
	CODE_LOGGED_OUT = 401,
	CODE_FORBIDDEN = 403,
	CODE_TIMED_OUT = 408,
	CODE_MISMATCH = 411,
	CODE_CLOSED = 428,
	CODE_REPLACED = 440,
	CODE_BAD_SESSION = 500,
	CODE_UNAVAILABLE = 503,
	CODE_RESTART = 515,
};

#define HANDSHAKE_TIMEOUT_MS 20000
#define LOGIN_TIMEOUT_MS 20000
#define IQ_TIMEOUT_MS 60000
#define LAST_SENT 4
#define LAST_SENT_LEN 48

struct wa_loop {
	const struct wa_config *config; /* borrowed */
	struct curve_signer *signer;    /* owned */
	struct signal_env *signal;      /* owned */
	struct buf plain, wire;         /* scratch of one write; buffers keep their memory between writes of all clients */
	struct wa_stanza *spare;        /* owned: empty stanzas for reuse, nspare of them */
	size_t nspare;
};

struct iq;
struct pairing;
struct prekeys;
struct rotation;

/* Stanzas that wait for their turn. */
struct stanza_queue {
	struct wa_stanza *first, *last; /* owned: waiting */
	struct wa_stanza *current;      /* owned: at its handler */
	struct wa_stanza *away;         /* owned: released by their handlers, at once handled, or of earlier connections */
	size_t count, bytes;
	struct wa_timer timer;          /* goes on at the loop's next turn */
};

/* The backlog after a login. */
struct backlog {
	bool announced, done;
	uint64_t handled;  /* queued stanzas of this connection that were handled */
	uint64_t asked_at; /* `handled` when the last batch was asked for */
	struct wa_timer timer;
};

struct wa_client {
	struct wa_loop *loop;         /* borrowed */
	const struct wa_host *host;   /* borrowed */
	void *ctx;                    /* borrowed: the host's */
	struct wa_state *state;       /* owned */
	struct wa_messaging *messaging; /* owned */
	struct wa_creds creds;
	bool creds_loaded;

	enum wa_phase phase;
	uint32_t generation; /* counts connections */
	uint32_t turn;       /* counts ticks */
	unsigned depth;      /* entry points that are running */
	struct wa_timer *timers;
	int64_t wake_ms;     /* when the first of them is due, or earlier */
	int64_t told_ms;     /* what the host was told last */

	bool closing; /* close_why is set */
	struct wa_close close_why;
	char close_reason[200];

	struct state_op op; /* loading and storing of the device record; used if op_active */
	bool op_active;
	struct frame_reader reader;
	struct handshake *handshake; /* owned; only in PHASE_HANDSHAKE */
	struct noise_cipher *write_cipher, *read_cipher; /* owned */
	struct iq *iqs;      /* owned: waiting for an answer */
	uint32_t iq_count;
	char iq_prefix[16];
	char last_sent[LAST_SENT][LAST_SENT_LEN];
	unsigned last_sent_next;
	int64_t last_received_ms; /* monotonic */
	int64_t server_offset_ms;
	struct wa_timer step_timer;      /* time limit of the present phase */
	struct wa_timer keepalive_timer;
	struct wa_timer rotation_timer;
	struct stanza_queue queue;
	struct backlog backlog;
	struct pairing *pairing; /* owned; only while not linked */
	struct prekeys *prekeys; /* owned; only while keys are made and uploaded */
	struct rotation *rotation; /* owned; only while the signed prekey is being replaced, beyond the connection's end */
	bool stopping, logging_out;
	uint32_t logout_generation;   /* of the connection that learnt of it */
	int logout_code;
	char logout_reason[160];
};

/* ---- client.c ---- */
/* Every entry point stands between these two; the outermost leave runs the queue, takes the connection down and tells the timer. */
void client_enter(struct wa_client *client);
void client_leave(struct wa_client *client);
void client_close(struct wa_client *client, enum wa_reaction reaction, int code, const char *reason);
/* Puts the device record into an operation. */
void client_put_creds(struct wa_client *client, struct state_op *op);
/* Stores the device record alone; done may be NULL. */
void client_save_creds(struct wa_client *client);
/* Deletes the credentials with WA_EVENT_LOGGED_OUT, then closes with WA_STOP_LOGGED_OUT. */
void client_logged_out(struct wa_client *client, int code, const char *reason);

/* ---- iq.c ---- */
/* Gives an answer to whoever waits for it. False if nobody does. */
bool iq_answered(struct wa_client *client, const struct wa_node *node);
/* Everybody waiting gets NULL. */
void iq_fail_all(struct wa_client *client);
void iq_free_all(struct wa_client *client);
void iq_new_prefix(struct wa_client *client);

/* ---- timer.c ---- */
void timer_run_due(struct wa_client *client);
void timer_tell(struct wa_client *client);

/* ---- stanza.c ---- */
/* The loop's spare stanzas. */
void stanza_free_spare(struct wa_loop *loop);
/* Decodes a frame's plaintext and puts it in its place: handled at once or queued. */
void stanza_received(struct wa_client *client, struct span plain);
void stanza_run_queue(struct wa_client *client);
/* Forgets what waits; what is at its handler becomes an orphan. */
void stanza_drop_queue(struct wa_client *client);
void stanza_free_all(struct wa_client *client);

/* ---- handlers of the connection's own stanzas ---- */
wa_stanza_handler login_on_success, failure_on_failure, failure_on_stream_error, failure_on_stream_end, ib_on_ib;
/* An iq of type get or set. */
void server_iq(struct wa_client *client, const struct wa_node *iq);
wa_stanza_handler notification_on_notification;
/* The handler of one kind of notification acks by itself, at once or later. */
wa_stanza_handler prekeys_on_low, paircode_on_notification, passkey_on_request, passkey_on_continuation, pair_on_refresh;

/* ---- login.c ---- */
/* Telemetry that WhatsApp Web sends after login, pairing and going online. */
void login_unified_session(struct wa_client *client);
/* ---- ib.c ---- */
void backlog_stanza_done(struct wa_client *client, const struct wa_node *node);
void backlog_reset(struct wa_client *client);
/* ---- keepalive.c ---- */
void keepalive_start(struct wa_client *client);
void keepalive_received(struct wa_client *client);
/* ---- prekeys.c ---- */
typedef void prekeys_done(struct wa_client *client, bool ok);
/* Asks the server's count and uploads if it is low. done (may be NULL) once. A run under way is joined: done then is called at its end. */
void prekeys_check(struct wa_client *client, bool force, prekeys_done *done);
/* Compares what the server holds with our device record. */
void prekeys_check_digest(struct wa_client *client);
void prekeys_check_rotation(struct wa_client *client);
/* The stored form of a signed prekey: private, public, signature, time of making. */
void prekeys_write_signed(const struct signed_prekey *key, struct buf *out);
/* Connection gone. */
void prekeys_reset(struct wa_client *client);
/* Client gone. */
void prekeys_free(struct wa_client *client);

/* ---- pair.c ---- */
void pair_started(struct wa_client *client);
/* The device turned out to be linked: a code that was asked for meanwhile is refused. */
void pair_not_needed(struct wa_client *client);
void pair_on_device(struct wa_client *client, const struct wa_node *iq);
void pair_on_success(struct wa_client *client, const struct wa_node *iq);
/* True if pairing has succeeded on this connection: it ends with a restart. */
bool pair_succeeded(const struct wa_client *client);
void pair_reset(struct wa_client *client);
/* PAIR_ERROR event. */
void pair_error(struct wa_client *client, int code, const char *text);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client.h without a connection: for tests of what travels over it. Stanzas come from the test, what is written is kept, IQs wait for
 * the test's answer, records live in a fake_host.
 */
#ifndef TESTS_FAKE_CLIENT_H
#define TESTS_FAKE_CLIENT_H

#include "sessiond/wa/messaging.h"
#include "tests/unit/fake_host.h"

struct fake_iq {
	struct fake_iq *next;
	struct arena arena;
	struct wa_node *node;
	wa_iq_done *done;
	void *arg;
};

struct wa_stanza {
	struct wa_stanza *next;
	struct arena arena;
	struct wa_node *node;
	bool done, released;
};

struct wa_client {
	struct fake_host *host;       /* borrowed */
	struct wa_state *state;
	struct wa_messaging *messaging;
	struct signal_env *signal;
	struct curve_signer *signer;
	struct wa_config config;
	struct wa_creds creds;
	struct wa_timer *timers;
	struct fake_iq *iqs, *last_iq; /* not answered yet, oldest first */
	struct wa_stanza *stanzas;
	struct arena written_arena;
	struct wa_node **written;      /* of the arena, in order; acks too */
	size_t nwritten;
	size_t warnings;
	uint32_t next_prekey;
	bool connected;
};

/* A linked device pn:2 / lid:2 with fresh keys; its signed prekey (id 1) and n one-time prekeys (1..n) are stored in the host. */
struct wa_client *fake_client_new(struct fake_host *host, const char *pn, const char *lid, unsigned prekeys);
/* The same device over the same records, as after a restart. */
struct wa_client *fake_client_again(struct fake_host *host, const struct wa_creds *creds);
void fake_client_free(struct wa_client *client);
void fake_client_connect(struct wa_client *client);
void fake_client_disconnect(struct wa_client *client);
/* Runs answers of the host and timers until nothing moves. */
void fake_client_run(struct wa_client *client);
/* One answer or timer of these; false if nothing was due. */
bool fake_client_step(struct wa_client *client);
/* A stanza arrives; the node is copied. */
void fake_client_receive(struct wa_client *client, wa_stanza_handler *handler, const struct wa_node *node);
/* Answers the oldest IQ; the node is borrowed. False if there is none. */
bool fake_client_answer(struct wa_client *client, const struct wa_node *answer);
/* The n-th written stanza with this tag, NULL if there are fewer. */
const struct wa_node *fake_client_written(const struct wa_client *client, const char *tag, size_t n);
size_t fake_client_count(const struct wa_client *client, const char *tag);

#endif

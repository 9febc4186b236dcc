/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a stanza that the server passes on (most of its content is made by strangers) crashes a client of the library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sessiond/wa/connection.h"
#include "sessiond/wa/messaging.h"
#include "tests/unit/fake_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void steady_random(void *ctx, void *out, size_t n)
{
	uint32_t *state = ctx;

	for (size_t i = 0; i < n; i++) {
		*state = *state * 1664525U + 1013904223U;
		((uint8_t *)out)[i] = (uint8_t)(*state >> 24);
	}
}

/* The offer of work elsewhere is declined: the slow derivation of pairing codes is not what is looked at. */
static void no_offload(void *ctx, void (*work)(void *arg), void (*done)(void *arg), void *arg)
{
	(void)ctx;
	(void)work;
	done(arg);
}

static void to_fetched(void *to, uint64_t token, const struct span *values, size_t n, bool error)
{
	wa_client_fetched(to, token, values, n, error);
}

static void to_committed(void *to, uint64_t token, bool ok)
{
	wa_client_committed(to, token, ok);
}

static const struct wa_config config = { .version = { 2, 3000, 1 }, .os_name = "Mac OS", .browser_name = "Chrome", .cache_bytes = 65536 };

/* A client as it is after the handshake; linked and open, linked and about to log in, or waiting to be paired. */
static struct wa_client *client_at(struct wa_loop *loop, struct fake_host *host, enum wa_phase phase)
{
	static const uint8_t key[NOISE_KEY_LEN] = { 1 };
	struct wa_client *client = wa_client_new(loop, &host->host, host);
	static struct buf record;
	struct wa_creds creds;
	uint32_t seed = 7;

	host->to = client;
	/* Making keys takes longer than everything else here. */
	if (record.len == 0) {
		if (creds_generate(&creds, loop->signer, steady_random, &seed, host->wall_ms) != 0)
			abort();
		creds_write(&creds, &record);
		creds_free(&creds);
	}
	if (creds_read(&client->creds, buf_span(&record)) != 0)
		abort();
	client->creds_loaded = true;
	client->generation = 1;
	/* Known, so that inputs can answer what was asked: "1-1" is the first question. */
	snprintf(client->iq_prefix, sizeof client->iq_prefix, "1");
	client->write_cipher = noise_cipher_new(key, true);
	client->phase = phase;
	if (phase != PHASE_UNLINKED) {
		jid_parse_text(&client->creds.pn, "15550001111:7@s.whatsapp.net");
		jid_parse_text(&client->creds.lid, "222333444:7@lid");
		if (phase == PHASE_OPEN)
			wa_messaging_opened(client->messaging);
	} else {
		pair_started(client);
		wa_client_pair_code(client, "15550001111", NULL);
	}
	return client;
}

/* First byte: bit 0 not linked, else bit 1 about to log in; then stanzas: two bytes of length, the plaintext of a frame. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wa_loop *loop;
	struct reader in = reader_of(data, size);
	struct wa_client *client;
	struct fake_host host;
	uint8_t which = read_u8(&in);

	if (loop == NULL)
		loop = wa_loop_new(&config);
	fake_host_init(&host);
	host.host.offload = no_offload;
	host.fetched = to_fetched;
	host.committed = to_committed;
	client = client_at(loop, &host, which & 1U ? PHASE_UNLINKED : which & 2U ? PHASE_LOGIN : PHASE_OPEN);
	while (in.left > 2 && client->phase != PHASE_CLOSED) {
		size_t n = read_be16(&in);
		struct span plain = read_span(&in, n < in.left ? n : in.left);

		client_enter(client);
		stanza_received(client, plain);
		client_leave(client);
		fake_host_run(&host);
		host.mono_ms += 1000;
		wa_client_tick(client);
		fake_host_run(&host);
	}
	host.mono_ms += 200000;
	wa_client_tick(client);
	fake_host_run(&host);
	wa_client_free(client);
	fake_host_free(&host);
	return 0;
}

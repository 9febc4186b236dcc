/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The yardstick for CPU per text: libsignal alone, on memory, with the mix of the send and receive benchmarks.
 *
 *     baseline_signal TEXTS
 *     send:    each text is encrypted to the recipient's device and to our own phone; every fifth text is answered (decrypt)
 *     receive: each text of the peer is decrypted; every fifth is answered (encrypt to the peer and to our own phone)
 *     {"texts":5000,"send_us_per_text":..,"receive_us_per_text":..}
 *
 * Only our own side's work is counted; the peers' is done outside the stop watch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <signal/protocol.h>
#include <signal/session_builder.h>
#include <signal/session_cipher.h>

#include "sessiond/wa/signal_provider.h"
#include "tests/load/memory_store.h"

#define TEXT_BYTES 112U
#define ANSWER_EVERY 5

struct party {
	struct memory_store *store; /* owned */
	session_cipher *to_us;      /* owned; how this party talks to us, NULL for ourselves */
	session_cipher *from_us;    /* owned; how we talk to it */
	signal_protocol_address address;
};

static const signal_protocol_address US = { "us", 2, 1 };
static int64_t spent_ns;

static int64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void must(int error, const char *what)
{
	if (error < 0) {
		fprintf(stderr, "%s: libsignal error %d\n", what, error);
		exit(1);
	}
}

static void carry(session_cipher *from, session_cipher *to, int ours)
{
	uint8_t text[TEXT_BYTES] = { 42 };
	ciphertext_message *wire = NULL;
	signal_buffer *plain = NULL;
	int64_t start = cpu_ns();

	must(session_cipher_encrypt(from, text, sizeof text, &wire), "encrypt");
	if (ours)
		spent_ns += cpu_ns() - start;
	start = cpu_ns();
	if (ciphertext_message_get_type(wire) == CIPHERTEXT_PREKEY_TYPE)
		must(session_cipher_decrypt_pre_key_signal_message(to, (pre_key_signal_message *)wire, NULL, &plain), "decrypt pkmsg");
	else
		must(session_cipher_decrypt_signal_message(to, (signal_message *)wire, NULL, &plain), "decrypt msg");
	if (!ours)
		spent_ns += cpu_ns() - start;
	signal_buffer_free(plain);
	SIGNAL_UNREF(wire);
}

static void meet(struct party *peer, struct memory_store *us, signal_context *context)
{
	session_builder *builder = NULL;
	session_pre_key_bundle *bundle;

	peer->store = memory_store_new(context);
	if (!peer->store || !(bundle = memory_store_bundle(peer->store)))
		exit(1);
	must(session_builder_create(&builder, memory_store_context(us), &peer->address, context), "builder");
	must(session_builder_process_pre_key_bundle(builder, bundle), "bundle");
	must(session_cipher_create(&peer->from_us, memory_store_context(us), &peer->address, context), "cipher");
	must(session_cipher_create(&peer->to_us, memory_store_context(peer->store), &US, context), "cipher");
	session_builder_free(builder);
	SIGNAL_UNREF(bundle);
	carry(peer->from_us, peer->to_us, 1);
	carry(peer->to_us, peer->from_us, 0);
}

static void part(struct party *peer)
{
	session_cipher_free(peer->to_us);
	session_cipher_free(peer->from_us);
	memory_store_free(peer->store);
}

int main(int argc, char **argv)
{
	struct party peer = { .address = { "peer", 4, 1 } }, phone = { .address = { "us", 2, 0 } };
	struct signal_provider *provider = wa_signal_provider_new();
	long texts = argc > 1 ? strtol(argv[1], NULL, 10) : 5000;
	signal_context *context = NULL;
	struct memory_store *us;
	double send_us, receive_us;

	if (texts < 1 || !provider || signal_context_create(&context, NULL) || wa_signal_provider_install(provider, context))
		return 1;
	us = memory_store_new(context);
	if (!us)
		return 1;
	meet(&peer, us, context);
	meet(&phone, us, context);
	spent_ns = 0;
	for (long i = 0; i < texts; i++) {
		carry(peer.from_us, peer.to_us, 1);
		carry(phone.from_us, phone.to_us, 1);
		if (i % ANSWER_EVERY == ANSWER_EVERY - 1)
			carry(peer.to_us, peer.from_us, 0);
	}
	send_us = (double)spent_ns / 1000.0 / (double)texts;
	spent_ns = 0;
	for (long i = 0; i < texts; i++) {
		carry(peer.to_us, peer.from_us, 0);
		if (i % ANSWER_EVERY == ANSWER_EVERY - 1) {
			carry(peer.from_us, peer.to_us, 1);
			carry(phone.from_us, phone.to_us, 1);
		}
	}
	receive_us = (double)spent_ns / 1000.0 / (double)texts;
	printf("{\"texts\":%ld,\"send_us_per_text\":%.1f,\"receive_us_per_text\":%.1f}\n", texts, send_us, receive_us);
	part(&peer);
	part(&phone);
	memory_store_free(us);
	signal_context_destroy(context);
	wa_signal_provider_free(provider);
	return 0;
}

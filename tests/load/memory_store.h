/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A libsignal store that keeps everything in memory: what the bare libsignal loops of the benchmark run on. */
#ifndef TESTS_LOAD_MEMORY_STORE_H
#define TESTS_LOAD_MEMORY_STORE_H

#include <signal/key_helper.h>
#include <signal/signal_protocol.h>

struct memory_store;

/* A party with identity key, registration id, one signed prekey (id 1) and one prekey (id 1). NULL on failure. */
struct memory_store *memory_store_new(signal_context *context);
void memory_store_free(struct memory_store *store);
signal_protocol_store_context *memory_store_context(struct memory_store *store);
/* The bundle others start a session with; the caller releases it (SIGNAL_UNREF). NULL on failure. */
struct session_pre_key_bundle *memory_store_bundle(struct memory_store *store);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by signal.c and signal_store.c only. */
#ifndef WA_SIGNAL_INTERNAL_H
#define WA_SIGNAL_INTERNAL_H

#include "sessiond/wa/signal.h"
#include "sessiond/wa/signal_provider.h"

struct signal_env {
	struct signal_provider *provider;     /* owned */
	signal_context *context;              /* owned */
	signal_protocol_store_context *store; /* owned */
	struct signal_call *call;             /* the call the store callbacks work for; NULL outside of one */
	bool have_new_identity;               /* the library saved an identity during this call */
	uint8_t new_identity[SIGNAL_IDENTITY_BYTES];
};

/* Creates env->store with callbacks that work on env->call. 0 or a negative SG_ERR_ value. */
int wa_signal_store_install(struct signal_env *env);
int wa_signal_error_of(int library);

#endif

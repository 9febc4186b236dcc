/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cryptography libsignal-protocol-c leaves to its host, done with OpenSSL. One per loop; no locks, never shared by threads. */
#ifndef WA_SIGNAL_PROVIDER_H
#define WA_SIGNAL_PROVIDER_H

#include <signal/signal_protocol.h>

struct signal_provider;

/* Fetches the algorithms once, so that no call has to look them up by name. Returns NULL if OpenSSL lacks one of them. */
struct signal_provider *wa_signal_provider_new(void);
void wa_signal_provider_free(struct signal_provider *p);
/* Hands the provider to a context, which must be freed before it. Returns 0 or a negative SG_ERR_ value. */
int wa_signal_provider_install(struct signal_provider *p, signal_context *ctx);

#endif

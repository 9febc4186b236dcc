/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into the daemon by tests: when the file that CRASH_SHIM names exists, the next decryption removes it and crashes, as a
 * fault in the decoder would.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <signal/session_cipher.h>

typedef int decrypt_function(session_cipher *cipher, void *message, void *context, signal_buffer **plaintext);

static void crash_if_told(void)
{
	const char *trigger = getenv("CRASH_SHIM");

	if (trigger != NULL && unlink(trigger) == 0)
		raise(SIGSEGV);
}

static int call_next(const char *name, session_cipher *cipher, void *message, void *context, signal_buffer **plaintext)
{
	void *symbol = dlsym(RTLD_NEXT, name);
	decrypt_function *next;

	memcpy(&next, &symbol, sizeof next);
	crash_if_told();
	return next(cipher, message, context, plaintext);
}

int session_cipher_decrypt_signal_message(session_cipher *cipher, signal_message *message, void *context, signal_buffer **plaintext)
{
	return call_next("session_cipher_decrypt_signal_message", cipher, message, context, plaintext);
}

int session_cipher_decrypt_pre_key_signal_message(session_cipher *cipher, pre_key_signal_message *message, void *context,
						  signal_buffer **plaintext)
{
	return call_next("session_cipher_decrypt_pre_key_signal_message", cipher, message, context, plaintext);
}

# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/webhook/: see sessiond/webhook/webhook.h.
noinst_LIBRARIES += libwebhook.a
libwebhook_a_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS)
libwebhook_a_SOURCES = \
	sessiond/webhook/deliver.c \
	sessiond/webhook/envelope.c sessiond/webhook/envelope.h \
	sessiond/webhook/hook.c sessiond/webhook/hook.h \
	sessiond/webhook/hook_notes.c \
	sessiond/webhook/jobs.c sessiond/webhook/jobs.h \
	sessiond/webhook/jobs_events.c \
	sessiond/webhook/jobs_write.c \
	sessiond/webhook/preflight.c \
	sessiond/webhook/target.c sessiond/webhook/target.h \
	sessiond/webhook/verdict.c sessiond/webhook/verdict.h \
	sessiond/webhook/webhook.c sessiond/webhook/webhook.h \
	sessiond/webhook/webhooks.h
WEBHOOK_LIBS = libwebhook.a $(NET_LIBS)

check_PROGRAMS += hookprobe
hookprobe_SOURCES = tests/tools/hookprobe.c sessiond/loop.c
hookprobe_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS)
hookprobe_LDADD = libwebhook.a $(STORE_LIBS) $(NET_LIBS)

if HAVE_CMOCKA
WEBHOOK_TESTS = test_webhook_envelope test_webhook_hook test_webhook_verdict
check_PROGRAMS += $(WEBHOOK_TESTS)
TESTS += $(WEBHOOK_TESTS)

test_webhook_envelope_SOURCES = tests/unit/test_webhook_envelope.c
test_webhook_envelope_CFLAGS = $(TEST_CFLAGS) $(NET_CFLAGS)
test_webhook_envelope_LDADD = $(WEBHOOK_LIBS) $(CRYPTO_HELPER_LIBS) $(CMOCKA_LIBS)
test_webhook_hook_SOURCES = tests/unit/test_webhook_hook.c
test_webhook_hook_CFLAGS = $(TEST_CFLAGS) $(NET_CFLAGS)
test_webhook_hook_LDADD = $(WEBHOOK_LIBS) $(CRYPTO_HELPER_LIBS) $(CMOCKA_LIBS)
test_webhook_verdict_SOURCES = tests/unit/test_webhook_verdict.c
test_webhook_verdict_CFLAGS = $(TEST_CFLAGS) $(NET_CFLAGS)
test_webhook_verdict_LDADD = $(WEBHOOK_LIBS) $(CRYPTO_HELPER_LIBS) $(CMOCKA_LIBS)
endif

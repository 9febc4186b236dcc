# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/session/: see sessiond/session/session.h.
noinst_LIBRARIES += libsession.a
libsession_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS) $(CURL_CFLAGS) $(QRENCODE_CFLAGS) $(ZLIB_CFLAGS)
libsession_a_SOURCES = \
	sessiond/session/appstate.c \
	sessiond/session/audience.c sessiond/session/audience.h \
	sessiond/session/cancel.c \
	sessiond/session/reschedule.c \
	sessiond/session/route.c sessiond/session/route.h \
	sessiond/session/ask.c sessiond/session/ask.h \
	sessiond/session/autoreply.c sessiond/session/autoreply.h \
	sessiond/session/calls.c sessiond/session/calls.h \
	sessiond/session/cards.c sessiond/session/cards.h \
	sessiond/session/profile.c sessiond/session/profile.h \
	sessiond/session/assertion.c sessiond/session/assertion.h \
	sessiond/session/backoff.c sessiond/session/backoff.h \
	sessiond/session/batch.c \
	sessiond/session/change.c sessiond/session/change.h \
	sessiond/session/channelevents.c \
	sessiond/session/channels.c sessiond/session/channels.h \
	sessiond/session/chatfill.c sessiond/session/chatfill.h \
	sessiond/session/chatrow.c sessiond/session/chatrow.h \
	sessiond/session/chattimer.c sessiond/session/chattimer.h \
	sessiond/session/command.c \
	sessiond/session/content.c sessiond/session/content.h \
	sessiond/session/control.c \
	sessiond/session/ending.c \
	sessiond/session/addons.c \
	sessiond/session/groupjob.c sessiond/session/groupjob.h \
	sessiond/session/groups.c sessiond/session/groupevent.h sessiond/session/groupstub.c \
	sessiond/session/answers.c \
	sessiond/session/events.c \
	sessiond/session/fetch.c sessiond/session/fetch.h \
	sessiond/session/history.c sessiond/session/history.h sessiond/session/historywork.h \
	sessiond/session/historymore.c \
	sessiond/session/historyrows.c \
	sessiond/session/historyrun.c \
	sessiond/session/host.c \
	sessiond/session/import.c sessiond/session/import.h \
	sessiond/session/job.c \
	sessiond/session/lookup.c sessiond/session/lookup.h \
	sessiond/session/messagekind.c sessiond/session/messagekind.h \
	sessiond/session/message_json.c sessiond/session/message_json.h \
	sessiond/session/message_schema.c sessiond/session/message_schema.h \
	sessiond/session/mirror.c sessiond/session/mirror.h \
	sessiond/session/mirrorfile.c \
	sessiond/session/normalise.c sessiond/session/normalise.h \
	sessiond/session/object.h \
	sessiond/session/outbox.c sessiond/session/outbox.h \
	sessiond/session/outboxgate.c sessiond/session/outboxload.c sessiond/session/outboxpresence.c \
	sessiond/session/outboxretry.c sessiond/session/outboxwait.c \
	sessiond/session/queue.h sessiond/session/queuectl.c sessiond/session/queuelock.c sessiond/session/queuestate.c \
	sessiond/session/sendpolicy.c sessiond/session/sendpolicy.h \
	sessiond/session/sendqueue.c sessiond/session/sendqueue.h \
	sessiond/session/private.h \
	sessiond/session/proxies.c sessiond/session/proxies.h \
	sessiond/session/proxy.c sessiond/session/proxy.h \
	sessiond/session/qrimage.c sessiond/session/qrimage.h \
	sessiond/session/qrpng.c sessiond/session/qrpng.h \
	sessiond/session/registry.c sessiond/session/registry.h \
	sessiond/session/session.c sessiond/session/session.h \
	sessiond/session/shared.c sessiond/session/shared.h \
	sessiond/session/slots.c \
	sessiond/session/transfer.c sessiond/session/transfer.h sessiond/session/transferwork.h \
	sessiond/session/transferdown.c \
	sessiond/session/transferdrop.c \
	sessiond/session/transferhosts.c \
	sessiond/session/transferup.c \
	sessiond/session/upload.c sessiond/session/upload.h \
	sessiond/session/version.c \
	sessiond/session/view.c sessiond/session/view.h

SESSION_TEST_LIBS = libsession.a libwebhook.a libstorage.a libmedia.a libsessiond.a $(WA_LIBS) $(STORE_LIBS) $(NET_LIBS) $(QRENCODE_LIBS) $(ZLIB_LIBS) -lm

if HAVE_CMOCKA
SESSION_TESTS = test_assertion test_normalise test_proxy test_sendqueue test_session_parts
check_PROGRAMS += $(SESSION_TESTS)
TESTS += $(SESSION_TESTS)
test_assertion_SOURCES = tests/unit/test_assertion.c
test_assertion_CFLAGS = $(TEST_CFLAGS)
test_assertion_LDADD = $(SESSION_TEST_LIBS) $(CMOCKA_LIBS)
test_normalise_SOURCES = tests/unit/test_normalise.c
test_normalise_CFLAGS = $(TEST_CFLAGS) $(JSONC_CFLAGS)
test_normalise_LDADD = $(SESSION_TEST_LIBS) $(CMOCKA_LIBS)
test_sendqueue_SOURCES = tests/unit/test_sendqueue.c
test_sendqueue_CFLAGS = $(TEST_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS)
test_sendqueue_LDADD = $(SESSION_TEST_LIBS) $(CMOCKA_LIBS)
test_proxy_SOURCES = tests/unit/test_proxy.c
test_proxy_CFLAGS = $(TEST_CFLAGS)
test_proxy_LDADD = $(SESSION_TEST_LIBS) $(CMOCKA_LIBS)
test_session_parts_SOURCES = tests/unit/test_session_parts.c
test_session_parts_CFLAGS = $(TEST_CFLAGS) $(UV_CFLAGS)
test_session_parts_LDADD = $(SESSION_TEST_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
FUZZ_TARGETS += fuzz_normalise
noinst_PROGRAMS += fuzz_normalise
fuzz_normalise_SOURCES = tests/fuzz/fuzz_normalise.c
fuzz_normalise_CFLAGS = $(TEST_CFLAGS)
fuzz_normalise_LDFLAGS = $(FUZZER_LINK)
fuzz_normalise_LDADD = $(SESSION_TEST_LIBS) $(JSONC_LIBS)
endif

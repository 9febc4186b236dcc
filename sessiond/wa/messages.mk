# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/wa/: records, Signal sessions and messages. Included by local.mk.
WA_PROTO_C += sessiond/wa/proto/e2e.pb-c.c
EXTRA_DIST += sessiond/wa/proto/e2e.proto
sessiond/wa/proto/e2e.pb-c.c: $(srcdir)/sessiond/wa/proto/e2e.proto
	$(WA_PROTOC) $(srcdir)/sessiond/wa/proto/e2e.proto
sessiond/wa/proto/e2e.pb-c.h: sessiond/wa/proto/e2e.pb-c.c

libwa_a_SOURCES += \
	sessiond/wa/appstate.c sessiond/wa/appstate.h \
	sessiond/wa/appstate_action.c sessiond/wa/appstate_action.h \
	sessiond/wa/appstate_apply.c sessiond/wa/appstate_apply.h \
	sessiond/wa/appstate_crypto.c sessiond/wa/appstate_crypto.h \
	sessiond/wa/appstate_effect.c \
	sessiond/wa/appstate_keyring.c \
	sessiond/wa/appstate_recover.c \
	sessiond/wa/appstate_run.c \
	sessiond/wa/appstate_wire.c \
	sessiond/wa/addon.c sessiond/wa/addon.h \
	sessiond/wa/ask.c sessiond/wa/ask.h \
	sessiond/wa/batch.c \
	sessiond/wa/blocklist.c \
	sessiond/wa/bundle.c sessiond/wa/bundle.h \
	sessiond/wa/build.h \
	sessiond/wa/build_action.c \
	sessiond/wa/build_card.c \
	sessiond/wa/build_interactive.c \
	sessiond/wa/build_poll.c \
	sessiond/wa/business.c \
	sessiond/wa/call.c sessiond/wa/call.h \
	sessiond/wa/channel.c sessiond/wa/channel.h \
	sessiond/wa/contactnotify.c \
	sessiond/wa/content.c \
	sessiond/wa/context.c \
	sessiond/wa/decode.c \
	sessiond/wa/devices.c sessiond/wa/devices.h \
	sessiond/wa/e2e.c sessiond/wa/e2e.h \
	sessiond/wa/e2e_fields.c sessiond/wa/e2e_fields.h \
	sessiond/wa/extras.c sessiond/wa/extras.h \
	sessiond/wa/envelope.c sessiond/wa/envelope.h \
	sessiond/wa/groupadmin.c sessiond/wa/groupadmin.h \
	sessiond/wa/groupanswer.c sessiond/wa/groupask.c sessiond/wa/groupwire.h \
	sessiond/wa/group.h sessiond/wa/groupinfo.c sessiond/wa/groupnotify.c sessiond/wa/groupquery.c sessiond/wa/grouprefresh.c \
	sessiond/wa/groupkeys.c sessiond/wa/groupkeys.h \
	sessiond/wa/history.c sessiond/wa/history.h \
	sessiond/wa/historyaddon.c sessiond/wa/historyitem.c sessiond/wa/historyitem.h \
	sessiond/wa/historywire.c \
	sessiond/wa/job.c sessiond/wa/job.h \
	sessiond/wa/lidmap.c sessiond/wa/lidmap.h \
	sessiond/wa/media.h \
	sessiond/wa/mediaconn.c \
	sessiond/wa/mediamessage.c \
	sessiond/wa/mediaretry.c \
	sessiond/wa/message.c \
	sessiond/wa/messaging.c sessiond/wa/messaging.h \
	sessiond/wa/notify.c \
	sessiond/wa/placeholder.c \
	sessiond/wa/poll.c sessiond/wa/poll.h \
	sessiond/wa/people.c \
	sessiond/wa/picture.c \
	sessiond/wa/profile.c sessiond/wa/profile.h \
	sessiond/wa/peer.c sessiond/wa/peer.h \
	sessiond/wa/presence.c \
	sessiond/wa/proto_walk.c sessiond/wa/proto_walk.h \
	sessiond/wa/receipt.c \
	sessiond/wa/receive.h \
	sessiond/wa/retry.c sessiond/wa/retry.h \
	sessiond/wa/retryask.c \
	sessiond/wa/secret.c sessiond/wa/secret.h \
	sessiond/wa/retrygroup.c sessiond/wa/retrygroup.h \
	sessiond/wa/seen.c sessiond/wa/seen.h \
	sessiond/wa/send.c sessiond/wa/send.h \
	sessiond/wa/sendbuild.c \
	sessiond/wa/sendchannel.c \
	sessiond/wa/readprivacy.c \
	sessiond/wa/statusprivacy.c \
	sessiond/wa/build_album.c \
	sessiond/wa/sendgroup.c \
	sessiond/wa/sendprepare.c \
	sessiond/wa/sendsessions.c \
	sessiond/wa/sent.c sessiond/wa/sent.h \
	sessiond/wa/signal.c sessiond/wa/signal.h sessiond/wa/signal_internal.h \
	sessiond/wa/signal_group.c sessiond/wa/signal_group.h \
	sessiond/wa/signal_provider.c sessiond/wa/signal_provider.h \
	sessiond/wa/signal_record.c sessiond/wa/signal_record.h \
	sessiond/wa/signal_store.c \
	sessiond/wa/state.c sessiond/wa/state.h \
	sessiond/wa/tctoken.c sessiond/wa/tctoken.h \
	sessiond/wa/text.c \
	sessiond/wa/usync.c sessiond/wa/usync.h

# Preloaded into the daemon by tests/e2e/poison.test.js.
check_PROGRAMS += crashshim.so
crashshim_so_SOURCES = tests/tools/crashshim.c
crashshim_so_CFLAGS = -std=gnu11 $(WARN_CFLAGS) -fPIC $(SIGNAL_CFLAGS)
crashshim_so_LDFLAGS = -shared
crashshim_so_LDADD = -ldl

# Preloaded into the daemon by tests/e2e/daemon-clock.test.js.
check_PROGRAMS += clockshim.so
clockshim_so_SOURCES = tests/tools/clockshim.c
clockshim_so_CFLAGS = -std=gnu11 $(WARN_CFLAGS) -fPIC
clockshim_so_LDFLAGS = -shared
clockshim_so_LDADD = -ldl

# Figures of groups: make groupbench && ./groupbench
EXTRA_PROGRAMS += groupbench
groupbench_SOURCES = tests/tools/groupbench.c tests/unit/fake_client.c tests/unit/fake_client.h tests/unit/fake_host.c \
	tests/unit/fake_host.h
groupbench_CFLAGS = $(AM_CFLAGS)
CLEANFILES += groupbench
groupbench_LDADD = $(WA_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += test_media_wire test_wa_state test_signal test_e2e test_messages test_contacts test_appstate test_groups
TESTS += test_media_wire test_wa_state test_signal test_e2e test_messages test_contacts test_appstate test_groups
test_appstate_SOURCES = tests/unit/test_appstate.c tests/unit/vector.h
test_appstate_CFLAGS = $(TEST_CFLAGS)
test_appstate_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += test_secret
TESTS += test_secret
test_secret_SOURCES = tests/unit/test_secret.c tests/unit/fake_host.c tests/unit/fake_host.h
test_secret_CFLAGS = $(TEST_CFLAGS)
test_secret_LDADD = $(WA_LIBS) $(JSONC_LIBS) $(CMOCKA_LIBS)
FAKE_CLIENT = tests/unit/fake_client.c tests/unit/fake_client.h tests/unit/fake_host.c tests/unit/fake_host.h
test_media_wire_SOURCES = tests/unit/test_media_wire.c
test_media_wire_CFLAGS = $(TEST_CFLAGS)
test_media_wire_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_messages_SOURCES = tests/unit/test_messages.c tests/unit/two_clients.h $(FAKE_CLIENT)
test_messages_CFLAGS = $(TEST_CFLAGS)
test_messages_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += test_groupadmin
TESTS += test_groupadmin
test_groupadmin_SOURCES = tests/unit/test_groupadmin.c $(FAKE_CLIENT)
test_groupadmin_CFLAGS = $(TEST_CFLAGS)
test_groupadmin_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += test_profile
TESTS += test_profile
test_profile_SOURCES = tests/unit/test_profile.c $(FAKE_CLIENT)
test_profile_CFLAGS = $(TEST_CFLAGS)
test_profile_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_groups_SOURCES = tests/unit/test_groups.c tests/unit/two_clients.h $(FAKE_CLIENT)
test_groups_CFLAGS = $(TEST_CFLAGS)
test_groups_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_contacts_SOURCES = tests/unit/test_contacts.c $(FAKE_CLIENT)
test_contacts_CFLAGS = $(TEST_CFLAGS)
test_contacts_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
check_PROGRAMS += test_history
TESTS += test_history
test_history_SOURCES = tests/unit/test_history.c tests/unit/history_blob.h
test_history_CFLAGS = $(TEST_CFLAGS) $(ZLIB_CFLAGS)
test_history_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_wa_state_SOURCES = tests/unit/test_wa_state.c tests/unit/fake_host.c tests/unit/fake_host.h
test_wa_state_CFLAGS = $(TEST_CFLAGS)
test_wa_state_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_signal_SOURCES = tests/unit/test_signal.c tests/unit/fake_host.c tests/unit/fake_host.h
test_signal_CFLAGS = $(TEST_CFLAGS)
test_signal_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_e2e_SOURCES = tests/unit/test_e2e.c
test_e2e_CFLAGS = $(TEST_CFLAGS) $(PROTOBUFC_CFLAGS)
test_e2e_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
MESSAGES_FUZZ = fuzz_answers fuzz_e2e fuzz_history fuzz_message fuzz_appstate fuzz_secret fuzz_groups
FUZZ_TARGETS += $(MESSAGES_FUZZ)
noinst_PROGRAMS += $(MESSAGES_FUZZ)
fuzz_answers_SOURCES = tests/fuzz/fuzz_answers.c tests/unit/fake_client.c tests/unit/fake_client.h tests/unit/fake_host.c \
	tests/unit/fake_host.h
fuzz_answers_CFLAGS = $(TEST_CFLAGS)
fuzz_answers_LDFLAGS = $(FUZZER_LINK)
fuzz_answers_LDADD = $(WA_LIBS)
fuzz_groups_SOURCES = tests/fuzz/fuzz_groups.c
fuzz_groups_CFLAGS = $(TEST_CFLAGS)
fuzz_groups_LDFLAGS = $(FUZZER_LINK)
fuzz_groups_LDADD = $(WA_LIBS)
fuzz_appstate_SOURCES = tests/fuzz/fuzz_appstate.c
fuzz_appstate_CFLAGS = $(TEST_CFLAGS)
fuzz_appstate_LDFLAGS = $(FUZZER_LINK)
fuzz_appstate_LDADD = $(WA_LIBS)
fuzz_e2e_SOURCES = tests/fuzz/fuzz_e2e.c
fuzz_e2e_CFLAGS = $(TEST_CFLAGS) $(PROTOBUFC_CFLAGS)
fuzz_e2e_LDFLAGS = $(FUZZER_LINK)
fuzz_e2e_LDADD = $(WA_LIBS)
fuzz_history_SOURCES = tests/fuzz/fuzz_history.c
fuzz_history_CFLAGS = $(TEST_CFLAGS)
fuzz_history_LDFLAGS = $(FUZZER_LINK)
fuzz_history_LDADD = $(WA_LIBS)
fuzz_message_SOURCES = tests/fuzz/fuzz_message.c tests/unit/fake_client.c tests/unit/fake_client.h tests/unit/fake_host.c \
	tests/unit/fake_host.h
fuzz_message_CFLAGS = $(TEST_CFLAGS)
fuzz_message_LDFLAGS = $(FUZZER_LINK)
fuzz_message_LDADD = $(WA_LIBS)
fuzz_secret_SOURCES = tests/fuzz/fuzz_secret.c
fuzz_secret_CFLAGS = $(TEST_CFLAGS)
fuzz_secret_LDFLAGS = $(FUZZER_LINK)
fuzz_secret_LDADD = $(WA_LIBS)
endif

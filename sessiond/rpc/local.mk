# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/rpc/: see sessiond/rpc/rpc.h.
noinst_LIBRARIES += librpc.a
librpc_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS)
librpc_a_SOURCES = \
	sessiond/rpc/access.c sessiond/rpc/access.h \
	sessiond/rpc/audit.c sessiond/rpc/audit.h \
	sessiond/rpc/chat_media.c \
	sessiond/rpc/chat_parts.h \
	sessiond/rpc/chat_poll.c \
	sessiond/rpc/chat_receipts.c \
	sessiond/rpc/chat_view.c sessiond/rpc/chat_view.h \
	sessiond/rpc/choice.c sessiond/rpc/choice.h \
	sessiond/rpc/context.c sessiond/rpc/context.h \
	sessiond/rpc/ctl.h \
	sessiond/rpc/grant.c sessiond/rpc/grant.h \
	sessiond/rpc/eventcursor.c sessiond/rpc/eventcursor.h \
	sessiond/rpc/live.c sessiond/rpc/live.h \
	sessiond/rpc/rpc_events.c \
	sessiond/rpc/rpc_health.c \
	sessiond/rpc/metrics_text.c sessiond/rpc/metrics_text.h \
	sessiond/rpc/rpc_metrics.c \
	sessiond/rpc/group.h sessiond/rpc/group_common.c sessiond/rpc/group_people.c \
	sessiond/rpc/rpc_community.c \
	sessiond/rpc/rpc_group.c \
	sessiond/rpc/rpc_group_join.c \
	sessiond/rpc/rpc_group_make.c \
	sessiond/rpc/rpc_group_members.c \
	sessiond/rpc/rpc_group_picture.c \
	sessiond/rpc/rpc_group_settings.c \
	sessiond/rpc/square_picture.c sessiond/rpc/square_picture.h \
	sessiond/rpc/guardkeep.c sessiond/rpc/guardkeep.h sessiond/rpc/guards.c sessiond/rpc/guards.h \
	sessiond/rpc/header_image.c sessiond/rpc/header_image.h \
	sessiond/rpc/idempotency.c sessiond/rpc/idempotency.h \
	sessiond/rpc/internal.c sessiond/rpc/internal.h \
	sessiond/rpc/lockout.c sessiond/rpc/lockout.h \
	sessiond/rpc/media_input.c sessiond/rpc/media_input.h \
	sessiond/rpc/media_kept.c sessiond/rpc/media_kept.h \
	sessiond/rpc/media_message.c sessiond/rpc/media_send.h \
	sessiond/rpc/media_prepare.c \
	sessiond/rpc/request.c sessiond/rpc/request.h \
	sessiond/rpc/restart.c sessiond/rpc/restart.h \
	sessiond/rpc/rpc.h \
	sessiond/rpc/rpc_action.c \
	sessiond/rpc/rpc_audit.c \
	sessiond/rpc/rpc_auth.c \
	sessiond/rpc/campaign_file.c sessiond/rpc/campaign_file.h \
	sessiond/rpc/rpc_campaign.c \
	sessiond/rpc/rpc_change.c \
	sessiond/rpc/rpc_key.c \
	sessiond/rpc/rpc_user.c \
	sessiond/rpc/rpc_channel.c \
	sessiond/rpc/rpc_chats.c \
	sessiond/rpc/rpc_ctl.c \
	sessiond/rpc/rpc_ctl_import.c \
	sessiond/rpc/rpc_ctl_owner.c \
	sessiond/rpc/rpc_ctl_wait.c \
	sessiond/rpc/rpc_fetch.c \
	sessiond/rpc/rpc_files.c \
	sessiond/rpc/rpc_history.c \
	sessiond/rpc/rpc_interactive.c \
	sessiond/rpc/rpc_media.c \
	sessiond/rpc/misc_output.c sessiond/rpc/misc_output.h \
	sessiond/rpc/rpc_message.c \
	sessiond/rpc/rpc_misc.c \
	sessiond/rpc/rpc_runs.c \
	sessiond/rpc/rpc_send.c \
	sessiond/rpc/rpc_server.c \
	sessiond/rpc/rpc_shared.c \
	sessiond/rpc/rpc_session.c \
	sessiond/rpc/rpc_storage.c \
	sessiond/rpc/rpc_decrypt.c \
	sessiond/rpc/rpc_poll.c \
	sessiond/rpc/rpc_identity.c \
	sessiond/rpc/rpc_people.c \
	sessiond/rpc/rpc_queue.c sessiond/rpc/rpc_privacy.c \
	sessiond/rpc/rpc_calls.c \
	sessiond/rpc/rpc_profile.c \
	sessiond/rpc/rpc_proxy.c \
	sessiond/rpc/people_common.c sessiond/rpc/people.h \
	sessiond/rpc/rpc_contacts.c \
	sessiond/rpc/rpc_tools.c \
	sessiond/rpc/rpc_uuid.c \
	sessiond/rpc/dialcode.c sessiond/rpc/dialcode.h \
	sessiond/rpc/rpc_webhook.c \
	sessiond/rpc/rpc_hooks.c \
	sessiond/rpc/hook_input.c sessiond/rpc/hook_input.h \
	sessiond/rpc/hook_view.c sessiond/rpc/hook_view.h \
	sessiond/rpc/url_check.c sessiond/rpc/url_check.h \
	sessiond/rpc/send.c sessiond/rpc/send.h \
	sessiond/rpc/rpc_status.c \
	sessiond/rpc/preview.c sessiond/rpc/preview.h \
	sessiond/rpc/send_answer.c \
	sessiond/rpc/files_answer.c \
	sessiond/rpc/server_info.c sessiond/rpc/server_info.h \
	sessiond/rpc/socket.c \
	sessiond/rpc/sysinfo.c sessiond/rpc/sysinfo.h

if HAVE_CMOCKA
check_PROGRAMS += test_rpc_guards test_eventcursor
TESTS += test_rpc_guards test_eventcursor
test_eventcursor_SOURCES = tests/unit/test_eventcursor.c
test_eventcursor_CFLAGS = $(TEST_CFLAGS)
test_eventcursor_LDADD = librpc.a $(CRYPTO_HELPER_LIBS) $(COMMON_LIBS) $(CMOCKA_LIBS)
test_rpc_guards_SOURCES = tests/unit/test_rpc_guards.c
test_rpc_guards_CFLAGS = $(TEST_CFLAGS)
test_rpc_guards_LDADD = librpc.a libsessiond.a $(CMOCKA_LIBS)
endif

if FUZZING
RPC_FUZZ = fuzz_eventcursor
FUZZ_TARGETS += $(RPC_FUZZ)
noinst_PROGRAMS += $(RPC_FUZZ)
fuzz_eventcursor_SOURCES = tests/fuzz/fuzz_eventcursor.c
fuzz_eventcursor_CFLAGS = $(TEST_CFLAGS)
fuzz_eventcursor_LDFLAGS = $(FUZZER_LINK)
fuzz_eventcursor_LDADD = librpc.a $(CRYPTO_HELPER_LIBS) $(COMMON_LIBS)
endif

# SPDX-License-Identifier: GPL-3.0-or-later
# warest.fcgi. Links neither OpenSSL nor libcurl nor a database: it must start in a millisecond and own nothing.
noinst_LIBRARIES += libresponder.a
libresponder_a_CFLAGS = $(AM_CFLAGS)
libresponder_a_SOURCES = \
	fcgi/answer.c fcgi/answer.h \
	fcgi/api_action.c \
	fcgi/api_auth.c \
	fcgi/api_campaign.c \
	fcgi/api_content.c \
	fcgi/api_channel.c \
	fcgi/api_chat.c \
	fcgi/api_community.c \
	fcgi/api_chats.c \
	fcgi/api_docs.c \
	fcgi/api_events.c \
	fcgi/api_history.c \
	fcgi/api_runs.c \
	fcgi/api_group.c fcgi/api_group_members.c fcgi/group_params.h \
	fcgi/api_interactive.c \
	fcgi/api_key.c \
	fcgi/api_media.c \
	fcgi/api_message.c \
	fcgi/api_misc.c \
	fcgi/api_monitor.c \
	fcgi/api_misc_tools.c \
	fcgi/api_profile.c \
	fcgi/api_proxy.c \
	fcgi/api_server.c \
	fcgi/api_shared.c \
	fcgi/api_queue.c \
	fcgi/api_session.c \
	fcgi/api_user.c \
	fcgi/api_storage.c fcgi/storage_path.h \
	fcgi/api_misc_whatsapp.c \
	fcgi/api_webhook.c \
	fcgi/api_webhooks.c \
	fcgi/body.c \
	fcgi/credentials.c \
	fcgi/daemon.c fcgi/daemon.h \
	fcgi/exchange.h \
	fcgi/exchange_cgi.c \
	fcgi/form.c fcgi/form.h \
	fcgi/headers.c fcgi/headers.h \
	fcgi/json.c fcgi/json.h \
	fcgi/json_cut.c fcgi/json_cut.h \
	fcgi/json_out.c fcgi/json_out.h \
	fcgi/json_scan.c fcgi/json_scan.h \
	fcgi/kept.c fcgi/kept.h \
	fcgi/multipart.c fcgi/multipart.h \
	fcgi/openapi.c fcgi/openapi.h \
	fcgi/param_kinds.c fcgi/param_kinds.h \
	fcgi/query.c fcgi/query.h \
	fcgi/recipients.c fcgi/recipients.h \
	fcgi/request.c fcgi/request.h \
	fcgi/responder.c fcgi/responder.h \
	fcgi/responder_output.c fcgi/responder_output.h \
	fcgi/route.h \
	fcgi/route_table.c \
	fcgi/router.c \
	fcgi/selector.c \
	fcgi/send_params.c fcgi/send_params.h \
	fcgi/settings.c fcgi/settings.h \
	fcgi/spool.c fcgi/spool.h \
	fcgi/upload.c fcgi/upload.h \
	fcgi/upload_input.c fcgi/upload_input.h \
	fcgi/stream.c fcgi/stream.h \
	fcgi/uri.c fcgi/uri.h \
	fcgi/validate.c fcgi/validate.h \
	fcgi/yaml.c

fcgiprogdir = $(libexecdir)/warest
fcgiprog_PROGRAMS = warest.fcgi
warest_fcgi_CFLAGS = $(AM_CFLAGS) $(FCGI_CFLAGS)
warest_fcgi_SOURCES = \
	fcgi/exchange_fcgi.c \
	fcgi/main.c \
	fcgi/pool.c fcgi/pool.h
warest_fcgi_LDADD = libresponder.a $(COMMON_LIBS) $(FCGI_LIBS) -lm
warest_fcgi_LDFLAGS = $(AM_LDFLAGS) -Wl,--as-needed

if HAVE_CMOCKA
FCGI_TESTS = test_form test_json_cut test_json test_kept test_query test_router
check_PROGRAMS += $(FCGI_TESTS)
TESTS += $(FCGI_TESTS)
RESPONDER_TEST_LIBS = libresponder.a $(COMMON_LIBS) -lm $(CMOCKA_LIBS)
test_form_SOURCES = tests/unit/test_form.c
test_form_CFLAGS = $(TEST_CFLAGS)
test_form_LDADD = $(RESPONDER_TEST_LIBS)
test_json_cut_SOURCES = tests/unit/test_json_cut.c
test_json_cut_CFLAGS = $(TEST_CFLAGS)
test_json_cut_LDADD = $(RESPONDER_TEST_LIBS)
test_json_SOURCES = tests/unit/test_json.c
test_json_CFLAGS = $(TEST_CFLAGS)
test_json_LDADD = $(RESPONDER_TEST_LIBS)
test_kept_SOURCES = tests/unit/test_kept.c
test_kept_CFLAGS = $(TEST_CFLAGS)
test_kept_LDADD = $(RESPONDER_TEST_LIBS)
test_query_SOURCES = tests/unit/test_query.c
test_query_CFLAGS = $(TEST_CFLAGS)
test_query_LDADD = $(RESPONDER_TEST_LIBS)
test_router_SOURCES = tests/unit/test_router.c
test_router_CFLAGS = $(TEST_CFLAGS)
test_router_LDADD = $(RESPONDER_TEST_LIBS)
endif

if FUZZING
FCGI_FUZZ = fuzz_json_body fuzz_json_cut fuzz_multipart fuzz_query
FUZZ_TARGETS += $(FCGI_FUZZ)
noinst_PROGRAMS += $(FCGI_FUZZ)
fuzz_json_cut_SOURCES = tests/fuzz/fuzz_json_cut.c
fuzz_json_cut_CFLAGS = $(TEST_CFLAGS)
fuzz_json_cut_LDFLAGS = $(FUZZER_LINK)
fuzz_json_cut_LDADD = libresponder.a $(COMMON_LIBS) -lm
fuzz_json_body_SOURCES = tests/fuzz/fuzz_json_body.c
fuzz_json_body_CFLAGS = $(TEST_CFLAGS)
fuzz_json_body_LDFLAGS = $(FUZZER_LINK)
fuzz_json_body_LDADD = libresponder.a $(COMMON_LIBS) -lm
fuzz_multipart_SOURCES = tests/fuzz/fuzz_multipart.c
fuzz_multipart_CFLAGS = $(TEST_CFLAGS)
fuzz_multipart_LDFLAGS = $(FUZZER_LINK)
fuzz_multipart_LDADD = libresponder.a $(COMMON_LIBS) -lm
fuzz_query_SOURCES = tests/fuzz/fuzz_query.c
fuzz_query_CFLAGS = $(TEST_CFLAGS)
fuzz_query_LDFLAGS = $(FUZZER_LINK)
fuzz_query_LDADD = libresponder.a $(COMMON_LIBS) -lm
endif

# SPDX-License-Identifier: GPL-3.0-or-later
# common/: what warest.fcgi and warest-sessiond share. Needs json-c, neither OpenSSL nor libcurl.
noinst_LIBRARIES += libcommon.a
PLACES = -DDEFAULT_ENV_FILE=\"$(sysconfdir)/warest/warest.env\" -DDEFAULT_STATE_DIR=\"$(localstatedir)/lib/warest\" \
	-DDEFAULT_SOCKET=\"$(runstatedir)/warest/sessiond.sock\" -DDEFAULT_SPOOL_DIR=\"$(localstatedir)/spool/warest\"
libcommon_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(PLACES)
libcommon_a_SOURCES = \
	common/appcode.c common/appcode.h \
	common/arena.c common/arena.h \
	common/base64.c common/base64.h \
	common/buf.c common/buf.h \
	common/cidr.c common/cidr.h \
	common/config.c common/config.h \
	common/config_check.c common/config_check.h \
	common/envfile.c common/envfile.h \
	common/eventfilter.c common/eventfilter.h \
	common/filetype.c common/filetype.h \
	common/fold.c common/fold.h \
	common/jid.c common/jid.h \
	common/log.c common/log.h \
	common/mem.c common/mem.h \
	common/memfile.c common/memfile.h \
	common/reach.c common/reach.h \
	common/recipient.c common/recipient.h \
	common/rpc.c common/rpc.h \
	common/rpc_client.c common/rpc_client.h \
	common/scope.c common/scope.h \
	common/text.c common/text.h \
	common/timefmt.c common/timefmt.h \
	common/ulid.c common/ulid.h \
	common/utf8.c common/utf8.h \
	common/htmlmeta.c common/htmlmeta.h \
	common/limits.h common/settings.def.h \
	common/zone.c
COMMON_LIBS = libcommon.a $(JSONC_LIBS) -lm

if HAVE_CMOCKA
COMMON_TESTS = test_buf test_config test_envfile test_eventfilter test_filetype test_htmlmeta test_ids test_jid test_log test_reach test_recipient test_rpc test_rpc_client test_text test_timefmt
check_PROGRAMS += $(COMMON_TESTS)
TESTS += $(COMMON_TESTS)

test_buf_SOURCES = tests/unit/test_buf.c
test_buf_CFLAGS = $(TEST_CFLAGS)
test_buf_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_config_SOURCES = tests/unit/test_config.c
test_config_CFLAGS = $(TEST_CFLAGS)
test_config_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_filetype_SOURCES = tests/unit/test_filetype.c
test_filetype_CFLAGS = $(TEST_CFLAGS)
test_filetype_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_envfile_SOURCES = tests/unit/test_envfile.c
test_envfile_CFLAGS = $(TEST_CFLAGS)
test_envfile_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_eventfilter_SOURCES = tests/unit/test_eventfilter.c
test_eventfilter_CFLAGS = $(TEST_CFLAGS)
test_eventfilter_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_jid_SOURCES = tests/unit/test_jid.c
test_jid_CFLAGS = $(TEST_CFLAGS)
test_jid_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_log_SOURCES = tests/unit/test_log.c
test_log_CFLAGS = $(TEST_CFLAGS)
test_log_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_rpc_SOURCES = tests/unit/test_rpc.c
test_rpc_CFLAGS = $(TEST_CFLAGS)
test_rpc_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_rpc_client_SOURCES = tests/unit/test_rpc_client.c
test_rpc_client_CFLAGS = $(TEST_CFLAGS)
test_rpc_client_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_timefmt_SOURCES = tests/unit/test_timefmt.c
test_timefmt_CFLAGS = $(TEST_CFLAGS)
test_timefmt_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_ids_SOURCES = tests/unit/test_ids.c
test_ids_CFLAGS = $(TEST_CFLAGS)
test_ids_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_reach_SOURCES = tests/unit/test_reach.c
test_reach_CFLAGS = $(TEST_CFLAGS)
test_reach_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_recipient_SOURCES = tests/unit/test_recipient.c
test_recipient_CFLAGS = $(TEST_CFLAGS)
test_recipient_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_htmlmeta_SOURCES = tests/unit/test_htmlmeta.c
test_htmlmeta_CFLAGS = $(TEST_CFLAGS)
test_htmlmeta_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
test_text_SOURCES = tests/unit/test_text.c
test_text_CFLAGS = $(TEST_CFLAGS)
test_text_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
COMMON_FUZZ = fuzz_env fuzz_htmlmeta fuzz_reach fuzz_rpc
FUZZ_TARGETS += $(COMMON_FUZZ)
noinst_PROGRAMS += $(COMMON_FUZZ)
fuzz_htmlmeta_SOURCES = tests/fuzz/fuzz_htmlmeta.c
fuzz_htmlmeta_CFLAGS = $(TEST_CFLAGS)
fuzz_htmlmeta_LDFLAGS = $(FUZZER_LINK)
fuzz_htmlmeta_LDADD = $(COMMON_LIBS)
fuzz_env_SOURCES = tests/fuzz/fuzz_env.c
fuzz_env_CFLAGS = $(TEST_CFLAGS)
fuzz_env_LDFLAGS = $(FUZZER_LINK)
fuzz_env_LDADD = $(COMMON_LIBS)
fuzz_reach_SOURCES = tests/fuzz/fuzz_reach.c
fuzz_reach_CFLAGS = $(TEST_CFLAGS)
fuzz_reach_LDFLAGS = $(FUZZER_LINK)
fuzz_reach_LDADD = $(COMMON_LIBS)
fuzz_rpc_SOURCES = tests/fuzz/fuzz_rpc.c
fuzz_rpc_CFLAGS = $(TEST_CFLAGS)
fuzz_rpc_LDFLAGS = $(FUZZER_LINK)
fuzz_rpc_LDADD = $(COMMON_LIBS)
endif

# SPDX-License-Identifier: GPL-3.0-or-later
# common/: what warest.fcgi and warest-sessiond share. Needs json-c, neither OpenSSL nor libcurl.
noinst_LIBRARIES += libcommon.a
libcommon_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
libcommon_a_SOURCES = \
	common/arena.c common/arena.h \
	common/buf.c common/buf.h \
	common/jid.c common/jid.h \
	common/limits.h \
	common/log.c common/log.h \
	common/mem.c common/mem.h \
	common/rpc.c common/rpc.h \
	common/rpc_client.c common/rpc_client.h
COMMON_LIBS = libcommon.a $(JSONC_LIBS)

if HAVE_CMOCKA
COMMON_TESTS = test_buf test_jid test_log test_rpc test_rpc_client
check_PROGRAMS += $(COMMON_TESTS)
TESTS += $(COMMON_TESTS)

test_buf_SOURCES = tests/unit/test_buf.c
test_buf_CFLAGS = $(TEST_CFLAGS)
test_buf_LDADD = $(COMMON_LIBS) $(CMOCKA_LIBS)
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
endif

if FUZZING
FUZZ_TARGETS += fuzz_rpc
noinst_PROGRAMS += fuzz_rpc
fuzz_rpc_SOURCES = tests/fuzz/fuzz_rpc.c
fuzz_rpc_CFLAGS = $(TEST_CFLAGS)
fuzz_rpc_LDFLAGS = $(FUZZER_LINK)
fuzz_rpc_LDADD = $(COMMON_LIBS)
endif

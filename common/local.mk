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
	common/rpc.h
COMMON_LIBS = libcommon.a $(JSONC_LIBS)

if HAVE_CMOCKA
COMMON_TESTS = test_buf test_jid test_log
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
endif

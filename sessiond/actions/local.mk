# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/actions/: see sessiond/actions/actions.h.
noinst_LIBRARIES += libactions.a
libactions_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS)
libactions_a_SOURCES = \
	sessiond/actions/accept.c sessiond/actions/accept.h \
	sessiond/actions/act.c sessiond/actions/act.h \
	sessiond/actions/act_content.c sessiond/actions/act_content.h \
	sessiond/actions/act_control.c \
	sessiond/actions/act_send.c \
	sessiond/actions/actions.c sessiond/actions/actions.h \
	sessiond/actions/plan.c sessiond/actions/plan.h \
	sessiond/actions/run.c sessiond/actions/run.h \
	sessiond/actions/template.c sessiond/actions/template.h

if HAVE_CMOCKA
check_PROGRAMS += test_actions
TESTS += test_actions
test_actions_SOURCES = tests/unit/test_actions.c
test_actions_CFLAGS = $(TEST_CFLAGS) $(JSONC_CFLAGS)
test_actions_LDADD = libactions.a libsessiond.a $(CRYPTO_HELPER_LIBS) $(COMMON_LIBS) $(JSONC_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
FUZZ_TARGETS += fuzz_actions
noinst_PROGRAMS += fuzz_actions
fuzz_actions_SOURCES = tests/fuzz/fuzz_actions.c
fuzz_actions_CFLAGS = $(TEST_CFLAGS) $(JSONC_CFLAGS)
fuzz_actions_LDFLAGS = $(FUZZER_LINK)
fuzz_actions_LDADD = libactions.a libsessiond.a $(CRYPTO_HELPER_LIBS) $(COMMON_LIBS) $(JSONC_LIBS)
endif

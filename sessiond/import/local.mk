# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/import/: sessions of the original become ours. Only in warestctl.
noinst_LIBRARIES += libimport.a
libimport_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
libimport_a_SOURCES = \
	sessiond/import/baileys.c sessiond/import/import.h \
	sessiond/import/bytes.c \
	sessiond/import/command.c sessiond/import/command.h \
	sessiond/import/registry.c sessiond/import/registry.h \
	sessiond/import/session.c

if HAVE_CMOCKA
check_PROGRAMS += test_import
TESTS += test_import
test_import_SOURCES = tests/unit/test_import.c
test_import_CFLAGS = $(TEST_CFLAGS) $(JSONC_CFLAGS) $(SQLITE_CFLAGS)
test_import_LDADD = libimport.a $(SESSION_TEST_LIBS) $(JSONC_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
FUZZ_TARGETS += fuzz_import
noinst_PROGRAMS += fuzz_import
fuzz_import_SOURCES = tests/fuzz/fuzz_import.c
fuzz_import_CFLAGS = $(TEST_CFLAGS) $(JSONC_CFLAGS)
fuzz_import_LDFLAGS = $(FUZZER_LINK)
fuzz_import_LDADD = libimport.a $(SESSION_TEST_LIBS) $(JSONC_LIBS)
endif

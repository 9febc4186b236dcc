# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/storage/: see sessiond/storage/storage.h.
noinst_LIBRARIES += libstorage.a
libstorage_a_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS) $(CRYPTO_CFLAGS) $(JSONC_CFLAGS)
libstorage_a_SOURCES = \
	sessiond/storage/driver.h \
	sessiond/storage/keyring.c sessiond/storage/keyring.h \
	sessiond/storage/legacy.c sessiond/storage/legacy.h \
	sessiond/storage/naming.c sessiond/storage/naming.h \
	sessiond/storage/copy.c \
	sessiond/storage/pump.c \
	sessiond/storage/s3_request.c sessiond/storage/s3_request.h \
	sessiond/storage/s3_sign.c sessiond/storage/s3_sign.h \
	sessiond/storage/s3_xml.c sessiond/storage/s3_xml.h \
	sessiond/storage/sealedfile.c sessiond/storage/sealedfile.h \
	sessiond/storage/signedurl.c sessiond/storage/signedurl.h \
	sessiond/storage/storage.c sessiond/storage/storage.h \
	sessiond/storage/storage_local.c \
	sessiond/storage/storage_s3.c \
	sessiond/storage/sweep.c
STORAGE_LIBS = libstorage.a libsessiond.a $(STORE_LIBS) $(NET_LIBS)

if HAVE_CMOCKA
STORAGE_TESTS = test_storage test_storage_file test_storage_s3
check_PROGRAMS += $(STORAGE_TESTS)
TESTS += $(STORAGE_TESTS)

test_storage_SOURCES = tests/unit/test_storage.c
test_storage_CFLAGS = $(TEST_CFLAGS) $(NET_CFLAGS)
test_storage_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
test_storage_file_SOURCES = tests/unit/test_storage_file.c
test_storage_file_CFLAGS = $(TEST_CFLAGS) $(NET_CFLAGS)
test_storage_file_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
test_storage_s3_SOURCES = tests/unit/test_storage_s3.c
test_storage_s3_CFLAGS = $(TEST_CFLAGS) $(NET_CFLAGS)
test_storage_s3_LDADD = $(STORAGE_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
FUZZ_TARGETS += fuzz_storage
noinst_PROGRAMS += fuzz_storage
fuzz_storage_SOURCES = tests/fuzz/fuzz_storage.c
fuzz_storage_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS)
fuzz_storage_LDADD = $(STORAGE_LIBS)
fuzz_storage_LDFLAGS = $(FUZZER_LINK)
endif

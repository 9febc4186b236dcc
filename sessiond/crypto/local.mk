# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/crypto/: helpers over OpenSSL, see crypto.h.
noinst_LIBRARIES += libcrypto_helpers.a
libcrypto_helpers_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
libcrypto_helpers_a_SOURCES = \
	sessiond/crypto/cipher.c \
	sessiond/crypto/crypto.h \
	sessiond/crypto/digest.c \
	sessiond/crypto/named.c sessiond/crypto/named.h \
	sessiond/crypto/kdf.c \
	sessiond/crypto/mediacipher.c sessiond/crypto/mediacipher.h \
	sessiond/crypto/scratch.c sessiond/crypto/scratch.h \
	sessiond/crypto/seal.c sessiond/crypto/seal.h \
	sessiond/crypto/secretfile.c sessiond/crypto/secretfile.h \
	sessiond/crypto/sha256.c sessiond/crypto/sha256.h \
	sessiond/crypto/text.c
CRYPTO_HELPER_LIBS = libcrypto_helpers.a libcommon.a $(CRYPTO_LIBS)

if HAVE_CMOCKA
CRYPTO_TESTS = test_crypto test_mediacipher test_seal
check_PROGRAMS += $(CRYPTO_TESTS)
TESTS += $(CRYPTO_TESTS)

test_crypto_SOURCES = tests/unit/test_crypto.c
test_crypto_CFLAGS = $(TEST_CFLAGS)
test_crypto_LDADD = $(CRYPTO_HELPER_LIBS) $(CMOCKA_LIBS)
test_mediacipher_SOURCES = tests/unit/test_mediacipher.c tests/unit/vector.h
test_mediacipher_CFLAGS = $(TEST_CFLAGS)
test_mediacipher_LDADD = $(CRYPTO_HELPER_LIBS) $(COMMON_LIBS) $(CMOCKA_LIBS)
test_seal_SOURCES = tests/unit/test_seal.c
test_seal_CFLAGS = $(TEST_CFLAGS)
test_seal_LDADD = $(CRYPTO_HELPER_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
FUZZ_TARGETS += fuzz_mediacipher
noinst_PROGRAMS += fuzz_mediacipher
fuzz_mediacipher_SOURCES = tests/fuzz/fuzz_mediacipher.c
fuzz_mediacipher_CFLAGS = $(TEST_CFLAGS)
fuzz_mediacipher_LDFLAGS = $(FUZZER_LINK)
fuzz_mediacipher_LDADD = $(CRYPTO_HELPER_LIBS)
endif

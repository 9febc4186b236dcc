# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/net/: see sessiond/net/net.h.
noinst_LIBRARIES += libnet.a
NET_CFLAGS = $(UV_CFLAGS) $(CURL_CFLAGS) $(WSLAY_CFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS)
libnet_a_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS)
libnet_a_SOURCES = \
	sessiond/net/guard.c sessiond/net/guard.h \
	sessiond/net/http.c sessiond/net/http.h \
	sessiond/net/httpstream.c sessiond/net/httpstream.h \
	sessiond/net/multi.c sessiond/net/multi.h \
	sessiond/net/names.c sessiond/net/names.h \
	sessiond/net/net.h \
	sessiond/net/stream.c sessiond/net/stream.h \
	sessiond/net/upgrade.c sessiond/net/upgrade.h \
	sessiond/net/version.c sessiond/net/version.h \
	sessiond/net/ws.c sessiond/net/ws.h \
	sessiond/net/ws_end.c sessiond/net/ws_end.h \
	sessiond/net/ws_url.c sessiond/net/ws_url.h
NET_LIBS = libnet.a libcrypto_helpers.a $(COMMON_LIBS) $(CURL_LIBS) $(WSLAY_LIBS) $(UV_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += wsprobe httpprobe
wsprobe_SOURCES = tests/tools/wsprobe.c
wsprobe_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS)
wsprobe_LDADD = $(NET_LIBS)
httpprobe_SOURCES = tests/tools/httpprobe.c
httpprobe_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS)
httpprobe_LDADD = $(NET_LIBS)

EXTRA_DIST += tests/net

if HAVE_CMOCKA
NET_TESTS = test_guard test_names test_upgrade test_version
check_PROGRAMS += $(NET_TESTS)
TESTS += $(NET_TESTS)

test_guard_SOURCES = tests/unit/test_guard.c
test_guard_CFLAGS = $(TEST_CFLAGS)
test_guard_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
test_names_SOURCES = tests/unit/test_names.c
test_names_CFLAGS = $(TEST_CFLAGS)
test_names_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
test_upgrade_SOURCES = tests/unit/test_upgrade.c
test_upgrade_CFLAGS = $(TEST_CFLAGS)
test_upgrade_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
test_version_SOURCES = tests/unit/test_version.c
test_version_CFLAGS = $(TEST_CFLAGS)
test_version_LDADD = $(NET_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
FUZZ_TARGETS += fuzz_upgrade
noinst_PROGRAMS += fuzz_upgrade
fuzz_upgrade_SOURCES = tests/fuzz/fuzz_upgrade.c
fuzz_upgrade_CFLAGS = $(TEST_CFLAGS)
fuzz_upgrade_LDFLAGS = $(FUZZER_LINK)
fuzz_upgrade_LDADD = $(NET_LIBS)
endif

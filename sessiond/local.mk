# SPDX-License-Identifier: GPL-3.0-or-later
# warest-sessiond, warestctl, and what the daemon's folders share.
noinst_LIBRARIES += libsessiond.a
libsessiond_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS)
libsessiond_a_SOURCES = \
	sessiond/async.c sessiond/async.h \
	sessiond/bell.c sessiond/bell.h \
	sessiond/call.c sessiond/call.h \
	sessiond/bytemap.c sessiond/bytemap.h \
	sessiond/crash.c sessiond/crash.h \
	sessiond/daemon.h sessiond/exit.h \
	sessiond/json_text.c sessiond/json_text.h \
	sessiond/libpages.c sessiond/libpages.h \
	sessiond/loop.c sessiond/loop.h \
	sessiond/quiet.c sessiond/quiet.h \
	sessiond/timers.c sessiond/timers.h

sbin_PROGRAMS += warest-sessiond
warest_sessiond_SOURCES = sessiond/main.c
warest_sessiond_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS)
warest_sessiond_LDADD = librpc.a libactions.a libcampaign.a libsession.a libwebhook.a libstorage.a libmedia.a libsessiond.a $(WA_LIBS) $(STORE_LIBS) $(NET_LIBS) $(QRENCODE_LIBS) $(ZLIB_LIBS) -lm

bin_PROGRAMS += warestctl
warestctl_SOURCES = sessiond/warestctl.c sessiond/warestctl.h sessiond/warestctl_access.c sessiond/warestctl_import.c sessiond/session/qrpng.c sessiond/session/qrpng.h
warestctl_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(QRENCODE_CFLAGS) $(ZLIB_CFLAGS)
warestctl_LDADD = libimport.a $(WA_LIBS) $(JSONC_LIBS) $(STORE_LIBS) $(COMMON_LIBS) $(QRENCODE_LIBS) $(ZLIB_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += test_crash test_libpages
TESTS += test_crash test_libpages
test_crash_SOURCES = tests/unit/test_crash.c
test_crash_CFLAGS = $(TEST_CFLAGS)
test_crash_LDADD = libsessiond.a $(COMMON_LIBS) $(CMOCKA_LIBS)
test_libpages_SOURCES = tests/unit/test_libpages.c
test_libpages_CFLAGS = $(TEST_CFLAGS) $(CURL_CFLAGS)
test_libpages_LDADD = libsessiond.a $(COMMON_LIBS) $(CURL_LIBS) $(CMOCKA_LIBS)
endif

# The daemon on a disk that forgets what was not synced (tests/e2e/power-loss.test.js).
check_PROGRAMS += powerlossd
powerlossd_SOURCES = sessiond/main.c tests/tools/powerlossd.c tests/unit/powerloss_vfs.c tests/unit/powerloss_vfs.h
powerlossd_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS) $(SQLITE_CFLAGS)
powerlossd_LDADD = $(warest_sessiond_LDADD)

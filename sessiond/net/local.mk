# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/net/: see sessiond/net/net.h.
noinst_LIBRARIES += libnet.a
NET_CFLAGS = $(UV_CFLAGS) $(CURL_CFLAGS) $(WSLAY_CFLAGS) $(SSL_CFLAGS) $(CRYPTO_CFLAGS)
libnet_a_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS)
libnet_a_SOURCES = \
	sessiond/net/multi.c sessiond/net/multi.h \
	sessiond/net/net.h \
	sessiond/net/stream.c sessiond/net/stream.h \
	sessiond/net/upgrade.c sessiond/net/upgrade.h \
	sessiond/net/ws.c sessiond/net/ws.h \
	sessiond/net/ws_end.c sessiond/net/ws_end.h \
	sessiond/net/ws_url.c sessiond/net/ws_url.h
NET_LIBS = libnet.a $(COMMON_LIBS) $(CURL_LIBS) $(WSLAY_LIBS) $(UV_LIBS) $(SSL_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += wsprobe
wsprobe_SOURCES = tests/tools/wsprobe.c
wsprobe_CFLAGS = $(AM_CFLAGS) $(NET_CFLAGS)
wsprobe_LDADD = $(NET_LIBS)

# SPDX-License-Identifier: GPL-3.0-or-later
# warest.fcgi. Links neither OpenSSL nor libcurl nor a database: it must start in a millisecond and own nothing.
noinst_LIBRARIES += libresponder.a
libresponder_a_CFLAGS = $(AM_CFLAGS)
libresponder_a_SOURCES = \
	fcgi/answer.c fcgi/answer.h \
	fcgi/api_auth.c \
	fcgi/api_docs.c \
	fcgi/api_message.c \
	fcgi/api_server.c \
	fcgi/api_session.c \
	fcgi/api_webhook.c \
	fcgi/body.c \
	fcgi/credentials.c \
	fcgi/daemon.c fcgi/daemon.h \
	fcgi/exchange.h \
	fcgi/exchange_cgi.c \
	fcgi/headers.c fcgi/headers.h \
	fcgi/json.c fcgi/json.h \
	fcgi/json_out.c fcgi/json_out.h \
	fcgi/json_scan.c fcgi/json_scan.h \
	fcgi/multipart.c fcgi/multipart.h \
	fcgi/openapi.c fcgi/openapi.h \
	fcgi/param_kinds.c fcgi/param_kinds.h \
	fcgi/query.c fcgi/query.h \
	fcgi/recipients.c fcgi/recipients.h \
	fcgi/request.c fcgi/request.h \
	fcgi/responder.c fcgi/responder.h \
	fcgi/responder_output.c fcgi/responder_output.h \
	fcgi/route.h \
	fcgi/route_table.c \
	fcgi/router.c \
	fcgi/selector.c \
	fcgi/settings.c fcgi/settings.h \
	fcgi/uri.c fcgi/uri.h \
	fcgi/validate.c fcgi/validate.h \
	fcgi/yaml.c

fcgiprogdir = $(libexecdir)/warest
fcgiprog_PROGRAMS = warest.fcgi
warest_fcgi_CFLAGS = $(AM_CFLAGS) $(FCGI_CFLAGS)
warest_fcgi_SOURCES = \
	fcgi/exchange_fcgi.c \
	fcgi/main.c \
	fcgi/pool.c fcgi/pool.h
warest_fcgi_LDADD = libresponder.a $(COMMON_LIBS) $(FCGI_LIBS) -lm
warest_fcgi_LDFLAGS = $(AM_LDFLAGS) -Wl,--as-needed

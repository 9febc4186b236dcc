# SPDX-License-Identifier: GPL-3.0-or-later
# tests/load/: the benchmark. "make bench" prints its figures as JSON; BENCH_ARGS narrows it (see tests/load/README.md).
LOAD_TOOLS = baseline_signal baseline_tls baseline_post bench_cipher
EXTRA_PROGRAMS += $(LOAD_TOOLS)
CLEANFILES += $(LOAD_TOOLS)

baseline_signal_SOURCES = tests/load/baseline_signal.c tests/load/memory_store.c tests/load/memory_store.h
baseline_signal_CFLAGS = $(AM_CFLAGS) $(SIGNAL_CFLAGS)
baseline_signal_LDADD = $(WA_LIBS)
baseline_tls_SOURCES = tests/load/baseline_tls.c
baseline_tls_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(UV_CFLAGS)
baseline_tls_LDADD = $(CURL_LIBS) $(UV_LIBS)
baseline_post_SOURCES = tests/load/baseline_post.c
baseline_post_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
baseline_post_LDADD = $(CURL_LIBS)
bench_cipher_SOURCES = tests/load/bench_cipher.c
bench_cipher_CFLAGS = $(AM_CFLAGS)
bench_cipher_LDADD = $(WA_LIBS)

BENCH_ARGS =
bench: all $(LOAD_TOOLS) test_rpc_guards
	@cd $(srcdir)/tests && { test -d node_modules || npm ci --silent --no-audit --no-fund >&2; }
	@WAREST_BUILD=$(abs_top_builddir) node $(srcdir)/tests/load/bench.js $(BENCH_ARGS)

# What webhooks cost: deliveries a second, memory, the time from an event and from a message's stanza to its request (tests/load/hooks.js).
BENCH_HOOKS_EVENTS = 100000
BENCH_HOOKS_PARTS = drain,bound,bare,event,road
bench-hooks: all hookprobe baseline_post
	@cd $(srcdir)/tests && { test -d node_modules || npm ci --silent --no-audit --no-fund >&2; }
	@WAREST_BUILD=$(abs_top_builddir) node $(srcdir)/tests/load/hooks.js $(BENCH_HOOKS_EVENTS) $(BENCH_HOOKS_PARTS)

# A long past taken in, whole way and index included, while another session sends texts (tests/load/history.js).
BENCH_HISTORY_MESSAGES = 1000000
BENCH_HISTORY_FILE = 100000
bench_history: all
	@cd $(srcdir)/tests && { test -d node_modules || npm ci --silent --no-audit --no-fund >&2; }
	@WAREST_BUILD=$(abs_top_builddir) node $(srcdir)/tests/load/history.js $(BENCH_HISTORY_MESSAGES) $(BENCH_HISTORY_FILE)

# Big files, transcodes beside texts, groups (tests/load/media.js). Needs ffmpeg and openssl.
BENCH_MEDIA_MB = 2048
BENCH_MEDIA_PARTS = cipher,send,receive,transcode,groups
bench_media: all bench_cipher groupbench
	@cd $(srcdir)/tests && { test -d node_modules || npm ci --silent --no-audit --no-fund >&2; }
	@WAREST_BUILD=$(abs_top_builddir) node $(srcdir)/tests/load/media.js $(BENCH_MEDIA_MB) $(BENCH_MEDIA_PARTS)

# Mixed traffic for a while; both sides must hold the same at the end, and nothing may have grown (see tests/load/soak.js).
SOAK_MINUTES = 30
SOAK_SESSIONS = 50
soak: all
	@cd $(srcdir)/tests && { test -d node_modules || npm ci --silent --no-audit --no-fund >&2; }
	@WAREST_BUILD_DIR=$(abs_top_builddir) SOAK_MINUTES=$(SOAK_MINUTES) SOAK_SESSIONS=$(SOAK_SESSIONS) node $(srcdir)/tests/load/soak.js

.PHONY: bench bench-hooks bench_history bench_media soak

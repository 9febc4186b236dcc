# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/wa/: the WhatsApp protocol as a library without I/O. Its face is wa.h.

# Generated code is compiled without our warnings.
WA_PROTO_C = \
	sessiond/wa/proto/creds.pb-c.c \
	sessiond/wa/proto/handshake.pb-c.c \
	sessiond/wa/proto/pairing.pb-c.c \
	sessiond/wa/proto/payload.pb-c.c
WA_PROTO_H = $(WA_PROTO_C:.c=.h)
EXTRA_DIST += \
	sessiond/wa/proto/creds.proto \
	sessiond/wa/proto/handshake.proto \
	sessiond/wa/proto/pairing.proto \
	sessiond/wa/proto/payload.proto
BUILT_SOURCES += $(WA_PROTO_H)
CLEANFILES += $(WA_PROTO_C) $(WA_PROTO_H)

WA_PROTOC = $(AM_V_GEN)$(MKDIR_P) sessiond/wa/proto && $(PROTOC_C) --proto_path=$(srcdir)/sessiond/wa/proto \
	--c_out=sessiond/wa/proto
sessiond/wa/proto/creds.pb-c.c: $(srcdir)/sessiond/wa/proto/creds.proto
	$(WA_PROTOC) $(srcdir)/sessiond/wa/proto/creds.proto
sessiond/wa/proto/handshake.pb-c.c: $(srcdir)/sessiond/wa/proto/handshake.proto
	$(WA_PROTOC) $(srcdir)/sessiond/wa/proto/handshake.proto
sessiond/wa/proto/pairing.pb-c.c: $(srcdir)/sessiond/wa/proto/pairing.proto
	$(WA_PROTOC) $(srcdir)/sessiond/wa/proto/pairing.proto
sessiond/wa/proto/payload.pb-c.c: $(srcdir)/sessiond/wa/proto/payload.proto
	$(WA_PROTOC) $(srcdir)/sessiond/wa/proto/payload.proto
sessiond/wa/proto/creds.pb-c.h: sessiond/wa/proto/creds.pb-c.c
sessiond/wa/proto/handshake.pb-c.h: sessiond/wa/proto/handshake.pb-c.c
sessiond/wa/proto/pairing.pb-c.h: sessiond/wa/proto/pairing.pb-c.c
sessiond/wa/proto/payload.pb-c.h: sessiond/wa/proto/payload.pb-c.c

noinst_LIBRARIES += libwaproto.a libwa.a
nodist_libwaproto_a_SOURCES = $(WA_PROTO_C) $(WA_PROTO_H)
libwaproto_a_SOURCES =
libwaproto_a_CFLAGS = -std=gnu11 $(MODE_CFLAGS) $(PROTOBUFC_CFLAGS)

libwa_a_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(PROTOBUFC_CFLAGS) $(SIGNAL_CFLAGS) $(ZLIB_CFLAGS)
libwa_a_SOURCES = \
	sessiond/wa/cert.c sessiond/wa/cert.h \
	sessiond/wa/client.c sessiond/wa/client.h \
	sessiond/wa/connection.h \
	sessiond/wa/creds.c sessiond/wa/creds.h \
	sessiond/wa/curve.c sessiond/wa/curve.h \
	sessiond/wa/frame.c sessiond/wa/frame.h \
	sessiond/wa/handshake.c sessiond/wa/handshake.h \
	sessiond/wa/ib.c \
	sessiond/wa/iq.c \
	sessiond/wa/keepalive.c \
	sessiond/wa/login.c \
	sessiond/wa/node.c sessiond/wa/node.h sessiond/wa/node_wire.h \
	sessiond/wa/node_decode.c \
	sessiond/wa/node_encode.c \
	sessiond/wa/noise.c sessiond/wa/noise.h \
	sessiond/wa/notification.c \
	sessiond/wa/pair.c \
	sessiond/wa/paircode.c \
	sessiond/wa/pairing.h \
	sessiond/wa/passkey.c \
	sessiond/wa/payload.c sessiond/wa/payload.h \
	sessiond/wa/prekeys.c \
	sessiond/wa/mex.c \
	sessiond/wa/query.c sessiond/wa/query.h \
	sessiond/wa/proto_scan.c sessiond/wa/proto_scan.h \
	sessiond/wa/serveriq.c \
	sessiond/wa/stanza.c \
	sessiond/wa/streamerror.c \
	sessiond/wa/timer.c \
	sessiond/wa/tokens.c sessiond/wa/tokens.h \
	sessiond/wa/wa.h
# Building this library alone must make the headers first.
$(libwa_a_OBJECTS): $(WA_PROTO_H)

# Messages, receipts and what they stand on.
include sessiond/wa/messages.mk

# What links libwa.a needs, in this order.
WA_LIBS = libwa.a libwaproto.a libcrypto_helpers.a $(COMMON_LIBS) $(PROTOBUFC_LIBS) $(SIGNAL_LIBS) $(ZLIB_LIBS) $(CRYPTO_LIBS)

check_PROGRAMS += wawire
wawire_SOURCES = tests/tools/wawire.c tests/unit/fake_host.c tests/unit/fake_host.h \
	sessiond/session/assertion.c sessiond/session/assertion.h
wawire_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(NET_CFLAGS)
wawire_LDADD = $(WA_LIBS) $(NET_LIBS)
EXTRA_DIST += tests/wa

if HAVE_CMOCKA
WA_TESTS = test_handshake test_node test_pairing test_proto_scan
check_PROGRAMS += $(WA_TESTS)
TESTS += $(WA_TESTS)
test_handshake_SOURCES = tests/unit/test_handshake.c tests/unit/vector.h
test_handshake_CFLAGS = $(TEST_CFLAGS)
test_handshake_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_pairing_SOURCES = tests/unit/test_pairing.c tests/unit/vector.h
test_pairing_CFLAGS = $(TEST_CFLAGS) $(PROTOBUFC_CFLAGS)
test_pairing_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_proto_scan_SOURCES = tests/unit/test_proto_scan.c
test_proto_scan_CFLAGS = $(TEST_CFLAGS) $(PROTOBUFC_CFLAGS)
test_proto_scan_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
test_node_SOURCES = tests/unit/test_node.c
test_node_CFLAGS = $(TEST_CFLAGS) $(JSONC_CFLAGS)
test_node_LDADD = $(WA_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
WA_FUZZ = fuzz_frame fuzz_node fuzz_noise fuzz_proto fuzz_stanza
FUZZ_TARGETS += $(WA_FUZZ)
noinst_PROGRAMS += $(WA_FUZZ)
fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c
fuzz_frame_CFLAGS = $(TEST_CFLAGS)
fuzz_frame_LDFLAGS = $(FUZZER_LINK)
fuzz_frame_LDADD = $(WA_LIBS)
fuzz_node_SOURCES = tests/fuzz/fuzz_node.c
fuzz_node_CFLAGS = $(TEST_CFLAGS)
fuzz_node_LDFLAGS = $(FUZZER_LINK)
fuzz_node_LDADD = $(WA_LIBS)
fuzz_noise_SOURCES = tests/fuzz/fuzz_noise.c
fuzz_noise_CFLAGS = $(TEST_CFLAGS) $(PROTOBUFC_CFLAGS)
fuzz_noise_LDFLAGS = $(FUZZER_LINK)
fuzz_noise_LDADD = $(WA_LIBS)
fuzz_proto_SOURCES = tests/fuzz/fuzz_proto.c
fuzz_proto_CFLAGS = $(TEST_CFLAGS) $(PROTOBUFC_CFLAGS)
fuzz_proto_LDFLAGS = $(FUZZER_LINK)
fuzz_proto_LDADD = $(WA_LIBS)
fuzz_stanza_SOURCES = tests/fuzz/fuzz_stanza.c tests/unit/fake_host.c tests/unit/fake_host.h
fuzz_stanza_CFLAGS = $(TEST_CFLAGS)
fuzz_stanza_LDFLAGS = $(FUZZER_LINK)
fuzz_stanza_LDADD = $(WA_LIBS)
endif

# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/media/: see sessiond/media/media.h. FFmpeg and GraphicsMagick are linked by warest-media only.
MEDIA_PROGRAM_DIR = $(libexecdir)/warest

# The daemon's side.
noinst_LIBRARIES += libmedia.a
libmedia_a_CFLAGS = $(AM_CFLAGS) $(UV_CFLAGS) -DMEDIA_PROGRAM=\"$(MEDIA_PROGRAM_DIR)/warest-media\"
libmedia_a_SOURCES = \
	sessiond/media/client.c \
	sessiond/media/media.h \
	sessiond/media/options.c \
	sessiond/media/wire.c sessiond/media/wire.h

# What runs in the cage.
noinst_LIBRARIES += libmediajob.a
MEDIA_CFLAGS = $(LIBAV_CFLAGS) $(GM_CFLAGS) $(WEBP_CFLAGS)
libmediajob_a_CFLAGS = $(AM_CFLAGS) $(MEDIA_CFLAGS)
libmediajob_a_SOURCES = \
	sessiond/json_text.c sessiond/json_text.h \
	sessiond/media/audio.c \
	sessiond/media/av.c sessiond/media/av.h \
	sessiond/media/avout.c \
	sessiond/media/frames.c \
	sessiond/media/image.c sessiond/media/image.h \
	sessiond/media/job.c sessiond/media/job.h \
	sessiond/media/options.c \
	sessiond/media/prepare.c \
	sessiond/media/sniff.c \
	sessiond/media/sound.c \
	sessiond/media/source.c \
	sessiond/media/sticker.c sessiond/media/sticker.h \
	sessiond/media/video.c \
	sessiond/media/webp.c sessiond/media/webp.h \
	sessiond/media/wire.c sessiond/media/wire.h \
	sessiond/media/work.h
MEDIA_JOB_LIBS = libmediajob.a $(COMMON_LIBS) $(LIBAV_LIBS) $(GM_LIBS) $(WEBP_LIBS) -lm

mediaprogdir = $(MEDIA_PROGRAM_DIR)
mediaprog_PROGRAMS = warest-media
warest_media_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
warest_media_SOURCES = \
	sessiond/media/cage.c sessiond/media/cage.h \
	sessiond/media/worker.c
warest_media_LDADD = $(MEDIA_JOB_LIBS) $(SECCOMP_LIBS)

if HAVE_CMOCKA
check_PROGRAMS += test_media
TESTS += test_media
test_media_SOURCES = tests/unit/test_media.c tests/unit/media_bench.h
test_media_CFLAGS = $(TEST_CFLAGS) $(UV_CFLAGS)
test_media_LDADD = libmedia.a libsessiond.a $(COMMON_LIBS) $(UV_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
MEDIA_FUZZ = fuzz_av fuzz_image fuzz_webp
FUZZ_TARGETS += $(MEDIA_FUZZ)
noinst_PROGRAMS += $(MEDIA_FUZZ)
fuzz_av_SOURCES = tests/fuzz/fuzz_av.c tests/fuzz/media_fuzz.h
fuzz_av_CFLAGS = $(TEST_CFLAGS)
fuzz_av_LDFLAGS = $(FUZZER_LINK)
fuzz_av_LDADD = $(MEDIA_JOB_LIBS)
fuzz_image_SOURCES = tests/fuzz/fuzz_image.c tests/fuzz/media_fuzz.h
fuzz_image_CFLAGS = $(TEST_CFLAGS)
fuzz_image_LDFLAGS = $(FUZZER_LINK)
fuzz_image_LDADD = $(MEDIA_JOB_LIBS)
fuzz_webp_SOURCES = tests/fuzz/fuzz_webp.c tests/fuzz/media_fuzz.h
fuzz_webp_CFLAGS = $(TEST_CFLAGS)
fuzz_webp_LDFLAGS = $(FUZZER_LINK)
fuzz_webp_LDADD = $(MEDIA_JOB_LIBS)
endif

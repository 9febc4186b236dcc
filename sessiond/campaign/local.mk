# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/campaign/: see sessiond/campaign/campaign.h.
noinst_LIBRARIES += libcampaign.a
libcampaign_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS)
libcampaign_a_SOURCES = \
	sessiond/campaign/attach.c \
	sessiond/campaign/campaign.c sessiond/campaign/campaign.h \
	sessiond/campaign/flight.c \
	sessiond/campaign/pace.c sessiond/campaign/pace.h \
	sessiond/campaign/run.c sessiond/campaign/run.h \
	sessiond/campaign/spec.c sessiond/campaign/spec.h \
	sessiond/campaign/tell.c \
	sessiond/campaign/template.c sessiond/campaign/template.h

if HAVE_CMOCKA
check_PROGRAMS += test_campaign
TESTS += test_campaign
test_campaign_SOURCES = tests/unit/test_campaign.c tests/unit/store_fixture.h
test_campaign_CFLAGS = $(TEST_CFLAGS) $(JSONC_CFLAGS) $(UV_CFLAGS)
test_campaign_LDADD = libcampaign.a $(STORE_LIBS) $(COMMON_LIBS) $(JSONC_LIBS) $(CMOCKA_LIBS)
endif

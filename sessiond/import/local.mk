# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/import/: sessions of the original become ours. Only in warestctl.
noinst_LIBRARIES += libimport.a
libimport_a_CFLAGS = $(AM_CFLAGS) $(JSONC_CFLAGS)
libimport_a_SOURCES = \
	sessiond/import/baileys.c sessiond/import/import.h \
	sessiond/import/bytes.c \
	sessiond/import/command.c sessiond/import/command.h \
	sessiond/import/registry.c sessiond/import/registry.h \
	sessiond/import/session.c

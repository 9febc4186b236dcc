# SPDX-License-Identifier: GPL-3.0-or-later
# sessiond/store/: the database, see store.h.
STORE_SQLITE_SQL = sql/sqlite/0001_core.sql sql/sqlite/0002_messaging.sql sql/sqlite/0003_files.sql sql/sqlite/0004_chats.sql sql/sqlite/0005_keys.sql sql/sqlite/0006_webhooks.sql sql/sqlite/0007_message_addressing.sql sql/sqlite/0008_proxy.sql \
	sql/sqlite/0009_campaigns.sql sql/sqlite/0010_actions.sql sql/sqlite/0011_labels.sql sql/sqlite/0012_campaign_files.sql \
	sql/sqlite/0013_receivers.sql sql/sqlite/0014_cookies.sql \
	sql/sqlite/0015_receipts.sql
EXTRA_DIST += $(STORE_SQLITE_SQL) sessiond/store/embed-sql.sh

sessiond/store/migrations_sqlite.c: $(STORE_SQLITE_SQL) sessiond/store/embed-sql.sh
	$(AM_V_GEN)$(MKDIR_P) sessiond/store && cd $(srcdir) && \
	sh sessiond/store/embed-sql.sh sqlite $(STORE_SQLITE_SQL) > $(abs_builddir)/$@.new && \
	mv $(abs_builddir)/$@.new $(abs_builddir)/$@
CLEANFILES += sessiond/store/migrations_sqlite.c

noinst_LIBRARIES += libstore.a
libstore_a_CFLAGS = $(AM_CFLAGS) $(SQLITE_CFLAGS)
libstore_a_SOURCES = \
	sessiond/store/acquaintance.c \
	sessiond/store/actionruns.c sessiond/store/actionruns.h \
	sessiond/store/adopt.c sessiond/store/adopt.h \
	sessiond/store/audit.c \
	sessiond/store/campaigns.c sessiond/store/campaigns.h sessiond/store/campaign_recipients.c \
	sessiond/store/chatlist.c \
	sessiond/store/chats.c sessiond/store/chats.h \
	sessiond/store/cursor.c \
	sessiond/store/db.c sessiond/store/db.h \
	sessiond/store/db_sqlite.c \
	sessiond/store/deliveries.c \
	sessiond/store/eventpage.c \
	sessiond/store/events.c \
	sessiond/store/figures.c \
	sessiond/store/files.c \
	sessiond/store/fence.c sessiond/store/fence.h \
	sessiond/store/gather_vfs.c sessiond/store/gather_vfs.h \
	sessiond/store/grants.c \
	sessiond/store/idempotency.c \
	sessiond/store/identity.c sessiond/store/identity.h \
	sessiond/store/keeper.c \
	sessiond/store/keys.c \
	sessiond/store/labels.c \
	sessiond/store/messagelist.c \
	sessiond/store/messages.c \
	sessiond/store/original.c sessiond/store/original.h \
	sessiond/store/migrate.c sessiond/store/migrations.h \
	sessiond/store/outbox.c \
	sessiond/store/private.h \
	sessiond/store/readers.c \
	sessiond/store/receipts.c sessiond/store/receipts.h \
	sessiond/store/receivers.c \
	sessiond/store/records.c \
	sessiond/store/retention.c \
	sessiond/store/rows.c \
	sessiond/store/search.c \
	sessiond/store/sessions.c \
	sessiond/store/settings.c \
	sessiond/store/store.c sessiond/store/store.h \
	sessiond/store/tx.c \
	sessiond/store/users.c \
	sessiond/store/webhooks.c \
	sessiond/store/writer.c
nodist_libstore_a_SOURCES = sessiond/store/migrations_sqlite.c
STORE_LIBS = libstore.a $(CRYPTO_HELPER_LIBS) $(SQLITE_LIBS) $(PTHREAD_LIBS)

if HAVE_CMOCKA
STORE_TESTS = test_store test_store_chats test_store_eventpage test_store_faults test_store_journal test_store_keys test_store_labels \
	test_store_power
check_PROGRAMS += $(STORE_TESTS)
TESTS += $(STORE_TESTS)

test_store_SOURCES = tests/unit/test_store.c tests/unit/store_fixture.h
test_store_CFLAGS = $(TEST_CFLAGS)
test_store_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
test_store_chats_SOURCES = tests/unit/test_store_chats.c tests/unit/chat_fixture.h tests/unit/store_fixture.h
test_store_chats_CFLAGS = $(TEST_CFLAGS)
test_store_chats_LDADD = $(STORE_LIBS) libcommon.a $(CMOCKA_LIBS)
test_store_eventpage_SOURCES = tests/unit/test_store_eventpage.c tests/unit/store_fixture.h
test_store_eventpage_CFLAGS = $(TEST_CFLAGS)
test_store_eventpage_LDADD = $(STORE_LIBS) libcommon.a $(CMOCKA_LIBS)
test_store_faults_SOURCES = tests/unit/test_store_faults.c tests/unit/powerloss_vfs.c tests/unit/powerloss_vfs.h \
	tests/unit/store_fixture.h
test_store_faults_CFLAGS = $(TEST_CFLAGS) $(SQLITE_CFLAGS)
test_store_faults_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
test_store_journal_SOURCES = tests/unit/test_store_journal.c tests/unit/store_fixture.h
test_store_journal_CFLAGS = $(TEST_CFLAGS)
test_store_journal_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
test_store_keys_SOURCES = tests/unit/test_store_keys.c tests/unit/store_fixture.h
test_store_keys_CFLAGS = $(TEST_CFLAGS)
test_store_keys_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
test_store_labels_SOURCES = tests/unit/test_store_labels.c tests/unit/chat_fixture.h tests/unit/store_fixture.h
test_store_labels_CFLAGS = $(TEST_CFLAGS)
test_store_labels_LDADD = $(STORE_LIBS) libcommon.a $(CMOCKA_LIBS)
test_store_power_SOURCES = tests/unit/test_store_power.c tests/unit/powerloss_vfs.c tests/unit/powerloss_vfs.h \
	tests/unit/store_fixture.h
test_store_power_CFLAGS = $(TEST_CFLAGS) $(SQLITE_CFLAGS)
test_store_power_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
endif

if FUZZING
FUZZ_TARGETS += fuzz_search
noinst_PROGRAMS += fuzz_search
fuzz_search_SOURCES = tests/fuzz/fuzz_search.c
fuzz_search_CFLAGS = $(TEST_CFLAGS)
fuzz_search_LDFLAGS = $(FUZZER_LINK)
fuzz_search_LDADD = $(STORE_LIBS)
endif

EXTRA_PROGRAMS += bench_store bench_chats
bench_chats_SOURCES = tests/load/bench_chats.c
bench_chats_CFLAGS = $(AM_CFLAGS)
bench_chats_LDADD = $(STORE_LIBS)
bench_store_SOURCES = tests/load/bench_store.c
bench_store_CFLAGS = $(AM_CFLAGS)
bench_store_LDADD = $(STORE_LIBS)
CLEANFILES += bench_store bench_chats

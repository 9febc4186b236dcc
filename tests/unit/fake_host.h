/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A host for the protocol library in memory: records, answers that come when the test says so, and everything that left. */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include "sessiond/wa/wa.h"

struct fake_record {
	enum wa_record_kind kind;
	char *name;
	struct buf value;
};

struct fake_answer {
	struct fake_answer *next;
	uint64_t token;
	struct wa_batch *batch; /* of a commit */
	struct wa_key *keys;    /* of a fetch */
	size_t n;
};

struct fake_host {
	struct wa_host host;
	struct fake_record *records;
	size_t nrecords, cap_records;
	struct fake_answer *answers, *last_answer; /* not given yet, oldest first */
	struct wa_event **events;                  /* of stored batches, in order */
	size_t nevents;
	size_t fetched_keys;                       /* how many records were asked for in all */
	size_t commits;                            /* how many batches were stored */
	bool fail_commits, fail_fetches;
	struct buf *sent; /* WebSocket messages */
	size_t nsent;
	size_t volatile_events;
	int closes;
	struct wa_close last_close;
	int64_t wall_ms, mono_ms, timer_ms;
	/* where answers go */
	void (*fetched)(void *to, uint64_t token, const struct span *values, size_t n, bool error);
	void (*committed)(void *to, uint64_t token, bool ok);
	void *to;
};

void fake_host_init(struct fake_host *h);
void fake_host_free(struct fake_host *h);
/* Gives one answer; false if none is due. */
bool fake_host_step(struct fake_host *h);
void fake_host_run(struct fake_host *h);
/* Forgets answers that are due, as a crash would; what was not stored is lost. */
void fake_host_crash(struct fake_host *h);
struct fake_record *fake_host_find(struct fake_host *h, enum wa_record_kind kind, const char *name);
void fake_host_put(struct fake_host *h, enum wa_record_kind kind, const char *name, struct span value);
size_t fake_host_count(const struct fake_host *h, enum wa_record_kind kind);
/* The n-th stored event of a kind, NULL if there are fewer. */
struct wa_event *fake_host_event(const struct fake_host *h, enum wa_event_kind kind, size_t n);
size_t fake_host_events(const struct fake_host *h, enum wa_event_kind kind);

#endif

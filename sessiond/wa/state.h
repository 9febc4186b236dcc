/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records in memory: what operations read before they start, and what they changed until it is stored. The only caller of
 * host->fetch() and host->commit().
 *
 *     struct wa_state ---- table of entries (kind, name) -> value ---- one per client
 *                              ^ pinned by                    ^ pinned by
 *                          struct state_op                commits under way (the overlay)
 *
 * An operation fetches what it needs (asynchronously, unless it is in memory), reads and changes it synchronously, and commits all
 * changes and events as one batch. Its changes are visible to the next operation at once, before they are stored: the ratchet must
 * never step back. There is no undo. When a commit or a fetch fails, the overlay is worth nothing: the failure hook is called once, and
 * nothing is fetched or committed any more until wa_state_reset().
 */
#ifndef WA_STATE_H
#define WA_STATE_H

#include <stdbool.h>

#include "sessiond/wa/wa.h"

struct wa_state;
struct state_entry;
struct state_fetch;

/* cache_bytes: how much may stay in memory beyond what operations and commits hold. on_failure(arg) is called once per failure. */
struct wa_state *wa_state_new(const struct wa_host *host, void *host_ctx, size_t cache_bytes, void (*on_failure)(void *arg),
			      void *arg);
/* Fetches under way are answered with false first, so that their operations can end; other operations must have ended. Commits under
 * way are forgotten: their callbacks are not called (the host answers them to nobody). */
void wa_state_free(struct wa_state *state);
/* Drops everything in memory after a failure, so that a new connection starts from what is stored. Operations must have ended. */
void wa_state_reset(struct wa_state *state);
bool wa_state_failed(const struct wa_state *state);
/*
 * A number for everything that is known of one kind: another one whenever state_op_outdate() was called for it, and in each life of the
 * process. What was derived from many records of a kind stays right as long as the number does.
 */
uint64_t wa_state_version(const struct wa_state *state, enum wa_record_kind kind);
/* Bytes held, for tests and metrics. */
size_t wa_state_bytes(const struct wa_state *state);

/* The host's answers, as in wa.h. */
void wa_state_fetched(struct wa_state *state, uint64_t token, const struct span *values, size_t n, bool error);
void wa_state_committed(struct wa_state *state, uint64_t token, bool ok);

/* ---- one operation ---- */

struct state_op {
	struct wa_state *state;        /* borrowed */
	struct state_entry **pinned;   /* owned list of held entries */
	size_t npinned, cap_pinned;
	struct state_entry **dirty;    /* owned list; entries are held through `pinned` */
	size_t ndirty, cap_dirty;
	struct wa_event **events;      /* owned until the commit */
	size_t nevents, cap_events;
	struct state_fetch *fetch;     /* under way, owned by the state; NULL otherwise */
};

/* ok false: reading failed; the operation must end without effect (the failure hook has been or will be called). */
typedef void state_fetched(void *arg, bool ok);
typedef void state_committed(void *arg, bool ok);

void state_op_init(struct state_op *op, struct wa_state *state);
/* Lets go of everything that was not committed (the changes stay visible in memory only as long as the cache keeps them, so an
 * operation that changed something must commit). A fetch under way is forgotten, its callback is not called. */
void state_op_end(struct state_op *op);
/* Brings n records into memory and holds them until the end of the operation. done is called exactly once, before this returns if
 * all are there already. One fetch at a time per operation. */
void state_op_fetch(struct state_op *op, const struct wa_key *keys, size_t n, state_fetched *done, void *arg);
/* True if the record exists. The value is valid until its next change. A record that was not fetched counts as absent and is a
 * programming error (assert). */
bool state_op_get(struct state_op *op, enum wa_record_kind kind, const char *name, struct span *value);
/* True if this record is in memory, so that state_op_get() may be called. */
bool state_op_has_fetched(const struct state_op *op, enum wa_record_kind kind, const char *name);
void state_op_put(struct state_op *op, enum wa_record_kind kind, const char *name, struct span value);
void state_op_delete(struct state_op *op, enum wa_record_kind kind, const char *name);
/* What was derived from records of this kind is out of date: another wa_state_version(). */
void state_op_outdate(struct state_op *op, enum wa_record_kind kind);
/* Adds an event to the batch; owned by the operation from here on. */
void state_op_event(struct state_op *op, struct wa_event *event);
/* True if there is something to commit. */
bool state_op_changed(const struct state_op *op);
/*
 * Hands changes and events to the host as one batch and starts anew: the operation may go on, fetch, and commit again. done (may be
 * NULL) is called exactly once, in the order of commits, at once with true if nothing has changed and no commit is under way.
 */
void state_op_commit(struct state_op *op, state_committed *done, void *arg);

/* Keys of the fetch list: texts are copied into the list's own memory. */
struct state_keys {
	struct wa_key *keys; /* owned, names too */
	size_t n, cap;
};

void state_keys_add(struct state_keys *keys, enum wa_record_kind kind, const char *name);
void state_keys_free(struct state_keys *keys);

#endif

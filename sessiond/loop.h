/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An event loop with a mailbox: the only way threads of the daemon talk to each other.
 *
 *     any thread -- loop_post(fn, arg) --> [ mailbox ] --> loop thread runs fn(arg), in posting order
 *
 * A loop is run by one thread. What lives on a loop is touched only there.
 */
#ifndef SESSIOND_LOOP_H
#define SESSIOND_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct loop;

/* A loop that nobody runs yet. */
struct loop *loop_new(const char *name);
/* After loop_run() has returned. Frees letters that were not delivered by calling nothing: senders own their arguments then. */
void loop_free(struct loop *loop);
/* Runs in the calling thread until loop_stop(). */
void loop_run(struct loop *loop);
/* Starts a thread that runs the loop; loop_join() waits for its end. 0 or a negative uv error. */
int loop_start_thread(struct loop *loop);
void loop_join(struct loop *loop);
/* Any thread: letters posted before are still delivered, then loop_run() returns. */
void loop_stop(struct loop *loop);
/* Any thread. Runs fn(arg) on the loop's thread, in order of posting. False if the loop has stopped (fn will not run). */
bool loop_post(struct loop *loop, void (*fn)(void *arg), void *arg);
/*
 * A thread that posts many letters: between hold and release (they nest) the receivers sleep on and wake once, at the release. On a
 * loop's own thread this is so anyway: what a turn posts is delivered when the turn is over. Nothing may be waited for in between.
 */
void loop_hold(void);
void loop_release(void);
/* Loop thread: work(arg) runs in the thread pool, then done(arg) on this loop. For PBKDF2, scrypt and the like. */
int loop_offload(struct loop *loop, void (*work)(void *arg), void (*done)(void *arg), void *arg);
/* What one owner has in the thread pool. An owner that may go away before the loop does waits for it. */
struct loop_tasks {
	struct loop *loop; /* borrowed */
	size_t count;
};
/* loop_offload() that counts. */
int loop_tasks_offload(struct loop_tasks *tasks, void (*work)(void *arg), void (*done)(void *arg), void *arg);
/* The loop has stopped: runs it on until all of it, and what that has started, is done. */
void loop_tasks_wait(struct loop_tasks *tasks);
/*
 * A program's last act with loops, after every loop_free(): ends the threads of the pool and waits for them. They hold state of
 * OpenSSL's, which their end gives back; left alone they would end after OpenSSL has cleaned up at exit. Nothing can be offloaded
 * afterwards.
 */
void loop_pool_end(void);
uv_loop_t *loop_uv(struct loop *loop);
/* True on the loop's own thread: for assertions. */
bool loop_is_current(const struct loop *loop);
const char *loop_name(const struct loop *loop);
/* Monotonic milliseconds. */
int64_t loop_now_ms(struct loop *loop);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon's side of the worker: a queue, a child process, a socket.
 *
 *     entry:  [ waiting, in order ] -- room for one more --> [ running ] -- result, death or time --> its own loop, freed there
 *
 * Everything but mediajob_submit(), mediajob_cancel() and the delivery of results happens on the main loop.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/timefmt.h"
#include "sessiond/loop.h"
#include "sessiond/media/cage.h"
#include "sessiond/media/media.h"
#include "sessiond/media/wire.h"

enum {
	/* The parent kills a job whose time is over; a parent that does not is killed itself after this much more. */
	GRACE_MS = 10000,
	WATCH_MS = 1000,
	MAX_IDLE_DEATHS = 3 /* of the worker without one result: it will not work the next time either */
};

struct entry {
	struct entry *next, *prev;
	struct mediajobs *media;
	struct loop *loop;          /* borrowed: the caller's */
	mediajob_done *done;
	void *arg;
	struct wire_job job;        /* input, output of it: owned duplicates, -1 when none */
	int64_t deadline_ms;        /* monotonic; of a running job */
	bool repeated;              /* the worker died under it once */
	struct mediajob_result result;
};

struct list {
	struct entry *first, *last;
	unsigned count;
};

struct mediajobs {
	struct loop *loop;          /* borrowed */
	struct log log;
	char *program;              /* owned */
	unsigned workers, queue;
	int64_t timeout_ms;
	char nice[4];               /* as text */
	bool hooks, stopping, freed;
	struct list waiting, running;
	uv_process_t *process;      /* NULL: none, and the last one's end was seen. Handles are freed when they are closed */
	uv_poll_t *poll;            /* of the socket */
	int socket;                 /* owned; -1: none */
	uv_timer_t watch;
	int open_handles;
	int idle_deaths;
	_Atomic uint64_t tickets;
	_Atomic unsigned waiting_count, running_count;
	_Atomic uint64_t done, failed, starts;
};

static void dispatch(struct mediajobs *media);

/* ---- lists ---- */

static void list_add(struct list *list, struct entry *entry, bool front)
{
	entry->prev = front ? NULL : list->last;
	entry->next = front ? list->first : NULL;
	*(entry->prev ? &entry->prev->next : &list->first) = entry;
	*(entry->next ? &entry->next->prev : &list->last) = entry;
	list->count++;
}

static void list_remove(struct list *list, struct entry *entry)
{
	*(entry->prev ? &entry->prev->next : &list->first) = entry->next;
	*(entry->next ? &entry->next->prev : &list->last) = entry->prev;
	entry->next = entry->prev = NULL;
	list->count--;
}

static struct entry *find_running(struct mediajobs *media, uint64_t ticket)
{
	struct entry *entry = media->running.first;

	while (entry && entry->job.head.ticket != ticket)
		entry = entry->next;
	return entry;
}

static void publish_counts(struct mediajobs *media)
{
	media->waiting_count = media->waiting.count;
	media->running_count = media->running.count;
}

/* ---- results ---- */

static void close_files(struct entry *entry)
{
	if (entry->job.job.input >= 0)
		close(entry->job.job.input);
	if (entry->job.job.output >= 0)
		close(entry->job.job.output);
	entry->job.job.input = entry->job.job.output = -1;
}

static void deliver(void *arg)
{
	struct entry *entry = arg;

	entry->done(entry->arg, &entry->result);
	free(entry);
}

/* The entry is on no list any more. */
static void finish(struct entry *entry)
{
	struct mediajobs *media = entry->media;

	close_files(entry);
	if (entry->result.error)
		media->failed++;
	media->done++;
	publish_counts(media);
	if (!loop_post(entry->loop, deliver, entry))
		free(entry);
}

static void fail(struct entry *entry, int error, const char *why)
{
	entry->result = (struct mediajob_result){ .error = error };
	snprintf(entry->result.why, sizeof entry->result.why, "%s", why);
	finish(entry);
}

static void fail_all(struct mediajobs *media, struct list *list, int error, const char *why)
{
	while (list->first) {
		struct entry *entry = list->first;

		list_remove(list, entry);
		assert(list->first != entry);
		fail(entry, error, why);
	}
	publish_counts(media);
}

/* ---- the worker process ---- */

static void on_closed(uv_handle_t *handle)
{
	struct mediajobs *media = handle->data;

	if (handle != (uv_handle_t *)&media->watch)
		free(handle);
	if (--media->open_handles == 0 && media->freed) {
		free(media->program);
		free(media);
	}
}

static void close_handle(uv_handle_t *handle)
{
	uv_close(handle, on_closed);
}

static void hang_up(struct mediajobs *media)
{
	if (media->poll)
		close_handle((uv_handle_t *)media->poll);
	media->poll = NULL;
	if (media->socket >= 0)
		close(media->socket);
	media->socket = -1;
}

static void take_result(struct mediajobs *media, struct wire_result *message)
{
	struct entry *entry = find_running(media, message->head.ticket);

	if (!entry)
		return;
	media->idle_deaths = 0;
	list_remove(&media->running, entry);
	wire_result_clean(&message->result);
	entry->result = message->result;
	finish(entry);
}

/* Everything that lies in the socket. False: the other end is gone. */
static bool read_results(struct mediajobs *media)
{
	struct wire_result *message = xmalloc(sizeof *message);
	ssize_t n;

	while ((n = wire_receive(media->socket, message, sizeof *message, NULL, MSG_DONTWAIT)) > 0) {
		if (n == (ssize_t)sizeof *message && message->head.magic == WIRE_MAGIC && message->head.type == WIRE_RESULT)
			take_result(media, message);
	}
	free(message);
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct mediajobs *media = poll->data;

	(void)events;
	if (status < 0 || !read_results(media)) {
		hang_up(media);
		if (media->process)
			uv_process_kill(media->process, SIGKILL);
	}
	dispatch(media);
}

/* A job that the worker did not survive gets one more try, unless its input was a stream and is spent. */
static void give_back(struct mediajobs *media)
{
	while (media->running.last) {
		struct entry *entry = media->running.last;
		bool again = !entry->repeated && !media->stopping && lseek(entry->job.job.input, 0, SEEK_CUR) >= 0;

		list_remove(&media->running, entry);
		assert(media->running.last != entry);
		if (again && entry->job.has_output)
			again = ftruncate(entry->job.job.output, 0) == 0;
		entry->repeated = true;
		if (again)
			list_add(&media->waiting, entry, true);
		else
			fail(entry, media->stopping ? MEDIAJOB_E_CANCELLED : MEDIAJOB_E_CRASH, "the media worker ended");
	}
	publish_counts(media);
}

static void on_exit_seen(uv_process_t *process, int64_t status, int term_signal)
{
	struct mediajobs *media = process->data;

	media->process = NULL;
	if (media->socket >= 0)
		read_results(media);
	hang_up(media);
	close_handle((uv_handle_t *)process);
	if (!media->stopping)
		log_warn(&media->log, "media worker ended", LOG_INT("status", status), LOG_INT("signal", term_signal),
			LOG_INT("jobs", media->running.count));
	give_back(media);
	if (++media->idle_deaths >= MAX_IDLE_DEATHS && !media->stopping) {
		media->idle_deaths = 0;
		fail_all(media, &media->waiting, MEDIAJOB_E_WORKER, "the media worker ends without a result");
	}
	dispatch(media);
}

/* The worker sees nothing of our environment. Sanitizers are told how to behave by theirs. */
static void make_environment(char **env)
{
	static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS" };
	size_t n = 0;

	env[n++] = xstrdup("OMP_NUM_THREADS=1");
	for (size_t i = 0; CAGE_SANITIZED && i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);

		if (value)
			env[n++] = xasprintf("%s=%s", names[i], value);
	}
	env[n] = NULL;
}

static int spawn(struct mediajobs *media, int socket)
{
	char *args[] = { media->program, media->nice, media->hooks ? (char *)(uintptr_t) "--hooks" : NULL, NULL };
	char *env[8];
	uv_stdio_container_t stdio[WIRE_SOCKET + 1] = {
		{ .flags = UV_IGNORE }, { .flags = UV_IGNORE }, { .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
		{ .flags = UV_INHERIT_FD, .data.fd = socket },
	};
	uv_process_options_t options = { .exit_cb = on_exit_seen, .file = media->program, .args = args, .env = env,
					 .stdio_count = WIRE_SOCKET + 1, .stdio = stdio };
	int error;

	make_environment(env);
	media->process = xcalloc(1, sizeof *media->process);
	media->process->data = media;
	media->open_handles++;
	error = uv_spawn(loop_uv(media->loop), media->process, &options);
	if (error) {
		close_handle((uv_handle_t *)media->process);
		media->process = NULL;
	}
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	return error;
}

static void start_worker(struct mediajobs *media)
{
	int pair[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		fail_all(media, &media->waiting, MEDIAJOB_E_WORKER, strerror(errno));
		return;
	}
	error = spawn(media, pair[1]);
	close(pair[1]);
	if (error) {
		close(pair[0]);
		log_error(&media->log, "media worker cannot be started", LOG_STR("program", media->program), LOG_STR("reason", uv_strerror(error)));
		fail_all(media, &media->waiting, MEDIAJOB_E_WORKER, uv_strerror(error));
		return;
	}
	media->starts++;
	media->socket = pair[0];
	media->poll = xcalloc(1, sizeof *media->poll);
	media->poll->data = media;
	media->open_handles++;
	if (uv_poll_init(loop_uv(media->loop), media->poll, media->socket))
		abort();
	uv_poll_start(media->poll, UV_READABLE, on_readable);
	log_debug(&media->log, "media worker started", LOG_INT("pid", media->process->pid));
}

/* ---- jobs ---- */

/* A worker that does not keep the time itself hangs: away with it. */
static void on_watch(uv_timer_t *timer)
{
	struct mediajobs *media = timer->data;
	int64_t now_ms = timefmt_monotonic_ms();

	for (struct entry *entry = media->running.first; entry; entry = entry->next) {
		if (now_ms > entry->deadline_ms + GRACE_MS && media->process) {
			log_error(&media->log, "media worker hangs, killing it");
			uv_process_kill(media->process, SIGKILL);
			break;
		}
	}
	if (!media->running.count)
		uv_timer_stop(timer);
}

static bool hand_over(struct mediajobs *media, struct entry *entry)
{
	const int fds[] = { entry->job.job.input, entry->job.job.output };

	if (wire_send(media->socket, &entry->job, sizeof entry->job, fds, entry->job.has_output ? 2 : 1))
		return false;
	entry->deadline_ms = timefmt_monotonic_ms() + entry->job.job.timeout_ms;
	list_remove(&media->waiting, entry);
	list_add(&media->running, entry, false);
	if (!uv_is_active((uv_handle_t *)&media->watch))
		uv_timer_start(&media->watch, on_watch, WATCH_MS, WATCH_MS);
	return true;
}

static void dispatch(struct mediajobs *media)
{
	if (media->stopping)
		return;
	if (media->waiting.count && media->socket < 0 && !media->process)
		start_worker(media);
	while (media->process && media->socket >= 0 && media->waiting.count && media->running.count < media->workers) {
		if (!hand_over(media, media->waiting.first)) {
			/* Its end will be seen. */
			uv_process_kill(media->process, SIGKILL);
			break;
		}
	}
	publish_counts(media);
}

static void enqueue(void *arg)
{
	struct entry *entry = arg;
	struct mediajobs *media = entry->media;

	if (media->stopping)
		fail(entry, MEDIAJOB_E_CANCELLED, "the daemon stops");
	else if (entry->job.job.input < 0 || (entry->job.has_output && entry->job.job.output < 0))
		fail(entry, MEDIAJOB_E_INPUT, "no open file");
	else if (media->waiting.count >= media->queue)
		fail(entry, MEDIAJOB_E_BUSY, "");
	else {
		list_add(&media->waiting, entry, false);
		dispatch(media);
	}
}

uint64_t mediajob_submit(struct mediajobs *media, struct loop *loop, const struct mediajob *job, mediajob_done *done, void *arg)
{
	struct entry *entry = xcalloc(1, sizeof *entry);
	uint64_t ticket = ++media->tickets;

	entry->media = media;
	entry->loop = loop;
	entry->done = done;
	entry->arg = arg;
	entry->job.head = (struct wire_head){ .magic = WIRE_MAGIC, .type = WIRE_JOB, .ticket = ticket };
	entry->job.job = *job;
	entry->job.has_output = job->output >= 0;
	entry->job.job.input = job->input < 0 ? -1 : fcntl(job->input, F_DUPFD_CLOEXEC, 0);
	entry->job.job.output = job->output < 0 ? -1 : fcntl(job->output, F_DUPFD_CLOEXEC, 0);
	if (entry->job.job.timeout_ms <= 0 || entry->job.job.timeout_ms > media->timeout_ms)
		entry->job.job.timeout_ms = media->timeout_ms;
	if (entry->job.job.max_output_bytes <= 0)
		entry->job.job.max_output_bytes = LIMIT_MEDIA_OUTPUT_BYTES;
	if (!loop_post(media->loop, enqueue, entry)) {
		close_files(entry);
		entry->result.error = MEDIAJOB_E_CANCELLED;
		if (!loop_post(loop, deliver, entry))
			free(entry);
	}
	return ticket;
}

struct cancelled {
	struct mediajobs *media;
	uint64_t ticket;
};

static void cancel_here(void *arg)
{
	struct cancelled *cancelled = arg;
	struct mediajobs *media = cancelled->media;
	const struct wire_head head = { .magic = WIRE_MAGIC, .type = WIRE_CANCEL, .ticket = cancelled->ticket };
	struct entry *entry = media->waiting.first;

	while (entry && entry->job.head.ticket != cancelled->ticket)
		entry = entry->next;
	if (entry) {
		list_remove(&media->waiting, entry);
		fail(entry, MEDIAJOB_E_CANCELLED, "");
	} else if (find_running(media, cancelled->ticket) && media->socket >= 0) {
		wire_send(media->socket, &head, sizeof head, NULL, 0);
	}
	free(cancelled);
}

void mediajob_cancel(struct mediajobs *media, uint64_t ticket)
{
	struct cancelled *cancelled = xmalloc(sizeof *cancelled);

	*cancelled = (struct cancelled){ media, ticket };
	if (!loop_post(media->loop, cancel_here, cancelled))
		free(cancelled);
}

/* ---- lifecycle ---- */

struct mediajobs *mediajobs_new(struct loop *loop, const struct log *log, const struct mediajob_settings *settings)
{
	struct mediajobs *media = xcalloc(1, sizeof *media);
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	media->loop = loop;
	media->log = log_named(log, "media");
	media->program = xstrdup(settings->program);
	media->workers = settings->workers ? settings->workers : 1;
	if (cores > 0 && media->workers > (unsigned long)cores)
		media->workers = (unsigned)cores;
	media->queue = settings->queue;
	media->timeout_ms = settings->timeout_ms;
	media->hooks = settings->hooks;
	snprintf(media->nice, sizeof media->nice, "%d", settings->nice < 0 || settings->nice > 19 ? 19 : settings->nice);
	media->socket = -1;
	uv_timer_init(loop_uv(loop), &media->watch);
	media->watch.data = media;
	media->open_handles = 1;
	return media;
}

void mediajobs_stop(struct mediajobs *media)
{
	if (!media || media->stopping)
		return;
	media->stopping = true;
	fail_all(media, &media->waiting, MEDIAJOB_E_CANCELLED, "the daemon stops");
	fail_all(media, &media->running, MEDIAJOB_E_CANCELLED, "the daemon stops");
	/* The worker sees the end of its socket, kills its children and ends. */
	hang_up(media);
}

void mediajobs_free(struct mediajobs **at)
{
	struct mediajobs *media = *at;

	*at = NULL;
	if (!media)
		return;
	mediajobs_stop(media);
	if (media->process) {
		kill(media->process->pid, SIGKILL);
		waitpid(media->process->pid, NULL, 0);
		close_handle((uv_handle_t *)media->process);
		media->process = NULL;
	}
	media->freed = true;
	close_handle((uv_handle_t *)&media->watch);
}

void mediajobs_counts(const struct mediajobs *media, struct mediajob_counts *out)
{
	*out = (struct mediajob_counts){ .waiting = media->waiting_count, .running = media->running_count, .done = media->done,
				      .failed = media->failed, .starts = media->starts };
}

/* ---- places ---- */

int mediajob_scratch(const char *dir)
{
	return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

char *mediajob_find_program(const char *setting)
{
	static const char *const places[] = { "", "/../libexec/warest" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (setting && setting[0])
		return xstrdup(setting);
	self[n < 0 ? 0 : n] = '\0';
	if (strrchr(self, '/'))
		*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char *path = xasprintf("%s%s/warest-media", self, places[i]);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return xstrdup(MEDIA_PROGRAM);
}

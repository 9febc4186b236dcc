/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warest-media: the program that the daemon starts for media jobs. It warms FFmpeg and GraphicsMagick up, then forks one child per
 * job and watches the time; it never looks at a byte of foreign media itself.
 *
 *     daemon -- job, descriptors --> parent -- fork --> child: cage_enter(), job_run(), result into a pipe, end
 *     daemon <-- result ----------- parent <--- pipe --'       (no result: how it died is the result)
 *
 * When the daemon's end of the socket closes, all children are killed and the program ends; when the parent dies, the kernel kills
 * the children (PR_SET_PDEATHSIG).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/timefmt.h"
#include "sessiond/media/cage.h"
#include "sessiond/media/job.h"
#include "sessiond/media/wire.h"

enum { MAX_CHILDREN = 64, NICE = 19, CHILD_INPUT = 0, CHILD_OUTPUT = 1, CHILD_RESULT = 3 };

struct child {
	pid_t pid;              /* 0: free place */
	uint64_t ticket;
	int pipe;               /* owned */
	int64_t deadline_ms;    /* monotonic */
	int killed;             /* enum mediajob_error: why we killed it */
	size_t got;             /* bytes of the result so far */
	struct mediajob_result result;
};

struct worker {
	bool hooks;
	struct child children[MAX_CHILDREN];
};

/* ---- inside a child ---- */

static int arrange_descriptors(int input, int output, int result)
{
	/* High numbers first: the places to fill may be taken by one of them. */
	int in = fcntl(input, F_DUPFD, 16), out = output < 0 ? -1 : fcntl(output, F_DUPFD, 16), pipe = fcntl(result, F_DUPFD, 16);

	if (in < 0 || pipe < 0 || dup2(in, CHILD_INPUT) < 0 || dup2(pipe, CHILD_RESULT) < 0)
		return -1;
	if (output < 0 ? close(CHILD_OUTPUT) && errno != EBADF : dup2(out, CHILD_OUTPUT) < 0)
		return -1;
	if (!CAGE_SANITIZED) {
		int nothing = open("/dev/null", O_WRONLY);

		if (nothing < 0 || dup2(nothing, STDERR_FILENO) < 0)
			return -1;
	}
	return close_range(CHILD_RESULT + 1, ~0U, 0);
}

static void put_result(const struct mediajob_result *result)
{
	const char *p = (const char *)result;

	for (size_t done = 0; done < sizeof *result;) {
		ssize_t n = write(CHILD_RESULT, p + done, sizeof *result - done);

		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

static void refuse(struct mediajob_result *result, int error, const char *why)
{
	result->error = error;
	snprintf(result->why, sizeof result->why, "%s", why);
}

_Noreturn static void be_child(struct wire_job *message, int input, int output, int result_pipe)
{
	static struct mediajob_result result;
	const struct cage cage = { .memory_bytes = LIMIT_MEDIA_MEMORY_BYTES, .output_bytes = message->job.max_output_bytes,
				   .cpu_seconds = message->job.timeout_ms / 1000 + 1 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		_exit(EXIT_FAILURE);
	if (arrange_descriptors(input, message->has_output ? output : -1, result_pipe))
		_exit(EXIT_FAILURE);
	if (cage_enter(&cage))
		refuse(&result, MEDIAJOB_E_WORKER, "the cage cannot be closed");
	else
		job_run(&message->job, CHILD_INPUT, message->has_output ? CHILD_OUTPUT : -1, &result);
	put_result(&result);
	_exit(EXIT_SUCCESS);
}

/* ---- the parent ---- */

static void send_result(uint64_t ticket, const struct mediajob_result *result)
{
	static struct wire_result message;

	message.head = (struct wire_head){ .magic = WIRE_MAGIC, .type = WIRE_RESULT, .ticket = ticket };
	message.result = *result;
	wire_send(WIRE_SOCKET, &message, sizeof message, NULL, 0);
}

static void send_failure(uint64_t ticket, int error, const char *why)
{
	static struct mediajob_result result;

	memset(&result, 0, sizeof result);
	refuse(&result, error, why);
	send_result(ticket, &result);
}

static struct child *free_place(struct worker *worker)
{
	for (int i = 0; i < MAX_CHILDREN; i++)
		if (!worker->children[i].pid)
			return &worker->children[i];
	return NULL;
}

static void start_child(struct worker *worker, struct wire_job *message, const int *fds)
{
	struct child *child = free_place(worker);
	uint64_t ticket = message->head.ticket;
	int pipes[2];

	if (message->job.task == MEDIAJOB_TASK_HOOK && !worker->hooks) {
		send_failure(ticket, MEDIAJOB_E_UNSUPPORTED, "tests only");
		return;
	}
	if (fds[0] < 0 || (message->has_output && fds[1] < 0) || !child || pipe2(pipes, O_CLOEXEC)) {
		send_failure(ticket, MEDIAJOB_E_WORKER, "no descriptors");
		return;
	}
	wire_job_clean(&message->job);
	*child = (struct child){ .ticket = ticket, .pipe = pipes[0], .deadline_ms = timefmt_monotonic_ms() + message->job.timeout_ms };
	child->pid = fork();
	if (child->pid == 0)
		be_child(message, fds[0], fds[1], pipes[1]);
	close(pipes[1]);
	if (child->pid < 0) {
		close(pipes[0]);
		child->pid = 0;
		send_failure(ticket, MEDIAJOB_E_WORKER, "no process");
	}
}

/* How a child ended that left no result. */
static void tell_death(const struct child *child, int status)
{
	char why[64];

	if (child->killed)
		send_failure(child->ticket, child->killed, "");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		send_failure(child->ticket, MEDIAJOB_E_CAGE, "");
	else if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL))
		send_failure(child->ticket, MEDIAJOB_E_TIMEOUT, "");
	else {
		snprintf(why, sizeof why, WIFSIGNALED(status) ? "signal %d" : "status %d", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		send_failure(child->ticket, MEDIAJOB_E_CRASH, why);
	}
}

static void end_child(struct child *child)
{
	int status = 0;

	close(child->pipe);
	/* One that closed its pipe and lives on must not keep us waiting. */
	kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (child->got == sizeof child->result)
		send_result(child->ticket, &child->result);
	else
		tell_death(child, status);
	child->pid = 0;
}

static void read_child(struct child *child)
{
	char extra;
	bool whole = child->got == sizeof child->result;
	ssize_t n = read(child->pipe, whole ? &extra : (char *)&child->result + child->got, whole ? 1 : sizeof child->result - child->got);

	if (n > 0 && !whole)
		child->got += (size_t)n;
	else if (n >= 0 || errno != EINTR)
		end_child(child);
}

static void kill_child(struct child *child, int error)
{
	child->killed = child->killed ? child->killed : error;
	kill(child->pid, SIGKILL);
}

static void take_message(struct worker *worker)
{
	static struct wire_job message;
	int fds[2];
	ssize_t n = wire_receive(WIRE_SOCKET, &message, sizeof message, fds, 0);

	if (n <= 0) {
		for (int i = 0; i < MAX_CHILDREN; i++)
			if (worker->children[i].pid)
				kill(worker->children[i].pid, SIGKILL);
		_exit(EXIT_SUCCESS);
	}
	if (n == (ssize_t)sizeof message && message.head.magic == WIRE_MAGIC && message.head.type == WIRE_JOB)
		start_child(worker, &message, fds);
	for (int i = 0; n >= (ssize_t)sizeof message.head && message.head.type == WIRE_CANCEL && i < MAX_CHILDREN; i++)
		if (worker->children[i].pid && worker->children[i].ticket == message.head.ticket)
			kill_child(&worker->children[i], MEDIAJOB_E_CANCELLED);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* Milliseconds until the next child is due; -1 without children. */
static int kill_late(struct worker *worker)
{
	int64_t now_ms = timefmt_monotonic_ms(), wait_ms = -1;

	for (int i = 0; i < MAX_CHILDREN; i++) {
		struct child *child = &worker->children[i];
		int64_t left = child->deadline_ms - now_ms;

		if (!child->pid || child->killed)
			continue;
		if (left <= 0)
			kill_child(child, MEDIAJOB_E_TIMEOUT);
		else if (wait_ms < 0 || left < wait_ms)
			wait_ms = left;
	}
	return wait_ms > 60000 ? 60000 : (int)wait_ms;
}

_Noreturn static void serve(struct worker *worker)
{
	struct pollfd fds[MAX_CHILDREN + 1];
	struct child *of[MAX_CHILDREN + 1];

	for (;;) {
		nfds_t n = 1;
		int wait_ms = kill_late(worker);

		fds[0] = (struct pollfd){ .fd = WIRE_SOCKET, .events = POLLIN };
		for (int i = 0; i < MAX_CHILDREN; i++) {
			if (worker->children[i].pid) {
				of[n] = &worker->children[i];
				fds[n++] = (struct pollfd){ .fd = worker->children[i].pipe, .events = POLLIN };
			}
		}
		if (poll(fds, n, wait_ms) <= 0)
			continue;
		for (nfds_t i = 1; i < n; i++)
			if (fds[i].revents)
				read_child(of[i]);
		if (fds[0].revents)
			take_message(worker);
	}
}

/* Whoever must go first when memory is short. */
static void offer_to_oom(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (write(fd, "800", 3) < 0)
			errno = 0;
		close(fd);
	}
}

int main(int argc, char **argv)
{
	static struct worker worker;
	int type = 0;
	socklen_t size = sizeof type;

	if (getsockopt(WIRE_SOCKET, SOL_SOCKET, SO_TYPE, &type, &size) || type != SOCK_SEQPACKET) {
		fputs("warest-media is started by warest-sessiond\n", stderr);
		return EXIT_FAILURE;
	}
	worker.hooks = argc > 2 && !strcmp(argv[2], "--hooks");
	fcntl(WIRE_SOCKET, F_SETFD, FD_CLOEXEC);
	close_range(WIRE_SOCKET + 1, ~0U, 0);
	if (setpriority(PRIO_PROCESS, 0, argc > 1 ? (int)strtol(argv[1], NULL, 10) : NICE) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return EXIT_FAILURE;
	offer_to_oom();
	signal(SIGPIPE, SIG_IGN);
	/* The daemon says when to end. A terminal's ^C reaches us too and is not for us. */
	signal(SIGINT, SIG_IGN);
	job_warm_up();
	serve(&worker);
}

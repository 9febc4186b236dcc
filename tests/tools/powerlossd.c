/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warest-sessiond on a disk that forgets. Linked with the daemon's main(); SIGUSR1 takes the power away within the next disk
 * operations: POWERLOSS_FOLDER gets the database files as the disk held them, and the process is gone as after kill -9.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/powerloss_vfs.h"

enum { OPERATIONS = 60 };

static void die(void)
{
	powerloss_restore(getenv("POWERLOSS_FOLDER"));
	kill(getpid(), SIGKILL);
}

static void *wait_for_signal(void *arg)
{
	const struct timespec moment = { 0, 300000000 };
	sigset_t *set = arg;
	int signal_number;

	sigwait(set, &signal_number);
	powerloss_cut_after(1 + (uint64_t)clock() % OPERATIONS);
	/* An idle daemon writes nothing: then the power goes between operations. */
	nanosleep(&moment, NULL);
	powerloss_cut_now();
	return NULL;
}

/* Before main(): every thread of the daemon inherits the blocked signal, every connection gets the VFS. */
__attribute__((constructor)) static void begin(void)
{
	static sigset_t set;
	const char *seed = getenv("POWERLOSS_SEED");
	pthread_t thread;

	if (getenv("POWERLOSS_FOLDER") == NULL)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	powerloss_start(seed == NULL ? 1 : (unsigned)strtoul(seed, NULL, 10));
	powerloss_use_always();
	powerloss_on_cut(die);
	pthread_create(&thread, NULL, wait_for_signal, &set);
	pthread_detach(thread);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rlimits and seccomp, see cage.h. */
#include "sessiond/media/cage.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* What computing on descriptors needs. */
static const int allowed[] = {
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
	SCMP_SYS(ftruncate), SCMP_SYS(fstat), SCMP_SYS(close), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(sysinfo),
	SCMP_SYS(uname), SCMP_SYS(getcpu),
};

/* What libraries ask for and can do without. */
static const int refused[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(creat), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(chmod), SCMP_SYS(fchmodat),
	SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(truncate), SCMP_SYS(utimensat), SCMP_SYS(getcwd), SCMP_SYS(chdir),
	SCMP_SYS(ioctl), SCMP_SYS(fcntl), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(membarrier),
};

/* Architectures lack some of the old calls: libseccomp names those by negative pseudo numbers and skips them. */
static int add_all(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int error = seccomp_rule_add(ctx, action, calls[i], 0);

		if (error && error != -EDOM)
			return error;
	}
	return 0;
}

/* Memory, but none that could be executed. */
static int add_memory(scmp_filter_ctx ctx)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int error = 0;

	for (size_t i = 0; !error && i < sizeof calls / sizeof *calls; i++) {
		error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (!error)
			error = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), calls[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	}
	return error;
}

static int filter_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error = ctx ? 0 : -ENOMEM;

	if (!error)
		error = add_all(ctx, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof *allowed);
	if (!error)
		error = add_all(ctx, SCMP_ACT_ERRNO(EACCES), refused, sizeof refused / sizeof *refused);
	if (!error)
		error = add_memory(ctx);
	/* abort() */
	if (!error)
		error = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	if (!error)
		error = seccomp_load(ctx);
	seccomp_release(ctx);
	errno = -error;
	return error ? -1 : 0;
}

/* Bytes of address space in use; 0 if unknown. */
static int64_t mapped_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	char line[64] = "";
	int64_t pages = f && fgets(line, sizeof line, f) ? strtoll(line, NULL, 10) : 0;

	if (f)
		fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static int set_limit(__rlimit_resource_t which, int64_t value)
{
	const struct rlimit limit = { .rlim_cur = (rlim_t)value, .rlim_max = (rlim_t)value };

	return setrlimit(which, &limit);
}

static int set_limits(const struct cage *cage)
{
	enum { DESCRIPTORS = 4 };

	if (!CAGE_SANITIZED && set_limit(RLIMIT_AS, mapped_bytes() + cage->memory_bytes))
		return -1;
	if (set_limit(RLIMIT_CPU, cage->cpu_seconds) || set_limit(RLIMIT_CORE, 0) || set_limit(RLIMIT_MEMLOCK, 0))
		return -1;
	if (!CAGE_SANITIZED && (set_limit(RLIMIT_NOFILE, DESCRIPTORS) || set_limit(RLIMIT_NPROC, 0)))
		return -1;
	return set_limit(RLIMIT_FSIZE, cage->output_bytes);
}

int cage_enter(const struct cage *cage)
{
	/* A file that may grow no more is an error of that write, not a death. */
	signal(SIGXFSZ, SIG_IGN);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || set_limits(cage))
		return -1;
	return CAGE_SANITIZED ? 0 : filter_calls();
}

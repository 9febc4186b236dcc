/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preloaded into the daemon by tests: the wall clock is off by the milliseconds that stand, as decimal text, in the file that CLOCK_SHIM
 * names. The monotonic clock is left alone, as it is when an administrator or NTP sets the time.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

typedef int clock_function(clockid_t clock, struct timespec *now);

static int64_t offset_ms(void)
{
	const char *name = getenv("CLOCK_SHIM");
	char text[32] = "";
	int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof text - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strtoll(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	void *symbol = dlsym(RTLD_NEXT, "clock_gettime");
	clock_function *next;
	int64_t ms;
	int status;

	memcpy(&next, &symbol, sizeof next);
	status = next(clock, now);
	if (status != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
		return status;
	ms = (int64_t)now->tv_sec * 1000 + now->tv_nsec / 1000000 + offset_ms();
	now->tv_sec = (time_t)(ms / 1000);
	now->tv_nsec = (long)(ms % 1000) * 1000000 + now->tv_nsec % 1000000;
	return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec exact;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &exact) != 0)
		return -1;
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec exact;

	if (clock_gettime(CLOCK_REALTIME, &exact) != 0)
		return (time_t)-1;
	if (out != NULL)
		*out = exact.tv_sec;
	return exact.tv_sec;
}

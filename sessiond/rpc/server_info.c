/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Regular samples of host figures. */
#include "sessiond/rpc/server_info.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/rpc/sysinfo.h"
#include "sessiond/timers.h"

struct server_info {
	struct daemon *daemon;       /* borrowed */
	struct cpu_history *history; /* owned */
	struct timer timer;
	struct sysinfo_io last;
	int64_t last_ms;
	double read_mbps, write_mbps;
};

static void sample(void *arg)
{
	struct server_info *info = arg;
	struct sysinfo_io io;
	int64_t now_ms = timefmt_monotonic_ms();

	cpu_history_sample(info->history, timefmt_now_ms());
	if (sysinfo_io(&io)) {
		if (info->last_ms && now_ms > info->last_ms && io.read_bytes >= info->last.read_bytes && io.written_bytes >= info->last.written_bytes) {
			double seconds = (double)(now_ms - info->last_ms) / 1000.0;

			info->read_mbps = (double)(io.read_bytes - info->last.read_bytes) / 1048576.0 / seconds;
			info->write_mbps = (double)(io.written_bytes - info->last.written_bytes) / 1048576.0 / seconds;
		}
		info->last = io;
		info->last_ms = now_ms;
	}
	timer_start(info->daemon->timers, &info->timer, now_ms + CPU_SAMPLE_MS, sample, info);
}

struct server_info *server_info_new(struct daemon *daemon)
{
	struct server_info *info = xcalloc(1, sizeof *info);

	info->daemon = daemon;
	info->history = cpu_history_new();
	sample(info);
	return info;
}

void server_info_free(struct server_info *info)
{
	if (!info)
		return;
	timer_stop(info->daemon->timers, &info->timer);
	cpu_history_free(info->history);
	free(info);
}

const struct cpu_history *server_info_cpu(const struct server_info *info)
{
	return info->history;
}

struct json_object *server_info_io(const struct server_info *info)
{
	struct json_object *o = json_object_new_object();
	char text[32];

	snprintf(text, sizeof text, "%.2f", info->read_mbps);
	json_object_object_add(o, "readMBps", json_object_new_double_s(info->read_mbps, text));
	snprintf(text, sizeof text, "%.2f", info->write_mbps);
	json_object_object_add(o, "writeMBps", json_object_new_double_s(info->write_mbps, text));
	return o;
}

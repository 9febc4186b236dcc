/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the host and this process look like, for server/info, and the history
 * of CPU use. Reads /proc; blocks for microseconds only. */
#ifndef WAREST_SESSIOND_RPC_SYSINFO_H
#define WAREST_SESSIOND_RPC_SYSINFO_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/* "2 days, 3 hours, 4 minutes": at most three units, "0 seconds" for nothing. */
void sysinfo_duration(int64_t seconds, char *out, size_t out_size);

/* Seconds since the host started, -1 if unknown. */
int64_t sysinfo_host_uptime_s(void);

/* Adds to result: system, cpu, memory, process, disk, loadAverage,
 * temperature and ioStats, in the contract's order, shaped like the original's (rest-a section 4).
 * process_uptime_s is this process's age. */
void sysinfo_add_platform(struct json_object *result);
void sysinfo_add_process(struct json_object *result, int64_t process_uptime_s);
void sysinfo_add_devices(struct json_object *result);

/* Bytes read and written by block devices since the host started. */
struct sysinfo_io {
    uint64_t read_bytes;
    uint64_t written_bytes;
};
bool sysinfo_io(struct sysinfo_io *io);

struct cpu_history;

/* History of the host's CPU use: a sample every 15 s, kept 30 days. */
struct cpu_history *cpu_history_new(void);
void cpu_history_free(struct cpu_history *history);

/* Takes a sample at wall_ms; call it every CPU_SAMPLE_MS. */
enum { CPU_SAMPLE_MS = 15000 };
void cpu_history_sample(struct cpu_history *history, int64_t wall_ms);

/* The samples of the last period_ms in buckets of interval_ms:
 * {data:[{timestamp,usagePercent}], averageUsagePercent, maxUsagePercent}
 * as members added to result. Returns the number of buckets. */
size_t cpu_history_add(const struct cpu_history *history, int64_t period_ms, int64_t interval_ms,
                       int64_t wall_ms, struct json_object *result);

#endif

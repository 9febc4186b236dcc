/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host and process figures out of /proc and /sys. */
#include "sessiond/rpc/sysinfo.h"

#include <ctype.h>
#include <dirent.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/mem.h"

enum {
	HISTORY_MAX = 30 * 24 * 3600 / (CPU_SAMPLE_MS / 1000),
	HISTORY_FIRST = 256,
	MAX_MOUNTS = 64,
	MAX_SENSORS = 32
};

#define MIB (1024.0 * 1024.0)

static double round2(double v)
{
	return (double)(int64_t)(v * 100.0 + (v < 0 ? -0.5 : 0.5)) / 100.0;
}

/* A number printed with at most two decimals, as the original's JSON has it. */
static struct json_object *json_number(double v)
{
	char text[48];
	double r = round2(v);

	snprintf(text, sizeof text, "%.2f", r);
	size_t len = strlen(text);
	while (len > 0 && text[len - 1] == '0')
		text[--len] = '\0';
	if (len > 0 && text[len - 1] == '.')
		text[--len] = '\0';
	return json_object_new_double_s(r, text);
}

static void add(struct json_object *o, const char *name, double v)
{
	json_object_object_add(o, name, json_number(v));
}

static void add_text(struct json_object *o, const char *name, const char *v)
{
	json_object_object_add(o, name, json_object_new_string(v));
}

static void add_int(struct json_object *o, const char *name, int64_t v)
{
	json_object_object_add(o, name, json_object_new_int64(v));
}

/* Reads a small file whole; returns its length, 0 if it is not there. */
static size_t slurp(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;

	if (f != NULL) {
		n = fread(out, 1, size - 1, f);
		fclose(f);
	}
	out[n] = '\0';
	return n;
}

/* The number behind "name" at the start of a line, or -1. */
static int64_t number_after(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n' ? 1 : 0;
		if (strncmp(line, name, len) == 0)
			return strtoll(line + len, NULL, 10);
		if (*line == '\0')
			break;
	}
	return -1;
}

void sysinfo_duration(int64_t seconds, char *out, size_t out_size)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	size_t at = 0;
	int shown = 0;

	for (size_t i = 0; i < sizeof units / sizeof *units && shown < 3; i++) {
		int64_t n = seconds / units[i].seconds;
		if (n <= 0)
			continue;
		seconds -= n * units[i].seconds;
		int w = snprintf(out + at, out_size - at, "%s%lld %s%s", shown > 0 ? ", " : "", (long long)n, units[i].name, n == 1 ? "" : "s");
		if (w < 0 || (size_t)w >= out_size - at)
			return;
		at += (size_t)w;
		shown++;
	}
	if (shown == 0)
		snprintf(out, out_size, "0 seconds");
}

int64_t sysinfo_host_uptime_s(void)
{
	char text[64];

	if (slurp("/proc/uptime", text, sizeof text) == 0)
		return -1;
	return strtoll(text, NULL, 10);
}

static const char *node_arch(const char *machine)
{
	static const struct {
		const char *machine, *arch;
	} names[] = { { "x86_64", "x64" }, { "aarch64", "arm64" }, { "armv7l", "arm" }, { "i686", "ia32" } };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(machine, names[i].machine) == 0)
			return names[i].arch;
	}
	return machine;
}

static void cpu_model(char *out, size_t size, double *mhz)
{
	char text[4096];
	const char *model = NULL;
	const char *speed = NULL;

	snprintf(out, size, "unknown");
	*mhz = 0;
	if (slurp("/proc/cpuinfo", text, sizeof text) == 0)
		return;
	speed = strstr(text, "cpu MHz");
	speed = speed != NULL ? strchr(speed, ':') : NULL;
	if (speed != NULL)
		*mhz = strtod(speed + 1, NULL);
	model = strstr(text, "model name");
	model = model != NULL ? strchr(model, ':') : NULL;
	if (model != NULL) {
		model += strspn(model, ": \t");
		snprintf(out, size, "%.*s", (int)strcspn(model, "\n"), model);
	}
}

static void memory_figures(int64_t *total_kb, int64_t *free_kb)
{
	char text[4096];

	slurp("/proc/meminfo", text, sizeof text);
	*total_kb = number_after(text, "MemTotal:");
	*free_kb = number_after(text, "MemAvailable:");
	if (*total_kb <= 0)
		*total_kb = 1;
	if (*free_kb < 0)
		*free_kb = 0;
}

void sysinfo_add_platform(struct json_object *result)
{
	struct json_object *system_o = json_object_new_object();
	struct json_object *cpu = json_object_new_object();
	struct json_object *memory = json_object_new_object();
	struct utsname name = { 0 };
	char model[256];
	double mhz = 0;
	int64_t total_kb = 0;
	int64_t free_kb = 0;

	uname(&name);
	add_text(system_o, "hostname", name.nodename);
	add_text(system_o, "platform", "linux");
	add_text(system_o, "arch", node_arch(name.machine));
	add_text(system_o, "release", name.release);
	json_object_object_add(result, "system", system_o);
	cpu_model(model, sizeof model, &mhz);
	add_text(cpu, "model", model);
	add_int(cpu, "cores", sysconf(_SC_NPROCESSORS_ONLN));
	add_int(cpu, "speedMHz", (int64_t)(mhz + 0.5));
	json_object_object_add(result, "cpu", cpu);
	memory_figures(&total_kb, &free_kb);
	add(memory, "totalMB", (double)total_kb / 1024.0);
	add(memory, "freeMB", (double)free_kb / 1024.0);
	add(memory, "usedMB", (double)(total_kb - free_kb) / 1024.0);
	add(memory, "usagePercent", (double)(total_kb - free_kb) * 100.0 / (double)total_kb);
	json_object_object_add(result, "memory", memory);
}

static double rss_bytes(void)
{
	char text[128];
	char *end = NULL;

	if (slurp("/proc/self/statm", text, sizeof text) == 0)
		return 0;
	(void)strtoull(text, &end, 10);
	return (double)strtoull(end, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

void sysinfo_add_process(struct json_object *result, int64_t process_uptime_s)
{
	struct json_object *process = json_object_new_object();
	struct json_object *memory = json_object_new_object();
	struct json_object *cpu = json_object_new_object();
	struct rusage usage = { 0 };
	double user_ms, system_ms, wall_ms, rss = rss_bytes();
	int64_t total_kb = 0;
	int64_t free_kb = 0;
	char age[96];

	sysinfo_duration(process_uptime_s, age, sizeof age);
	add_int(process, "pid", getpid());
	/* The key is the original's; the value names what runs here. */
	add_text(process, "nodeVersion", "C11 (" __VERSION__ ")");
	add_int(process, "uptimeSeconds", process_uptime_s);
	add_text(process, "uptimeDays", age);
	memory_figures(&total_kb, &free_kb);
	add(memory, "rssMB", rss / MIB);
	add(memory, "heapTotalMB", 0);
	add(memory, "heapUsedMB", 0);
	add(memory, "externalMB", 0);
	add(memory, "arrayBuffersMB", 0);
	add(memory, "memoryUsagePercent", rss * 100.0 / ((double)total_kb * 1024.0));
	json_object_object_add(process, "memory", memory);
	getrusage(RUSAGE_SELF, &usage);
	user_ms = (double)usage.ru_utime.tv_sec * 1000.0 + (double)usage.ru_utime.tv_usec / 1000.0;
	system_ms = (double)usage.ru_stime.tv_sec * 1000.0 + (double)usage.ru_stime.tv_usec / 1000.0;
	wall_ms = (double)process_uptime_s * 1000.0;
	if (wall_ms < user_ms + system_ms)
		wall_ms = user_ms + system_ms;
	add(cpu, "userMs", user_ms);
	add(cpu, "systemMs", system_ms);
	add(cpu, "idleMs", wall_ms - user_ms - system_ms);
	add(cpu, "cpuUsagePercent", wall_ms > 0 ? (user_ms + system_ms) * 100.0 / wall_ms : 0);
	json_object_object_add(process, "cpu", cpu);
	json_object_object_add(result, "process", process);
}

/* A dead file server would hold the loop in statvfs for minutes. */
static bool is_remote(const char *type)
{
	static const char *const types[] = { "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "autofs" };

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (strcmp(type, types[i]) == 0)
			return true;
	}
	return strncmp(type, "fuse", 4) == 0;
}

static struct json_object *disks(void)
{
	struct json_object *list = json_object_new_array();
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent entry;
	char text[4096];

	if (mounts == NULL)
		return list;
	while (getmntent_r(mounts, &entry, text, sizeof text) != NULL && json_object_array_length(list) < MAX_MOUNTS) {
		struct statvfs fs;
		if (is_remote(entry.mnt_type) || statvfs(entry.mnt_dir, &fs) != 0 || fs.f_blocks == 0)
			continue;
		double unit = (double)fs.f_frsize / MIB;
		double used = (double)(fs.f_blocks - fs.f_bfree) * unit;
		double left = (double)fs.f_bavail * unit;
		struct json_object *disk = json_object_new_object();
		add_text(disk, "mountPoint", entry.mnt_dir);
		add_text(disk, "filesystem", entry.mnt_fsname);
		add(disk, "totalMB", (double)fs.f_blocks * unit);
		add(disk, "usedMB", used);
		add(disk, "freeMB", left);
		add(disk, "usagePercent", used + left > 0 ? used * 100.0 / (used + left) : 0);
		json_object_array_add(list, disk);
	}
	endmntent(mounts);
	return list;
}

static struct json_object *temperatures(void)
{
	struct json_object *list = json_object_new_array();
	DIR *dir = opendir("/sys/class/thermal");
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL && json_object_array_length(list) < MAX_SENSORS) {
		char path[512];
		char type[64];
		char value[32];
		if (strncmp(entry->d_name, "thermal_zone", 12) != 0)
			continue;
		snprintf(path, sizeof path, "/sys/class/thermal/%s/type", entry->d_name);
		slurp(path, type, sizeof type);
		snprintf(path, sizeof path, "/sys/class/thermal/%s/temp", entry->d_name);
		if (slurp(path, value, sizeof value) == 0)
			continue;
		type[strcspn(type, "\n")] = '\0';
		struct json_object *sensor = json_object_new_object();
		add_text(sensor, "sensor", type);
		add(sensor, "celsius", strtod(value, NULL) / 1000.0);
		json_object_array_add(list, sensor);
	}
	if (dir != NULL)
		closedir(dir);
	return list;
}

void sysinfo_add_devices(struct json_object *result)
{
	struct json_object *load = json_object_new_array();
	double loads[3] = { 0, 0, 0 };

	json_object_object_add(result, "disk", disks());
	if (getloadavg(loads, 3) != 3)
		loads[0] = loads[1] = loads[2] = 0;
	for (int i = 0; i < 3; i++)
		json_object_array_add(load, json_number(loads[i]));
	json_object_object_add(result, "loadAverage", load);
	json_object_object_add(result, "temperature", temperatures());
}

/* The n-th word of a line, from 0; its length in *len, 0 if there are fewer. */
static const char *word(const char *line, int n, size_t *len)
{
	line += strspn(line, " ");
	for (int i = 0; i < n; i++) {
		line += strcspn(line, " \n");
		line += strspn(line, " \n");
	}
	*len = strcspn(line, " \n");
	return line;
}

bool sysinfo_io(struct sysinfo_io *io)
{
	FILE *f = fopen("/proc/diskstats", "re");
	char line[512];

	*io = (struct sysinfo_io){ 0, 0 };
	if (f == NULL)
		return false;
	while (fgets(line, sizeof line, f) != NULL) {
		char sys_path[128];
		size_t name_len;
		size_t number_len;
		const char *name = word(line, 2, &name_len);
		const char *sectors_read = word(line, 5, &number_len);
		const char *sectors_written = word(line, 9, &number_len);
		if (name_len == 0 || name_len > 64 || number_len == 0)
			continue;
		/* Whole disks only: partitions would count twice. */
		snprintf(sys_path, sizeof sys_path, "/sys/block/%.*s", (int)name_len, name);
		if (strncmp(name, "loop", 4) == 0 || strncmp(name, "ram", 3) == 0 || access(sys_path, F_OK) != 0)
			continue;
		io->read_bytes += strtoull(sectors_read, NULL, 10) * 512;
		io->written_bytes += strtoull(sectors_written, NULL, 10) * 512;
	}
	fclose(f);
	return true;
}

struct cpu_history {
	uint32_t *at_s;          /* owned: epoch seconds of each sample, a ring of cap */
	uint16_t *centi_percent; /* owned */
	size_t cap;
	size_t first;
	size_t count;
	uint64_t last_busy;
	uint64_t last_total;
};

struct cpu_history *cpu_history_new(void)
{
	return xcalloc(1, sizeof(struct cpu_history));
}

void cpu_history_free(struct cpu_history *history)
{
	if (history == NULL)
		return;
	free(history->at_s);
	free(history->centi_percent);
	free(history);
}

static bool cpu_ticks(uint64_t *busy, uint64_t *total)
{
	char text[512];
	char *at = text;
	uint64_t fields[8] = { 0 };

	if (slurp("/proc/stat", text, sizeof text) == 0 || strncmp(text, "cpu ", 4) != 0)
		return false;
	at += 4;
	*total = 0;
	for (size_t i = 0; i < 8; i++) {
		fields[i] = strtoull(at, &at, 10);
		*total += fields[i];
	}
	*busy = *total - fields[3] - fields[4];
	return true;
}

/* The ring grows until it holds 30 days, so a young process stays small. */
static void make_room(struct cpu_history *h)
{
	size_t cap = h->cap == 0 ? HISTORY_FIRST : h->cap * 2;

	if (h->count < h->cap)
		return;
	if (h->cap >= HISTORY_MAX) {
		h->first = (h->first + 1) % h->cap;
		h->count--;
		return;
	}
	/* first is 0 here: nothing was dropped before the ring had its full size */
	cap = cap > HISTORY_MAX ? HISTORY_MAX : cap;
	h->at_s = xrealloc(h->at_s, cap * sizeof *h->at_s);
	h->centi_percent = xrealloc(h->centi_percent, cap * sizeof *h->centi_percent);
	h->cap = cap;
}

void cpu_history_sample(struct cpu_history *history, int64_t wall_ms)
{
	uint64_t busy = 0;
	uint64_t total = 0;
	uint64_t span;

	if (!cpu_ticks(&busy, &total))
		return;
	span = total - history->last_total;
	if (history->last_total != 0 && span > 0 && total > history->last_total && busy >= history->last_busy) {
		make_room(history);
		size_t at = (history->first + history->count) % history->cap;
		history->at_s[at] = (uint32_t)(wall_ms / 1000);
		history->centi_percent[at] = (uint16_t)((busy - history->last_busy) * 10000 / span);
		history->count++;
	}
	history->last_busy = busy;
	history->last_total = total;
}

struct bucket {
	int64_t start_ms;
	int64_t sum;
	int64_t count;
};

static void add_bucket(struct json_object *data, const struct bucket *b, double *sum, double *max)
{
	struct json_object *o = json_object_new_object();
	double mean = (double)b->sum / (double)b->count / 100.0;

	add_int(o, "timestamp", b->start_ms);
	add(o, "usagePercent", mean);
	json_object_array_add(data, o);
	*sum += mean;
	*max = mean > *max ? mean : *max;
}

size_t cpu_history_add(const struct cpu_history *history, int64_t period_ms, int64_t interval_ms, int64_t wall_ms, struct json_object *result)
{
	struct json_object *data = json_object_new_array();
	struct bucket b = { 0, 0, 0 };
	double sum = 0;
	double max = 0;

	for (size_t i = 0; i < history->count; i++) {
		size_t at = (history->first + i) % history->cap;
		int64_t at_ms = (int64_t)history->at_s[at] * 1000;
		int64_t start_ms = at_ms / interval_ms * interval_ms;
		if (at_ms < wall_ms - period_ms)
			continue;
		if (b.count > 0 && start_ms != b.start_ms) {
			add_bucket(data, &b, &sum, &max);
			b = (struct bucket){ 0, 0, 0 };
		}
		b.start_ms = start_ms;
		b.sum += history->centi_percent[at];
		b.count++;
	}
	if (b.count > 0)
		add_bucket(data, &b, &sum, &max);
	size_t buckets = json_object_array_length(data);
	json_object_object_add(result, "data", data);
	add(result, "averageUsagePercent", buckets > 0 ? sum / (double)buckets : 0);
	add(result, "maxUsagePercent", max);
	return buckets;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warest-sessiond: starts everything in order, waits, ends everything in reverse order.
 *
 *     options -> configuration -> log -> state directory -> store -> loops -> webhooks, sessions -> socket
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/rpc.h"
#include "sessiond/actions/actions.h"
#include "sessiond/bell.h"
#include "sessiond/campaign/campaign.h"
#include "sessiond/crash.h"
#include "sessiond/daemon.h"
#include "sessiond/exit.h"
#include "sessiond/loop.h"
#include "sessiond/media/media.h"
#include "sessiond/net/guard.h"
#include "sessiond/net/net.h"
#include "sessiond/quiet.h"
#include "sessiond/rpc/rpc.h"
#include "sessiond/session/session.h"
#include "sessiond/storage/storage.h"
#include "sessiond/store/store.h"
#include "sessiond/timers.h"
#include "sessiond/webhook/webhook.h"

enum { STOP_DEADLINE_MS = 8000, OPEN_FILES = 65536 };

static const int watched_signals[] = { SIGTERM, SIGINT, SIGHUP };

enum { SIGNAL_COUNT = sizeof watched_signals / sizeof *watched_signals };

struct options {
	const char *env_file;
	bool check;
};

/* The daemon with what only main.c needs. */
struct program {
	struct daemon daemon;
	struct config *config;
	struct log_sink sink;
	int log_fd;
	struct rpc_server *rpc;
	uv_signal_t signals[SIGNAL_COUNT];
	gid_t socket_group;
	bool stopping;
	int exit_status;
};

/* ---- options and configuration ---- */

static void usage(FILE *out)
{
	fputs("usage: warest-sessiond [--config FILE] [--check-config] [--foreground] [--version] [--help]\n"
	      "  --config FILE    env file with settings (default: $WAREST_ENV_FILE or the built-in place)\n"
	      "  --check-config   print the settings in force and end; status 1 if something is wrong\n"
	      "  --foreground     stay in the foreground (always so; accepted for service managers)\n", out);
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' }, { "check-config", no_argument, NULL, 'k' }, { "foreground", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:kfvh", names, NULL)) != -1) {
		if (c == 'c')
			options->env_file = optarg;
		else if (c == 'k')
			options->check = true;
		else if (c == 'v')
			return puts("warest-sessiond " PACKAGE_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		else if (c == 'h')
			return usage(stdout), EXIT_SUCCESS;
		else if (c != 'f')
			return usage(stderr), EXIT_STATUS_CONFIG;
	}
	if (optind < argc)
		return usage(stderr), EXIT_STATUS_CONFIG;
	return -1;
}

static int load_config(const struct options *options, struct config **out, struct config_report *report)
{
	const struct config_source source = { .env_file = options->env_file, .environment = environ };
	int error = config_load(out, &source, report);

	if (report->problem_count)
		fputs(buf_text(&report->problems), stderr);
	return error;
}

static int check_config(const struct config *config, struct config_report *report)
{
	struct buf text = { 0 };

	if (report->warning_count)
		fputs(buf_text(&report->warnings), stderr);
	config_print(config, &text);
	fputs(buf_text(&text), stdout);
	buf_free(&text);
	return EXIT_SUCCESS;
}

/* ---- log ---- */

static int open_log(const struct config *config)
{
	if (!config->log_file[0])
		return STDERR_FILENO;
	return open(config->log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

/* The descriptor keeps its number, so nobody who writes meanwhile notices. */
static void reopen_log(struct program *program)
{
	int fd;

	if (!program->config->log_file[0])
		return;
	fd = open_log(program->config);
	if (fd < 0) {
		log_error(&program->daemon.log, "log file cannot be opened again", LOG_STR("reason", strerror(errno)));
		return;
	}
	dup3(fd, program->log_fd, O_CLOEXEC);
	close(fd);
	log_info(&program->daemon.log, "log file opened again");
}

/* ---- places ---- */

static int make_state_dir(const char *path)
{
	struct stat st;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -1;
	if (stat(path, &st) || !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	/* Others may not even look: keys and messages are inside. */
	if (st.st_uid == geteuid() && (st.st_mode & 077) && chmod(path, 0700))
		return -1;
	return access(path, W_OK | X_OK);
}

static bool find_group(const char *name, gid_t *out)
{
	const struct group *group;

	*out = (gid_t)-1;
	if (!name[0])
		return true;
	group = getgrnam(name);
	if (group)
		*out = group->gr_gid;
	return group != NULL;
}

static int write_pid(const char *path)
{
	FILE *f = path[0] ? fopen(path, "we") : NULL;
	bool good = f && fprintf(f, "%ld\n", (long)getpid()) > 0;

	if (f && fclose(f))
		good = false;
	return !path[0] || good ? 0 : -1;
}

static void remove_pid(const char *path)
{
	FILE *f = path[0] ? fopen(path, "re") : NULL;
	char line[32];

	if (f && fgets(line, sizeof line, f) && strtol(line, NULL, 10) == (long)getpid())
		unlink(path);
	if (f)
		fclose(f);
}

static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > OPEN_FILES ? OPEN_FILES : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- crashes ---- */

/* The handler of deadly signals has no other way to know. */
static struct crash *crash_page;

static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static void mark_crash(int number)
{
	crash_mark(crash_page);
	raise(number);
}

static void watch_crashes(struct program *program)
{
	/* Back to the default at once, so that raising it again ends the process as if nobody had looked. */
	const struct sigaction action = { .sa_handler = mark_crash, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };
	char *path = xasprintf("%s/decoding.page", program->config->state_dir);

	program->daemon.crash = crash_page = crash_open(path);
	if (!crash_page)
		log_warn(&program->daemon.log, "crashes will not be remembered", LOG_STR("path", path), LOG_STR("reason", strerror(errno)));
	for (size_t i = 0; crash_page && i < sizeof deadly / sizeof *deadly; i++)
		sigaction(deadly[i], &action, NULL);
	free(path);
}

static void forget_crashes(struct program *program)
{
	for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
		signal(deadly[i], SIG_DFL);
	crash_close(crash_page);
	program->daemon.crash = crash_page = NULL;
}

/* ---- store ---- */

static void store_warns(void *ctx, const char *line)
{
	const struct log *log = ctx;
	struct log named = log_named(log, "store");

	log_warn(&named, "the store says", LOG_STR("what", line));
}

/* A loop wakes once for all that a group of commits brings it. */
static void around_finished(bool begins)
{
	if (begins)
		loop_hold();
	else
		loop_release();
}

/* A thread of the store, before the done() of what it belongs to. */
static void event_appended(void *ctx, const struct store_event *event)
{
	const struct daemon *daemon = ctx;

	webhooks_appended(daemon->webhooks, event);
	bell_ring(daemon->bell, event->session);
}

static int open_store(struct program *program)
{
	const struct config *config = program->config;
	const struct store_options options = {
		.path = config->db_sqlite_path,
		.master_key_file = config->master_key_file,
		.pepper_file = config->key_pepper_file,
		.journal_max_bytes = config->journal_max_mb << 20,
		.warn = store_warns,
		.warn_ctx = &program->daemon.log,
		.finishing = around_finished,
		.appended = event_appended,
		.appended_ctx = &program->daemon,
	};
	char why[256] = "";
	int error;

	if (config->db_client != CONFIG_DB_SQLITE) {
		log_error(&program->daemon.log, "WAREST_DB_CLIENT: this release has the SQLite driver only");
		return EXIT_STATUS_CONFIG;
	}
	error = store_open(&program->daemon.store, &options, why, sizeof why);
	if (error) {
		log_error(&program->daemon.log, "database cannot be opened", LOG_STR("path", config->db_sqlite_path), LOG_STR("reason", store_error_name(error)),
			LOG_STR("why", why));
		return EXIT_STATUS_STORE;
	}
	store_audit_keep(program->daemon.store, config->audit_days * 24 * 3600 * 1000);
	store_campaigns_keep(program->daemon.store, config->campaign_days * 24 * 3600 * 1000);
	store_retention(program->daemon.store, config->retention_days * 24 * 3600 * 1000, config->retention_per_chat);
	if (!config->admin_username[0] || !config->admin_password[0])
		return 0;
	error = store_seed_admin(program->daemon.store, config->admin_username, config->admin_password, config->admin_apikey[0] ? config->admin_apikey : NULL,
		config->admin_reset);
	if (error) {
		log_error(&program->daemon.log, "administrator cannot be stored", LOG_STR("reason", store_error_name(error)));
		return EXIT_STATUS_STORE;
	}
	return 0;
}

/* ---- stopping ---- */

static void sessions_ended(void *arg)
{
	struct program *program = arg;

	webhooks_stop(program->daemon.webhooks);
	mediajobs_stop(program->daemon.media);
	loop_stop(program->daemon.loop);
}

static void stop(struct daemon *daemon, int exit_status)
{
	struct program *program = (struct program *)daemon;

	if (program->stopping)
		return;
	program->stopping = true;
	program->exit_status = exit_status;
	log_info(&daemon->log, exit_status == EXIT_STATUS_RESTART ? "stopping to start again" : "stopping");
	actions_stop(daemon->actions);
	rpc_server_drain(program->rpc);
	campaigns_stop(daemon->campaigns);
	sessions_stop_all(daemon->sessions, STOP_DEADLINE_MS, sessions_ended, program);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct program *program = handle->data;

	if (number == SIGHUP) {
		reopen_log(program);
	} else if (program->stopping) {
		/* Asked twice: everything acknowledged is stored, so nothing is lost by ending here. */
		log_warn(&program->daemon.log, "stopping at once");
		remove_pid(program->config->pid_file);
		_exit(EXIT_SUCCESS);
	} else {
		stop(&program->daemon, EXIT_STATUS_OK);
	}
}

/* ---- running ---- */

static void clear_url(void *ctx, int64_t session, const char *session_id)
{
	struct daemon *daemon = ctx;
	struct session_entry *entry = sessions_find(daemon->sessions, session_id);

	if (entry && entry->number == session)
		sessions_set_webhook(daemon->sessions, entry, "", entry->webhook_secret, NULL, NULL);
}

static struct webhooks *start_webhooks(struct daemon *daemon)
{
	static const int bits[] = { [CONFIG_SHA256] = 256, [CONFIG_SHA224] = 224, [CONFIG_SHA384] = 384, [CONFIG_SHA512] = 512 };
	const struct config *config = daemon->config;
	const struct webhook_options options = {
		.loop = daemon->loop,
		.store = daemon->store,
		.net = daemon->net,
		.guard = daemon->guard,
		.log = &daemon->log,
		.version = daemon->version,
		.default_url = config->webhook_default_url,
		.default_secret = config->webhook_default_secret,
		.more_events = config->webhook_events.items,
		.more_count = config->webhook_events.count,
		.signature_bits = bits[config->webhook_signature_sha2],
		.timeout_ms = config->webhook_timeout_ms,
		.backoff_ms = config->webhook_backoff_ms,
		.jitter_ms = config->webhook_jitter_ms,
		.preflight_timeout_ms = config->webhook_preflight_timeout_ms,
		.retention_ms = config->webhook_retention_hours * 3600000,
		.retries = config->webhook_retries,
		.event_id_session = config->compat_event_id_session,
		.clear_gone = config->compat_webhook_clear_gone,
		.clear_url = clear_url,
		.answered = actions_answered,
		.ctx = daemon,
	};

	return webhooks_new(&options);
}

/* The worker program itself starts with the first job. */
static struct mediajobs *start_media(struct daemon *daemon)
{
	char *program = mediajob_find_program(daemon->config->media_worker);
	const struct mediajob_settings settings = {
		.program = program,
		.workers = (unsigned)daemon->config->media_threads,
		.queue = LIMIT_MEDIA_QUEUE,
		.nice = (int)daemon->config->media_nice,
		.timeout_ms = daemon->config->media_timeout_sec * 1000,
	};
	struct mediajobs *media = mediajobs_new(daemon->loop, &daemon->log, &settings);

	free(program);
	return media;
}

/* The list of sessions is whole from the first request on. */
static void sessions_loaded(void *arg, int error)
{
	struct program *program = arg;
	const char *path = program->config->socket;

	if (error) {
		log_error(&program->daemon.log, "sessions cannot be read", LOG_STR("reason", store_error_name(error)));
		stop(&program->daemon, EXIT_STATUS_STORE);
		return;
	}
	error = rpc_server_listen(program->rpc, path, program->socket_group);
	if (error) {
		log_error(&program->daemon.log, "socket cannot be made", LOG_STR("path", path), LOG_STR("reason", rpc_error_text(error)));
		stop(&program->daemon, EXIT_STATUS_SOCKET);
		return;
	}
	campaigns_start(program->daemon.campaigns);
	actions_start(program->daemon.actions);
	log_info(&program->daemon.log, "ready", LOG_STR("version", PACKAGE_VERSION), LOG_STR("socket", path),
		LOG_INT("after_ms", timefmt_monotonic_ms() - program->daemon.started_mono_ms));
}

static int start_net(struct program *program)
{
	struct daemon *daemon = &program->daemon;
	const struct net_options options = { 0 };
	char why[160] = "";

	if (guard_new(&daemon->guard, program->config->outbound_allow.items, program->config->outbound_allow.count, why, sizeof why)) {
		log_error(&daemon->log, "WAREST_OUTBOUND_ALLOW cannot be understood", LOG_STR("why", why));
		return EXIT_STATUS_CONFIG;
	}
	daemon->loop = loop_new("main");
	daemon->timers = timers_new(loop_uv(daemon->loop));
	if (net_new(&daemon->net, loop_uv(daemon->loop), &options))
		abort();
	return 0;
}

static int start_storage(struct program *program)
{
	struct daemon *daemon = &program->daemon;
	const struct storage_options options = {
		.config = program->config,
		.loop = daemon->loop,
		.timers = daemon->timers,
		.net = daemon->net,
		.store = daemon->store,
		.log = &daemon->log,
	};
	char why[200] = "";

	if (storage_new(&daemon->storage, &options, why, sizeof why) == STORAGE_OK)
		return 0;
	log_error(&daemon->log, "the storage of media cannot be used", LOG_STR("why", why));
	return EXIT_STATUS_CONFIG;
}

static void watch_signals(struct program *program)
{
	/* A file that may not grow is an error of that write, like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		uv_signal_init(loop_uv(program->daemon.loop), &program->signals[i]);
		program->signals[i].data = program;
		uv_signal_start(&program->signals[i], on_signal, watched_signals[i]);
	}
}

static void run(struct program *program)
{
	struct daemon *daemon = &program->daemon;
	struct quiet *quiet;

	watch_signals(program);
	daemon->bell = bell_new(daemon->loop);
	daemon->actions = actions_new(daemon);
	daemon->webhooks = start_webhooks(daemon);
	daemon->media = start_media(daemon);
	daemon->sessions = sessions_new(daemon, (unsigned)program->config->session_loops);
	daemon->campaigns = campaigns_new(daemon);
	program->rpc = rpc_server_new(daemon);
	storage_start(daemon->storage);
	sessions_load(daemon->sessions, sessions_loaded, program);
	quiet = quiet_new(daemon);
	loop_run(daemon->loop);
	/* What is in the thread pool may still end on this loop while everything is there. */
	rpc_server_settle(program->rpc);
	quiet_free(quiet);
	sessions_join(daemon->sessions);
	storage_stop(daemon->storage);
	store_close(daemon->store);
	storage_free(&daemon->storage);
	actions_free(&daemon->actions);
	rpc_server_free(program->rpc);
	campaigns_free(daemon->campaigns);
	sessions_free(daemon->sessions);
	webhooks_free(&daemon->webhooks);
	bell_free(daemon->bell);
	mediajobs_free(&daemon->media);
	net_free(&daemon->net);
	timers_free(daemon->timers);
	loop_free(daemon->loop);
	guard_free(&daemon->guard);
	loop_pool_end();
}

static int start(struct program *program, struct config_report *report)
{
	const struct config *config = program->config;
	struct daemon *daemon = &program->daemon;
	int status;

	program->log_fd = open_log(config);
	if (program->log_fd < 0) {
		fprintf(stderr, "WAREST_LOG_FILE: %s: %s\n", config->log_file, strerror(errno));
		return EXIT_STATUS_CONFIG;
	}
	log_sink_init(&program->sink, program->log_fd, (enum log_level)config->log_level, config->log_pretty ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON);
	daemon->log = (struct log){ .sink = &program->sink, .name = "sessiond" };
	daemon->config = config;
	daemon->version = PACKAGE_VERSION;
	daemon->stop = stop;
	daemon->started_mono_ms = timefmt_monotonic_ms();
	config_log(config, report, &daemon->log);
	if (!find_group(config->socket_group, &program->socket_group)) {
		log_error(&daemon->log, "WAREST_SOCKET_GROUP: no such group", LOG_STR("group", config->socket_group));
		return EXIT_STATUS_CONFIG;
	}
	if (make_state_dir(config->state_dir)) {
		log_error(&daemon->log, "state directory cannot be used", LOG_STR("path", config->state_dir), LOG_STR("reason", strerror(errno)));
		return EXIT_STATUS_CONFIG;
	}
	raise_limits();
	if (net_global_init())
		return EXIT_FAILURE;
	status = open_store(program);
	if (!status)
		status = start_net(program);
	if (!status)
		status = start_storage(program);
	if (!status && write_pid(config->pid_file)) {
		log_error(&daemon->log, "WAREST_PID_FILE cannot be written", LOG_STR("path", config->pid_file), LOG_STR("reason", strerror(errno)));
		status = EXIT_STATUS_CONFIG;
	}
	if (status) {
		store_close(daemon->store);
		return status;
	}
	watch_crashes(program);
	run(program);
	forget_crashes(program);
	remove_pid(config->pid_file);
	log_info(&daemon->log, "ended");
	return program->exit_status;
}

/* Few arenas, and big areas (password hashing, long answers) go back to the system when they are freed. */
static void tune_memory(void)
{
	mallopt(M_ARENA_MAX, 4);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct program program = { .log_fd = -1 };
	struct config_report report;
	int status = read_options(argc, argv, &options);

	if (status >= 0)
		return status;
	umask(077);
	tune_memory();
	config_report_init(&report);
	if (load_config(&options, &program.config, &report)) {
		config_report_free(&report);
		return options.check ? EXIT_FAILURE : EXIT_STATUS_CONFIG;
	}
	status = options.check ? check_config(program.config, &report) : start(&program, &report);
	config_report_free(&report);
	config_free(program.config);
	if (status == EXIT_STATUS_RESTART) {
		execv("/proc/self/exe", argv);
		fprintf(stderr, "the program cannot be executed again: %s\n", strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}

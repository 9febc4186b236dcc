/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warest.fcgi: started by a web server. FastCGI when standard input is a listening socket (or with --socket), plain CGI otherwise.
 */
#include <errno.h>
#include <fcgiapp.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/config.h"
#include "config.h"
#include "fcgi/openapi.h"
#include "fcgi/pool.h"
#include "fcgi/responder.h"

/* Made readable by the signal handler; the threads poll it. */
static int stop_fd = -1;

static void on_stop(int signal)
{
	int saved = errno;

	(void)signal;
	(void)!write(stop_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
	errno = saved;
}

static void set_signals(void)
{
	struct sigaction stop = { .sa_handler = on_stop }, ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGUSR1, &stop, NULL);
	/* a web server that went away is noticed where we write */
	sigaction(SIGPIPE, &ignore, NULL);
}

/* Listens on a UNIX socket for a web server that does not start us itself. -1 with a line on stderr. */
static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t before;

	if (fd < 0 || strlen(path) >= sizeof address.sun_path) {
		fprintf(stderr, "warest.fcgi: the socket path is too long: %s\n", path);
		goto fail;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (unlink(path) && errno != ENOENT) {
		fprintf(stderr, "warest.fcgi: cannot replace %s: %s\n", path, strerror(errno));
		goto fail;
	}
	before = umask(0117);
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) || listen(fd, 1024)) {
		fprintf(stderr, "warest.fcgi: cannot listen on %s: %s\n", path, strerror(errno));
		umask(before);
		goto fail;
	}
	umask(before);
	return fd;
fail:
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool is_listening(int fd)
{
	socklen_t n = sizeof(int);
	int listening = 0;

	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) && listening;
}

static int serve_cgi(const struct settings *settings, struct daemon_link *link)
{
	struct responder w;
	struct exchange x;

	responder_init(&w, settings, link);
	exchange_cgi(&x);
	responder_serve(&w, &x);
	responder_free(&w);
	return 0;
}

static struct config *load_config(void)
{
	struct config_source source = { .environment = environ };
	struct config_report report;
	struct config *config = NULL;

	config_report_init(&report);
	if (config_load(&config, &source, &report))
		fprintf(stderr, "%s", buf_text(&report.problems));
	config_report_free(&report);
	return config;
}

static int run(const char *socket_path)
{
	struct config *config = load_config();
	struct settings settings = { 0 };
	struct log_sink sink;
	struct log log = { &sink, "fcgi" };
	struct rpc_pool *rpc = NULL;
	struct daemon_link link;
	char *error = NULL;
	int rc = 1, fd = STDIN_FILENO;

	if (!config)
		return 1;
	log_sink_init(&sink, STDERR_FILENO, (enum log_level)config->log_level, config->log_pretty ? LOG_FORMAT_TEXT : LOG_FORMAT_JSON);
	if (settings_init(&settings, config, &error)) {
		fprintf(stderr, "%s\n", error);
		goto out;
	}
	rpc = rpc_pool_new(settings.socket, "warest.fcgi", PACKAGE_VERSION);
	daemon_link_init(&link, rpc, log);
	link.stop_fd = stop_fd;
	/* libfcgi takes signals for itself here: ours come later */
	if (FCGX_Init()) {
		fprintf(stderr, "warest.fcgi: cannot start libfcgi\n");
		goto out;
	}
	set_signals();
	if (socket_path)
		fd = listen_on(socket_path);
	if (fd < 0)
		goto out;
	if (is_listening(fd))
		rc = pool_serve(fd, stop_fd, &settings, &link, log) ? 1 : 0;
	else
		rc = serve_cgi(&settings, &link);
out:
	free(error);
	rpc_pool_free(rpc);
	settings_free(&settings);
	log_sink_free(&sink);
	config_free(config);
	return rc;
}

static int print_openapi(void)
{
	struct buf b;

	buf_init(&b);
	openapi_json(&b, NULL, 7308);
	printf("%s\n", buf_text(&b));
	buf_free(&b);
	return 0;
}

static void usage(FILE *to)
{
	fprintf(to, "usage: warest.fcgi [--socket PATH]\n"
		    "       warest.fcgi --openapi | --version | --help\n"
		    "Started by a web server: FastCGI if standard input is a listening socket, else one CGI request.\n"
		    "--socket listens on a UNIX socket for a web server that does not start it itself.\n"
		    "--openapi prints the OpenAPI document.\n");
}

/*
 * Long answers take the same buffers again and again: giving each back to the system and getting it anew, page by page, costs more
 * than all copying. Few arenas, so that what is kept stays little.
 */
static void tune_memory(void)
{
	mallopt(M_ARENA_MAX, 4);
	mallopt(M_MMAP_THRESHOLD, 8 << 20);
	mallopt(M_TRIM_THRESHOLD, 2 << 20);
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "socket", required_argument, NULL, 's' }, { "openapi", no_argument, NULL, 'o' },
						 { "version", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' }, { 0 } };
	const char *socket_path = NULL;
	int c;

	/* a CGI query without '=' arrives as arguments; options are only for people (RFC 3875 4.4) */
	while (!getenv("GATEWAY_INTERFACE") && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			socket_path = optarg;
			break;
		case 'o':
			return print_openapi();
		case 'v':
			puts("warest.fcgi " PACKAGE_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	tune_memory();
	stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0) {
		fprintf(stderr, "warest.fcgi: %s\n", strerror(errno));
		return 1;
	}
	return run(socket_path);
}

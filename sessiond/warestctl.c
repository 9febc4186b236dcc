/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * warestctl: the operator's tool. Speaks to the running daemon over its socket (ctl.* methods; root or the daemon's own user);
 * only `db` works on the database itself, while the daemon is down.
 */
#include "config.h"

#include "sessiond/warestctl.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/config.h"
#include "common/mem.h"
#include "common/rpc_client.h"
#include "common/timefmt.h"
#include "sessiond/session/qrpng.h"
#include "sessiond/store/store.h"

enum { CALL_TIMEOUT_MS = 30000, LINK_TIMEOUT_MS = 180000, POLL_MS = 400 };

void usage(FILE *out)
{
	fputs("usage: warestctl [--config FILE] [--socket PATH] [--json] COMMAND\n"
	      "  status                                what the daemon does\n"
	      "  session list                          every session with its state\n"
	      "  session create ID [--owner NAME] [--no-wait]\n"
	      "                                        make or start a session, draw its QR code, wait for the phone\n"
	      "  session logout|delete|reconnect ID\n"
	      "  session confirm ID                    a session out of a restored backup may connect\n"
	      "  import ID DIRECTORY [--owner NAME] [--force] [--no-wait]\n"
	      "                                        a session of Baileys' multi-file auth state, without another scan\n"
	      "  import --registry FILE [ID.. | --all]  sessions of the original (its warest.sqlite or sessions.json) with owner and webhook;\n"
	      "                                        without ID: what there is. [--as ID] [--owner NAME] [--force] [--no-wait]\n"
	      "  send ID TO TEXT                       send a text (TO: phone number or address)\n"
	      "  key create USER [LABEL] [--scopes read,send,manage,admin] [--sessions ID,..] [--networks NET,..] [--expires 30d|12h|DATE]\n"
	      "                                        a new API key, shown once\n"
	      "  key list [USER]\n"
	      "  key rotate NUMBER [--grace SECONDS]   another text for a key, shown once\n"
	      "  key revoke NUMBER\n"
	      "  user list\n"
	      "  user add|password NAME                password from standard input\n"
	      "  user role NAME admin|user\n"
	      "  user disable|enable NAME\n"
	      "  user delete NAME [--force]            --force: with the user's sessions\n"
	      "  audit [ACTION]                        the newest entries of the audit log\n"
	      "  webhook list                          the receivers of all sessions\n"
	      "  webhook replay ID FROM [TO] [--receiver WEBHOOK]   deliver events of the journal once more\n"
	      "  webhook resume ID [--receiver WEBHOOK]             end the pause of a failing receiver\n"
	      "  storage status                        stored media: how many, under which key\n"
	      "  storage sweep                         look at once for what is too old or too much\n"
	      "  storage rotate                        a new key for all encrypted files\n"
	      "  storage put FILE [TYPE] [--private]   store a file, show its key and address\n"
	      "  storage url|delete KEY\n"
	      "  db status|migrate                     migrations (the daemon must be down)\n", out);
}

/* ---- calling ---- */

struct json_object *call_with(struct ctl *ctl, const char *method, struct json_object *p, int fd, int *status)
{
	struct json_object *request = json_object_new_object();
	struct json_object *answer = NULL;
	struct rpc_reply reply;
	const char *text;
	int64_t http;
	int error;

	json_object_object_add(request, "m", json_object_new_string(method));
	json_object_object_add(request, "p", p ? p : json_object_new_object());
	text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN);
	rpc_reply_init(&reply);
	error = rpc_call(ctl->pool, text, strlen(text), fd < 0 ? NULL : &fd, fd < 0 ? 0 : 1, CALL_TIMEOUT_MS, &reply);
	if (error) {
		fprintf(stderr, "warestctl: %s: %s\n", ctl->socket, rpc_error_text(error));
		*status = STATUS_DOWN;
	} else {
		answer = json_tokener_parse(buf_text(&reply.json));
		http = json_object_get_int64(json_object_object_get(answer, "status"));
		*status = http >= 200 && http < 300 ? STATUS_OK : STATUS_REFUSED;
	}
	rpc_reply_free(&reply);
	json_object_put(request);
	return answer;
}

static struct json_object *call(struct ctl *ctl, const char *method, struct json_object *p, int *status)
{
	return call_with(ctl, method, p, -1, status);
}

static const char *message_of(struct json_object *answer)
{
	struct json_object *bare = json_object_object_get(answer, "bare");
	const char *text = json_object_get_string(json_object_object_get(answer, "message"));

	return text ? text : json_object_get_string(json_object_object_get(bare, "error"));
}

int finish(struct ctl *ctl, struct json_object *answer, int status, void (*show)(struct json_object *result))
{
	struct json_object *result = json_object_object_get(answer, "result");

	if (!answer)
		return status;
	if (ctl->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	else if (status != STATUS_OK)
		fprintf(stderr, "warestctl: %s\n", message_of(answer));
	else if (show)
		show(result);
	else
		puts(message_of(answer));
	json_object_put(answer);
	return status;
}

struct json_object *with_text(struct json_object *p, const char *name, const char *text)
{
	p = p ? p : json_object_new_object();
	if (text)
		json_object_object_add(p, name, json_object_new_string(text));
	return p;
}

int ask(struct ctl *ctl, const char *method, struct json_object *p, void (*show)(struct json_object *result))
{
	int status = STATUS_OK;
	struct json_object *answer = call(ctl, method, p, &status);

	return finish(ctl, answer, status, show);
}

/* ---- showing ---- */

const char *member(struct json_object *o, const char *name)
{
	const char *text = json_object_get_string(json_object_object_get(o, name));

	return text ? text : "-";
}

void show_time(struct json_object *o, const char *name)
{
	struct json_object *value = json_object_object_get(o, name);
	int64_t at_ms = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : 0;
	char text[TIMEFMT_MAX];

	if (json_object_is_type(value, json_type_string)) {
		printf("%-24.19s", json_object_get_string(value));
		return;
	}
	printf("%-24.19s", at_ms > 0 ? timefmt_utc(at_ms, text, sizeof text) : "-");
}

static void show_sessions(struct json_object *list)
{
	printf("%-20s %-14s %-30s %-24s%s\n", "ID", "STATE", "ACCOUNT", "SINCE (UTC)", "REASON");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *s = json_object_array_get_idx(list, i);

		printf("%-20s %-14s %-30s ", member(s, "id"), member(s, "status"), member(json_object_object_get(s, "me"), "id"));
		show_time(s, "since");
		puts(member(s, "reasonText"));
	}
}

static void show_webhooks(struct json_object *list)
{
	printf("%-20s %-26s %-8s %-8s %-9s %-24s%s\n", "SESSION", "RECEIVER", "STATE", "CURSOR", "FAILURES", "DELIVERED (UTC)", "URL, LAST ERROR");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *w = json_object_array_get_idx(list, i);

		printf("%-20s %-26s %-8s %-8s %-9s ", member(w, "session"), member(w, "receiver"), member(w, "state"), member(w, "cursor"), member(w, "failures"));
		show_time(w, "delivered");
		printf("%s %s\n", member(w, "url"), json_object_object_get(w, "lastError") ? member(w, "lastError") : "");
	}
}

void show_members(struct json_object *result)
{
	json_object_object_foreach(result, name, value)
	{
		if (json_object_is_type(value, json_type_object)) {
			printf("%s\n", name);
			json_object_object_foreach(value, inner, leaf) printf("  %-20s %s\n", inner, json_object_get_string(leaf) ? json_object_get_string(leaf) : "-");
		} else {
			printf("%-22s %s\n", name, json_object_get_string(value) ? json_object_get_string(value) : "-");
		}
	}
}

/* ---- sessions ---- */

static void draw(const char *qr)
{
	char *picture = qr_terminal(qr);

	fputs("\nScan this on the phone: Settings > Linked devices > Link a device\n\n", stdout);
	fputs(picture ? picture : qr, stdout);
	fputs("\n", stdout);
	fflush(stdout);
	free(picture);
}

static void pause_ms(long ms)
{
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&wait, NULL);
}

/* Draws each new code until the phone has linked the device or the codes are used up. */
static int follow_linking(struct ctl *ctl, const char *id)
{
	int64_t end_ms = timefmt_monotonic_ms() + LINK_TIMEOUT_MS;
	char *shown = NULL;
	int status = STATUS_REFUSED;

	while (timefmt_monotonic_ms() < end_ms) {
		struct json_object *answer = call(ctl, "ctl.session.get", with_text(NULL, "id", id), &status);
		struct json_object *session = json_object_object_get(answer, "result");
		const char *state = json_object_get_string(json_object_object_get(session, "status"));
		const char *qr = json_object_get_string(json_object_object_get(session, "qrString"));
		bool open = state && strcmp(state, "open") == 0;

		if (open)
			printf("%s is linked to %s\n", id, member(json_object_object_get(session, "me"), "id"));
		else if (qr && (!shown || strcmp(shown, qr) != 0))
			draw(qr);
		if (qr) {
			free(shown);
			shown = xstrdup(qr);
		}
		json_object_put(answer);
		if (open || status != STATUS_OK) {
			free(shown);
			return open ? STATUS_OK : status;
		}
		pause_ms(POLL_MS);
	}
	free(shown);
	fputs("warestctl: no phone has scanned the code\n", stderr);
	return STATUS_REFUSED;
}

static int session_create(struct ctl *ctl)
{
	struct json_object *p = with_text(with_text(NULL, "id", ctl->args[0]), "registry", ctl->owner);
	int status = ask(ctl, "ctl.session.create", p, NULL);

	return status == STATUS_OK && ctl->wait && !ctl->json ? follow_linking(ctl, ctl->args[0]) : status;
}

static int session_list(struct ctl *ctl)
{
	return ask(ctl, "ctl.session.list", NULL, show_sessions);
}

static int session_logout(struct ctl *ctl)
{
	return ask(ctl, "ctl.session.logout", with_text(NULL, "id", ctl->args[0]), NULL);
}

static int session_delete(struct ctl *ctl)
{
	return ask(ctl, "ctl.session.delete", with_text(NULL, "id", ctl->args[0]), NULL);
}

static int session_reconnect(struct ctl *ctl)
{
	return ask(ctl, "ctl.session.reconnect", with_text(NULL, "id", ctl->args[0]), NULL);
}

static int session_confirm(struct ctl *ctl)
{
	return ask(ctl, "ctl.session.confirm", with_text(NULL, "id", ctl->args[0]), NULL);
}

static int send_text(struct ctl *ctl)
{
	struct json_object *p = with_text(with_text(NULL, "id", ctl->args[0]), "to", ctl->args[1]);

	return ask(ctl, "ctl.send.text", with_text(p, "message", ctl->args[2]), show_members);
}

static int show_status(struct ctl *ctl)
{
	return ask(ctl, "ctl.status", NULL, show_members);
}

/* ---- webhooks ---- */

struct json_object *with_number(struct json_object *p, const char *name, const char *text)
{
	p = p ? p : json_object_new_object();
	json_object_object_add(p, name, json_object_new_int64(strtoll(text, NULL, 10)));
	return p;
}

static int webhook_list(struct ctl *ctl)
{
	return ask(ctl, "ctl.webhook.list", NULL, show_webhooks);
}

static int webhook_replay(struct ctl *ctl)
{
	struct json_object *p = with_text(with_text(NULL, "id", ctl->args[0]), "receiver", ctl->receiver);

	p = with_number(p, "from", ctl->args[1]);
	return ask(ctl, "ctl.webhook.replay", ctl->count > 2 ? with_number(p, "to", ctl->args[2]) : p, show_members);
}

static int webhook_resume(struct ctl *ctl)
{
	return ask(ctl, "ctl.webhook.resume", with_text(with_text(NULL, "id", ctl->args[0]), "receiver", ctl->receiver), NULL);
}

/* ---- storage ---- */

static int storage_status(struct ctl *ctl)
{
	return ask(ctl, "ctl.storage.status", NULL, show_members);
}

static int storage_sweep(struct ctl *ctl)
{
	return ask(ctl, "ctl.storage.sweep", NULL, NULL);
}

static int storage_rotate(struct ctl *ctl)
{
	return ask(ctl, "ctl.storage.rotate", NULL, NULL);
}

static int storage_put(struct ctl *ctl)
{
	char *path = realpath(ctl->args[0], NULL);
	struct json_object *p;
	int status;

	if (!path) {
		fprintf(stderr, "warestctl: %s: %s\n", ctl->args[0], strerror(errno));
		return STATUS_REFUSED;
	}
	p = with_text(with_text(NULL, "path", path), "mime", ctl->count > 1 ? ctl->args[1] : NULL);
	json_object_object_add(p, "private", json_object_new_boolean(ctl->hidden));
	status = ask(ctl, "ctl.storage.put", p, show_members);
	free(path);
	return status;
}

static int storage_url(struct ctl *ctl)
{
	return ask(ctl, "ctl.storage.url", with_text(NULL, "key", ctl->args[0]), show_members);
}

static int storage_delete(struct ctl *ctl)
{
	return ask(ctl, "ctl.storage.delete", with_text(NULL, "key", ctl->args[0]), NULL);
}

/* ---- database ---- */

static void show_migrations(const struct ctl *ctl, const struct store_migration *rows, size_t n)
{
	struct json_object *list = json_object_new_array();
	char text[TIMEFMT_MAX];

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "number", json_object_new_int64(rows[i].number));
		json_object_object_add(o, "name", json_object_new_string(rows[i].name));
		json_object_object_add(o, "applied", rows[i].applied_ms ? json_object_new_string(timefmt_utc(rows[i].applied_ms, text, sizeof text)) : NULL);
		json_object_array_add(list, o);
		if (!ctl->json)
			printf("%04u %-20s %s\n", rows[i].number, rows[i].name, rows[i].applied_ms ? timefmt_utc(rows[i].applied_ms, text, sizeof text) : "pending");
	}
	if (ctl->json)
		puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
}

static int migrations(struct ctl *ctl, bool apply)
{
	const struct config *config = ctl->config;
	const struct store_options options = {
		.path = config->db_sqlite_path,
		.master_key_file = config->master_key_file,
		.pepper_file = config->key_pepper_file,
	};
	struct store_migration *rows = NULL;
	struct arena arena;
	char why[256] = "";
	size_t n = 0;
	int error;

	arena_init(&arena, 0);
	error = store_migrate(&options, apply, &arena, &rows, &n, why, sizeof why);
	if (error)
		fprintf(stderr, "warestctl: %s: %s\n", store_error_name(error), why);
	else
		show_migrations(ctl, rows, n);
	arena_free(&arena);
	return error ? STATUS_REFUSED : STATUS_OK;
}

static int db_status(struct ctl *ctl)
{
	return migrations(ctl, false);
}

static int db_migrate(struct ctl *ctl)
{
	return migrations(ctl, true);
}

/* ---- commands ---- */

static const struct command {
	const char *name, *verb; /* verb NULL: the command has none */
	int least;               /* arguments */
	int (*run)(struct ctl *ctl);
} commands[] = {
	{ "status", NULL, 0, show_status },
	{ "session", "list", 0, session_list },
	{ "session", "create", 1, session_create },
	{ "session", "logout", 1, session_logout },
	{ "session", "delete", 1, session_delete },
	{ "session", "reconnect", 1, session_reconnect },
	{ "session", "confirm", 1, session_confirm },
	{ "import", NULL, 0, import_source },
	{ "send", NULL, 3, send_text },
	{ "key", "create", 1, key_create },
	{ "key", "list", 0, key_list },
	{ "key", "rotate", 1, key_rotate },
	{ "key", "revoke", 1, key_revoke },
	{ "user", "list", 0, user_list },
	{ "user", "add", 1, user_add },
	{ "user", "password", 1, user_password },
	{ "user", "role", 2, user_role },
	{ "user", "disable", 1, user_disable },
	{ "user", "enable", 1, user_enable },
	{ "user", "delete", 1, user_delete },
	{ "audit", NULL, 0, audit_list },
	{ "webhook", "list", 0, webhook_list },
	{ "webhook", "replay", 2, webhook_replay },
	{ "webhook", "resume", 1, webhook_resume },
	{ "storage", "status", 0, storage_status },
	{ "storage", "sweep", 0, storage_sweep },
	{ "storage", "rotate", 0, storage_rotate },
	{ "storage", "put", 1, storage_put },
	{ "storage", "url", 1, storage_url },
	{ "storage", "delete", 1, storage_delete },
	{ "db", "status", 0, db_status },
	{ "db", "migrate", 0, db_migrate },
};

static int run_command(struct ctl *ctl, int count, char **words)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const struct command *c = &commands[i];
		int used = c->verb ? 2 : 1;

		if (count < used || strcmp(words[0], c->name) != 0 || (c->verb && strcmp(words[1], c->verb) != 0))
			continue;
		ctl->args = words + used;
		ctl->count = count - used;
		if (ctl->count >= c->least)
			return c->run(ctl);
	}
	usage(stderr);
	return STATUS_USAGE;
}

static int load(struct ctl *ctl, const char *env_file)
{
	const struct config_source source = { .env_file = env_file, .environment = environ };
	struct config_report report;
	int error;

	config_report_init(&report);
	error = config_load(&ctl->config, &source, &report);
	if (error)
		fputs(buf_text(&report.problems), stderr);
	config_report_free(&report);
	return error;
}

int main(int argc, char **argv)
{
	enum { SCOPES = 256, SESSIONS, NETWORKS, EXPIRES, GRACE, RECEIVER, REGISTRY, ALL, AS };
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "socket", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "owner", required_argument, NULL, 'o' },
		{ "no-wait", no_argument, NULL, 'n' },
		{ "private", no_argument, NULL, 'p' },
		{ "force", no_argument, NULL, 'f' },
		{ "scopes", required_argument, NULL, SCOPES },
		{ "sessions", required_argument, NULL, SESSIONS },
		{ "networks", required_argument, NULL, NETWORKS },
		{ "expires", required_argument, NULL, EXPIRES },
		{ "grace", required_argument, NULL, GRACE },
		{ "receiver", required_argument, NULL, RECEIVER },
		{ "registry", required_argument, NULL, REGISTRY },
		{ "all", no_argument, NULL, ALL },
		{ "as", required_argument, NULL, AS },
		{ "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct ctl ctl = { .wait = true };
	const char *env_file = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "c:s:jo:npfvh", names, NULL)) != -1) {
		if (c == 'c')
			env_file = optarg;
		else if (c == 's')
			ctl.socket = optarg;
		else if (c == 'j')
			ctl.json = true;
		else if (c == 'o')
			ctl.owner = optarg;
		else if (c == 'n')
			ctl.wait = false;
		else if (c == 'p')
			ctl.hidden = true;
		else if (c == 'f')
			ctl.force = true;
		else if (c == SCOPES)
			ctl.scopes = optarg;
		else if (c == SESSIONS)
			ctl.sessions = optarg;
		else if (c == NETWORKS)
			ctl.networks = optarg;
		else if (c == EXPIRES)
			ctl.expires = optarg;
		else if (c == GRACE)
			ctl.grace = optarg;
		else if (c == RECEIVER)
			ctl.receiver = optarg;
		else if (c == REGISTRY)
			ctl.registry = optarg;
		else if (c == ALL)
			ctl.all = true;
		else if (c == AS)
			ctl.as = optarg;
		else if (c == 'v')
			return puts("warestctl " PACKAGE_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
		else
			return usage(c == 'h' ? stdout : stderr), c == 'h' ? STATUS_OK : STATUS_USAGE;
	}
	if (load(&ctl, env_file))
		return STATUS_USAGE;
	if (!ctl.socket)
		ctl.socket = ctl.config->socket;
	ctl.pool = rpc_pool_new(ctl.socket, "warestctl", PACKAGE_VERSION);
	c = run_command(&ctl, argc - optind, argv + optind);
	rpc_pool_free(ctl.pool);
	config_free(ctl.config);
	return c;
}

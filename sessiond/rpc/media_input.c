/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of send requests (see media_input.h). */
#include "sessiond/rpc/media_input.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/loop.h"
#include "sessiond/net/net.h"
#include "sessiond/session/proxies.h"
#include "sessiond/session/transfer.h"
#include "sessiond/storage/storage.h"

#define FETCH_STALL_MS 60000
/* What an action of a receiver's answer fetches (webhooks.md 8). */
#define ACTION_FETCH_MS 20000
#define NAME_MAX_BYTES 240

/* What goes through a worker. */
struct look {
	struct media_input *input;
	const char *stem; /* static */
	char *type;       /* owned: as declared, "" without */
};

void media_input_free(struct media_input *input)
{
	if (input->fd >= 0)
		close(input->fd);
	http_cancel(&input->call);
	free(input->name);
	free(input->mime);
	free(input->caption);
	free(input->reply);
	*input = (struct media_input){ .fd = -1 };
}

/* ---- judging ---- */

static bool says_nothing(const char *type)
{
	return !type[0] || strcasecmp(type, FILETYPE_UNKNOWN) == 0 || !strchr(type, '/');
}

/* The declared type, else the name's, else the content's; a content that is plainly of another kind wins over what is declared. */
static const char *type_of(const struct media_input *input, const char *declared)
{
	const char *content = filetype_sniff(span_of(input->head, input->head_len));
	const char *by_name = filetype_of_name(input->name);

	if (!says_nothing(declared)) {
		bool other = content && filetype_kind(content) != filetype_kind(declared);
		bool visual = filetype_kind(declared) != FILETYPE_OTHER;
		/* an MP4 may well hold audio only */
		bool audio_in_mp4 = content && strcmp(content, "video/mp4") == 0 && filetype_kind(declared) == FILETYPE_AUDIO;

		return other && visual && !audio_in_mp4 ? content : declared;
	}
	if (by_name)
		return by_name;
	return content ? content : FILETYPE_UNKNOWN;
}

/* A name without directories and control characters, with an extension. */
static char *name_of(const char *given, const char *stem, const char *mime)
{
	const char *base = given && strrchr(given, '/') ? strrchr(given, '/') + 1 : given;
	char *clean = base && base[0] ? xstrndup(base, NAME_MAX_BYTES) : NULL;
	char *whole;

	for (char *c = clean; c && *c; c++)
		if (iscntrl((unsigned char)*c) || *c == '\\')
			*c = '_';
	if (clean && filetype_name_extension(clean)[0])
		return clean;
	whole = xasprintf("%s.%s", clean ? clean : stem, filetype_extension(mime));
	free(clean);
	return whole;
}

static void judge(struct media_input *input, const struct look *look)
{
	const struct config *config = input->request->context->daemon->config;
	const char *mime = type_of(input, look->type);
	char *name;

	input->allowed = filetype_allowed(config->mimetype_files_allowlist.items, config->mimetype_files_allowlist.count, &mime);
	input->mime = xstrdup(mime);
	name = name_of(input->name, look->stem, mime);
	free(input->name);
	input->name = name;
}

static void look_work(void *arg)
{
	struct look *look = arg;
	struct media_input *input = look->input;
	struct stat info;
	ssize_t n;

	if (input->error || fstat(input->fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		input->error = input->error ? input->error : INPUT_BAD;
		return;
	}
	input->size = (uint64_t)info.st_size;
	do
		n = pread(input->fd, input->head, sizeof input->head, 0);
	while (n < 0 && errno == EINTR);
	input->head_len = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		input->error = INPUT_BAD;
	else if (input->size > input->limit)
		input->error = INPUT_TOO_LARGE;
}

static void looked(void *arg)
{
	struct look *look = arg;
	struct media_input *input = look->input;

	if (!input->error)
		judge(input, look);
	if (input->error && !input->name)
		input->name = xstrdup(look->stem);
	free(look->type);
	free(look);
	input->ready(input->arg, input);
}

static void look_at(struct look *look)
{
	if (rpc_offload(look->input->request->context, look_work, looked, look))
		abort();
}

/* ---- by address ---- */

static const char *without_parameters(char *type)
{
	type[strcspn(type, "; \t")] = '\0';
	return type;
}

/* The last segment of the path, percent-decoding left to whoever shows it. */
static char *name_of_address(const char *url)
{
	const char *path = strstr(url, "://");
	size_t n;
	const char *slash;

	path = path ? strchr(path + 3, '/') : NULL;
	if (!path)
		return NULL;
	n = strcspn(path, "?#");
	slash = memrchr(path, '/', n);
	return slash && (size_t)(slash - path) + 1 < n ? xstrndup(slash + 1, n - (size_t)(slash - path) - 1) : NULL;
}

static void fetched(void *arg, const struct http_answer *answer)
{
	struct look *look = arg;
	struct media_input *input = look->input;

	input->call = NULL;
	if (answer->error == HTTP_TOO_LARGE)
		input->error = INPUT_TOO_LARGE;
	else if (answer->error == HTTP_FILE)
		input->error = INPUT_SYSTEM;
	else if (answer->error == HTTP_PROXY)
		input->error = INPUT_PROXY;
	else if (answer->error || answer->status < 200 || answer->status > 299)
		input->error = INPUT_BAD;
	if (input->error)
		log_info(&input->request->context->log, "a file was not fetched", LOG_STR("error", http_error_name(answer->error)),
			 LOG_INT("status", answer->status), LOG_STR("reason", answer->text));
	if (!look->type[0]) {
		free(look->type);
		look->type = xstrdup(answer->type);
		without_parameters(look->type);
	}
	look_at(look);
}

void media_input_way(const struct rpc_request *request, struct http_request *get)
{
	const struct daemon *daemon = request->context->daemon;
	const struct session_entry *entry = request->session_id ? sessions_find(daemon->sessions, request->session_id) : NULL;

	get->proxy = entry ? proxies_fetch(daemon->sessions, entry) : NULL;
	get->proxy_resolves = daemon->config->proxy_resolves_names;
}

static void fetch(struct look *look, const char *url)
{
	struct media_input *input = look->input;
	struct daemon *daemon = input->request->context->daemon;
	struct http_request request = { .url = url, .timeout_ms = daemon->config->upload_fetch_timeout_ms, .stall_ms = FETCH_STALL_MS,
					.max_answer = input->limit, .guard = daemon->guard, .follow = true, .follow_get = true, .has_answer_file = true };

	input->fd = transfer_temp_file(daemon->config->state_dir);
	request.answer_fd = input->fd;
	media_input_way(input->request, &request);
	if (input->request->source == SEND_BY_ACTION && request.timeout_ms > ACTION_FETCH_MS)
		request.timeout_ms = ACTION_FETCH_MS;
	if (input->fd < 0 || !http_url_is_valid(url) || http_send(&input->call, daemon->net, &request, fetched, look)) {
		input->error = input->fd < 0 ? INPUT_SYSTEM : INPUT_BAD;
		look_at(look);
	}
}

/* ---- out of the storage ---- */

static void copied(void *arg, int error, const char *text, const struct storage_object *object)
{
	struct look *look = arg;
	struct media_input *input = look->input;

	if (error) {
		input->error = error == STORAGE_NOT_FOUND || error == STORAGE_INVALID ? INPUT_BAD : INPUT_SYSTEM;
		log_info(&input->request->context->log, "a stored file cannot be sent", LOG_STR("error", storage_error_name(error)), LOG_STR("reason", text));
	} else {
		if (!look->type[0] && object->mime) {
			free(look->type);
			look->type = xstrdup(object->mime);
			without_parameters(look->type);
		}
		if (!input->name && object->file_name)
			input->name = xstrdup(object->file_name);
	}
	look_at(look);
}

static void copy(struct look *look, const char *key)
{
	struct media_input *input = look->input;
	struct daemon *daemon = input->request->context->daemon;

	input->fd = transfer_temp_file(daemon->config->state_dir);
	if (input->fd < 0) {
		input->error = INPUT_SYSTEM;
		look_at(look);
		return;
	}
	storage_copy(daemon->storage, key, input->request->session_id ? input->request->session_id : "", input->fd, copied, look);
}

/* ---- the caller's side ---- */

static const char *text(struct json_object *item, const char *name)
{
	struct json_object *value = json_object_object_get(item, name);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static int take_descriptor(struct rpc_request *request, struct json_object *item)
{
	struct json_object *number = json_object_object_get(item, "fd");
	int64_t n = json_object_is_type(number, json_type_int) ? json_object_get_int64(number) : -1;
	int fd = n >= 0 && (uint64_t)n < request->nfds ? request->fds[n] : -1;

	if (fd >= 0)
		request->fds[n] = -1;
	return fd;
}

void media_input_get(struct media_input *input, struct rpc_request *request, struct json_object *item, uint64_t limit, const char *stem,
		     void (*ready)(void *arg, struct media_input *input), void *arg)
{
	struct look *look = xcalloc(1, sizeof *look);
	const char *url = text(item, "url"), *type = text(item, "type"), *name = text(item, "name");
	const char *stored = text(item, "stored"), *caption = text(item, "caption"), *reply = text(item, "replyMessageId");

	*input = (struct media_input){ .request = request, .limit = limit, .fd = -1, .ready = ready, .arg = arg };
	*look = (struct look){ .input = input, .stem = stem, .type = xstrdup(type ? type : "") };
	without_parameters(look->type);
	input->caption = caption ? xstrdup(caption) : NULL;
	input->reply = reply ? xstrdup(reply) : NULL;
	input->name = name ? xstrdup(name) : url ? name_of_address(url) : NULL;
	if (url) {
		fetch(look, url);
		return;
	}
	if (stored) {
		copy(look, stored);
		return;
	}
	input->fd = take_descriptor(request, item);
	if (input->fd < 0)
		input->error = INPUT_BAD;
	look_at(look);
}

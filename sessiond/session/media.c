/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Up- and downloads of media: their life (see media.h, mediawork.h). */
#include "sessiond/session/media.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/mediawork.h"

/* A worker has a transfer for a few hundredths of a second at a time, so that other work gets its turn. */
#define SLICE_BYTES ((uint64_t)16 << 20)
#define STALL_MS 60000
/* Two hours for the largest files on slow lines. */
#define REQUEST_MS ((int64_t)7200 * 1000)

static const struct {
	const char *info, *path;
} kinds[MEDIA_KINDS] = {
	[MEDIA_IMAGE] = { "WhatsApp Image Keys", "image" },
	[MEDIA_VIDEO] = { "WhatsApp Video Keys", "video" },
	[MEDIA_AUDIO] = { "WhatsApp Audio Keys", "audio" },
	[MEDIA_DOCUMENT] = { "WhatsApp Document Keys", "document" },
	[MEDIA_STICKER_PACK] = { "WhatsApp Sticker Pack Keys", "sticker-pack" },
	[MEDIA_LINK_THUMBNAIL] = { "WhatsApp Link Thumbnail Keys", "thumbnail-link" },
	[MEDIA_APP_STATE] = { "WhatsApp App State Keys", "md-app-state" },
	[MEDIA_HISTORY] = { "WhatsApp History Keys", "md-msg-hist" },
};

static const struct {
	const char *name, *text;
} errors[] = {
	[-MEDIA_OK] = { "ok", "" },
	[-MEDIA_E_OFFLINE] = { "offline", "the session is not connected to WhatsApp" },
	[-MEDIA_E_LOCAL] = { "local", "a temporary file cannot be written" },
	[-MEDIA_E_TOO_LARGE] = { "too large", "the file is larger than allowed" },
	[-MEDIA_E_NETWORK] = { "network", "no media server of WhatsApp could be reached" },
	[-MEDIA_E_REFUSED] = { "refused", "WhatsApp's media server refused" },
	[-MEDIA_E_GONE] = { "gone", "WhatsApp has lost the file, and the phone did not upload it again" },
	[-MEDIA_E_FALSE] = { "false", "what was downloaded is not what was sent" },
	[-MEDIA_E_INVALID] = { "invalid", "the message does not say where its file is" },
};

const char *media_kind_info(enum media_kind kind)
{
	return kinds[kind].info;
}

const char *media_kind_path(enum media_kind kind)
{
	return kinds[kind].path;
}

const char *media_error_name(enum media_error error)
{
	return errors[-(int)error].name;
}

/* ---- files --------------------------------------------------------------------------------------------------------------------- */

void media_file_init(struct media_file *file, enum media_kind kind)
{
	*file = (struct media_file){ .kind = kind };
}

void media_file_free(struct media_file *file)
{
	free(file->direct_path);
	free(file->url);
	free(file->handle);
	crypto_wipe(file, sizeof *file);
}

static char *copied(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

void media_file_copy(struct media_file *to, const struct media_file *from)
{
	*to = *from;
	to->direct_path = copied(from->direct_path);
	to->url = copied(from->url);
	to->handle = copied(from->handle);
}

int media_temp_file(const char *dir)
{
	return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

void media_token(const uint8_t hash[32], char out[64])
{
	crypto_base64(CRYPTO_BASE64_URL_BARE, hash, 32, out);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------- */

static struct session_media *media_of(struct session *session)
{
	if (!session->media)
		session->media = xcalloc(1, sizeof *session->media);
	return session->media;
}

static struct media_transfer *transfer_new(struct session *session, bool upload, uint64_t max_len, media_done *done, void *arg)
{
	struct media_transfer *t = xcalloc(1, sizeof *t);
	struct session_media *media = media_of(session);

	t->session = session;
	t->on = session->on;
	t->upload = upload;
	t->max_len = max_len;
	t->done = done;
	t->arg = arg;
	t->plain_fd = t->blob_fd = -1;
	t->next = media->first;
	if (t->next)
		t->next->prev = t;
	media->first = t;
	return t;
}

static void unlist(struct media_transfer *t)
{
	if (t->prev)
		t->prev->next = t->next;
	else
		t->session->media->first = t->next;
	if (t->next)
		t->next->prev = t->prev;
}

static void transfer_free(struct media_transfer *t)
{
	media_cipher_free(&t->cipher);
	if (t->plain_fd >= 0)
		close(t->plain_fd);
	if (t->blob_fd >= 0)
		close(t->blob_fd);
	media_file_free(&t->file);
	free(t->address);
	free(t->message_id);
	free(t);
}

/* Out of the list, everything stopped; freed now or when the worker gives it back. */
static void let_go(struct media_transfer *t)
{
	unlist(t);
	http_cancel(&t->call);
	timer_stop(t->on->timers, &t->timer);
	t->done = NULL;
	if (!t->working)
		transfer_free(t);
}

void media_finish(struct media_transfer *t, enum media_error error, const char *text)
{
	struct media_result result = { .error = error, .status = t->status, .text = text ? text : errors[-(int)error].text, .file = &t->file };
	struct session *session = t->session;
	media_done *done = t->done;
	void *arg = t->arg;

	if (error)
		log_warn(&session->log, t->upload ? "upload failed" : "download failed", LOG_STR("session", session->id),
			 LOG_STR("kind", media_kind_path(t->file.kind)), LOG_INT("status", t->status), LOG_STR("reason", result.text));
	/* Nothing of a failed download is left behind. */
	if (error && !t->upload && t->plain_fd >= 0 && ftruncate(t->plain_fd, 0) != 0)
		log_warn(&session->log, "a failed download cannot be emptied", LOG_STR("session", session->id));
	unlist(t);
	http_cancel(&t->call);
	timer_stop(t->on->timers, &t->timer);
	done(arg, &result);
	transfer_free(t);
}

void media_cancel(struct media_transfer **pointer)
{
	struct media_transfer *t = *pointer;

	*pointer = NULL;
	if (t)
		let_go(t);
}

/* The list changes under the callbacks: always the first. A transfer that a worker has is told as well, and freed by the worker's end. */
void media_end_all(struct session *session)
{
	while (session->media && session->media->first) {
		struct media_transfer *t = session->media->first;
		struct media_result result = { .error = MEDIA_E_OFFLINE, .text = errors[-MEDIA_E_OFFLINE].text, .file = &t->file };
		media_done *done = t->done;
		void *arg = t->arg;

		if (!t->working) {
			media_finish(t, MEDIA_E_OFFLINE, NULL);
			continue;
		}
		done(arg, &result);
		let_go(t);
	}
}

void media_free(struct session *session)
{
	if (!session->media)
		return;
	media_end_all(session);
	media_forget_conn(session->media);
	free(session->media);
	session->media = NULL;
}

void media_later(struct media_transfer *t, int64_t delay_ms, void (*fn)(void *arg))
{
	timer_start(t->on->timers, &t->timer, timefmt_monotonic_ms() + delay_ms, fn, t);
}

/* ---- worker -------------------------------------------------------------------------------------------------------------------- */

static void cipher_work(void *arg)
{
	struct media_transfer *t = arg;

	t->step_result = media_cipher_step(t->cipher, SLICE_BYTES);
}

static void cipher_step(struct media_transfer *t);

static void cipher_done(void *arg)
{
	struct media_transfer *t = arg;
	struct session *session = t->session;

	t->working = false;
	session->busy--;
	if (!t->done)
		transfer_free(t);
	else if (t->step_result == 1)
		cipher_step(t);
	else
		t->ciphered(t, t->step_result);
	session_released(session);
}

static void cipher_step(struct media_transfer *t)
{
	t->working = true;
	t->session->busy++;
	if (loop_offload(t->on->loop, cipher_work, cipher_done, t))
		abort();
}

void media_run_cipher(struct media_transfer *t, void (*ciphered)(struct media_transfer *t, int result))
{
	t->ciphered = ciphered;
	if (t->cipher)
		cipher_step(t);
	else
		media_finish(t, MEDIA_E_LOCAL, "no memory for encryption");
}

/* ---- HTTP ---------------------------------------------------------------------------------------------------------------------- */

void media_request(struct media_transfer *t, struct http_request *request, http_done *done)
{
	static const char *const headers[] = { "Origin: https://web.whatsapp.com", "Referer: https://web.whatsapp.com/",
					       "Content-Type: application/octet-stream" };

	request->headers = headers;
	request->header_count = t->upload ? 3 : 2;
	request->proxy = t->session->proxy;
	request->timeout_ms = REQUEST_MS;
	request->stall_ms = STALL_MS;
	if (http_send(&t->call, t->on->net, request, done, t))
		media_finish(t, MEDIA_E_LOCAL, "no memory for a connection");
}

/* ---- the caller's side --------------------------------------------------------------------------------------------------------- */

struct media_transfer *media_upload(struct session *session, enum media_kind kind, int from_fd, uint64_t max_len, bool encrypt, media_done *done,
				    void *arg)
{
	struct media_transfer *t = transfer_new(session, true, max_len, done, arg);

	media_file_init(&t->file, kind);
	t->file.encrypted = encrypt;
	t->plain_fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 0);
	media_later(t, 0, media_upload_begin);
	return t;
}

struct media_transfer *media_download(struct session *session, const struct media_file *file, const struct media_message *message, int to_fd,
				      uint64_t max_len, media_done *done, void *arg)
{
	struct media_transfer *t = transfer_new(session, false, max_len, done, arg);

	media_file_copy(&t->file, file);
	t->plain_fd = fcntl(to_fd, F_DUPFD_CLOEXEC, 0);
	if (message && message->id) {
		t->message_id = xstrdup(message->id);
		t->chat = message->chat;
		t->participant = message->participant;
		t->from_me = message->from_me;
	}
	media_later(t, 0, media_download_begin);
	return t;
}

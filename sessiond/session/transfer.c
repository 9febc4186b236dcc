/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Up- and downloads of media: their life (see transfer.h, transferwork.h). */
#include "sessiond/session/transfer.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "sessiond/daemon.h"
#include "sessiond/session/transferwork.h"

/* A worker has a transfer for a few hundredths of a second at a time, so that other work gets its turn. */
#define SLICE_BYTES ((uint64_t)16 << 20)
#define STALL_MS 60000
/* Two hours for the largest files on slow lines. */
#define REQUEST_MS ((int64_t)7200 * 1000)

static const struct {
	const char *info, *path;
} kinds[TRANSFER_KINDS] = {
	[TRANSFER_IMAGE] = { "WhatsApp Image Keys", "image" },
	[TRANSFER_VIDEO] = { "WhatsApp Video Keys", "video" },
	[TRANSFER_AUDIO] = { "WhatsApp Audio Keys", "audio" },
	[TRANSFER_DOCUMENT] = { "WhatsApp Document Keys", "document" },
	[TRANSFER_STICKER_PACK] = { "WhatsApp Sticker Pack Keys", "sticker-pack" },
	[TRANSFER_LINK_THUMBNAIL] = { "WhatsApp Link Thumbnail Keys", "thumbnail-link" },
	[TRANSFER_APP_STATE] = { "WhatsApp App State Keys", "md-app-state" },
	[TRANSFER_HISTORY] = { "WhatsApp History Keys", "md-msg-hist" },
};

static const struct {
	const char *name, *text;
} errors[] = {
	[-TRANSFER_OK] = { "ok", "" },
	[-TRANSFER_E_OFFLINE] = { "offline", "the session is not connected to WhatsApp" },
	[-TRANSFER_E_LOCAL] = { "local", "a temporary file cannot be written" },
	[-TRANSFER_E_TOO_LARGE] = { "too large", "the file is larger than allowed" },
	[-TRANSFER_E_NETWORK] = { "network", "no media server of WhatsApp could be reached" },
	[-TRANSFER_E_REFUSED] = { "refused", "WhatsApp's media server refused" },
	[-TRANSFER_E_GONE] = { "gone", "WhatsApp has lost the file, and the phone did not upload it again" },
	[-TRANSFER_E_FALSE] = { "false", "what was downloaded is not what was sent" },
	[-TRANSFER_E_INVALID] = { "invalid", "the message does not say where its file is" },
};

const char *transfer_kind_info(enum transfer_kind kind)
{
	return kinds[kind].info;
}

const char *transfer_kind_path(enum transfer_kind kind)
{
	return kinds[kind].path;
}

const char *transfer_error_name(enum transfer_error error)
{
	return errors[-(int)error].name;
}

/* ---- files --------------------------------------------------------------------------------------------------------------------- */

void transfer_file_init(struct transfer_file *file, enum transfer_kind kind)
{
	*file = (struct transfer_file){ .kind = kind };
}

void transfer_file_free(struct transfer_file *file)
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

void transfer_file_copy(struct transfer_file *to, const struct transfer_file *from)
{
	*to = *from;
	to->direct_path = copied(from->direct_path);
	to->url = copied(from->url);
	to->handle = copied(from->handle);
}

int transfer_temp_file(const char *dir)
{
	return open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

void transfer_token(const uint8_t hash[32], char out[64])
{
	crypto_base64(CRYPTO_BASE64_URL_BARE, hash, 32, out);
}

/* ---- life ---------------------------------------------------------------------------------------------------------------------- */

static struct transfers *media_of(struct session *session)
{
	if (!session->transfers)
		session->transfers = xcalloc(1, sizeof *session->transfers);
	return session->transfers;
}

static struct transfer *transfer_new(struct session *session, bool upload, uint64_t max_len, transfer_done *done, void *arg)
{
	struct transfer *t = xcalloc(1, sizeof *t);
	struct transfers *media = media_of(session);

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

static void unlist(struct transfer *t)
{
	if (t->prev)
		t->prev->next = t->next;
	else
		t->session->transfers->first = t->next;
	if (t->next)
		t->next->prev = t->prev;
}

static void transfer_free(struct transfer *t)
{
	media_cipher_free(&t->cipher);
	if (t->plain_fd >= 0)
		close(t->plain_fd);
	if (t->blob_fd >= 0)
		close(t->blob_fd);
	transfer_file_free(&t->file);
	free(t->address);
	free(t->message_id);
	free(t);
}

/* Out of the list, everything stopped; freed now or when the worker gives it back. */
static void let_go(struct transfer *t)
{
	unlist(t);
	http_cancel(&t->call);
	timer_stop(t->on->timers, &t->timer);
	t->done = NULL;
	if (!t->working)
		transfer_free(t);
}

static void nobody_waits(void *arg, const struct transfer_result *result)
{
	(void)arg;
	(void)result;
}

void transfer_finish(struct transfer *t, enum transfer_error error, const char *text)
{
	struct transfer_result result = { .error = error, .status = t->status, .text = text ? text : errors[-(int)error].text, .file = &t->file };
	struct session *session = t->session;
	transfer_done *done = t->done;
	void *arg = t->arg;

	if (error && done != nobody_waits)
		log_warn(&session->log, t->upload ? "upload failed" : "download failed", LOG_STR("session", session->id),
			 LOG_STR("kind", transfer_kind_path(t->file.kind)), LOG_INT("status", t->status), LOG_STR("reason", result.text));
	/* Nothing of a failed download is left behind. */
	if (error && !t->upload && t->plain_fd >= 0 && ftruncate(t->plain_fd, 0) != 0)
		log_warn(&session->log, "a failed download cannot be emptied", LOG_STR("session", session->id));
	unlist(t);
	http_cancel(&t->call);
	timer_stop(t->on->timers, &t->timer);
	done(arg, &result);
	transfer_free(t);
}

void transfer_cancel(struct transfer **pointer)
{
	struct transfer *t = *pointer;

	*pointer = NULL;
	if (t)
		let_go(t);
}

/* The list changes under the callbacks: always the first. A transfer that a worker has is told as well, and freed by the worker's end. */
void transfer_end_all(struct session *session)
{
	while (session->transfers && session->transfers->first) {
		struct transfer *t = session->transfers->first;
		struct transfer_result result = { .error = TRANSFER_E_OFFLINE, .text = errors[-TRANSFER_E_OFFLINE].text, .file = &t->file };
		transfer_done *done = t->done;
		void *arg = t->arg;

		assert(done);
		if (t->working) {
			done(arg, &result);
			let_go(t);
		} else {
			transfer_finish(t, TRANSFER_E_OFFLINE, NULL);
		}
		assert(session->transfers->first != t);
	}
}

void transfers_free(struct session *session)
{
	if (!session->transfers)
		return;
	transfer_end_all(session);
	transfer_forget_conn(session->transfers);
	free(session->transfers);
	session->transfers = NULL;
}

void transfer_later(struct transfer *t, int64_t delay_ms, void (*fn)(void *arg))
{
	timer_start(t->on->timers, &t->timer, timefmt_monotonic_ms() + delay_ms, fn, t);
}

/* ---- worker -------------------------------------------------------------------------------------------------------------------- */

static void cipher_work(void *arg)
{
	struct transfer *t = arg;

	t->step_result = media_cipher_step(t->cipher, SLICE_BYTES);
}

static void cipher_step(struct transfer *t);

static void cipher_done(void *arg)
{
	struct transfer *t = arg;
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

static void cipher_step(struct transfer *t)
{
	t->working = true;
	t->session->busy++;
	if (loop_offload(t->on->loop, cipher_work, cipher_done, t))
		abort();
}

void transfer_run_cipher(struct transfer *t, void (*ciphered)(struct transfer *t, int result))
{
	t->ciphered = ciphered;
	if (t->cipher)
		cipher_step(t);
	else
		transfer_finish(t, TRANSFER_E_LOCAL, "no memory for encryption");
}

/* ---- HTTP ---------------------------------------------------------------------------------------------------------------------- */

void transfer_request(struct transfer *t, struct http_request *request, http_done *done)
{
	static const char *const headers[] = { "Origin: https://web.whatsapp.com", "Referer: https://web.whatsapp.com/",
					       "Content-Type: application/octet-stream" };

	request->headers = headers;
	request->header_count = t->upload ? 3 : 2;
	request->proxy = t->session->proxy;
	request->timeout_ms = REQUEST_MS;
	request->stall_ms = STALL_MS;
	if (http_send(&t->call, t->on->net, request, done, t))
		transfer_finish(t, TRANSFER_E_LOCAL, "no memory for a connection");
}

/* ---- the caller's side --------------------------------------------------------------------------------------------------------- */

struct transfer *transfer_upload(struct session *session, enum transfer_kind kind, int from_fd, uint64_t max_len, bool encrypt, transfer_done *done,
				    void *arg)
{
	struct transfer *t = transfer_new(session, true, max_len, done, arg);

	transfer_file_init(&t->file, kind);
	t->file.encrypted = encrypt;
	t->plain_fd = fcntl(from_fd, F_DUPFD_CLOEXEC, 0);
	transfer_later(t, 0, transfer_upload_begin);
	return t;
}

struct transfer *transfer_download(struct session *session, const struct transfer_file *file, const struct transfer_message *message, int to_fd,
				      uint64_t max_len, transfer_done *done, void *arg)
{
	struct transfer *t = transfer_new(session, false, max_len, done, arg);

	transfer_file_copy(&t->file, file);
	t->plain_fd = fcntl(to_fd, F_DUPFD_CLOEXEC, 0);
	if (message && message->id) {
		t->message_id = xstrdup(message->id);
		t->chat = message->chat;
		t->participant = message->participant;
		t->from_me = message->from_me;
	}
	transfer_later(t, 0, transfer_download_begin);
	return t;
}

void transfer_drop(struct session *session, const struct transfer_file *file)
{
	struct transfer *t = transfer_new(session, false, 0, nobody_waits, NULL);

	transfer_file_copy(&t->file, file);
	transfer_later(t, 0, transfer_drop_begin);
}

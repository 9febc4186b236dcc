/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages between the daemon and the worker, see wire.h. */
#include "sessiond/media/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/limits.h"

enum { MAX_FDS = 2 };

union control {
	char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	struct cmsghdr align;
};

int wire_send(int socket, const void *message, size_t size, const int *fds, size_t nfds)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)message, .iov_len = size };
	union control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *head;
	ssize_t n;

	memset(&control, 0, sizeof control);
	if (nfds) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(nfds * sizeof *fds);
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(nfds * sizeof *fds);
		memcpy(CMSG_DATA(head), fds, nfds * sizeof *fds);
	}
	do
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size ? 0 : -1;
}

ssize_t wire_receive(int socket, void *message, size_t size, int *fds, int flags)
{
	struct iovec iov = { .iov_base = message, .iov_len = size };
	union control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
	ssize_t n;

	for (int i = 0; fds && i < MAX_FDS; i++)
		fds[i] = -1;
	do
		n = recvmsg(socket, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	for (struct cmsghdr *head = n < 0 ? NULL : CMSG_FIRSTHDR(&msg); head; head = CMSG_NXTHDR(&msg, head)) {
		size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && fds)
			memcpy(fds, CMSG_DATA(head), (count < MAX_FDS ? count : MAX_FDS) * sizeof *fds);
	}
	return n;
}

static int within(int value, int least, int most)
{
	return value < least ? least : value > most ? most : value;
}

static int64_t within64(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

/* Texts go into JSON and XML: printable ASCII only. */
static void clean_text(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
}

/* A _Bool of foreign bytes may hold anything; only 0 and 1 may be read as one. */
static void clean_flag(bool *flag)
{
	uint8_t byte;

	memcpy(&byte, flag, sizeof byte);
	*flag = byte != 0;
}

static void clean_info(struct mediajob_info *info)
{
	info->kind = (enum mediajob_kind)within((int)info->kind, MEDIAJOB_NONE, MEDIAJOB_AUDIO);
	clean_text(info->mime, sizeof info->mime);
	clean_text(info->video_codec, sizeof info->video_codec);
	clean_text(info->audio_codec, sizeof info->audio_codec);
	info->width = within(info->width, 0, 65535);
	info->height = within(info->height, 0, 65535);
	info->duration_ms = within64(info->duration_ms, 0, INT32_MAX);
	info->seconds = within(info->seconds, 0, INT32_MAX);
	info->bytes = within64(info->bytes, 0, INT64_MAX / 2);
	clean_flag(&info->animated);
	clean_flag(&info->alpha);
}

void wire_result_clean(struct mediajob_result *result)
{
	result->error = within(result->error, MEDIAJOB_E_CANCELLED, MEDIAJOB_OK);
	clean_text(result->why, sizeof result->why);
	clean_info(&result->input);
	clean_info(&result->sent);
	clean_flag(&result->unchanged);
	clean_flag(&result->has_waveform);
	for (int i = 0; i < MEDIAJOB_WAVEFORM; i++)
		result->waveform[i] = result->waveform[i] > 100 ? 100 : result->waveform[i];
	result->parts = within(result->parts, 0, MEDIAJOB_MAX_PARTS);
	for (int i = 0; i < MEDIAJOB_MAX_PARTS; i++)
		result->part[i] = within64(result->part[i], 0, INT32_MAX);
	result->thumbnail_width = within(result->thumbnail_width, 0, 65535);
	result->thumbnail_height = within(result->thumbnail_height, 0, 65535);
	if (result->thumbnail_len > sizeof result->thumbnail)
		result->thumbnail_len = 0;
}

void wire_job_clean(struct mediajob *job)
{
	struct mediajob_options *o = &job->options;

	job->options.sticker.pack[MEDIAJOB_MAX_STICKER_TEXT - 1] = '\0';
	job->options.sticker.publisher[MEDIAJOB_MAX_STICKER_TEXT - 1] = '\0';
	job->options.sticker.emojis[MEDIAJOB_MAX_STICKER_TEXT - 1] = '\0';
	o->image.quality = within(o->image.quality, 1, 100);
	o->image.max_dimension = within(o->image.max_dimension, 16, 8192);
	o->image.png_level = within(o->image.png_level, 0, 9);
	o->image.webp_effort = within(o->image.webp_effort, 0, 6);
	o->video.max_width = within(o->video.max_width, 16, 8192);
	o->video.crf = within(o->video.crf, 0, 51);
	o->video.preset = within(o->video.preset, 0, 8);
	o->video.audio_bitrate_k = within(o->video.audio_bitrate_k, 8, 512);
	o->voice.bitrate_k = within(o->voice.bitrate_k, 8, 512);
	o->voice.rate_hz = o->voice.rate_hz == 16000 ? 16000 : 48000;
	o->sticker.quality = within(o->sticker.quality, 1, 100);
	o->sticker.size = within(o->sticker.size, 96, 1024);
	o->sticker.effort = within(o->sticker.effort, 0, 6);
	o->wish.width = within(o->wish.width, 0, LIMIT_MEDIA_SIDE);
	o->wish.height = within(o->wish.height, 0, LIMIT_MEDIA_SIDE);
	o->wish.quality = within(o->wish.quality, 1, 100);
	o->wish.sound = (enum mediajob_sound)within((int)o->wish.sound, MEDIAJOB_SOUND_SAME, MEDIAJOB_SOUND_MP4);
	o->wish.video_bitrate_k = within(o->wish.video_bitrate_k, 0, LIMIT_MEDIA_VIDEO_MAX_K);
	o->wish.audio_bitrate_k = within(o->wish.audio_bitrate_k, 0, LIMIT_MEDIA_AUDIO_MAX_K);
	if (job->max_pixels <= 0 || job->max_pixels > LIMIT_MEDIA_PIXELS)
		job->max_pixels = LIMIT_MEDIA_PIXELS;
	job->image.width = within(job->image.width, 0, 16383);
	job->image.height = within(job->image.height, 0, 16383);
	job->image.quality = within(job->image.quality, 1, 100);
	job->frames.width = within(job->frames.width, 16, 1024);
	job->frames.height = within(job->frames.height, 16, 1024);
	job->frames.count = within(job->frames.count, 1, MEDIAJOB_MAX_PARTS);
}

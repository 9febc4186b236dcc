/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every bound on what comes from outside, in one place. The README lists them for operators. */
#ifndef COMMON_LIMITS_H
#define COMMON_LIMITS_H

#include <stdint.h>

/* HTTP requests (the form parsers' own bounds stand in fcgi/json.h, query.h and multipart.h) */
#define LIMIT_HTTP_JSON_BYTES (2U << 20)
/* A text message has at most 65,536 characters: what is larger than this holds none, whatever MSG_JSON_LIMIT_MB allows. */
#define LIMIT_HTTP_TEXT_JSON_BYTES (4U << 20)

/* A file of the misc routes */
#define LIMIT_MISC_FILE_BYTES (UINT64_C(50) << 20)

/* Media jobs (sessiond/media): images are refused above these before they are decoded, what is decoded stays within the memory */
#define LIMIT_MEDIA_SIDE 16383
#define LIMIT_MEDIA_VIDEO_MIN_K 50 /* kbit/s that may be asked for */
#define LIMIT_MEDIA_VIDEO_MAX_K 20000
#define LIMIT_MEDIA_AUDIO_MIN_K 8
#define LIMIT_MEDIA_AUDIO_MAX_K 512
#define LIMIT_MEDIA_PIXELS 67108864
#define LIMIT_MEDIA_IMAGE_BYTES (64 << 20)
#define LIMIT_MEDIA_STREAM_BYTES (64 << 20) /* input that cannot be positioned */
#define LIMIT_MEDIA_OUTPUT_BYTES (INT64_C(2) << 30)
#define LIMIT_MEDIA_MEMORY_BYTES (INT64_C(1) << 30)
#define LIMIT_MEDIA_FRAMES 100000
#define LIMIT_MEDIA_STREAMS 16
#define LIMIT_MEDIA_DURATION_S 14400
#define LIMIT_MEDIA_STICKER_FRAMES 150
#define LIMIT_MEDIA_QUEUE 256U

/* RPC between warest.fcgi and warest-sessiond */
#define LIMIT_RPC_FRAME_BYTES (8U << 20)
#define LIMIT_RPC_DESCRIPTORS 24U

/* Requests */
#define LIMIT_RECIPIENTS 1000U
#define LIMIT_EVENT_SESSIONS 1000U /* that one live view follows */
#define LIMIT_EVENT_PAGE_BYTES (1U << 20)

/* Configuration */
#define LIMIT_ENV_FILE_BYTES (1U << 20)
#define LIMIT_ENV_VALUE_BYTES (64U << 10)

/* WhatsApp connection */
#define LIMIT_WS_MESSAGE_BYTES (16U << 20)
#define LIMIT_WS_QUEUE_BYTES (32U << 20)
#define LIMIT_WA_FRAME_BYTES ((16U << 20) - 1U)
#define LIMIT_WA_INFLATED_BYTES (32U << 20)
#define LIMIT_WA_INFLATE_RATIO 200U
#define LIMIT_WA_NODE_DEPTH 64U
#define LIMIT_WA_NODE_COUNT 200000U
#define LIMIT_WA_NODE_MEMORY (96U << 20)
#define LIMIT_WA_PROTO_DEPTH 24U
#define LIMIT_WA_PROTO_FIELDS 100000U
#define LIMIT_WA_PROTO_HEAP (16U << 20)
#define LIMIT_WA_QUEUE_STANZAS 10000U
#define LIMIT_WA_QUEUE_BYTES (64U << 20)
#define LIMIT_WA_ROUTING_INFO 4096U
#define LIMIT_WA_PAIRING_REFS 32U
#define LIMIT_WA_PAIRING_TEXT 8192U
#define LIMIT_WA_SIGNAL_RECORD_BYTES (64U << 10)
#define LIMIT_WA_DEVICES_PER_USER 128U
/* App state: entries of one collection, bytes of one snapshot or large patch, patches of one run, changes that wait to be sent */
#define LIMIT_WA_APPSTATE_ENTRIES 200000U
#define LIMIT_WA_APPSTATE_BLOB_BYTES (64U << 20)
#define LIMIT_WA_APPSTATE_PAGES 500U
#define LIMIT_WA_APPSTATE_WAITING 64U
#define LIMIT_WA_GROUP_MEMBERS 20000U
/* History of a phone: the file, what it inflates to, how tightly it may be packed, one message or other field of it */
#define LIMIT_WA_HISTORY_FILE_BYTES (UINT64_C(1) << 30)
#define LIMIT_WA_HISTORY_BYTES (UINT64_C(8) << 30)
#define LIMIT_WA_HISTORY_RATIO 400U
#define LIMIT_WA_HISTORY_ITEM (1U << 20)
#define LIMIT_JID_USER 63U

#endif

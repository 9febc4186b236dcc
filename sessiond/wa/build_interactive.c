/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Buttons and lists as native flow messages, in the shape the original sends (contract rest-a 7.11):
 *
 *     viewOnceMessage { messageContextInfo, interactiveMessage { carouselMessage { one card { header, body, footer, nativeFlow } } } }
 *
 * The stanza needs nodes of its own beside the content: extras.c.
 */
#include "sessiond/wa/build.h"

#include "sessiond/wa/e2e_fields.h"
#include "sessiond/wa/proto_walk.h"

enum { WRAPPED_MESSAGE = 1 };
enum { INFO_DEVICE_LIST = 1, INFO_DEVICE_LIST_VERSION = 2, DEVICE_LIST_VERSION = 2 };
enum { CARD_HEADER = 1, CARD_BODY = 2, CARD_FOOTER = 3, CARD_FLOW = 6, CARD_CAROUSEL = 7 };
enum { HEADER_TITLE = 1, HEADER_IMAGE = 4, HEADER_HAS_MEDIA = 5 };
enum { TEXT = 1 };
enum { FLOW_BUTTON = 1, FLOW_PARAMS = 2 };
enum { BUTTON_NAME = 1, BUTTON_PARAMS = 2 };
enum { CAROUSEL_CARD = 1 };

/* A message that holds one text as its first field. */
static void put_text_in(struct buf *out, uint32_t number, const char *text)
{
	struct buf inner = { 0 };

	if (!text)
		return;
	proto_put_text(&inner, TEXT, text);
	proto_put_bytes(out, number, buf_span(&inner));
	buf_wipe(&inner);
}

static void put_header(struct buf *out, const struct wa_interactive *interactive)
{
	struct buf inner = { 0 };
	struct span image;

	if (proto_find(interactive->image, E2E_IMAGE, &image)) {
		proto_put_bytes(&inner, HEADER_IMAGE, image);
		proto_put_uint(&inner, HEADER_HAS_MEDIA, 1);
	} else {
		proto_put_text(&inner, HEADER_TITLE, " ");
	}
	proto_put_bytes(out, CARD_HEADER, buf_span(&inner));
	buf_wipe(&inner);
}

static void put_flow(struct buf *out, const struct wa_interactive *interactive)
{
	struct buf flow = { 0 };

	for (size_t i = 0; i < interactive->nbuttons; i++) {
		struct buf button = { 0 };

		proto_put_text(&button, BUTTON_NAME, interactive->buttons[i].name);
		proto_put_text(&button, BUTTON_PARAMS, interactive->buttons[i].params);
		proto_put_bytes(&flow, FLOW_BUTTON, buf_span(&button));
		buf_wipe(&button);
	}
	proto_put_text(&flow, FLOW_PARAMS, interactive->params);
	proto_put_bytes(out, CARD_FLOW, buf_span(&flow));
	buf_wipe(&flow);
}

static void put_info(struct buf *out)
{
	struct buf info = { 0 };

	proto_put_bytes(&info, INFO_DEVICE_LIST, span_of("", 0));
	proto_put_uint(&info, INFO_DEVICE_LIST_VERSION, DEVICE_LIST_VERSION);
	proto_put_bytes(out, E2E_CONTEXT_INFO, buf_span(&info));
	buf_free(&info);
}

/* out = field number with inner as its content; inner starts anew. */
static void wrap(struct buf *out, uint32_t number, struct buf *inner)
{
	proto_put_bytes(out, number, buf_span(inner));
	buf_wipe(inner);
}

void wa_build_interactive(struct buf *out, const struct wa_interactive *interactive)
{
	struct buf card = { 0 };
	struct buf carousel = { 0 };
	struct buf content = { 0 };
	struct buf message = { 0 };
	struct buf wrapper = { 0 };

	put_header(&card, interactive);
	put_text_in(&card, CARD_BODY, interactive->body);
	put_text_in(&card, CARD_FOOTER, interactive->footer);
	put_flow(&card, interactive);
	wrap(&carousel, CAROUSEL_CARD, &card);
	wrap(&content, CARD_CAROUSEL, &carousel);
	put_info(&message);
	wrap(&message, E2E_INTERACTIVE, &content);
	wrap(&wrapper, WRAPPED_MESSAGE, &message);
	wrap(out, E2E_VIEW_ONCE, &wrapper);
}

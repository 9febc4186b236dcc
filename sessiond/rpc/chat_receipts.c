/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who has an own message and who has read it, as JSON (rest-b 2.2: messageTypeDetails.receipts; names of the protocol's UserReceipt). */
#include "sessiond/rpc/chat_parts.h"

#include "sessiond/json_text.h"

static void put_time(struct buf *out, const char *name, int64_t time_ms)
{
	if (time_ms > 0)
		json_put_int(out, name, time_ms / 1000);
}

static void put_receipt(struct buf *out, const struct store_receipt *receipt)
{
	buf_u8(out, '{');
	json_put_member(out, "userJid", receipt->jid);
	json_put_member(out, "userLid", receipt->lid);
	json_put_member(out, "status", chat_status_name(receipt->status));
	put_time(out, "receiptTimestamp", receipt->delivered_ms);
	put_time(out, "readTimestamp", receipt->read_ms);
	put_time(out, "playedTimestamp", receipt->played_ms);
	json_put_name(out, "deliveredDeviceJid");
	buf_u8(out, '[');
	for (size_t i = 0; i < receipt->ndevices; i++) {
		if (i > 0)
			buf_u8(out, ',');
		json_put_string(out, receipt->devices[i]);
	}
	buf_append_text(out, "]}");
}

int chat_receipts_put(const struct chat_view *view, struct buf *out, const struct store_message_row *row)
{
	size_t limit = *view->receipts_left < CHAT_RECEIPTS_EACH ? *view->receipts_left : CHAT_RECEIPTS_EACH;
	struct store_receipt *receipts;
	size_t n, shown = 0;
	int rc;

	if (!row->from_me)
		return 0;
	rc = store_message_receipts(view->reader, view->arena, view->session, row, limit, &receipts, &n);
	if (rc != 0 || n == 0)
		return rc;
	json_put_name(out, "receipts");
	buf_u8(out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_u8(out, ',');
		put_receipt(out, &receipts[i]);
		shown += receipts[i].ndevices > 0 ? receipts[i].ndevices : 1;
	}
	buf_u8(out, ']');
	if (shown >= limit)
		json_put_bool(out, "receiptsTruncated", true);
	*view->receipts_left -= shown < *view->receipts_left ? shown : *view->receipts_left;
	return 0;
}

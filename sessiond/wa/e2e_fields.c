/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of content kinds. Order: by number, because it is searched by halving. */
#include "sessiond/wa/e2e_fields.h"

#include <stddef.h>
#include <stdlib.h>

/* number, name, wrapper, text in, context in, stanza type, mediatype, decrypt-fail hidden */
static const struct e2e_field FIELDS[] = {
	{ 1, "conversation", E2E_WRAPPER_NONE, E2E_TEXT_WHOLE, 0, "text", NULL, false },
	{ 2, "senderKeyDistributionMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 3, "imageMessage", E2E_WRAPPER_NONE, 3, 17, "media", "image", false },
	{ 4, "contactMessage", E2E_WRAPPER_NONE, 1, 17, "media", "vcard", false },
	{ 5, "locationMessage", E2E_WRAPPER_NONE, 0, 17, "media", "location", false },
	{ 6, "extendedTextMessage", E2E_WRAPPER_NONE, 1, 17, "text", NULL, false },
	{ 7, "documentMessage", E2E_WRAPPER_NONE, 20, 17, "media", "document", false },
	{ 8, "audioMessage", E2E_WRAPPER_NONE, 0, 17, "media", "audio", false },
	{ 9, "videoMessage", E2E_WRAPPER_NONE, 7, 17, "media", "video", false },
	{ 10, "call", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 12, "protocolMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 13, "contactsArrayMessage", E2E_WRAPPER_NONE, 0, 17, "media", "contact_array", false },
	{ 14, "highlyStructuredMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 16, "sendPaymentMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 18, "liveLocationMessage", E2E_WRAPPER_NONE, 6, 17, "media", "livelocation", false },
	{ 22, "requestPaymentMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 23, "declinePaymentRequestMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 24, "cancelPaymentRequestMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 25, "templateMessage", E2E_WRAPPER_NONE, 0, 3, "text", NULL, false },
	{ 26, "stickerMessage", E2E_WRAPPER_NONE, 0, 17, "media", "sticker", false },
	{ 28, "groupInviteMessage", E2E_WRAPPER_NONE, 6, 7, "media", "url", false },
	{ 29, "templateButtonReplyMessage", E2E_WRAPPER_NONE, 2, 3, "text", NULL, false },
	{ 30, "productMessage", E2E_WRAPPER_NONE, 0, 17, "media", "product", false },
	{ 31, "deviceSentMessage", E2E_WRAPPER_SHOWN_THROUGH, 0, 0, "text", NULL, false },
	{ 35, "messageContextInfo", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 36, "listMessage", E2E_WRAPPER_NONE, 1, 8, "media", "list", false },
	{ 37, "viewOnceMessage", E2E_WRAPPER_SHOWN_THROUGH, 0, 0, "text", NULL, false },
	{ 38, "orderMessage", E2E_WRAPPER_NONE, 6, 17, "media", "order", false },
	{ 39, "listResponseMessage", E2E_WRAPPER_NONE, 1, 4, "media", "list_response", false },
	{ 40, "ephemeralMessage", E2E_WRAPPER_SHOWN_THROUGH, 0, 0, "text", NULL, false },
	{ 41, "invoiceMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 42, "buttonsMessage", E2E_WRAPPER_NONE, 6, 8, "text", NULL, false },
	{ 43, "buttonsResponseMessage", E2E_WRAPPER_NONE, 2, 3, "media", "buttons_response", false },
	{ 44, "paymentInviteMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 45, "interactiveMessage", E2E_WRAPPER_NONE, 0, 15, "text", NULL, false },
	{ 46, "reactionMessage", E2E_WRAPPER_NONE, 2, 0, "reaction", NULL, true },
	{ 47, "stickerSyncRmrMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 48, "interactiveResponseMessage", E2E_WRAPPER_NONE, 0, 15, "media", "native_flow_response", false },
	{ 49, "pollCreationMessage", E2E_WRAPPER_NONE, 2, 5, "poll", NULL, false },
	{ 50, "pollUpdateMessage", E2E_WRAPPER_NONE, 0, 0, "poll", NULL, true },
	{ 51, "keepInChatMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, true },
	{ 53, "documentWithCaptionMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 54, "requestPhoneNumberMessage", E2E_WRAPPER_NONE, 0, 1, "text", NULL, false },
	{ 55, "viewOnceMessageV2", E2E_WRAPPER_SHOWN_THROUGH, 0, 0, "text", NULL, false },
	{ 56, "encReactionMessage", E2E_WRAPPER_NONE, 0, 0, "reaction", NULL, true },
	{ 58, "editedMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 59, "viewOnceMessageV2Extension", E2E_WRAPPER_SHOWN_THROUGH, 0, 0, "text", NULL, false },
	{ 60, "pollCreationMessageV2", E2E_WRAPPER_NONE, 2, 5, "poll", NULL, false },
	{ 61, "scheduledCallCreationMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 62, "groupMentionedMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 63, "pinInChatMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, true },
	{ 64, "pollCreationMessageV3", E2E_WRAPPER_NONE, 2, 5, "poll", NULL, false },
	{ 65, "scheduledCallEditMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 66, "ptvMessage", E2E_WRAPPER_NONE, 7, 17, "media", "ptv", false },
	{ 67, "botInvokeMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 69, "callLogMesssage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 70, "messageHistoryBundle", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 71, "encCommentMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 72, "bcallMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 74, "lottieStickerMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 75, "eventMessage", E2E_WRAPPER_NONE, 3, 1, "event", NULL, false },
	{ 76, "encEventResponseMessage", E2E_WRAPPER_NONE, 0, 0, "event", NULL, true },
	{ 77, "commentMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 78, "newsletterAdminInviteMessage", E2E_WRAPPER_NONE, 0, 6, "text", NULL, false },
	{ 80, "placeholderMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 82, "secretEncryptedMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, true },
	{ 83, "albumMessage", E2E_WRAPPER_NONE, 0, 17, "text", NULL, false },
	{ 85, "eventCoverImage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 86, "stickerPackMessage", E2E_WRAPPER_NONE, 10, 11, "media", "sticker_pack", false },
	{ 87, "statusMentionMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 88, "pollResultSnapshotMessage", E2E_WRAPPER_NONE, 1, 3, "text", NULL, false },
	{ 90, "pollCreationOptionImageMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 91, "associatedChildMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 92, "groupStatusMentionMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 93, "pollCreationMessageV4", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 95, "statusAddYours", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 96, "groupStatusMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 97, "richResponseMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 98, "statusNotificationMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 99, "limitSharingMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 100, "botTaskMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 101, "questionMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 102, "messageHistoryNotice", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 103, "groupStatusMessageV2", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 104, "botForwardedMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 105, "statusQuestionAnswerMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 106, "questionReplyMessage", E2E_WRAPPER_OTHER, 0, 0, "text", NULL, false },
	{ 107, "questionResponseMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 109, "statusQuotedMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 110, "statusStickerInteractionMessage", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 111, "pollCreationMessageV5", E2E_WRAPPER_NONE, 2, 5, "poll", NULL, false },
	{ 113, "newsletterFollowerInviteMessageV2", E2E_WRAPPER_NONE, 0, 0, "text", NULL, false },
	{ 114, "pollResultSnapshotMessageV3", E2E_WRAPPER_NONE, 1, 3, "text", NULL, false },
	{ 115, "pollResultSnapshotMessageV3", E2E_WRAPPER_NONE, 1, 3, "text", NULL, false },
	{ 119, "pollCreationMessageV6", E2E_WRAPPER_NONE, 2, 5, "poll", NULL, false },
};

static int compare_number(const void *key, const void *entry)
{
	uint32_t wanted = *(const uint32_t *)key;
	uint32_t number = ((const struct e2e_field *)entry)->number;

	return wanted < number ? -1 : wanted > number;
}

const struct e2e_field *e2e_field_find(uint32_t number)
{
	return bsearch(&number, FIELDS, sizeof FIELDS / sizeof FIELDS[0], sizeof FIELDS[0], compare_number);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Field numbers, names and types of everything that can be inside a message, as tables. Message 0 is Message itself.
 * Facts of the wire format: the message definitions of WhatsApp Web 2.3000.1029496320 as published with Baileys 7.0.0-rc14.
 */
#include "sessiond/session/message_schema.h"

/* clang-format off */
#define F(number, kind, sub, name) { number, SCHEMA_##kind, false, sub, name },
#define R(number, kind, sub, name) { number, SCHEMA_##kind, true, sub, name },

/* By message, each message's fields by number. */
const struct schema_field schema_fields[] = {
	F(1, STR, 0, "conversation") F(2, MSG, 1, "senderKeyDistributionMessage") F(3, MSG, 2, "imageMessage") F(4, MSG, 3, "contactMessage")
	F(5, MSG, 4, "locationMessage") F(6, MSG, 5, "extendedTextMessage") F(7, MSG, 6, "documentMessage") F(8, MSG, 7, "audioMessage")
	F(9, MSG, 8, "videoMessage") F(10, MSG, 9, "call") F(11, MSG, 10, "chat") F(12, MSG, 11, "protocolMessage") F(13, MSG, 12, "contactsArrayMessage")
	F(14, MSG, 13, "highlyStructuredMessage") F(15, MSG, 1, "fastRatchetKeySenderKeyDistributionMessage") F(16, MSG, 14, "sendPaymentMessage")
	F(18, MSG, 15, "liveLocationMessage") F(22, MSG, 16, "requestPaymentMessage") F(23, MSG, 17, "declinePaymentRequestMessage")
	F(24, MSG, 18, "cancelPaymentRequestMessage") F(25, MSG, 19, "templateMessage") F(26, MSG, 20, "stickerMessage")
	F(28, MSG, 21, "groupInviteMessage") F(29, MSG, 22, "templateButtonReplyMessage") F(30, MSG, 23, "productMessage")
	F(31, MSG, 24, "deviceSentMessage") F(35, MSG, 25, "messageContextInfo") F(36, MSG, 26, "listMessage") F(37, MSG, 27, "viewOnceMessage")
	F(38, MSG, 28, "orderMessage") F(39, MSG, 29, "listResponseMessage") F(40, MSG, 27, "ephemeralMessage") F(41, MSG, 30, "invoiceMessage")
	F(42, MSG, 31, "buttonsMessage") F(43, MSG, 32, "buttonsResponseMessage") F(44, MSG, 33, "paymentInviteMessage")
	F(45, MSG, 34, "interactiveMessage") F(46, MSG, 35, "reactionMessage") F(47, MSG, 36, "stickerSyncRmrMessage")
	F(48, MSG, 37, "interactiveResponseMessage") F(49, MSG, 38, "pollCreationMessage") F(50, MSG, 39, "pollUpdateMessage")
	F(51, MSG, 40, "keepInChatMessage") F(53, MSG, 27, "documentWithCaptionMessage") F(54, MSG, 41, "requestPhoneNumberMessage")
	F(55, MSG, 27, "viewOnceMessageV2") F(56, MSG, 42, "encReactionMessage") F(58, MSG, 27, "editedMessage")
	F(59, MSG, 27, "viewOnceMessageV2Extension") F(60, MSG, 38, "pollCreationMessageV2") F(61, MSG, 43, "scheduledCallCreationMessage")
	F(62, MSG, 27, "groupMentionedMessage") F(63, MSG, 44, "pinInChatMessage") F(64, MSG, 38, "pollCreationMessageV3")
	F(65, MSG, 45, "scheduledCallEditMessage") F(66, MSG, 8, "ptvMessage") F(67, MSG, 27, "botInvokeMessage") F(69, MSG, 46, "callLogMesssage")
	F(70, MSG, 47, "messageHistoryBundle") F(71, MSG, 48, "encCommentMessage") F(72, MSG, 49, "bcallMessage") F(74, MSG, 27, "lottieStickerMessage")
	F(75, MSG, 50, "eventMessage") F(76, MSG, 51, "encEventResponseMessage") F(77, MSG, 52, "commentMessage")
	F(78, MSG, 53, "newsletterAdminInviteMessage") F(80, MSG, 54, "placeholderMessage") F(82, MSG, 55, "secretEncryptedMessage")
	F(83, MSG, 56, "albumMessage") F(85, MSG, 27, "eventCoverImage") F(86, MSG, 57, "stickerPackMessage") F(87, MSG, 27, "statusMentionMessage")
	F(88, MSG, 58, "pollResultSnapshotMessage") F(90, MSG, 27, "pollCreationOptionImageMessage") F(91, MSG, 27, "associatedChildMessage")
	F(92, MSG, 27, "groupStatusMentionMessage") F(93, MSG, 27, "pollCreationMessageV4") F(95, MSG, 27, "statusAddYours")
	F(96, MSG, 27, "groupStatusMessage") F(97, MSG, 59, "richResponseMessage") F(98, MSG, 60, "statusNotificationMessage")
	F(99, MSG, 27, "limitSharingMessage") F(100, MSG, 27, "botTaskMessage") F(101, MSG, 27, "questionMessage") F(102, MSG, 61, "messageHistoryNotice")
	F(103, MSG, 27, "groupStatusMessageV2") F(104, MSG, 27, "botForwardedMessage") F(105, MSG, 62, "statusQuestionAnswerMessage")
	F(106, MSG, 27, "questionReplyMessage") F(107, MSG, 63, "questionResponseMessage") F(109, MSG, 64, "statusQuotedMessage")
	F(110, MSG, 65, "statusStickerInteractionMessage") F(111, MSG, 38, "pollCreationMessageV5") F(113, MSG, 66, "newsletterFollowerInviteMessageV2")
	F(114, MSG, 58, "pollResultSnapshotMessageV3") F(1, STR, 0, "groupId") F(2, BYT, 0, "axolotlSenderKeyDistributionMessage") F(1, STR, 0, "url")
	F(2, STR, 0, "mimetype") F(3, STR, 0, "caption") F(4, BYT, 0, "fileSha256") F(5, U64, 0, "fileLength") F(6, U32, 0, "height") F(7, U32, 0, "width")
	F(8, BYT, 0, "mediaKey") F(9, BYT, 0, "fileEncSha256") R(10, MSG, 67, "interactiveAnnotations") F(11, STR, 0, "directPath")
	F(12, I64, 0, "mediaKeyTimestamp") F(16, BYT, 0, "jpegThumbnail") F(17, MSG, 68, "contextInfo") F(18, BYT, 0, "firstScanSidecar")
	F(19, U32, 0, "firstScanLength") F(20, U32, 0, "experimentGroupId") F(21, BYT, 0, "scansSidecar") R(22, U32, 0, "scanLengths")
	F(23, BYT, 0, "midQualityFileSha256") F(24, BYT, 0, "midQualityFileEncSha256") F(25, BOO, 0, "viewOnce") F(26, STR, 0, "thumbnailDirectPath")
	F(27, BYT, 0, "thumbnailSha256") F(28, BYT, 0, "thumbnailEncSha256") F(29, STR, 0, "staticUrl") R(30, MSG, 67, "annotations")
	F(31, ENU, 0, "imageSourceType") F(32, STR, 0, "accessibilityLabel") F(33, ENU, 1, "mediaKeyDomain") F(34, STR, 0, "qrUrl")
	F(1, STR, 0, "displayName") F(16, STR, 0, "vcard") F(17, MSG, 68, "contextInfo") F(1, DBL, 0, "degreesLatitude") F(2, DBL, 0, "degreesLongitude")
	F(3, STR, 0, "name") F(4, STR, 0, "address") F(5, STR, 0, "url") F(6, BOO, 0, "isLive") F(7, U32, 0, "accuracyInMeters") F(8, FLT, 0, "speedInMps")
	F(9, U32, 0, "degreesClockwiseFromMagneticNorth") F(11, STR, 0, "comment") F(16, BYT, 0, "jpegThumbnail") F(17, MSG, 68, "contextInfo")
	F(1, STR, 0, "text") F(2, STR, 0, "matchedText") F(5, STR, 0, "description") F(6, STR, 0, "title") F(7, F32, 0, "textArgb")
	F(8, F32, 0, "backgroundArgb") F(9, ENU, 2, "font") F(10, ENU, 3, "previewType") F(16, BYT, 0, "jpegThumbnail") F(17, MSG, 68, "contextInfo")
	F(18, BOO, 0, "doNotPlayInline") F(19, STR, 0, "thumbnailDirectPath") F(20, BYT, 0, "thumbnailSha256") F(21, BYT, 0, "thumbnailEncSha256")
	F(22, BYT, 0, "mediaKey") F(23, I64, 0, "mediaKeyTimestamp") F(24, U32, 0, "thumbnailHeight") F(25, U32, 0, "thumbnailWidth")
	F(26, ENU, 4, "inviteLinkGroupType") F(27, STR, 0, "inviteLinkParentGroupSubjectV2") F(28, BYT, 0, "inviteLinkParentGroupThumbnailV2")
	F(29, ENU, 4, "inviteLinkGroupTypeV2") F(30, BOO, 0, "viewOnce") F(31, U32, 0, "videoHeight") F(32, U32, 0, "videoWidth")
	F(33, MSG, 69, "faviconMMSMetadata") F(34, MSG, 70, "linkPreviewMetadata") F(35, MSG, 71, "paymentLinkMetadata") R(36, MSG, 72, "endCardTiles")
	F(37, STR, 0, "videoContentUrl") F(38, MSG, 73, "musicMetadata") F(39, MSG, 74, "paymentExtendedMetadata") F(1, STR, 0, "url")
	F(2, STR, 0, "mimetype") F(3, STR, 0, "title") F(4, BYT, 0, "fileSha256") F(5, U64, 0, "fileLength") F(6, U32, 0, "pageCount")
	F(7, BYT, 0, "mediaKey") F(8, STR, 0, "fileName") F(9, BYT, 0, "fileEncSha256") F(10, STR, 0, "directPath") F(11, I64, 0, "mediaKeyTimestamp")
	F(12, BOO, 0, "contactVcard") F(13, STR, 0, "thumbnailDirectPath") F(14, BYT, 0, "thumbnailSha256") F(15, BYT, 0, "thumbnailEncSha256")
	F(16, BYT, 0, "jpegThumbnail") F(17, MSG, 68, "contextInfo") F(18, U32, 0, "thumbnailHeight") F(19, U32, 0, "thumbnailWidth")
	F(20, STR, 0, "caption") F(21, STR, 0, "accessibilityLabel") F(22, ENU, 1, "mediaKeyDomain") F(1, STR, 0, "url") F(2, STR, 0, "mimetype")
	F(3, BYT, 0, "fileSha256") F(4, U64, 0, "fileLength") F(5, U32, 0, "seconds") F(6, BOO, 0, "ptt") F(7, BYT, 0, "mediaKey")
	F(8, BYT, 0, "fileEncSha256") F(9, STR, 0, "directPath") F(10, I64, 0, "mediaKeyTimestamp") F(17, MSG, 68, "contextInfo")
	F(18, BYT, 0, "streamingSidecar") F(19, BYT, 0, "waveform") F(20, F32, 0, "backgroundArgb") F(21, BOO, 0, "viewOnce")
	F(22, STR, 0, "accessibilityLabel") F(23, ENU, 1, "mediaKeyDomain") F(1, STR, 0, "url") F(2, STR, 0, "mimetype") F(3, BYT, 0, "fileSha256")
	F(4, U64, 0, "fileLength") F(5, U32, 0, "seconds") F(6, BYT, 0, "mediaKey") F(7, STR, 0, "caption") F(8, BOO, 0, "gifPlayback")
	F(9, U32, 0, "height") F(10, U32, 0, "width") F(11, BYT, 0, "fileEncSha256") R(12, MSG, 67, "interactiveAnnotations") F(13, STR, 0, "directPath")
	F(14, I64, 0, "mediaKeyTimestamp") F(16, BYT, 0, "jpegThumbnail") F(17, MSG, 68, "contextInfo") F(18, BYT, 0, "streamingSidecar")
	F(19, ENU, 5, "gifAttribution") F(20, BOO, 0, "viewOnce") F(21, STR, 0, "thumbnailDirectPath") F(22, BYT, 0, "thumbnailSha256")
	F(23, BYT, 0, "thumbnailEncSha256") F(24, STR, 0, "staticUrl") R(25, MSG, 67, "annotations") F(26, STR, 0, "accessibilityLabel")
	R(27, MSG, 75, "processedVideos") F(28, U32, 0, "externalShareFullVideoDurationInSeconds") F(29, U64, 0, "motionPhotoPresentationOffsetMs")
	F(30, STR, 0, "metadataUrl") F(31, ENU, 6, "videoSourceType") F(32, ENU, 1, "mediaKeyDomain") F(1, BYT, 0, "callKey")
	F(2, STR, 0, "conversionSource") F(3, BYT, 0, "conversionData") F(4, U32, 0, "conversionDelaySeconds") F(5, STR, 0, "ctwaSignals")
	F(6, BYT, 0, "ctwaPayload") F(7, MSG, 68, "contextInfo") F(8, STR, 0, "nativeFlowCallButtonPayload") F(9, STR, 0, "deeplinkPayload")
	F(1, STR, 0, "displayName") F(2, STR, 0, "id") F(1, MSG, 76, "key") F(2, ENU, 7, "type") F(4, U32, 0, "ephemeralExpiration")
	F(5, I64, 0, "ephemeralSettingTimestamp") F(6, MSG, 77, "historySyncNotification") F(7, MSG, 78, "appStateSyncKeyShare")
	F(8, MSG, 79, "appStateSyncKeyRequest") F(9, MSG, 80, "initialSecurityNotificationSettingSync") F(10, MSG, 81, "appStateFatalExceptionNotification")
	F(11, MSG, 82, "disappearingMode") F(14, MSG, 0, "editedMessage") F(15, I64, 0, "timestampMs") F(16, MSG, 83, "peerDataOperationRequestMessage")
	F(17, MSG, 84, "peerDataOperationRequestResponseMessage") F(18, MSG, 85, "botFeedbackMessage") F(19, STR, 0, "invokerJid")
	F(20, MSG, 86, "requestWelcomeMessageMetadata") F(21, MSG, 87, "mediaNotifyMessage") F(22, MSG, 88, "cloudApiThreadControlNotification")
	F(23, MSG, 89, "lidMigrationMappingSyncMessage") F(24, MSG, 90, "limitSharing") F(25, BYT, 0, "aiPsiMetadata") F(26, MSG, 91, "aiQueryFanout")
	F(27, MSG, 92, "memberLabel") F(1, STR, 0, "displayName") R(2, MSG, 3, "contacts") F(17, MSG, 68, "contextInfo") F(1, STR, 0, "namespace")
	F(2, STR, 0, "elementName") R(3, STR, 0, "params") F(4, STR, 0, "fallbackLg") F(5, STR, 0, "fallbackLc") R(6, MSG, 93, "localizableParams")
	F(7, STR, 0, "deterministicLg") F(8, STR, 0, "deterministicLc") F(9, MSG, 19, "hydratedHsm") F(2, MSG, 0, "noteMessage")
	F(3, MSG, 76, "requestMessageKey") F(4, MSG, 94, "background") F(5, STR, 0, "transactionData") F(1, DBL, 0, "degreesLatitude")
	F(2, DBL, 0, "degreesLongitude") F(3, U32, 0, "accuracyInMeters") F(4, FLT, 0, "speedInMps") F(5, U32, 0, "degreesClockwiseFromMagneticNorth")
	F(6, STR, 0, "caption") F(7, I64, 0, "sequenceNumber") F(8, U32, 0, "timeOffset") F(16, BYT, 0, "jpegThumbnail") F(17, MSG, 68, "contextInfo")
	F(1, STR, 0, "currencyCodeIso4217") F(2, U64, 0, "amount1000") F(3, STR, 0, "requestFrom") F(4, MSG, 0, "noteMessage")
	F(5, I64, 0, "expiryTimestamp") F(6, MSG, 95, "amount") F(7, MSG, 94, "background") F(1, MSG, 76, "key") F(1, MSG, 76, "key")
	F(1, MSG, 96, "fourRowTemplate") F(2, MSG, 97, "hydratedFourRowTemplate") F(3, MSG, 68, "contextInfo") F(4, MSG, 97, "hydratedTemplate")
	F(5, MSG, 34, "interactiveMessageTemplate") F(9, STR, 0, "templateId") F(1, STR, 0, "url") F(2, BYT, 0, "fileSha256") F(3, BYT, 0, "fileEncSha256")
	F(4, BYT, 0, "mediaKey") F(5, STR, 0, "mimetype") F(6, U32, 0, "height") F(7, U32, 0, "width") F(8, STR, 0, "directPath") F(9, U64, 0, "fileLength")
	F(10, I64, 0, "mediaKeyTimestamp") F(11, U32, 0, "firstFrameLength") F(12, BYT, 0, "firstFrameSidecar") F(13, BOO, 0, "isAnimated")
	F(16, BYT, 0, "pngThumbnail") F(17, MSG, 68, "contextInfo") F(18, I64, 0, "stickerSentTs") F(19, BOO, 0, "isAvatar") F(20, BOO, 0, "isAiSticker")
	F(21, BOO, 0, "isLottie") F(22, STR, 0, "accessibilityLabel") F(23, ENU, 1, "mediaKeyDomain") F(1, STR, 0, "groupJid") F(2, STR, 0, "inviteCode")
	F(3, I64, 0, "inviteExpiration") F(4, STR, 0, "groupName") F(5, BYT, 0, "jpegThumbnail") F(6, STR, 0, "caption") F(7, MSG, 68, "contextInfo")
	F(8, ENU, 8, "groupType") F(1, STR, 0, "selectedId") F(2, STR, 0, "selectedDisplayText") F(3, MSG, 68, "contextInfo") F(4, U32, 0, "selectedIndex")
	F(5, U32, 0, "selectedCarouselCardIndex") F(1, MSG, 98, "product") F(2, STR, 0, "businessOwnerJid") F(4, MSG, 99, "catalog") F(5, STR, 0, "body")
	F(6, STR, 0, "footer") F(17, MSG, 68, "contextInfo") F(1, STR, 0, "destinationJid") F(2, MSG, 0, "message") F(3, STR, 0, "phash")
	F(1, MSG, 100, "deviceListMetadata") F(2, I32, 0, "deviceListMetadataVersion") F(3, BYT, 0, "messageSecret") F(4, BYT, 0, "paddingBytes")
	F(5, U32, 0, "messageAddOnDurationInSecs") F(6, BYT, 0, "botMessageSecret") F(7, MSG, 101, "botMetadata") F(8, I32, 0, "reportingTokenVersion")
	F(9, ENU, 9, "messageAddOnExpiryType") F(10, MSG, 102, "messageAssociation") F(11, BOO, 0, "capiCreatedGroup") F(12, STR, 0, "supportPayload")
	F(13, MSG, 90, "limitSharing") F(14, MSG, 90, "limitSharingV2") R(15, MSG, 103, "threadId") F(16, ENU, 10, "weblinkRenderConfig")
	F(1, STR, 0, "title") F(2, STR, 0, "description") F(3, STR, 0, "buttonText") F(4, ENU, 11, "listType") R(5, MSG, 104, "sections")
	F(6, MSG, 105, "productListInfo") F(7, STR, 0, "footerText") F(8, MSG, 68, "contextInfo") F(1, MSG, 0, "message") F(1, STR, 0, "orderId")
	F(2, BYT, 0, "thumbnail") F(3, I32, 0, "itemCount") F(4, ENU, 12, "status") F(5, ENU, 13, "surface") F(6, STR, 0, "message")
	F(7, STR, 0, "orderTitle") F(8, STR, 0, "sellerJid") F(9, STR, 0, "token") F(10, I64, 0, "totalAmount1000") F(11, STR, 0, "totalCurrencyCode")
	F(12, I32, 0, "messageVersion") F(13, MSG, 76, "orderRequestMessageId") F(15, STR, 0, "catalogType") F(17, MSG, 68, "contextInfo")
	F(1, STR, 0, "title") F(2, ENU, 14, "listType") F(3, MSG, 106, "singleSelectReply") F(4, MSG, 68, "contextInfo") F(5, STR, 0, "description")
	F(1, STR, 0, "note") F(2, STR, 0, "token") F(3, ENU, 15, "attachmentType") F(4, STR, 0, "attachmentMimetype") F(5, BYT, 0, "attachmentMediaKey")
	F(6, I64, 0, "attachmentMediaKeyTimestamp") F(7, BYT, 0, "attachmentFileSha256") F(8, BYT, 0, "attachmentFileEncSha256")
	F(9, STR, 0, "attachmentDirectPath") F(10, BYT, 0, "attachmentJpegThumbnail") F(1, STR, 0, "text") F(2, MSG, 6, "documentMessage")
	F(3, MSG, 2, "imageMessage") F(4, MSG, 8, "videoMessage") F(5, MSG, 4, "locationMessage") F(6, STR, 0, "contentText") F(7, STR, 0, "footerText")
	F(8, MSG, 68, "contextInfo") R(9, MSG, 107, "buttons") F(10, ENU, 16, "headerType") F(1, STR, 0, "selectedButtonId")
	F(2, STR, 0, "selectedDisplayText") F(3, MSG, 68, "contextInfo") F(4, ENU, 17, "type") F(1, ENU, 18, "serviceType") F(2, I64, 0, "expiryTimestamp")
	F(1, MSG, 108, "header") F(2, MSG, 109, "body") F(3, MSG, 110, "footer") F(4, MSG, 111, "shopStorefrontMessage") F(5, MSG, 112, "collectionMessage")
	F(6, MSG, 113, "nativeFlowMessage") F(7, MSG, 114, "carouselMessage") F(15, MSG, 68, "contextInfo") F(16, MSG, 115, "urlTrackingMap")
	F(1, MSG, 76, "key") F(2, STR, 0, "text") F(3, STR, 0, "groupingKey") F(4, I64, 0, "senderTimestampMs") R(1, STR, 0, "filehash")
	F(2, STR, 0, "rmrSource") F(3, I64, 0, "requestTimestamp") F(1, MSG, 116, "body") F(2, MSG, 117, "nativeFlowResponseMessage")
	F(15, MSG, 68, "contextInfo") F(1, BYT, 0, "encKey") F(2, STR, 0, "name") R(3, MSG, 118, "options") F(4, U32, 0, "selectableOptionsCount")
	F(5, MSG, 68, "contextInfo") F(6, ENU, 19, "pollContentType") F(7, ENU, 20, "pollType") F(8, MSG, 118, "correctAnswer")
	F(1, MSG, 76, "pollCreationMessageKey") F(2, MSG, 119, "vote") F(3, MSG, 120, "metadata") F(4, I64, 0, "senderTimestampMs") F(1, MSG, 76, "key")
	F(2, ENU, 21, "keepType") F(3, I64, 0, "timestampMs") F(1, MSG, 68, "contextInfo") F(1, MSG, 76, "targetMessageKey") F(2, BYT, 0, "encPayload")
	F(3, BYT, 0, "encIv") F(1, I64, 0, "scheduledTimestampMs") F(2, ENU, 22, "callType") F(3, STR, 0, "title") F(1, MSG, 76, "key")
	F(2, ENU, 23, "type") F(3, I64, 0, "senderTimestampMs") F(1, MSG, 76, "key") F(2, ENU, 24, "editType") F(1, BOO, 0, "isVideo")
	F(2, ENU, 25, "callOutcome") F(3, I64, 0, "durationSecs") F(4, ENU, 26, "callType") R(5, MSG, 121, "participants") F(1, STR, 0, "mimetype")
	F(2, BYT, 0, "fileSha256") F(3, BYT, 0, "mediaKey") F(4, BYT, 0, "fileEncSha256") F(5, STR, 0, "directPath") F(6, I64, 0, "mediaKeyTimestamp")
	F(7, MSG, 68, "contextInfo") F(8, MSG, 122, "messageHistoryMetadata") F(1, MSG, 76, "targetMessageKey") F(2, BYT, 0, "encPayload")
	F(3, BYT, 0, "encIv") F(1, STR, 0, "sessionId") F(2, ENU, 27, "mediaType") F(3, BYT, 0, "masterKey") F(4, STR, 0, "caption")
	F(1, MSG, 68, "contextInfo") F(2, BOO, 0, "isCanceled") F(3, STR, 0, "name") F(4, STR, 0, "description") F(5, MSG, 4, "location")
	F(6, STR, 0, "joinLink") F(7, I64, 0, "startTime") F(8, I64, 0, "endTime") F(9, BOO, 0, "extraGuestsAllowed") F(10, BOO, 0, "isScheduleCall")
	F(11, BOO, 0, "hasReminder") F(12, I64, 0, "reminderOffsetSec") F(1, MSG, 76, "eventCreationMessageKey") F(2, BYT, 0, "encPayload")
	F(3, BYT, 0, "encIv") F(1, MSG, 0, "message") F(2, MSG, 76, "targetMessageKey") F(1, STR, 0, "newsletterJid") F(2, STR, 0, "newsletterName")
	F(3, BYT, 0, "jpegThumbnail") F(4, STR, 0, "caption") F(5, I64, 0, "inviteExpiration") F(6, MSG, 68, "contextInfo") F(1, ENU, 28, "type")
	F(1, MSG, 76, "targetMessageKey") F(2, BYT, 0, "encPayload") F(3, BYT, 0, "encIv") F(4, ENU, 29, "secretEncType") F(2, U32, 0, "expectedImageCount")
	F(3, U32, 0, "expectedVideoCount") F(17, MSG, 68, "contextInfo") F(1, STR, 0, "stickerPackId") F(2, STR, 0, "name") F(3, STR, 0, "publisher")
	R(4, MSG, 123, "stickers") F(5, U64, 0, "fileLength") F(6, BYT, 0, "fileSha256") F(7, BYT, 0, "fileEncSha256") F(8, BYT, 0, "mediaKey")
	F(9, STR, 0, "directPath") F(10, STR, 0, "caption") F(11, MSG, 68, "contextInfo") F(12, STR, 0, "packDescription")
	F(13, I64, 0, "mediaKeyTimestamp") F(14, STR, 0, "trayIconFileName") F(15, STR, 0, "thumbnailDirectPath") F(16, BYT, 0, "thumbnailSha256")
	F(17, BYT, 0, "thumbnailEncSha256") F(18, U32, 0, "thumbnailHeight") F(19, U32, 0, "thumbnailWidth") F(20, STR, 0, "imageDataHash")
	F(21, U64, 0, "stickerPackSize") F(22, ENU, 30, "stickerPackOrigin") F(1, STR, 0, "name") R(2, MSG, 124, "pollVotes") F(3, MSG, 68, "contextInfo")
	F(4, ENU, 20, "pollType") F(1, ENU, 31, "messageType") R(2, MSG, 125, "submessages") F(3, MSG, 126, "unifiedResponse") F(4, MSG, 68, "contextInfo")
	F(1, MSG, 76, "responseMessageKey") F(2, MSG, 76, "originalMessageKey") F(3, ENU, 32, "type") F(1, MSG, 68, "contextInfo")
	F(2, MSG, 122, "messageHistoryMetadata") F(1, MSG, 76, "key") F(2, STR, 0, "text") F(1, MSG, 76, "key") F(2, STR, 0, "text") F(1, ENU, 33, "type")
	F(2, STR, 0, "text") F(3, BYT, 0, "thumbnail") F(4, MSG, 76, "originalStatusId") F(1, MSG, 76, "key") F(2, STR, 0, "stickerKey")
	F(3, ENU, 34, "type") F(1, STR, 0, "newsletterJid") F(2, STR, 0, "newsletterName") F(3, BYT, 0, "jpegThumbnail") F(4, STR, 0, "caption")
	F(5, MSG, 68, "contextInfo") R(1, MSG, 127, "polygonVertices") F(2, MSG, 128, "location") F(3, MSG, 129, "newsletter")
	F(4, BOO, 0, "shouldSkipConfirmation") F(5, MSG, 130, "embeddedContent") F(6, BOO, 0, "embeddedAction") F(7, MSG, 131, "tapAction")
	F(8, ENU, 35, "statusLinkType") F(1, STR, 0, "stanzaId") F(2, STR, 0, "participant") F(3, MSG, 0, "quotedMessage") F(4, STR, 0, "remoteJid")
	R(15, STR, 0, "mentionedJid") F(18, STR, 0, "conversionSource") F(19, BYT, 0, "conversionData") F(20, U32, 0, "conversionDelaySeconds")
	F(21, U32, 0, "forwardingScore") F(22, BOO, 0, "isForwarded") F(23, MSG, 132, "quotedAd") F(24, MSG, 76, "placeholderKey")
	F(25, U32, 0, "expiration") F(26, I64, 0, "ephemeralSettingTimestamp") F(27, BYT, 0, "ephemeralSharedSecret") F(28, MSG, 133, "externalAdReply")
	F(29, STR, 0, "entryPointConversionSource") F(30, STR, 0, "entryPointConversionApp") F(31, U32, 0, "entryPointConversionDelaySeconds")
	F(32, MSG, 82, "disappearingMode") F(33, MSG, 134, "actionLink") F(34, STR, 0, "groupSubject") F(35, STR, 0, "parentGroupJid")
	F(37, STR, 0, "trustBannerType") F(38, U32, 0, "trustBannerAction") F(39, BOO, 0, "isSampled") R(40, MSG, 135, "groupMentions")
	F(41, MSG, 136, "utm") F(43, MSG, 129, "forwardedNewsletterMessageInfo") F(44, MSG, 137, "businessMessageForwardInfo")
	F(45, STR, 0, "smbClientCampaignId") F(46, STR, 0, "smbServerCampaignId") F(47, MSG, 138, "dataSharingContext")
	F(48, BOO, 0, "alwaysShowAdAttribution") F(49, MSG, 139, "featureEligibilities") F(50, STR, 0, "entryPointConversionExternalSource")
	F(51, STR, 0, "entryPointConversionExternalMedium") F(54, STR, 0, "ctwaSignals") F(55, BYT, 0, "ctwaPayload")
	F(56, MSG, 140, "forwardedAiBotMessageInfo") F(57, ENU, 36, "statusAttributionType") F(58, MSG, 115, "urlTrackingMap")
	F(59, ENU, 37, "pairedMediaType") F(60, U32, 0, "rankingVersion") F(62, MSG, 92, "memberLabel") F(63, BOO, 0, "isQuestion")
	F(64, ENU, 38, "statusSourceType") R(65, MSG, 141, "statusAttributions") F(66, BOO, 0, "isGroupStatus") F(67, ENU, 39, "forwardOrigin")
	F(68, MSG, 142, "questionReplyQuotedMessage") F(69, MSG, 143, "statusAudienceMetadata") F(70, U32, 0, "nonJidMentions") F(71, ENU, 40, "quotedType")
	F(72, MSG, 144, "botMessageSharingInfo") F(1, STR, 0, "thumbnailDirectPath") F(2, BYT, 0, "thumbnailSha256") F(3, BYT, 0, "thumbnailEncSha256")
	F(4, BYT, 0, "mediaKey") F(5, I64, 0, "mediaKeyTimestamp") F(6, U32, 0, "thumbnailHeight") F(7, U32, 0, "thumbnailWidth")
	F(8, ENU, 1, "mediaKeyDomain") F(1, MSG, 71, "paymentLinkMetadata") F(2, MSG, 145, "urlMetadata") F(3, U32, 0, "fbExperimentId")
	F(4, U32, 0, "linkMediaDuration") F(5, ENU, 41, "socialMediaPostType") F(6, BOO, 0, "linkInlineVideoMuted") F(7, STR, 0, "videoContentUrl")
	F(8, MSG, 73, "musicMetadata") F(9, STR, 0, "videoContentCaption") F(1, MSG, 146, "button") F(2, MSG, 147, "header") F(3, MSG, 148, "provider")
	F(1, STR, 0, "username") F(2, STR, 0, "caption") F(3, STR, 0, "thumbnailImageUrl") F(4, STR, 0, "profilePictureUrl")
	F(1, STR, 0, "musicContentMediaId") F(2, STR, 0, "songId") F(3, STR, 0, "author") F(4, STR, 0, "title") F(5, STR, 0, "artworkDirectPath")
	F(6, BYT, 0, "artworkSha256") F(7, BYT, 0, "artworkEncSha256") F(8, STR, 0, "artistAttribution") F(9, BYT, 0, "countryBlocklist")
	F(10, BOO, 0, "isExplicit") F(11, BYT, 0, "artworkMediaKey") F(12, I64, 0, "musicSongStartTimeInMs") F(13, I64, 0, "derivedContentStartTimeInMs")
	F(14, I64, 0, "overlapDurationInMs") F(1, U32, 0, "type") F(2, STR, 0, "platform") F(3, STR, 0, "messageParamsJson") F(1, STR, 0, "directPath")
	F(2, BYT, 0, "fileSha256") F(3, U32, 0, "height") F(4, U32, 0, "width") F(5, U64, 0, "fileLength") F(6, U32, 0, "bitrate") F(7, ENU, 42, "quality")
	R(8, STR, 0, "capabilities") F(1, STR, 0, "remoteJid") F(2, BOO, 0, "fromMe") F(3, STR, 0, "id") F(4, STR, 0, "participant")
	F(1, BYT, 0, "fileSha256") F(2, U64, 0, "fileLength") F(3, BYT, 0, "mediaKey") F(4, BYT, 0, "fileEncSha256") F(5, STR, 0, "directPath")
	F(6, ENU, 43, "syncType") F(7, U32, 0, "chunkOrder") F(8, STR, 0, "originalMessageId") F(9, U32, 0, "progress")
	F(10, I64, 0, "oldestMsgInChunkTimestampSec") F(11, BYT, 0, "initialHistBootstrapInlinePayload") F(12, STR, 0, "peerDataRequestSessionId")
	F(13, MSG, 149, "fullHistorySyncOnDemandRequestMetadata") F(14, STR, 0, "encHandle") F(15, MSG, 150, "messageAccessStatus") R(1, MSG, 151, "keys")
	R(1, MSG, 152, "keyIds") F(1, BOO, 0, "securityNotificationEnabled") R(1, STR, 0, "collectionNames") F(2, I64, 0, "timestamp")
	F(1, ENU, 44, "initiator") F(2, ENU, 45, "trigger") F(3, STR, 0, "initiatorDeviceJid") F(4, BOO, 0, "initiatedByMe")
	F(1, ENU, 46, "peerDataOperationRequestType") R(2, MSG, 153, "requestStickerReupload") R(3, MSG, 154, "requestUrlPreview")
	F(4, MSG, 155, "historySyncOnDemandRequest") R(5, MSG, 156, "placeholderMessageResendRequest") F(6, MSG, 157, "fullHistorySyncOnDemandRequest")
	F(7, MSG, 158, "syncdCollectionFatalRecoveryRequest") F(8, MSG, 159, "historySyncChunkRetryRequest") F(9, MSG, 160, "galaxyFlowAction")
	F(1, ENU, 46, "peerDataOperationRequestType") F(2, STR, 0, "stanzaId") R(3, MSG, 161, "peerDataOperationResult") F(1, MSG, 76, "messageKey")
	F(2, ENU, 47, "kind") F(3, STR, 0, "text") F(4, U64, 0, "kindNegative") F(5, U64, 0, "kindPositive") F(6, ENU, 48, "kindReport")
	F(7, MSG, 162, "sideBySideSurveyMetadata") F(1, ENU, 49, "localChatState") F(1, STR, 0, "expressPathUrl") F(2, BYT, 0, "fileEncSha256")
	F(3, U64, 0, "fileLength") F(1, ENU, 50, "status") F(2, I64, 0, "senderNotificationTimestampMs") F(3, STR, 0, "consumerLid")
	F(4, STR, 0, "consumerPhoneNumber") F(5, MSG, 163, "notificationContent") F(6, BOO, 0, "shouldSuppressNotification")
	F(1, BYT, 0, "encodedMappingPayload") F(1, BOO, 0, "sharingLimited") F(2, ENU, 51, "trigger") F(3, I64, 0, "limitSharingSettingTimestamp")
	F(4, BOO, 0, "initiatedByMe") F(1, MSG, 76, "messageKey") F(2, MSG, 0, "message") F(3, I64, 0, "timestamp") F(1, STR, 0, "label")
	F(2, I64, 0, "labelTimestamp") F(1, STR, 0, "default") F(2, MSG, 164, "currency") F(3, MSG, 165, "dateTime") F(1, STR, 0, "id")
	F(2, U64, 0, "fileLength") F(3, U32, 0, "width") F(4, U32, 0, "height") F(5, STR, 0, "mimetype") F(6, F32, 0, "placeholderArgb")
	F(7, F32, 0, "textArgb") F(8, F32, 0, "subtextArgb") F(9, MSG, 166, "mediaData") F(10, ENU, 52, "type") F(1, I64, 0, "value") F(2, U32, 0, "offset")
	F(3, STR, 0, "currencyCode") F(1, MSG, 6, "documentMessage") F(2, MSG, 13, "highlyStructuredMessage") F(3, MSG, 2, "imageMessage")
	F(4, MSG, 8, "videoMessage") F(5, MSG, 4, "locationMessage") F(6, MSG, 13, "content") F(7, MSG, 13, "footer") R(8, MSG, 167, "buttons")
	F(1, MSG, 6, "documentMessage") F(2, STR, 0, "hydratedTitleText") F(3, MSG, 2, "imageMessage") F(4, MSG, 8, "videoMessage")
	F(5, MSG, 4, "locationMessage") F(6, STR, 0, "hydratedContentText") F(7, STR, 0, "hydratedFooterText") R(8, MSG, 168, "hydratedButtons")
	F(9, STR, 0, "templateId") F(10, BOO, 0, "maskLinkedDevices") F(1, MSG, 2, "productImage") F(2, STR, 0, "productId") F(3, STR, 0, "title")
	F(4, STR, 0, "description") F(5, STR, 0, "currencyCode") F(6, I64, 0, "priceAmount1000") F(7, STR, 0, "retailerId") F(8, STR, 0, "url")
	F(9, U32, 0, "productImageCount") F(11, STR, 0, "firstImageId") F(12, I64, 0, "salePriceAmount1000") F(13, STR, 0, "signedUrl")
	F(1, MSG, 2, "catalogImage") F(2, STR, 0, "title") F(3, STR, 0, "description") F(1, BYT, 0, "senderKeyHash") F(2, U64, 0, "senderTimestamp")
	R(3, U32, 0, "senderKeyIndexes") F(4, ENU, 53, "senderAccountType") F(5, ENU, 53, "receiverAccountType") F(8, BYT, 0, "recipientKeyHash")
	F(9, U64, 0, "recipientTimestamp") R(10, U32, 0, "recipientKeyIndexes") F(1, MSG, 169, "avatarMetadata") F(2, STR, 0, "personaId")
	F(3, MSG, 170, "pluginMetadata") F(4, MSG, 171, "suggestedPromptMetadata") F(5, STR, 0, "invokerJid") F(6, MSG, 172, "sessionMetadata")
	F(7, MSG, 173, "memuMetadata") F(8, STR, 0, "timezone") F(9, MSG, 174, "reminderMetadata") F(10, MSG, 175, "modelMetadata")
	F(11, STR, 0, "messageDisclaimerText") F(12, MSG, 176, "progressIndicatorMetadata") F(13, MSG, 177, "capabilityMetadata")
	F(14, MSG, 178, "imagineMetadata") F(15, MSG, 179, "memoryMetadata") F(16, MSG, 180, "renderingMetadata") F(17, MSG, 181, "botMetricsMetadata")
	F(18, MSG, 182, "botLinkedAccountsMetadata") F(19, MSG, 183, "richResponseSourcesMetadata") F(20, BYT, 0, "aiConversationContext")
	F(21, MSG, 184, "botPromotionMessageMetadata") F(22, MSG, 185, "botModeSelectionMetadata") F(23, MSG, 186, "botQuotaMetadata")
	F(24, MSG, 187, "botAgeCollectionMetadata") F(25, STR, 0, "conversationStarterPromptId") F(26, STR, 0, "botResponseId")
	F(27, MSG, 188, "verificationMetadata") F(28, MSG, 189, "unifiedResponseMutation") F(29, MSG, 190, "botMessageOriginMetadata")
	F(30, MSG, 191, "inThreadSurveyMetadata") F(31, MSG, 192, "botThreadInfo") F(32, MSG, 193, "regenerateMetadata")
	F(33, MSG, 194, "sessionTransparencyMetadata") F(999, BYT, 0, "internalMetadata") F(1, ENU, 54, "associationType") F(2, MSG, 76, "parentMessageKey")
	F(3, I32, 0, "messageIndex") F(1, ENU, 55, "threadType") F(2, MSG, 76, "threadKey") F(1, STR, 0, "title") R(2, MSG, 195, "rows")
	R(1, MSG, 196, "productSections") F(2, MSG, 197, "headerImage") F(3, STR, 0, "businessOwnerJid") F(1, STR, 0, "selectedRowId")
	F(1, STR, 0, "buttonId") F(2, MSG, 198, "buttonText") F(3, ENU, 56, "type") F(4, MSG, 199, "nativeFlowInfo") F(1, STR, 0, "title")
	F(2, STR, 0, "subtitle") F(3, MSG, 6, "documentMessage") F(4, MSG, 2, "imageMessage") F(5, BOO, 0, "hasMediaAttachment")
	F(6, BYT, 0, "jpegThumbnail") F(7, MSG, 8, "videoMessage") F(8, MSG, 4, "locationMessage") F(9, MSG, 23, "productMessage") F(1, STR, 0, "text")
	F(1, STR, 0, "text") F(2, MSG, 7, "audioMessage") F(3, BOO, 0, "hasMediaAttachment") F(1, STR, 0, "id") F(2, ENU, 57, "surface")
	F(3, I32, 0, "messageVersion") F(1, STR, 0, "bizJid") F(2, STR, 0, "id") F(3, I32, 0, "messageVersion") R(1, MSG, 200, "buttons")
	F(2, STR, 0, "messageParamsJson") F(3, I32, 0, "messageVersion") R(1, MSG, 34, "cards") F(2, I32, 0, "messageVersion")
	F(3, ENU, 58, "carouselCardType") R(1, MSG, 201, "urlTrackingMapElements") F(1, STR, 0, "text") F(2, ENU, 59, "format") F(1, STR, 0, "name")
	F(2, STR, 0, "paramsJson") F(3, I32, 0, "version") F(1, STR, 0, "optionName") F(2, STR, 0, "optionHash") F(1, BYT, 0, "encPayload")
	F(2, BYT, 0, "encIv") F(1, STR, 0, "jid") F(2, ENU, 25, "callOutcome") R(1, STR, 0, "historyReceivers") F(2, I64, 0, "oldestMessageTimestamp")
	F(3, I64, 0, "messageCount") F(1, STR, 0, "fileName") F(2, BOO, 0, "isAnimated") R(3, STR, 0, "emojis") F(4, STR, 0, "accessibilityLabel")
	F(5, BOO, 0, "isLottie") F(6, STR, 0, "mimetype") F(1, STR, 0, "optionName") F(2, I64, 0, "optionVoteCount") F(1, ENU, 60, "messageType")
	F(2, MSG, 202, "gridImageMetadata") F(3, STR, 0, "messageText") F(4, MSG, 203, "imageMetadata") F(5, MSG, 204, "codeMetadata")
	F(6, MSG, 205, "tableMetadata") F(7, MSG, 206, "dynamicMetadata") F(8, MSG, 207, "latexMetadata") F(9, MSG, 208, "mapMetadata")
	F(10, MSG, 209, "contentItemsMetadata") F(1, BYT, 0, "data") F(1, I32, 0, "xDeprecated") F(2, I32, 0, "yDeprecated") F(3, DBL, 0, "x")
	F(4, DBL, 0, "y") F(1, DBL, 0, "degreesLatitude") F(2, DBL, 0, "degreesLongitude") F(3, STR, 0, "name") F(1, STR, 0, "newsletterJid")
	F(2, I32, 0, "serverMessageId") F(3, STR, 0, "newsletterName") F(4, ENU, 61, "contentType") F(5, STR, 0, "accessibilityText")
	F(1, MSG, 210, "embeddedMessage") F(2, MSG, 73, "embeddedMusic") F(1, STR, 0, "title") F(2, STR, 0, "tapUrl") F(1, STR, 0, "advertiserName")
	F(2, ENU, 62, "mediaType") F(16, BYT, 0, "jpegThumbnail") F(17, STR, 0, "caption") F(1, STR, 0, "title") F(2, STR, 0, "body")
	F(3, ENU, 63, "mediaType") F(4, STR, 0, "thumbnailUrl") F(5, STR, 0, "mediaUrl") F(6, BYT, 0, "thumbnail") F(7, STR, 0, "sourceType")
	F(8, STR, 0, "sourceId") F(9, STR, 0, "sourceUrl") F(10, BOO, 0, "containsAutoReply") F(11, BOO, 0, "renderLargerThumbnail")
	F(12, BOO, 0, "showAdAttribution") F(13, STR, 0, "ctwaClid") F(14, STR, 0, "ref") F(15, BOO, 0, "clickToWhatsappCall")
	F(16, BOO, 0, "adContextPreviewDismissed") F(17, STR, 0, "sourceApp") F(18, BOO, 0, "automatedGreetingMessageShown")
	F(19, STR, 0, "greetingMessageBody") F(20, STR, 0, "ctaPayload") F(21, BOO, 0, "disableNudge") F(22, STR, 0, "originalImageUrl")
	F(23, STR, 0, "automatedGreetingMessageCtaType") F(24, BOO, 0, "wtwaAdFormat") F(25, ENU, 64, "adType") F(26, STR, 0, "wtwaWebsiteUrl")
	F(27, STR, 0, "adPreviewUrl") F(1, STR, 0, "url") F(2, STR, 0, "buttonTitle") F(1, STR, 0, "groupJid") F(2, STR, 0, "groupSubject")
	F(1, STR, 0, "utmSource") F(2, STR, 0, "utmCampaign") F(1, STR, 0, "businessOwnerJid") F(1, BOO, 0, "showMmDisclosure")
	F(2, STR, 0, "encryptedSignalTokenConsented") R(3, MSG, 211, "parameters") F(4, I32, 0, "dataSharingFlags") F(1, BOO, 0, "cannotBeReactedTo")
	F(2, BOO, 0, "cannotBeRanked") F(3, BOO, 0, "canRequestFeedback") F(4, BOO, 0, "canBeReshared") F(5, BOO, 0, "canReceiveMultiReact")
	F(1, STR, 0, "botName") F(2, STR, 0, "botJid") F(3, STR, 0, "creatorName") F(1, ENU, 65, "type") F(2, STR, 0, "actionUrl")
	F(3, MSG, 212, "statusReshare") F(4, MSG, 213, "externalShare") F(5, MSG, 214, "music") F(6, MSG, 215, "groupStatus")
	F(7, MSG, 216, "rlAttribution") F(8, MSG, 217, "aiCreatedAttribution") F(1, I32, 0, "serverQuestionId") F(2, MSG, 0, "quotedQuestion")
	F(3, MSG, 0, "quotedResponse") F(1, ENU, 66, "audienceType") F(1, ENU, 67, "botEntryPointOrigin") F(2, U32, 0, "forwardScore")
	F(1, U32, 0, "fbExperimentId") F(1, STR, 0, "displayText") F(1, ENU, 68, "headerType") F(1, STR, 0, "paramsJson") F(1, STR, 0, "requestId")
	F(1, BOO, 0, "completeAccessGranted") F(1, MSG, 152, "keyId") F(2, MSG, 218, "keyData") F(1, BYT, 0, "keyId") F(1, STR, 0, "fileSha256")
	F(1, STR, 0, "url") F(2, BOO, 0, "includeHqThumbnail") F(1, STR, 0, "chatJid") F(2, STR, 0, "oldestMsgId") F(3, BOO, 0, "oldestMsgFromMe")
	F(4, I32, 0, "onDemandMsgCount") F(5, I64, 0, "oldestMsgTimestampMs") F(6, STR, 0, "accountLid") F(1, MSG, 76, "messageKey")
	F(1, MSG, 149, "requestMetadata") F(2, MSG, 219, "historySyncConfig") F(1, STR, 0, "collectionName") F(2, I64, 0, "timestamp")
	F(1, ENU, 43, "syncType") F(2, U32, 0, "chunkOrder") F(3, STR, 0, "chunkNotificationId") F(4, BOO, 0, "regenerateChunk") F(1, ENU, 69, "type")
	F(2, STR, 0, "flowId") F(3, STR, 0, "stanzaId") F(1, ENU, 70, "mediaUploadResult") F(2, MSG, 20, "stickerMessage")
	F(3, MSG, 220, "linkPreviewResponse") F(4, MSG, 221, "placeholderMessageResendResponse") F(5, MSG, 222, "waffleNonceFetchRequestResponse")
	F(6, MSG, 223, "fullHistorySyncOnDemandRequestResponse") F(7, MSG, 224, "companionMetaNonceFetchRequestResponse")
	F(8, MSG, 225, "syncdSnapshotFatalRecoveryResponse") F(9, MSG, 226, "companionCanonicalUserNonceFetchRequestResponse")
	F(10, MSG, 227, "historySyncChunkRetryResponse") F(1, STR, 0, "selectedRequestId") F(2, U32, 0, "surveyId") F(3, STR, 0, "simonSessionFbid")
	F(4, STR, 0, "responseOtid") F(5, STR, 0, "responseTimestampMsString") F(6, BOO, 0, "isSelectedResponsePrimary") F(7, STR, 0, "messageIdToEdit")
	F(8, MSG, 228, "analyticsData") F(9, MSG, 229, "metaAiAnalyticsData") F(1, STR, 0, "handoffNotificationText") F(2, STR, 0, "extraJson")
	F(1, STR, 0, "currencyCode") F(2, I64, 0, "amount1000") F(1, MSG, 230, "component") F(2, MSG, 231, "unixEpoch") F(1, BYT, 0, "mediaKey")
	F(2, I64, 0, "mediaKeyTimestamp") F(3, BYT, 0, "fileSha256") F(4, BYT, 0, "fileEncSha256") F(5, STR, 0, "directPath")
	F(1, MSG, 232, "quickReplyButton") F(2, MSG, 233, "urlButton") F(3, MSG, 234, "callButton") F(4, U32, 0, "index") F(1, MSG, 235, "quickReplyButton")
	F(2, MSG, 236, "urlButton") F(3, MSG, 237, "callButton") F(4, U32, 0, "index") F(1, U32, 0, "sentiment") F(2, STR, 0, "behaviorGraph")
	F(3, U32, 0, "action") F(4, U32, 0, "intensity") F(5, U32, 0, "wordCount") F(1, ENU, 71, "provider") F(2, ENU, 72, "pluginType")
	F(3, STR, 0, "thumbnailCdnUrl") F(4, STR, 0, "profilePhotoCdnUrl") F(5, STR, 0, "searchProviderUrl") F(6, U32, 0, "referenceIndex")
	F(7, U32, 0, "expectedLinksCount") F(9, STR, 0, "searchQuery") F(10, MSG, 76, "parentPluginMessageKey") F(11, ENU, 72, "deprecatedField")
	F(12, ENU, 72, "parentPluginType") F(13, STR, 0, "faviconCdnUrl") R(1, STR, 0, "suggestedPrompts") F(2, U32, 0, "selectedPromptIndex")
	F(3, MSG, 238, "promptSuggestions") F(4, STR, 0, "selectedPromptId") F(1, STR, 0, "sessionId") F(2, ENU, 73, "sessionSource")
	R(1, MSG, 239, "faceImages") F(1, MSG, 76, "requestMessageKey") F(2, ENU, 74, "action") F(3, STR, 0, "name") F(4, U64, 0, "nextTriggerTimestamp")
	F(5, ENU, 75, "frequency") F(1, ENU, 76, "modelType") F(2, ENU, 77, "premiumModelStatus") F(3, STR, 0, "modelNameOverride")
	F(1, STR, 0, "progressDescription") R(2, MSG, 240, "stepsMetadata") R(1, ENU, 78, "capabilities") F(1, ENU, 79, "imagineType")
	R(1, MSG, 241, "addedFacts") R(2, MSG, 241, "removedFacts") F(3, STR, 0, "disclaimer") R(1, MSG, 242, "keywords") F(1, STR, 0, "destinationId")
	F(2, ENU, 67, "destinationEntryPoint") F(3, ENU, 80, "threadOrigin") R(1, MSG, 243, "accounts") F(2, BYT, 0, "acAuthTokens")
	F(3, I32, 0, "acErrorCode") R(1, MSG, 244, "sources") F(1, ENU, 81, "promotionType") F(2, STR, 0, "buttonTitle") R(1, ENU, 82, "mode")
	R(1, MSG, 245, "botFeatureQuotaMetadata") F(1, BOO, 0, "ageCollectionEligible") F(2, BOO, 0, "shouldTriggerAgeCollectionOnClient")
	F(3, ENU, 83, "ageCollectionType") R(1, MSG, 246, "proofs") F(1, MSG, 247, "sbsMetadata") R(2, MSG, 248, "mediaDetailsMetadataList")
	R(1, MSG, 249, "origins") F(1, STR, 0, "tessaSessionId") F(2, STR, 0, "simonSessionId") F(3, STR, 0, "simonSurveyId") F(4, STR, 0, "tessaRootId")
	F(5, STR, 0, "requestId") F(6, STR, 0, "tessaEvent") F(7, STR, 0, "invitationHeaderText") F(8, STR, 0, "invitationBodyText")
	F(9, STR, 0, "invitationCtaText") F(10, STR, 0, "invitationCtaUrl") F(11, STR, 0, "surveyTitle") R(12, MSG, 250, "questions")
	F(13, STR, 0, "surveyContinueButtonText") F(14, STR, 0, "surveySubmitButtonText") F(15, STR, 0, "privacyStatementFull")
	R(16, MSG, 251, "privacyStatementParts") F(17, STR, 0, "feedbackToastText") F(1, MSG, 252, "serverInfo") F(2, MSG, 253, "clientInfo")
	F(1, MSG, 76, "messageKey") F(2, I64, 0, "responseTimestampMs") F(1, STR, 0, "disclaimerText") F(2, STR, 0, "hcaId")
	F(3, ENU, 84, "sessionTransparencyType") F(1, STR, 0, "title") F(2, STR, 0, "description") F(3, STR, 0, "rowId") F(1, STR, 0, "title")
	R(2, MSG, 254, "products") F(1, STR, 0, "productId") F(2, BYT, 0, "jpegThumbnail") F(1, STR, 0, "displayText") F(1, STR, 0, "name")
	F(2, STR, 0, "paramsJson") F(1, STR, 0, "name") F(2, STR, 0, "buttonParamsJson") F(1, STR, 0, "originalUrl") F(2, STR, 0, "unconsentedUsersUrl")
	F(3, STR, 0, "consentedUsersUrl") F(4, U32, 0, "cardIndex") F(1, MSG, 255, "gridImageUrl") R(2, MSG, 255, "imageUrls") F(1, MSG, 255, "imageUrl")
	F(2, STR, 0, "imageText") F(3, ENU, 85, "alignment") F(4, STR, 0, "tapLinkUrl") F(1, STR, 0, "codeLanguage") R(2, MSG, 256, "codeBlocks")
	R(1, MSG, 257, "rows") F(2, STR, 0, "title") F(1, ENU, 86, "type") F(2, U64, 0, "version") F(3, STR, 0, "url") F(4, U32, 0, "loopCount")
	F(1, STR, 0, "text") R(2, MSG, 258, "expressions") F(1, DBL, 0, "centerLatitude") F(2, DBL, 0, "centerLongitude") F(3, DBL, 0, "latitudeDelta")
	F(4, DBL, 0, "longitudeDelta") R(5, MSG, 259, "annotations") F(6, BOO, 0, "showInfoList") R(1, MSG, 260, "itemsMetadata")
	F(2, ENU, 87, "contentType") F(1, STR, 0, "stanzaId") F(2, MSG, 0, "message") F(1, STR, 0, "key") F(2, STR, 0, "stringData") F(3, I64, 0, "intData")
	F(4, FLT, 0, "floatData") F(5, MSG, 211, "contents") F(1, ENU, 88, "source") F(2, MSG, 261, "metadata") F(1, STR, 0, "actionUrl")
	F(2, ENU, 89, "source") F(3, I32, 0, "duration") F(4, STR, 0, "actionFallbackUrl") F(1, STR, 0, "authorName") F(2, STR, 0, "songId")
	F(3, STR, 0, "title") F(4, STR, 0, "author") F(5, STR, 0, "artistAttribution") F(6, BOO, 0, "isExplicit") F(1, STR, 0, "authorJid")
	F(1, ENU, 90, "source") F(1, ENU, 91, "source") F(1, BYT, 0, "keyData") F(2, MSG, 262, "fingerprint") F(3, I64, 0, "timestamp")
	F(1, U32, 0, "fullSyncDaysLimit") F(2, U32, 0, "fullSyncSizeMbLimit") F(3, U32, 0, "storageQuotaMb") F(4, BOO, 0, "inlineInitialPayloadInE2EeMsg")
	F(5, U32, 0, "recentSyncDaysLimit") F(6, BOO, 0, "supportCallLogHistory") F(7, BOO, 0, "supportBotUserAgentChatHistory")
	F(8, BOO, 0, "supportCagReactionsAndPolls") F(9, BOO, 0, "supportBizHostedMsg") F(10, BOO, 0, "supportRecentSyncChunkMessageCountTuning")
	F(11, BOO, 0, "supportHostedGroupMsg") F(12, BOO, 0, "supportFbidBotChatHistory") F(13, BOO, 0, "supportAddOnHistorySyncMigration")
	F(14, BOO, 0, "supportMessageAssociation") F(15, BOO, 0, "supportGroupHistory") F(16, BOO, 0, "onDemandReady") F(17, BOO, 0, "supportGuestChat")
	F(18, BOO, 0, "completeOnDemandReady") F(19, U32, 0, "thumbnailSyncDaysLimit") F(1, STR, 0, "url") F(2, STR, 0, "title") F(3, STR, 0, "description")
	F(4, BYT, 0, "thumbData") F(6, STR, 0, "matchText") F(7, STR, 0, "previewType") F(8, MSG, 263, "hqThumbnail") F(9, MSG, 264, "previewMetadata")
	F(1, BYT, 0, "webMessageInfoBytes") F(1, STR, 0, "nonce") F(2, STR, 0, "waEntFbid") F(1, MSG, 149, "requestMetadata") F(2, ENU, 92, "responseCode")
	F(1, STR, 0, "nonce") F(1, BYT, 0, "collectionSnapshot") F(2, BOO, 0, "isCompressed") F(1, STR, 0, "nonce") F(2, STR, 0, "waFbid")
	F(3, BOO, 0, "forceRefresh") F(1, ENU, 43, "syncType") F(2, U32, 0, "chunkOrder") F(3, STR, 0, "requestId") F(4, ENU, 93, "responseCode")
	F(5, BOO, 0, "canRecover") F(1, STR, 0, "tessaEvent") F(2, STR, 0, "tessaSessionFbid") F(3, STR, 0, "simonSessionFbid") F(1, U32, 0, "surveyId")
	F(2, STR, 0, "primaryResponseId") F(3, STR, 0, "testArmName") F(4, STR, 0, "timestampMsString") F(5, MSG, 265, "ctaImpressionEvent")
	F(6, MSG, 266, "ctaClickEvent") F(7, MSG, 267, "cardImpressionEvent") F(8, MSG, 268, "responseEvent") F(9, MSG, 269, "abandonEvent")
	F(1, ENU, 94, "dayOfWeek") F(2, U32, 0, "year") F(3, U32, 0, "month") F(4, U32, 0, "dayOfMonth") F(5, U32, 0, "hour") F(6, U32, 0, "minute")
	F(7, ENU, 95, "calendar") F(1, I64, 0, "timestamp") F(1, MSG, 13, "displayText") F(2, STR, 0, "id") F(1, MSG, 13, "displayText")
	F(2, MSG, 13, "url") F(1, MSG, 13, "displayText") F(2, MSG, 13, "phoneNumber") F(1, STR, 0, "displayText") F(2, STR, 0, "id")
	F(1, STR, 0, "displayText") F(2, STR, 0, "url") F(3, STR, 0, "consentedUsersUrl") F(4, ENU, 96, "webviewPresentation") F(1, STR, 0, "displayText")
	F(2, STR, 0, "phoneNumber") R(1, MSG, 270, "suggestions") F(1, STR, 0, "fileSha256") F(2, STR, 0, "mediaKey") F(3, STR, 0, "fileEncSha256")
	F(4, STR, 0, "directPath") F(5, I64, 0, "mediaKeyTimestamp") F(6, STR, 0, "mimetype") F(7, ENU, 97, "orientationType") F(1, STR, 0, "statusTitle")
	F(2, STR, 0, "statusBody") R(3, MSG, 271, "sourcesMetadata") F(4, ENU, 98, "status") F(5, BOO, 0, "isReasoning") F(6, BOO, 0, "isEnhancedSearch")
	R(7, MSG, 272, "sections") F(1, STR, 0, "fact") F(2, STR, 0, "factId") F(1, STR, 0, "value") R(2, STR, 0, "associatedPrompts") F(1, ENU, 99, "type")
	F(1, ENU, 100, "provider") F(2, STR, 0, "thumbnailCdnUrl") F(3, STR, 0, "sourceProviderUrl") F(4, STR, 0, "sourceQuery")
	F(5, STR, 0, "faviconCdnUrl") F(6, U32, 0, "citationNumber") F(7, STR, 0, "sourceTitle") F(1, ENU, 101, "featureType")
	F(2, U32, 0, "remainingQuota") F(3, U64, 0, "expirationTimestamp") F(1, I32, 0, "version") F(2, ENU, 102, "useCase") F(3, BYT, 0, "signature")
	R(4, BYT, 0, "certificateChain") F(1, STR, 0, "primaryResponseId") F(2, BOO, 0, "surveyCtaHasRendered") F(1, STR, 0, "id")
	F(2, MSG, 239, "highResMedia") F(3, MSG, 239, "previewMedia") F(1, ENU, 103, "type") F(1, STR, 0, "questionText") F(2, STR, 0, "questionId")
	R(3, MSG, 273, "questionOptions") F(1, STR, 0, "text") F(2, STR, 0, "url") F(1, STR, 0, "title") F(1, ENU, 104, "type") F(1, STR, 0, "productId")
	F(1, STR, 0, "imagePreviewUrl") F(2, STR, 0, "imageHighResUrl") F(3, STR, 0, "sourceUrl") F(1, ENU, 105, "highlightType")
	F(2, STR, 0, "codeContent") R(1, STR, 0, "items") F(2, BOO, 0, "isHeading") F(1, STR, 0, "latexExpression") F(2, STR, 0, "url")
	F(3, DBL, 0, "width") F(4, DBL, 0, "height") F(5, DBL, 0, "fontHeight") F(6, DBL, 0, "imageTopPadding") F(7, DBL, 0, "imageLeadingPadding")
	F(8, DBL, 0, "imageBottomPadding") F(9, DBL, 0, "imageTrailingPadding") F(1, U32, 0, "annotationNumber") F(2, DBL, 0, "latitude")
	F(3, DBL, 0, "longitude") F(4, STR, 0, "title") F(5, STR, 0, "body") F(1, MSG, 274, "reelItem") F(1, I32, 0, "duration") F(2, STR, 0, "channelJid")
	F(3, I32, 0, "channelMessageId") F(4, BOO, 0, "hasMultipleReshares") F(1, U32, 0, "rawId") F(2, U32, 0, "currentIndex")
	R(3, U32, 0, "deviceIndexes") F(1, STR, 0, "directPath") F(2, STR, 0, "thumbHash") F(3, STR, 0, "encThumbHash") F(4, BYT, 0, "mediaKey")
	F(5, I64, 0, "mediaKeyTimestampMs") F(6, I32, 0, "thumbWidth") F(7, I32, 0, "thumbHeight") F(1, BOO, 0, "isBusinessVerified")
	F(2, STR, 0, "providerName") F(1, BOO, 0, "isSurveyExpired") F(1, BOO, 0, "isSurveyExpired") F(2, STR, 0, "clickDwellTimeMsString")
	F(1, STR, 0, "responseDwellTimeMsString") F(2, STR, 0, "selectedResponseId") F(1, STR, 0, "abandonDwellTimeMsString") F(1, STR, 0, "prompt")
	F(2, STR, 0, "promptId") F(1, STR, 0, "sourceTitle") F(2, ENU, 106, "provider") F(3, STR, 0, "sourceUrl") F(1, STR, 0, "sectionTitle")
	F(2, STR, 0, "sectionBody") R(3, MSG, 275, "sourcesMetadata") F(1, STR, 0, "stringValue") F(2, U32, 0, "numericValue")
	F(3, STR, 0, "textTranslated") F(1, STR, 0, "title") F(2, STR, 0, "profileIconUrl") F(3, STR, 0, "thumbnailUrl") F(4, STR, 0, "videoUrl")
	F(1, STR, 0, "title") F(2, ENU, 107, "provider") F(3, STR, 0, "sourceUrl") F(4, STR, 0, "favIconUrl")
};

const struct schema_range schema_messages[] = {
	{ 0, 95 }, { 95, 2 }, { 97, 31 }, { 128, 3 }, { 131, 12 }, { 143, 32 }, { 175, 22 }, { 197, 17 }, { 214, 31 }, { 245, 9 }, { 254, 2 }, { 256, 24 },
	{ 280, 3 }, { 283, 9 }, { 292, 4 }, { 296, 10 }, { 306, 7 }, { 313, 1 }, { 314, 1 }, { 315, 6 }, { 321, 21 }, { 342, 8 }, { 350, 5 }, { 355, 6 },
	{ 361, 3 }, { 364, 16 }, { 380, 8 }, { 388, 1 }, { 389, 15 }, { 404, 5 }, { 409, 10 }, { 419, 10 }, { 429, 4 }, { 433, 2 }, { 435, 9 }, { 444, 4 },
	{ 448, 3 }, { 451, 3 }, { 454, 8 }, { 462, 4 }, { 466, 3 }, { 469, 1 }, { 470, 3 }, { 473, 3 }, { 476, 3 }, { 479, 2 }, { 481, 5 }, { 486, 8 },
	{ 494, 3 }, { 497, 4 }, { 501, 12 }, { 513, 3 }, { 516, 2 }, { 518, 6 }, { 524, 1 }, { 525, 4 }, { 529, 3 }, { 532, 22 }, { 554, 4 }, { 558, 4 },
	{ 562, 3 }, { 565, 2 }, { 567, 2 }, { 569, 2 }, { 571, 4 }, { 575, 3 }, { 578, 5 }, { 583, 8 }, { 591, 55 }, { 646, 8 }, { 654, 9 }, { 663, 3 },
	{ 666, 4 }, { 670, 14 }, { 684, 3 }, { 687, 8 }, { 695, 4 }, { 699, 15 }, { 714, 1 }, { 715, 1 }, { 716, 1 }, { 717, 2 }, { 719, 4 }, { 723, 9 },
	{ 732, 3 }, { 735, 7 }, { 742, 1 }, { 743, 3 }, { 746, 6 }, { 752, 1 }, { 753, 4 }, { 757, 3 }, { 760, 2 }, { 762, 3 }, { 765, 10 }, { 775, 3 },
	{ 778, 8 }, { 786, 10 }, { 796, 12 }, { 808, 3 }, { 811, 8 }, { 819, 34 }, { 853, 3 }, { 856, 2 }, { 858, 2 }, { 860, 3 }, { 863, 1 }, { 864, 4 },
	{ 868, 9 }, { 877, 1 }, { 878, 3 }, { 881, 3 }, { 884, 3 }, { 887, 3 }, { 890, 3 }, { 893, 1 }, { 894, 2 }, { 896, 3 }, { 899, 2 }, { 901, 2 },
	{ 903, 0 }, { 903, 2 }, { 905, 3 }, { 908, 6 }, { 914, 2 }, { 916, 10 }, { 926, 1 }, { 927, 4 }, { 931, 3 }, { 934, 5 }, { 939, 2 }, { 941, 2 },
	{ 943, 4 }, { 947, 27 }, { 974, 2 }, { 976, 2 }, { 978, 2 }, { 980, 1 }, { 981, 4 }, { 985, 5 }, { 990, 3 }, { 993, 8 }, { 1001, 3 }, { 1004, 1 },
	{ 1005, 2 }, { 1007, 1 }, { 1008, 1 }, { 1009, 1 }, { 1010, 1 }, { 1011, 1 }, { 1012, 1 }, { 1013, 2 }, { 1015, 1 }, { 1016, 1 }, { 1017, 2 },
	{ 1019, 6 }, { 1025, 1 }, { 1026, 2 }, { 1028, 2 }, { 1030, 4 }, { 1034, 3 }, { 1037, 10 }, { 1047, 9 }, { 1056, 2 }, { 1058, 2 }, { 1060, 2 },
	{ 1062, 5 }, { 1067, 4 }, { 1071, 4 }, { 1075, 5 }, { 1080, 12 }, { 1092, 4 }, { 1096, 2 }, { 1098, 1 }, { 1099, 5 }, { 1104, 3 }, { 1107, 2 },
	{ 1109, 1 }, { 1110, 1 }, { 1111, 3 }, { 1114, 1 }, { 1115, 3 }, { 1118, 3 }, { 1121, 1 }, { 1122, 2 }, { 1124, 1 }, { 1125, 1 }, { 1126, 3 },
	{ 1129, 1 }, { 1130, 2 }, { 1132, 1 }, { 1133, 17 }, { 1150, 2 }, { 1152, 2 }, { 1154, 3 }, { 1157, 3 }, { 1160, 2 }, { 1162, 2 }, { 1164, 1 },
	{ 1165, 2 }, { 1167, 2 }, { 1169, 4 }, { 1173, 2 }, { 1175, 4 }, { 1179, 2 }, { 1181, 2 }, { 1183, 4 }, { 1187, 2 }, { 1189, 6 }, { 1195, 2 },
	{ 1197, 2 }, { 1199, 5 }, { 1204, 2 }, { 1206, 4 }, { 1210, 6 }, { 1216, 1 }, { 1217, 1 }, { 1218, 1 }, { 1219, 3 }, { 1222, 19 }, { 1241, 8 },
	{ 1249, 1 }, { 1250, 2 }, { 1252, 2 }, { 1254, 1 }, { 1255, 2 }, { 1257, 3 }, { 1260, 5 }, { 1265, 3 }, { 1268, 9 }, { 1277, 7 }, { 1284, 1 },
	{ 1285, 2 }, { 1287, 2 }, { 1289, 2 }, { 1291, 2 }, { 1293, 4 }, { 1297, 2 }, { 1299, 1 }, { 1300, 7 }, { 1307, 7 }, { 1314, 2 }, { 1316, 2 },
	{ 1318, 1 }, { 1319, 7 }, { 1326, 3 }, { 1329, 4 }, { 1333, 2 }, { 1335, 3 }, { 1338, 1 }, { 1339, 3 }, { 1342, 2 }, { 1344, 1 }, { 1345, 1 },
	{ 1346, 1 }, { 1347, 3 }, { 1350, 2 }, { 1352, 2 }, { 1354, 9 }, { 1363, 5 }, { 1368, 1 }, { 1369, 4 }, { 1373, 3 }, { 1376, 7 }, { 1383, 2 },
	{ 1385, 1 }, { 1386, 2 }, { 1388, 0 }, { 1388, 2 }, { 1390, 1 }, { 1391, 2 }, { 1393, 3 }, { 1396, 3 }, { 1399, 3 }, { 1402, 4 }, { 1406, 4 },
};

const struct schema_value schema_values[] = {
	{ 0, "USER_IMAGE" }, { 1, "AI_GENERATED" }, { 2, "AI_MODIFIED" }, { 3, "RASTERIZED_TEXT_STATUS" }, { 0, "UNSET" }, { 1, "E2EE_CHAT" },
	{ 2, "STATUS" }, { 3, "CAPI" }, { 4, "BOT" }, { 0, "SYSTEM" }, { 1, "SYSTEM_TEXT" }, { 2, "FB_SCRIPT" }, { 6, "SYSTEM_BOLD" },
	{ 7, "MORNINGBREEZE_REGULAR" }, { 8, "CALISTOGA_REGULAR" }, { 9, "EXO2_EXTRABOLD" }, { 10, "COURIERPRIME_BOLD" }, { 0, "NONE" }, { 1, "VIDEO" },
	{ 4, "PLACEHOLDER" }, { 5, "IMAGE" }, { 6, "PAYMENT_LINKS" }, { 7, "PROFILE" }, { 0, "DEFAULT" }, { 1, "PARENT" }, { 2, "SUB" },
	{ 3, "DEFAULT_SUB" }, { 0, "NONE" }, { 1, "GIPHY" }, { 2, "TENOR" }, { 3, "KLIPY" }, { 0, "USER_VIDEO" }, { 1, "AI_GENERATED" }, { 0, "REVOKE" },
	{ 3, "EPHEMERAL_SETTING" }, { 4, "EPHEMERAL_SYNC_RESPONSE" }, { 5, "HISTORY_SYNC_NOTIFICATION" }, { 6, "APP_STATE_SYNC_KEY_SHARE" },
	{ 7, "APP_STATE_SYNC_KEY_REQUEST" }, { 8, "MSG_FANOUT_BACKFILL_REQUEST" }, { 9, "INITIAL_SECURITY_NOTIFICATION_SETTING_SYNC" },
	{ 10, "APP_STATE_FATAL_EXCEPTION_NOTIFICATION" }, { 11, "SHARE_PHONE_NUMBER" }, { 14, "MESSAGE_EDIT" },
	{ 16, "PEER_DATA_OPERATION_REQUEST_MESSAGE" }, { 17, "PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE" }, { 18, "REQUEST_WELCOME_MESSAGE" },
	{ 19, "BOT_FEEDBACK_MESSAGE" }, { 20, "MEDIA_NOTIFY_MESSAGE" }, { 21, "CLOUD_API_THREAD_CONTROL_NOTIFICATION" },
	{ 22, "LID_MIGRATION_MAPPING_SYNC" }, { 23, "REMINDER_MESSAGE" }, { 24, "BOT_MEMU_ONBOARDING_MESSAGE" }, { 25, "STATUS_MENTION_MESSAGE" },
	{ 26, "STOP_GENERATION_MESSAGE" }, { 27, "LIMIT_SHARING" }, { 28, "AI_PSI_METADATA" }, { 29, "AI_QUERY_FANOUT" },
	{ 30, "GROUP_MEMBER_LABEL_CHANGE" }, { 0, "DEFAULT" }, { 1, "PARENT" }, { 1, "STATIC" }, { 2, "DEPENDENT_ON_PARENT" }, { 0, "WEBVIEW" },
	{ 1, "SYSTEM" }, { 0, "UNKNOWN" }, { 1, "SINGLE_SELECT" }, { 2, "PRODUCT_LIST" }, { 1, "INQUIRY" }, { 2, "ACCEPTED" }, { 3, "DECLINED" },
	{ 1, "CATALOG" }, { 0, "UNKNOWN" }, { 1, "SINGLE_SELECT" }, { 0, "IMAGE" }, { 1, "PDF" }, { 0, "UNKNOWN" }, { 1, "EMPTY" }, { 2, "TEXT" },
	{ 3, "DOCUMENT" }, { 4, "IMAGE" }, { 5, "VIDEO" }, { 6, "LOCATION" }, { 0, "UNKNOWN" }, { 1, "DISPLAY_TEXT" }, { 0, "UNKNOWN" }, { 1, "FBPAY" },
	{ 2, "NOVI" }, { 3, "UPI" }, { 0, "UNKNOWN" }, { 1, "TEXT" }, { 2, "IMAGE" }, { 0, "POLL" }, { 1, "QUIZ" }, { 0, "UNKNOWN" }, { 1, "KEEP_FOR_ALL" },
	{ 2, "UNDO_KEEP_FOR_ALL" }, { 0, "UNKNOWN" }, { 1, "VOICE" }, { 2, "VIDEO" }, { 0, "UNKNOWN_TYPE" }, { 1, "PIN_FOR_ALL" }, { 2, "UNPIN_FOR_ALL" },
	{ 0, "UNKNOWN" }, { 1, "CANCEL" }, { 0, "CONNECTED" }, { 1, "MISSED" }, { 2, "FAILED" }, { 3, "REJECTED" }, { 4, "ACCEPTED_ELSEWHERE" },
	{ 5, "ONGOING" }, { 6, "SILENCED_BY_DND" }, { 7, "SILENCED_UNKNOWN_CALLER" }, { 0, "REGULAR" }, { 1, "SCHEDULED_CALL" }, { 2, "VOICE_CHAT" },
	{ 0, "UNKNOWN" }, { 1, "AUDIO" }, { 2, "VIDEO" }, { 0, "MASK_LINKED_DEVICES" }, { 0, "UNKNOWN" }, { 1, "EVENT_EDIT" }, { 2, "MESSAGE_EDIT" },
	{ 0, "FIRST_PARTY" }, { 1, "THIRD_PARTY" }, { 2, "USER_CREATED" }, { 0, "AI_RICH_RESPONSE_TYPE_UNKNOWN" }, { 1, "AI_RICH_RESPONSE_TYPE_STANDARD" },
	{ 0, "UNKNOWN" }, { 1, "STATUS_ADD_YOURS" }, { 2, "STATUS_RESHARE" }, { 3, "STATUS_QUESTION_ANSWER_RESHARE" }, { 1, "QUESTION_ANSWER" },
	{ 0, "UNKNOWN" }, { 1, "REACTION" }, { 1, "RASTERIZED_LINK_PREVIEW" }, { 2, "RASTERIZED_LINK_TRUNCATED" }, { 3, "RASTERIZED_LINK_FULL_URL" },
	{ 0, "NONE" }, { 1, "RESHARED_FROM_MENTION" }, { 2, "RESHARED_FROM_POST" }, { 3, "RESHARED_FROM_POST_MANY_TIMES" }, { 4, "FORWARDED_FROM_STATUS" },
	{ 0, "NOT_PAIRED_MEDIA" }, { 1, "SD_VIDEO_PARENT" }, { 2, "HD_VIDEO_CHILD" }, { 3, "SD_IMAGE_PARENT" }, { 4, "HD_IMAGE_CHILD" },
	{ 5, "MOTION_PHOTO_PARENT" }, { 6, "MOTION_PHOTO_CHILD" }, { 7, "HEVC_VIDEO_PARENT" }, { 8, "HEVC_VIDEO_CHILD" }, { 0, "IMAGE" }, { 1, "VIDEO" },
	{ 2, "GIF" }, { 3, "AUDIO" }, { 4, "TEXT" }, { 5, "MUSIC_STANDALONE" }, { 0, "UNKNOWN" }, { 1, "CHAT" }, { 2, "STATUS" }, { 3, "CHANNELS" },
	{ 4, "META_AI" }, { 5, "UGC" }, { 0, "EXPLICIT" }, { 1, "AUTO" }, { 0, "NONE" }, { 1, "REEL" }, { 2, "LIVE_VIDEO" }, { 3, "LONG_VIDEO" },
	{ 4, "SINGLE_IMAGE" }, { 5, "CAROUSEL" }, { 0, "UNDEFINED" }, { 1, "LOW" }, { 2, "MID" }, { 3, "HIGH" }, { 0, "INITIAL_BOOTSTRAP" },
	{ 1, "INITIAL_STATUS_V3" }, { 2, "FULL" }, { 3, "RECENT" }, { 4, "PUSH_NAME" }, { 5, "NON_BLOCKING_DATA" }, { 6, "ON_DEMAND" }, { 7, "NO_HISTORY" },
	{ 8, "MESSAGE_ACCESS_STATUS" }, { 0, "CHANGED_IN_CHAT" }, { 1, "INITIATED_BY_ME" }, { 2, "INITIATED_BY_OTHER" }, { 3, "BIZ_UPGRADE_FB_HOSTING" },
	{ 0, "UNKNOWN" }, { 1, "CHAT_SETTING" }, { 2, "ACCOUNT_SETTING" }, { 3, "BULK_CHANGE" }, { 4, "BIZ_SUPPORTS_FB_HOSTING" }, { 5, "UNKNOWN_GROUPS" },
	{ 0, "UPLOAD_STICKER" }, { 1, "SEND_RECENT_STICKER_BOOTSTRAP" }, { 2, "GENERATE_LINK_PREVIEW" }, { 3, "HISTORY_SYNC_ON_DEMAND" },
	{ 4, "PLACEHOLDER_MESSAGE_RESEND" }, { 5, "WAFFLE_LINKING_NONCE_FETCH" }, { 6, "FULL_HISTORY_SYNC_ON_DEMAND" }, { 7, "COMPANION_META_NONCE_FETCH" },
	{ 8, "COMPANION_SYNCD_SNAPSHOT_FATAL_RECOVERY" }, { 9, "COMPANION_CANONICAL_USER_NONCE_FETCH" }, { 10, "HISTORY_SYNC_CHUNK_RETRY" },
	{ 11, "GALAXY_FLOW_ACTION" }, { 0, "BOT_FEEDBACK_POSITIVE" }, { 1, "BOT_FEEDBACK_NEGATIVE_GENERIC" }, { 2, "BOT_FEEDBACK_NEGATIVE_HELPFUL" },
	{ 3, "BOT_FEEDBACK_NEGATIVE_INTERESTING" }, { 4, "BOT_FEEDBACK_NEGATIVE_ACCURATE" }, { 5, "BOT_FEEDBACK_NEGATIVE_SAFE" },
	{ 6, "BOT_FEEDBACK_NEGATIVE_OTHER" }, { 7, "BOT_FEEDBACK_NEGATIVE_REFUSED" }, { 8, "BOT_FEEDBACK_NEGATIVE_NOT_VISUALLY_APPEALING" },
	{ 9, "BOT_FEEDBACK_NEGATIVE_NOT_RELEVANT_TO_TEXT" }, { 10, "BOT_FEEDBACK_NEGATIVE_PERSONALIZED" }, { 11, "BOT_FEEDBACK_NEGATIVE_CLARITY" },
	{ 12, "BOT_FEEDBACK_NEGATIVE_DOESNT_LOOK_LIKE_THE_PERSON" }, { 13, "BOT_FEEDBACK_NEGATIVE_HALLUCINATION_INTERNAL_ONLY" },
	{ 14, "BOT_FEEDBACK_NEGATIVE" }, { 0, "NONE" }, { 1, "GENERIC" }, { 0, "EMPTY" }, { 1, "NON_EMPTY" }, { 0, "UNKNOWN" }, { 1, "CONTROL_PASSED" },
	{ 2, "CONTROL_TAKEN" }, { 0, "UNKNOWN" }, { 1, "CHAT_SETTING" }, { 2, "BIZ_SUPPORTS_FB_HOSTING" }, { 3, "UNKNOWN_GROUP" }, { 0, "UNKNOWN" },
	{ 1, "DEFAULT" }, { 0, "E2EE" }, { 1, "HOSTED" }, { 0, "UNKNOWN" }, { 1, "MEDIA_ALBUM" }, { 2, "BOT_PLUGIN" }, { 3, "EVENT_COVER_IMAGE" },
	{ 4, "STATUS_POLL" }, { 5, "HD_VIDEO_DUAL_UPLOAD" }, { 6, "STATUS_EXTERNAL_RESHARE" }, { 7, "MEDIA_POLL" }, { 8, "STATUS_ADD_YOURS" },
	{ 9, "STATUS_NOTIFICATION" }, { 10, "HD_IMAGE_DUAL_UPLOAD" }, { 11, "STICKER_ANNOTATION" }, { 12, "MOTION_PHOTO" }, { 13, "STATUS_LINK_ACTION" },
	{ 14, "VIEW_ALL_REPLIES" }, { 15, "STATUS_ADD_YOURS_AI_IMAGINE" }, { 16, "STATUS_QUESTION" }, { 17, "STATUS_ADD_YOURS_DIWALI" },
	{ 18, "STATUS_REACTION" }, { 19, "HEVC_VIDEO_DUAL_UPLOAD" }, { 0, "UNKNOWN" }, { 1, "VIEW_REPLIES" }, { 2, "AI_THREAD" }, { 0, "UNKNOWN" },
	{ 1, "RESPONSE" }, { 2, "NATIVE_FLOW" }, { 0, "UNKNOWN_SURFACE" }, { 1, "FB" }, { 2, "IG" }, { 3, "WA" }, { 0, "UNKNOWN" }, { 1, "HSCROLL_CARDS" },
	{ 2, "ALBUM_IMAGE" }, { 0, "DEFAULT" }, { 1, "EXTENSIONS_1" }, { 0, "AI_RICH_RESPONSE_UNKNOWN" }, { 1, "AI_RICH_RESPONSE_GRID_IMAGE" },
	{ 2, "AI_RICH_RESPONSE_TEXT" }, { 3, "AI_RICH_RESPONSE_INLINE_IMAGE" }, { 4, "AI_RICH_RESPONSE_TABLE" }, { 5, "AI_RICH_RESPONSE_CODE" },
	{ 6, "AI_RICH_RESPONSE_DYNAMIC" }, { 7, "AI_RICH_RESPONSE_MAP" }, { 8, "AI_RICH_RESPONSE_LATEX" }, { 9, "AI_RICH_RESPONSE_CONTENT_ITEMS" },
	{ 1, "UPDATE" }, { 2, "UPDATE_CARD" }, { 3, "LINK_CARD" }, { 0, "NONE" }, { 1, "IMAGE" }, { 2, "VIDEO" }, { 0, "NONE" }, { 1, "IMAGE" },
	{ 2, "VIDEO" }, { 0, "CTWA" }, { 1, "CAWC" }, { 0, "UNKNOWN" }, { 1, "RESHARE" }, { 2, "EXTERNAL_SHARE" }, { 3, "MUSIC" }, { 4, "STATUS_MENTION" },
	{ 5, "GROUP_STATUS" }, { 6, "RL_ATTRIBUTION" }, { 7, "AI_CREATED" }, { 8, "LAYOUTS" }, { 0, "UNKNOWN" }, { 1, "CLOSE_FRIENDS" },
	{ 0, "UNDEFINED_ENTRY_POINT" }, { 1, "FAVICON" }, { 2, "CHATLIST" }, { 3, "AISEARCH_NULL_STATE_PAPER_PLANE" },
	{ 4, "AISEARCH_NULL_STATE_SUGGESTION" }, { 5, "AISEARCH_TYPE_AHEAD_SUGGESTION" }, { 6, "AISEARCH_TYPE_AHEAD_PAPER_PLANE" },
	{ 7, "AISEARCH_TYPE_AHEAD_RESULT_CHATLIST" }, { 8, "AISEARCH_TYPE_AHEAD_RESULT_MESSAGES" }, { 9, "AIVOICE_SEARCH_BAR" }, { 10, "AIVOICE_FAVICON" },
	{ 11, "AISTUDIO" }, { 12, "DEEPLINK" }, { 13, "NOTIFICATION" }, { 14, "PROFILE_MESSAGE_BUTTON" }, { 15, "FORWARD" }, { 16, "APP_SHORTCUT" },
	{ 17, "FF_FAMILY" }, { 18, "AI_TAB" }, { 19, "AI_HOME" }, { 20, "AI_DEEPLINK_IMMERSIVE" }, { 21, "AI_DEEPLINK" },
	{ 22, "META_AI_CHAT_SHORTCUT_AI_STUDIO" }, { 23, "UGC_CHAT_SHORTCUT_AI_STUDIO" }, { 24, "NEW_CHAT_AI_STUDIO" },
	{ 25, "AIVOICE_FAVICON_CALL_HISTORY" }, { 26, "ASK_META_AI_CONTEXT_MENU" }, { 27, "ASK_META_AI_CONTEXT_MENU_1ON1" },
	{ 28, "ASK_META_AI_CONTEXT_MENU_GROUP" }, { 29, "INVOKE_META_AI_1ON1" }, { 30, "INVOKE_META_AI_GROUP" }, { 31, "META_AI_FORWARD" },
	{ 32, "NEW_CHAT_AI_CONTACT" }, { 33, "MESSAGE_QUICK_ACTION_1_ON_1_CHAT" }, { 34, "MESSAGE_QUICK_ACTION_GROUP_CHAT" },
	{ 35, "ATTACHMENT_TRAY_1_ON_1_CHAT" }, { 36, "ATTACHMENT_TRAY_GROUP_CHAT" }, { 37, "ASK_META_AI_MEDIA_VIEWER_1ON1" },
	{ 38, "ASK_META_AI_MEDIA_VIEWER_GROUP" }, { 0, "LINK_PREVIEW" }, { 1, "ORDER" }, { 1, "NOTIFY_LAUNCH" }, { 0, "GENERAL_ERROR" }, { 1, "SUCCESS" },
	{ 2, "NOT_FOUND" }, { 3, "DECRYPTION_ERROR" }, { 0, "UNKNOWN" }, { 1, "BING" }, { 2, "GOOGLE" }, { 3, "SUPPORT" }, { 0, "UNKNOWN_PLUGIN" },
	{ 1, "REELS" }, { 2, "SEARCH" }, { 0, "NONE" }, { 1, "NULL_STATE" }, { 2, "TYPEAHEAD" }, { 3, "USER_INPUT" }, { 4, "EMU_FLASH" },
	{ 5, "EMU_FLASH_FOLLOWUP" }, { 6, "VOICE" }, { 1, "NOTIFY" }, { 2, "CREATE" }, { 3, "DELETE" }, { 4, "UPDATE" }, { 1, "ONCE" }, { 2, "DAILY" },
	{ 3, "WEEKLY" }, { 4, "BIWEEKLY" }, { 5, "MONTHLY" }, { 0, "UNKNOWN_TYPE" }, { 1, "LLAMA_PROD" }, { 2, "LLAMA_PROD_PREMIUM" },
	{ 0, "UNKNOWN_STATUS" }, { 1, "AVAILABLE" }, { 2, "QUOTA_EXCEED_LIMIT" }, { 0, "UNKNOWN" }, { 1, "PROGRESS_INDICATOR" },
	{ 2, "RICH_RESPONSE_HEADING" }, { 3, "RICH_RESPONSE_NESTED_LIST" }, { 4, "AI_MEMORY" }, { 5, "RICH_RESPONSE_THREAD_SURFING" },
	{ 6, "RICH_RESPONSE_TABLE" }, { 7, "RICH_RESPONSE_CODE" }, { 8, "RICH_RESPONSE_STRUCTURED_RESPONSE" }, { 9, "RICH_RESPONSE_INLINE_IMAGE" },
	{ 10, "WA_IG_1P_PLUGIN_RANKING_CONTROL" }, { 11, "WA_IG_1P_PLUGIN_RANKING_UPDATE_1" }, { 12, "WA_IG_1P_PLUGIN_RANKING_UPDATE_2" },
	{ 13, "WA_IG_1P_PLUGIN_RANKING_UPDATE_3" }, { 14, "WA_IG_1P_PLUGIN_RANKING_UPDATE_4" }, { 15, "WA_IG_1P_PLUGIN_RANKING_UPDATE_5" },
	{ 16, "WA_IG_1P_PLUGIN_RANKING_UPDATE_6" }, { 17, "WA_IG_1P_PLUGIN_RANKING_UPDATE_7" }, { 18, "WA_IG_1P_PLUGIN_RANKING_UPDATE_8" },
	{ 19, "WA_IG_1P_PLUGIN_RANKING_UPDATE_9" }, { 20, "WA_IG_1P_PLUGIN_RANKING_UPDATE_10" }, { 21, "RICH_RESPONSE_SUB_HEADING" },
	{ 22, "RICH_RESPONSE_GRID_IMAGE" }, { 23, "AI_STUDIO_UGC_MEMORY" }, { 24, "RICH_RESPONSE_LATEX" }, { 25, "RICH_RESPONSE_MAPS" },
	{ 26, "RICH_RESPONSE_INLINE_REELS" }, { 27, "AGENTIC_PLANNING" }, { 28, "ACCOUNT_LINKING" }, { 29, "STREAMING_DISAGGREGATION" },
	{ 30, "RICH_RESPONSE_GRID_IMAGE_3P" }, { 31, "RICH_RESPONSE_LATEX_INLINE" }, { 32, "QUERY_PLAN" }, { 33, "PROACTIVE_MESSAGE" },
	{ 34, "RICH_RESPONSE_UNIFIED_RESPONSE" }, { 35, "PROMOTION_MESSAGE" }, { 36, "SIMPLIFIED_PROFILE_PAGE" },
	{ 37, "RICH_RESPONSE_SOURCES_IN_MESSAGE" }, { 38, "RICH_RESPONSE_SIDE_BY_SIDE_SURVEY" }, { 39, "RICH_RESPONSE_UNIFIED_TEXT_COMPONENT" },
	{ 40, "AI_SHARED_MEMORY" }, { 41, "RICH_RESPONSE_UNIFIED_SOURCES" }, { 42, "RICH_RESPONSE_UNIFIED_DOMAIN_CITATIONS" },
	{ 43, "RICH_RESPONSE_UR_INLINE_REELS_ENABLED" }, { 44, "RICH_RESPONSE_UR_MEDIA_GRID_ENABLED" }, { 45, "RICH_RESPONSE_UR_TIMESTAMP_PLACEHOLDER" },
	{ 46, "RICH_RESPONSE_IN_APP_SURVEY" }, { 47, "AI_RESPONSE_MODEL_BRANDING" }, { 48, "SESSION_TRANSPARENCY_SYSTEM_MESSAGE" },
	{ 49, "RICH_RESPONSE_UR_REASONING" }, { 0, "UNKNOWN" }, { 1, "IMAGINE" }, { 2, "MEMU" }, { 3, "FLASH" }, { 4, "EDIT" }, { 1, "AI_TAB_THREAD" },
	{ 2, "AI_HOME_THREAD" }, { 3, "AI_DEEPLINK_IMMERSIVE_THREAD" }, { 4, "AI_DEEPLINK_THREAD" }, { 5, "ASK_META_AI_CONTEXT_MENU_THREAD" },
	{ 0, "UNKNOWN_TYPE" }, { 1, "C50" }, { 2, "SURVEY_PLATFORM" }, { 0, "UNKNOWN_MODE" }, { 1, "REASONING_MODE" }, { 0, "O18_BINARY" }, { 1, "WAFFLE" },
	{ 0, "UNKNOWN_TYPE" }, { 1, "NY_AI_SAFETY_DISCLAIMER" }, { 0, "AI_RICH_RESPONSE_IMAGE_LAYOUT_LEADING_ALIGNED" },
	{ 1, "AI_RICH_RESPONSE_IMAGE_LAYOUT_TRAILING_ALIGNED" }, { 2, "AI_RICH_RESPONSE_IMAGE_LAYOUT_CENTER_ALIGNED" },
	{ 0, "AI_RICH_RESPONSE_DYNAMIC_METADATA_TYPE_UNKNOWN" }, { 1, "AI_RICH_RESPONSE_DYNAMIC_METADATA_TYPE_IMAGE" },
	{ 2, "AI_RICH_RESPONSE_DYNAMIC_METADATA_TYPE_GIF" }, { 0, "DEFAULT" }, { 1, "CAROUSEL" }, { 0, "UNKNOWN" }, { 1, "INTERNAL_RESHARE" },
	{ 2, "MENTION_RESHARE" }, { 3, "CHANNEL_RESHARE" }, { 4, "FORWARD" }, { 0, "UNKNOWN" }, { 1, "INSTAGRAM" }, { 2, "FACEBOOK" }, { 3, "MESSENGER" },
	{ 4, "SPOTIFY" }, { 5, "YOUTUBE" }, { 6, "PINTEREST" }, { 7, "THREADS" }, { 8, "APPLE_MUSIC" }, { 9, "SHARECHAT" }, { 10, "GOOGLE_PHOTOS" },
	{ 0, "UNKNOWN" }, { 1, "RAY_BAN_META_GLASSES" }, { 2, "OAKLEY_META_GLASSES" }, { 3, "HYPERNOVA_GLASSES" }, { 0, "UNKNOWN" },
	{ 1, "STATUS_MIMICRY" }, { 0, "REQUEST_SUCCESS" }, { 1, "REQUEST_TIME_EXPIRED" }, { 2, "DECLINED_SHARING_HISTORY" }, { 3, "GENERIC_ERROR" },
	{ 4, "ERROR_REQUEST_ON_NON_SMB_PRIMARY" }, { 5, "ERROR_HOSTED_DEVICE_NOT_CONNECTED" }, { 6, "ERROR_HOSTED_DEVICE_LOGIN_TIME_NOT_SET" },
	{ 1, "GENERATION_ERROR" }, { 2, "CHUNK_CONSUMED" }, { 3, "TIMEOUT" }, { 4, "SESSION_EXHAUSTED" }, { 5, "CHUNK_EXHAUSTED" },
	{ 6, "DUPLICATED_REQUEST" }, { 1, "MONDAY" }, { 2, "TUESDAY" }, { 3, "WEDNESDAY" }, { 4, "THURSDAY" }, { 5, "FRIDAY" }, { 6, "SATURDAY" },
	{ 7, "SUNDAY" }, { 1, "GREGORIAN" }, { 2, "SOLAR_HIJRI" }, { 1, "FULL" }, { 2, "TALL" }, { 3, "COMPACT" }, { 1, "CENTER" }, { 2, "LEFT" },
	{ 3, "RIGHT" }, { 0, "UNKNOWN" }, { 1, "PLANNED" }, { 2, "EXECUTING" }, { 3, "FINISHED" }, { 0, "BOT_LINKED_ACCOUNT_TYPE_1P" }, { 0, "UNKNOWN" },
	{ 1, "BING" }, { 2, "GOOGLE" }, { 3, "SUPPORT" }, { 4, "OTHER" }, { 0, "UNKNOWN_FEATURE" }, { 1, "REASONING_FEATURE" }, { 0, "UNSPECIFIED" },
	{ 1, "WA_BOT_MSG" }, { 0, "BOT_MESSAGE_ORIGIN_TYPE_AI_INITIATED" }, { 0, "UNKNOWN" }, { 1, "DEFAULT" }, { 2, "INCOGNITO" },
	{ 0, "AI_RICH_RESPONSE_CODE_HIGHLIGHT_DEFAULT" }, { 1, "AI_RICH_RESPONSE_CODE_HIGHLIGHT_KEYWORD" }, { 2, "AI_RICH_RESPONSE_CODE_HIGHLIGHT_METHOD" },
	{ 3, "AI_RICH_RESPONSE_CODE_HIGHLIGHT_STRING" }, { 4, "AI_RICH_RESPONSE_CODE_HIGHLIGHT_NUMBER" }, { 5, "AI_RICH_RESPONSE_CODE_HIGHLIGHT_COMMENT" },
	{ 0, "UNKNOWN" }, { 1, "OTHER" }, { 2, "GOOGLE" }, { 3, "BING" }, { 0, "UNKNOWN_PROVIDER" }, { 1, "OTHER" }, { 2, "GOOGLE" }, { 3, "BING" },
};

const struct schema_range schema_enums[] = {
	{ 0, 4 }, { 4, 5 }, { 9, 8 }, { 17, 6 }, { 23, 4 }, { 27, 4 }, { 31, 2 }, { 33, 26 }, { 59, 2 }, { 61, 2 }, { 63, 2 }, { 65, 3 }, { 68, 3 },
	{ 71, 1 }, { 72, 2 }, { 74, 2 }, { 76, 7 }, { 83, 2 }, { 85, 4 }, { 89, 3 }, { 92, 2 }, { 94, 3 }, { 97, 3 }, { 100, 3 }, { 103, 2 }, { 105, 8 },
	{ 113, 3 }, { 116, 3 }, { 119, 1 }, { 120, 3 }, { 123, 3 }, { 126, 2 }, { 128, 4 }, { 132, 1 }, { 133, 2 }, { 135, 3 }, { 138, 5 }, { 143, 9 },
	{ 152, 6 }, { 158, 6 }, { 164, 2 }, { 166, 6 }, { 172, 4 }, { 176, 9 }, { 185, 4 }, { 189, 6 }, { 195, 12 }, { 207, 15 }, { 222, 2 }, { 224, 2 },
	{ 226, 3 }, { 229, 4 }, { 233, 2 }, { 235, 2 }, { 237, 20 }, { 257, 3 }, { 260, 3 }, { 263, 4 }, { 267, 3 }, { 270, 2 }, { 272, 10 }, { 282, 3 },
	{ 285, 3 }, { 288, 3 }, { 291, 2 }, { 293, 9 }, { 302, 2 }, { 304, 39 }, { 343, 2 }, { 345, 1 }, { 346, 4 }, { 350, 4 }, { 354, 3 }, { 357, 7 },
	{ 364, 4 }, { 368, 5 }, { 373, 3 }, { 376, 3 }, { 379, 50 }, { 429, 5 }, { 434, 5 }, { 439, 3 }, { 442, 2 }, { 444, 2 }, { 446, 2 }, { 448, 3 },
	{ 451, 3 }, { 454, 2 }, { 456, 5 }, { 461, 11 }, { 472, 4 }, { 476, 2 }, { 478, 7 }, { 485, 6 }, { 491, 7 }, { 498, 2 }, { 500, 3 }, { 503, 3 },
	{ 506, 4 }, { 510, 1 }, { 511, 5 }, { 516, 2 }, { 518, 2 }, { 520, 1 }, { 521, 3 }, { 524, 6 }, { 530, 4 }, { 534, 4 },
};

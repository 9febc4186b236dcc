/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of application codes. */
#include "common/appcode.h"

static const struct appcode_row rows[] = {
	{ APP_SUCCESS, "SUCCESS", 200, "Request successful", "success" },
	{ APP_ACCEPTED, "ACCEPTED", 202, "Accepted for processing", "success" },
	{ APP_QUEUED, "QUEUED", 202, "Queued for async processing", "success" },
	{ APP_SCHEDULED, "SCHEDULED", 202, "Scheduled for later execution", "success" },
	{ APP_PARTIAL_SUCCESS, "PARTIAL_SUCCESS", 207, "Completed with warnings", "success" },
	{ APP_NOOP, "NOOP", 200, "No changes were needed", "success" },
	{ APP_SESSION_REQUIRED, "SESSION_REQUIRED", 400, "Session ID is required", "session" },
	{ APP_SESSION_NOT_FOUND, "SESSION_NOT_FOUND", 404, "Session not found", "session" },
	{ APP_SESSION_ALREADY_EXISTS, "SESSION_ALREADY_EXISTS", 409, "Session already exists", "session" },
	{ APP_SESSION_CLOSED, "SESSION_CLOSED", 409, "Session is closed", "session" },
	{ APP_SESSION_OPEN, "SESSION_OPEN", 200, "Session already open", "session" },
	{ APP_SESSION_BUSY, "SESSION_BUSY", 429, "Session is busy", "session" },
	{ APP_SESSION_NOT_LOGGED_IN, "SESSION_NOT_LOGGED_IN", 409, "Login required (scan QR or pairing)", "session" },
	{ APP_SESSION_QR_REQUIRED, "SESSION_QR_REQUIRED", 202, "QR required to continue", "session" },
	{ APP_SESSION_QR_EXPIRED, "SESSION_QR_EXPIRED", 409, "QR expired, request a new one", "session" },
	{ APP_SESSION_RECONNECT_SCHEDULED, "SESSION_RECONNECT_SCHEDULED", 202, "Reconnect scheduled", "session" },
	{ APP_SESSION_LOGIN_PENDING, "SESSION_LOGIN_PENDING", 202, "Login is in progress", "session" },
	{ APP_WEBHOOK_DISABLED, "WEBHOOK_DISABLED", 200, "Webhook delivery disabled", "webhook" },
	{ APP_WEBHOOK_INVALID_URL, "WEBHOOK_INVALID_URL", 400, "Invalid webhook URL", "webhook" },
	{ APP_WEBHOOK_TIMEOUT, "WEBHOOK_TIMEOUT", 504, "Webhook delivery timed out", "webhook" },
	{ APP_WEBHOOK_REJECTED, "WEBHOOK_REJECTED", 502, "Remote endpoint rejected payload", "webhook" },
	{ APP_WEBHOOK_SIGNATURE_INVALID, "WEBHOOK_SIGNATURE_INVALID", 401, "Invalid webhook signature", "webhook" },
	{ APP_SOCKET_UNAUTHORIZED, "SOCKET_UNAUTHORIZED", 401, "WebSocket unauthorized", "socket" },
	{ APP_SOCKET_RATE_LIMITED, "SOCKET_RATE_LIMITED", 429, "Too many socket messages", "socket" },
	{ APP_SOCKET_ROOM_NOT_FOUND, "SOCKET_ROOM_NOT_FOUND", 404, "Room not found", "socket" },
	{ APP_SOCKET_ALREADY_JOINED, "SOCKET_ALREADY_JOINED", 200, "Already joined this room", "socket" },
	{ APP_SOCKET_NOT_CONNECTED, "SOCKET_NOT_CONNECTED", 503, "Socket not connected", "socket" },
	{ APP_SSE_UNAVAILABLE, "SSE_UNAVAILABLE", 503, "SSE stream unavailable", "sse" },
	{ APP_SSE_CLIENT_DISCONNECTED, "SSE_CLIENT_DISCONNECTED", 499, "SSE client disconnected", "sse" },
	{ APP_BAD_REQUEST, "BAD_REQUEST", 400, "Invalid request", "validation" },
	{ APP_MISSING_PARAMETER, "MISSING_PARAMETER", 400, "Required parameter missing", "validation" },
	{ APP_INVALID_PARAMETER, "INVALID_PARAMETER", 400, "Parameter is invalid", "validation" },
	{ APP_INVALID_STATE, "INVALID_STATE", 409, "Operation not allowed in current state", "validation" },
	{ APP_CONFLICT, "CONFLICT", 409, "Resource conflict", "validation" },
	{ APP_UNSUPPORTED_OPERATION, "UNSUPPORTED_OPERATION", 400, "Operation not supported", "validation" },
	{ APP_PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", 413, "Payload too large", "validation" },
	{ APP_UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported media type", "validation" },
	{ APP_MALFORMED_JSON, "MALFORMED_JSON", 400, "Malformed JSON body", "validation" },
	{ APP_DUPLICATE_REQUEST, "DUPLICATE_REQUEST", 409, "Duplicate request detected", "validation" },
	{ APP_METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", 405, "Method not allowed", "validation" },
	{ APP_NOT_ACCEPTABLE, "NOT_ACCEPTABLE", 406, "Not acceptable", "validation" },
	{ APP_UNPROCESSABLE_ENTITY, "UNPROCESSABLE_ENTITY", 422, "Unprocessable entity", "validation" },
	{ APP_UNAUTHORIZED, "UNAUTHORIZED", 401, "Missing or invalid credentials", "auth" },
	{ APP_FORBIDDEN, "FORBIDDEN", 403, "Insufficient permissions", "auth" },
	{ APP_TOKEN_EXPIRED, "TOKEN_EXPIRED", 401, "Token expired", "auth" },
	{ APP_TOKEN_INVALID, "TOKEN_INVALID", 401, "Token invalid", "auth" },
	{ APP_API_KEY_INVALID, "API_KEY_INVALID", 401, "API key invalid", "auth" },
	{ APP_INSUFFICIENT_SCOPE, "INSUFFICIENT_SCOPE", 403, "Scope does not allow this operation", "auth" },
	{ APP_RATE_LIMITED, "RATE_LIMITED", 429, "Rate limit exceeded", "throttle" },
	{ APP_QUOTA_EXCEEDED, "QUOTA_EXCEEDED", 429, "Quota exceeded", "throttle" },
	{ APP_CONCURRENCY_LIMIT, "CONCURRENCY_LIMIT", 429, "Too many concurrent operations", "throttle" },
	{ APP_NOT_FOUND, "NOT_FOUND", 404, "Resource not found", "lookup" },
	{ APP_MESSAGE_NOT_FOUND, "MESSAGE_NOT_FOUND", 404, "Message not found", "lookup" },
	{ APP_USER_NOT_FOUND, "USER_NOT_FOUND", 404, "User/contact not found", "lookup" },
	{ APP_CHAT_NOT_FOUND, "CHAT_NOT_FOUND", 404, "Chat not found", "lookup" },
	{ APP_GROUP_NOT_FOUND, "GROUP_NOT_FOUND", 404, "Group not found", "lookup" },
	{ APP_MEDIA_NOT_FOUND, "MEDIA_NOT_FOUND", 404, "Media not found", "lookup" },
	{ APP_DOWNSTREAM_ERROR, "DOWNSTREAM_ERROR", 502, "Upstream provider error", "network" },
	{ APP_DOWNSTREAM_TIMEOUT, "DOWNSTREAM_TIMEOUT", 504, "Upstream provider timeout", "network" },
	{ APP_DNS_ERROR, "DNS_ERROR", 502, "DNS resolution error", "network" },
	{ APP_NETWORK_ERROR, "NETWORK_ERROR", 503, "Network error", "network" },
	{ APP_SEND_QUEUED, "SEND_QUEUED", 202, "Message queued to send", "send" },
	{ APP_SEND_THROTTLED, "SEND_THROTTLED", 429, "Send delayed due to throttling", "send" },
	{ APP_SEND_FAILED, "SEND_FAILED", 502, "Failed to send message", "send" },
	{ APP_MEDIA_UPLOAD_FAILED, "MEDIA_UPLOAD_FAILED", 502, "Failed to upload media", "send" },
	{ APP_UNSUPPORTED_MESSAGE_TYPE, "UNSUPPORTED_MESSAGE_TYPE", 400, "Unsupported message type", "send" },
	{ APP_RECIPIENT_NOT_ALLOWED, "RECIPIENT_NOT_ALLOWED", 403, "Recipient not allowed", "send" },
	{ APP_RECIPIENT_BLOCKED, "RECIPIENT_BLOCKED", 403, "Recipient is blocked or has blocked you", "send" },
	{ APP_RECIPIENT_INVALID, "RECIPIENT_INVALID", 400, "Invalid recipient format", "send" },
	{ APP_TEMPLATE_NOT_FOUND, "TEMPLATE_NOT_FOUND", 404, "Message template not found", "send" },
	{ APP_TEMPLATE_REJECTED, "TEMPLATE_REJECTED", 422, "Template rejected by provider", "send" },
	{ APP_BUTTONS_LIMIT_EXCEEDED, "BUTTONS_LIMIT_EXCEEDED", 400, "Buttons count exceeds limit", "send" },
	{ APP_LIST_FORMAT_INVALID, "LIST_FORMAT_INVALID", 400, "List message format invalid", "send" },
	{ APP_POLL_INVALID, "POLL_INVALID", 400, "Poll payload invalid", "send" },
	{ APP_STICKER_CONVERT_FAILED, "STICKER_CONVERT_FAILED", 502, "Sticker conversion failed", "send" },
	{ APP_CAPTION_TOO_LONG, "CAPTION_TOO_LONG", 400, "Caption exceeds limit", "send" },
	{ APP_MESSAGE_TOO_LONG, "MESSAGE_TOO_LONG", 400, "Message exceeds length limit", "send" },
	{ APP_MESSAGE_DELETE_FAILED, "MESSAGE_DELETE_FAILED", 502, "Failed to delete message", "manage" },
	{ APP_MESSAGE_EDIT_NOT_ALLOWED, "MESSAGE_EDIT_NOT_ALLOWED", 403, "Editing this message is not allowed", "manage" },
	{ APP_MESSAGE_FORWARD_FAILED, "MESSAGE_FORWARD_FAILED", 502, "Failed to forward message", "manage" },
	{ APP_MESSAGE_PIN_NOT_ALLOWED, "MESSAGE_PIN_NOT_ALLOWED", 403, "Pin/unpin not allowed", "manage" },
	{ APP_MESSAGE_ALREADY_DELETED, "MESSAGE_ALREADY_DELETED", 409, "Message already deleted", "manage" },
	{ APP_REACTION_FAILED, "REACTION_FAILED", 502, "Failed to react to message", "manage" },
	{ APP_CHAT_ARCHIVE_FAILED, "CHAT_ARCHIVE_FAILED", 502, "Failed to archive chat", "chat" },
	{ APP_CHAT_UNARCHIVE_FAILED, "CHAT_UNARCHIVE_FAILED", 502, "Failed to unarchive chat", "chat" },
	{ APP_CHAT_MUTE_FAILED, "CHAT_MUTE_FAILED", 502, "Failed to mute chat", "chat" },
	{ APP_CHAT_MARK_READ_FAILED, "CHAT_MARK_READ_FAILED", 502, "Failed to mark as read", "chat" },
	{ APP_CHAT_MARK_UNREAD_FAILED, "CHAT_MARK_UNREAD_FAILED", 502, "Failed to mark as unread", "chat" },
	{ APP_GROUP_CREATE_FAILED, "GROUP_CREATE_FAILED", 502, "Failed to create group", "group" },
	{ APP_GROUP_UPDATE_FAILED, "GROUP_UPDATE_FAILED", 502, "Failed to update group settings", "group" },
	{ APP_GROUP_ADD_PARTICIPANT_FAILED, "GROUP_ADD_PARTICIPANT_FAILED", 502, "Failed to add participant", "group" },
	{ APP_GROUP_REMOVE_PARTICIPANT_FAILED, "GROUP_REMOVE_PARTICIPANT_FAILED", 502, "Failed to remove participant", "group" },
	{ APP_GROUP_PROMOTE_FAILED, "GROUP_PROMOTE_FAILED", 502, "Failed to promote participant", "group" },
	{ APP_GROUP_DEMOTE_FAILED, "GROUP_DEMOTE_FAILED", 502, "Failed to demote participant", "group" },
	{ APP_GROUP_INVITE_FAILED, "GROUP_INVITE_FAILED", 502, "Failed to create invite", "group" },
	{ APP_GROUP_LEAVE_FAILED, "GROUP_LEAVE_FAILED", 502, "Failed to leave group", "group" },
	{ APP_GROUP_NOT_ADMIN, "GROUP_NOT_ADMIN", 403, "Operation requires admin privileges", "group" },
	{ APP_GROUP_SUBJECT_TOO_LONG, "GROUP_SUBJECT_TOO_LONG", 400, "Group subject too long", "group" },
	{ APP_GROUP_DESCRIPTION_TOO_LONG, "GROUP_DESCRIPTION_TOO_LONG", 400, "Group description too long", "group" },
	{ APP_MEDIA_DOWNLOAD_FAILED, "MEDIA_DOWNLOAD_FAILED", 502, "Failed to download media", "media" },
	{ APP_MEDIA_PROCESSING, "MEDIA_PROCESSING", 202, "Media processing in progress", "media" },
	{ APP_MEDIA_UNSUPPORTED_FORMAT, "MEDIA_UNSUPPORTED_FORMAT", 415, "Media format not supported", "media" },
	{ APP_MEDIA_TOO_LARGE, "MEDIA_TOO_LARGE", 413, "Media size exceeds limit", "media" },
	{ APP_MEDIA_NOT_AVAILABLE, "MEDIA_NOT_AVAILABLE", 410, "Media no longer available", "media" },
	{ APP_ME_INFO_UNAVAILABLE, "ME_INFO_UNAVAILABLE", 503, "Current user info unavailable", "user" },
	{ APP_CONTACT_NOT_FOUND, "CONTACT_NOT_FOUND", 404, "Contact not found", "user" },
	{ APP_CONTACT_BLOCK_FAILED, "CONTACT_BLOCK_FAILED", 502, "Failed to block contact", "user" },
	{ APP_CONTACT_UNBLOCK_FAILED, "CONTACT_UNBLOCK_FAILED", 502, "Failed to unblock contact", "user" },
	{ APP_PRESENCE_UNAVAILABLE, "PRESENCE_UNAVAILABLE", 503, "Presence not available", "user" },
	{ APP_JOB_SCHEDULED, "JOB_SCHEDULED", 202, "Job scheduled", "jobs" },
	{ APP_JOB_RUNNING, "JOB_RUNNING", 200, "Job currently running", "jobs" },
	{ APP_JOB_COMPLETED, "JOB_COMPLETED", 200, "Job completed", "jobs" },
	{ APP_JOB_FAILED, "JOB_FAILED", 500, "Job failed", "jobs" },
	{ APP_JOB_CANCELLED, "JOB_CANCELLED", 200, "Job cancelled", "jobs" },
	{ APP_JOB_NOT_FOUND, "JOB_NOT_FOUND", 404, "Job not found", "jobs" },
	{ APP_INTERNAL_ERROR, "INTERNAL_ERROR", 500, "Unexpected server error", "server" },
	{ APP_SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", 503, "Service temporarily unavailable", "server" },
	{ APP_TIMEOUT, "TIMEOUT", 504, "Operation timed out", "server" },
	{ APP_DATABASE_ERROR, "DATABASE_ERROR", 500, "Database error", "server" },
	{ APP_CACHE_ERROR, "CACHE_ERROR", 500, "Cache error", "server" },
	{ APP_NOT_IMPLEMENTED, "NOT_IMPLEMENTED", 501, "Not implemented", "server" },
	{ APP_FEATURE_FLAG_DISABLED, "FEATURE_FLAG_DISABLED", 403, "Feature is disabled", "server" },
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

const struct appcode_row *appcode_rows(size_t *count)
{
	*count = ROW_COUNT;
	return rows;
}

const struct appcode_row *appcode_find(int code)
{
	size_t low = 0;
	size_t high = ROW_COUNT;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((int)rows[middle].code == code)
			return &rows[middle];
		if ((int)rows[middle].code < code)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

int appcode_http(int code)
{
	const struct appcode_row *row = appcode_find(code);

	return row == NULL ? 500 : row->http;
}

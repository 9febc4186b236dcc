/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All routes, one group per resource. The order is the order of the OpenAPI document. */
#include "fcgi/route.h"

extern const struct route_group auth_routes, docs_routes, server_routes, session_routes, queue_routes, message_routes, content_routes, interactive_routes,
	media_routes, action_routes, chat_routes, shared_routes, webhook_routes, profile_routes, misc_routes, misc_tools_routes, misc_whatsapp_routes, storage_routes;
extern const struct route_group key_routes, user_routes;
extern const struct route_group webhooks_routes;
extern const struct route_group channel_routes;
extern const struct route_group chats_routes;
extern const struct route_group history_routes;
extern const struct route_group proxy_routes;
extern const struct route_group campaign_routes;
extern const struct route_group events_routes, monitor_routes;
extern const struct route_group run_routes;
extern const struct route_group group_routes, group_member_routes, community_routes;

/* One a line. */
const struct route_group *const route_groups[] = {
	&auth_routes,
	&key_routes,
	&user_routes,
	&server_routes,
	&session_routes,
	&queue_routes,
	&proxy_routes,
	&message_routes,
	&content_routes,
	&interactive_routes,
	&media_routes,
	&action_routes,
	&chats_routes,
	&chat_routes,
	&shared_routes,
	&history_routes,
	&events_routes,
	&campaign_routes,
	&run_routes,
	&channel_routes,
	&webhook_routes,
	&webhooks_routes,
	&group_routes,
	&group_member_routes,
	&community_routes,
	&profile_routes,
	&misc_routes,
	&misc_tools_routes,
	&misc_whatsapp_routes,
	&storage_routes,
	&monitor_routes,
	&docs_routes,
	NULL,
};

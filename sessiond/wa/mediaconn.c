/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the media servers are.
 *
 *     <iq to=S type="set" xmlns="w:m"><media_conn/></iq>
 *     <media_conn auth ttl auth_ttl><host hostname type="primary" fallback_hostname/><host hostname type="fallback"/></media_conn>
 *
 * Source: Baileys refreshMediaConn, whatsmeow mediaconn.go.
 */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "sessiond/wa/client.h"
#include "sessiond/wa/media.h"

#define TTL_DEFAULT_S 300
#define HOST_LEN_MAX 255

struct asking {
	wa_media_conn_done *done;
	void *arg;
};

/* Letters, digits, dots, dashes, and a port: nothing that could end the host part of an address. */
static bool is_host(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	return n > 0 && n <= HOST_LEN_MAX && name[0] != ':' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") == n;
}

static void add_host(struct wa_media_conn *conn, const char *name)
{
	if (!is_host(name) || conn->nhosts == WA_MEDIA_HOSTS_MAX)
		return;
	for (size_t i = 0; i < conn->nhosts; i++)
		if (strcmp(conn->hosts[i], name) == 0)
			return;
	conn->hosts[conn->nhosts++] = name;
}

static void add_hosts(struct wa_media_conn *conn, const struct wa_node *answer, bool primary)
{
	for (size_t i = 0; answer->content == WA_CONTENT_NODES && i < answer->nnodes; i++) {
		const struct wa_node *host = answer->nodes[i];

		/* A host without type counts as a first choice. */
		if (wa_node_is(host, "host") && wa_node_get_is(host, "type", "fallback") != primary)
			add_host(conn, wa_node_get(host, "hostname"));
	}
}

static void answered(struct wa_client *client, const struct wa_node *answer, void *arg)
{
	struct asking *asking = arg;
	const struct wa_node *media = wa_iq_ok(answer, NULL, NULL) ? wa_node_child(answer, "media_conn") : NULL;
	struct wa_media_conn conn = { .auth = wa_node_get_or_empty(media, "auth"), .ttl_s = TTL_DEFAULT_S };
	uint64_t ttl, auth_ttl;

	(void)client;
	if (media != NULL) {
		if (wa_node_get_u64(media, "ttl", &ttl) && ttl > 0 && ttl < 86400)
			conn.ttl_s = (int64_t)ttl;
		if (wa_node_get_u64(media, "auth_ttl", &auth_ttl) && auth_ttl > 0 && (int64_t)auth_ttl < conn.ttl_s)
			conn.ttl_s = (int64_t)auth_ttl;
		add_hosts(&conn, media, true);
		for (size_t i = 0; media->content == WA_CONTENT_NODES && i < media->nnodes; i++)
			add_host(&conn, wa_node_get(media->nodes[i], "fallback_hostname"));
		add_hosts(&conn, media, false);
	}
	asking->done(asking->arg, conn.nhosts > 0 && conn.auth[0] ? &conn : NULL);
	free(asking);
}

void wa_client_media_conn(struct wa_client *client, wa_media_conn_done *done, void *arg)
{
	struct asking *asking = xmalloc(sizeof *asking);
	struct arena a;
	struct wa_node *iq;

	*asking = (struct asking){ done, arg };
	arena_init(&a, 0);
	iq = wa_iq_new(&a, "set", "w:m");
	wa_node_add_new(&a, iq, "media_conn");
	wa_client_iq(client, &a, iq, answered, asking);
	arena_free(&a);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is no stranger to an account. */
#include "sessiond/store/private.h"

/* Rows of the outbox that nobody has received. */
#define NOT_OUT "(o.state < 3 OR o.state > 6)"

int store_chat_acquainted(struct store_reader *reader, int64_t session, const struct jid *jid, bool *acquainted)
{
	struct jid bare = jid_bare(jid);
	char text[JID_TEXT_MAX];
	int64_t found = 0;
	int rc = 0;
	struct db_statement *query;

	*acquainted = false;
	if (bare.server == JID_SERVER_HOSTED)
		bare.server = JID_SERVER_PN;
	else if (bare.server == JID_SERVER_HOSTED_LID)
		bare.server = JID_SERVER_LID;
	jid_format(&bare, text, sizeof text);
	query = db_query(reader->db, &rc,
	                 "SELECT 1 FROM chats c JOIN messages m ON m.chat = c.number WHERE c.session = ? AND (c.jid = ? OR c.lid = ?) AND "
	                 "(m.from_me = 0 OR (m.status <> ? AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.session = m.session AND "
	                 "o.message_id = m.id AND " NOT_OUT "))) LIMIT 1", "ittn", session, text, text, (int)STORE_MESSAGE_ERROR);
	if (query == NULL)
		return rc;
	rc = db_step(query);
	if (rc > 0)
		found = db_int(query, 0);
	*acquainted = found != 0;
	return db_done(query, rc < 0 ? rc : 0);
}

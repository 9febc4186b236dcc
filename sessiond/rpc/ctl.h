/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Methods of warestctl that stand in a file of their own. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_CTL_H
#define SESSIOND_RPC_CTL_H

#include "sessiond/rpc/request.h"

/* The session of parameter "id"; NULL: answered with 404. */
struct session_entry *ctl_session(struct rpc_request *request);

/* Everything the view of a session holds, as a JSON object. */
void ctl_put_session(struct buf *out, const struct session_entry *entry);

/* rpc_ctl_wait.c */
void ctl_session_wait(struct rpc_request *request);

/* rpc_ctl_import.c */
void ctl_session_import(struct rpc_request *request);

/* rpc_key.c */
void ctl_key_create(struct rpc_request *request);
void ctl_key_list(struct rpc_request *request);
void ctl_key_rotate(struct rpc_request *request);
void ctl_key_revoke(struct rpc_request *request);

/* rpc_user.c */
void ctl_user_list(struct rpc_request *request);
void ctl_user_add(struct rpc_request *request);
void ctl_user_change(struct rpc_request *request);
void ctl_user_delete(struct rpc_request *request);

/* rpc_ctl_owner.c */
void ctl_user_import(struct rpc_request *request);

/* rpc_audit.c */
void ctl_audit_list(struct rpc_request *request);

#endif

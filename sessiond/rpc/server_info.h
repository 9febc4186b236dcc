/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples of CPU and disk use, taken every 15 s on the main loop, for server/info and server/cpu-history. Private to sessiond/rpc. */
#ifndef SESSIOND_RPC_SERVER_INFO_H
#define SESSIOND_RPC_SERVER_INFO_H

#include <json-c/json.h>

struct daemon;
struct server_info;
struct cpu_history;

struct server_info *server_info_new(struct daemon *daemon);
void server_info_free(struct server_info *info);
const struct cpu_history *server_info_cpu(const struct server_info *info);
/* {"readMBps":..,"writeMBps":..} between the last two samples; owned by the caller. */
struct json_object *server_info_io(const struct server_info *info);

#endif

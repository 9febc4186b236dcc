/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing the text format of Prometheus, 0.0.4:
 *
 *     # HELP name what it is
 *     # TYPE name counter
 *     name{label="value"} 12
 */
#ifndef SESSIOND_RPC_METRICS_TEXT_H
#define SESSIOND_RPC_METRICS_TEXT_H

#include <stdint.h>

#include "common/buf.h"

/* type: "counter", "gauge", "histogram". */
void metric_family(struct buf *out, const char *name, const char *type, const char *help);
/* labels: name, value, ..., NULL. */
void metric_labelled(struct buf *out, const char *name, double value, ...) __attribute__((sentinel));
/* Family and its only sample. */
void metric_one(struct buf *out, const char *name, const char *type, const char *help, double value);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Posts of channels (newsletters) that arrive. */
#ifndef WA_CHANNEL_H
#define WA_CHANNEL_H

#include "sessiond/wa/messaging.h"

/* <notification type="newsletter"> */
wa_stanza_handler wa_on_channel;
wa_stanza_handler wa_on_mex; /* mex.c */

#endif

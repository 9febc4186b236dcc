/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a campaign sends and how: the JSON of store_campaign.spec, as the responder made it (fcgi/api_campaign.c).
 *
 *     {"content":{"type":"text","method":"messages.send.text","p":{..}},      p: as that route hands it to the daemon, "to" left out; the file
 *                                                                            of one that has it: "input":{"stored":"<key of the storage>",..}
 *      "variables":{..}, "missing":"fail",                                    of all recipients; template.h
 *      "pace":{"gapMs":..,"jitterMs":..,"perMinute":..,"perHour":..},
 *      "window":{"from":540,"to":1080,"days":62,"zone":"Europe/Berlin"}}      minutes since midnight; pace.h
 */
#ifndef SESSIOND_CAMPAIGN_SPEC_H
#define SESSIOND_CAMPAIGN_SPEC_H

#include <json-c/json.h>

#include "common/buf.h"
#include "sessiond/campaign/pace.h"
#include "sessiond/campaign/template.h"

struct campaign_spec {
	struct json_object *json;      /* owned */
	const char *method;            /* borrowed from it, as the next two; never NULL */
	struct json_object *p;         /* an object */
	struct json_object *variables; /* NULL: none */
	enum template_missing missing;
	bool varies;                   /* the content has variables */
	struct json_object *input;     /* owned: taken out of p; NULL: the content has no file */
	struct pace pace;
	struct window window;          /* its zone is owned here */
};

/* 0, or -1: it is none; spec is empty then. */
int campaign_spec_read(struct campaign_spec *spec, struct span json);
void campaign_spec_free(struct campaign_spec *spec);

#endif

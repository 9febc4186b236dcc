/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The picture of a group (contract rest-b 3.3). */
#include "sessiond/json_text.h"
#include "sessiond/rpc/group.h"
#include "sessiond/rpc/square_picture.h"

static void address_came(struct group_work *w, struct group_job *job)
{
	group_open(w);
	json_put_member(&w->json, "pictureUrl", job->answer.text);
	json_put_member(&w->json, "status", "success update group picture");
	group_close(w);
	group_answer(w, "Group picture updated");
}

static void was_set(struct group_work *w, struct group_job *job)
{
	if (job->code) {
		group_refuse(w, job, 502, 2800, "Failed to update group picture");
		return;
	}
	group_ask(w, group_job_picture(GROUP_PICTURE, &w->group), address_came);
}

static void ready(void *arg, struct span jpeg)
{
	struct group_work *w = arg;
	struct group_job *job = group_job_picture(GROUP_SET_PICTURE, &w->group);

	buf_append(&job->jpeg, jpeg.p, jpeg.n);
	group_ask(w, job, was_set);
}

static void free_picture(void *more)
{
	square_picture_free(more);
}

static void do_set(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (!w)
		return;
	w->more_free = free_picture;
	w->more = square_picture_get(request, ready, w);
}

static void was_removed(struct group_work *w, struct group_job *job)
{
	group_open(w);
	json_put_member(&w->json, "status", job->code ? "failed" : "success remove group picture");
	group_close(w);
	if (job->code)
		group_answer_as(w, 207, 1004, "Failed to remove group picture");
	else
		group_answer(w, "Group picture removed");
}

static void do_remove(struct rpc_request *request)
{
	struct group_work *w = group_work_new(request, "groupId");

	if (w)
		group_ask(w, group_job_picture(GROUP_SET_PICTURE, &w->group), was_removed);
}

const struct rpc_method rpc_group_picture_methods[] = {
	{ "group.picture.set", do_set },
	{ "group.picture.remove", do_remove },
	{ NULL, NULL },
};

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Polls: their options and their running result. Every vote costs the same, however many there were: one small record per voter and
 * one per poll (names in secret.h).
 *
 * Pure: sessiond/rpc uses it too.
 *
 *     poll    selectable(2) | n(2) | title length(2) title | n x { length(2) name }
 *     tally   version(1) | voters(4) | n(2) | n x votes(4)
 *     vote    version(1) | time ms(8) | n x option(2)
 *
 * A vote names its options by SHA-256 of their names. A later vote of the same voter replaces the earlier one, an empty one withdraws it.
 */
#ifndef WA_POLL_H
#define WA_POLL_H

#include "sessiond/wa/state.h"

/* Source: clients allow 12; more come in by added options. */
enum { POLL_OPTIONS_MAX = 256, POLL_NAME_MAX = 1024, POLL_TITLE_MAX = 4096 };
/* A poll of more voters than a group has members is nobody's: further ones are told but not counted. */
#define POLL_VOTERS_MAX 20000U

struct poll {
	struct span title;                   /* borrowed */
	unsigned selectable;                 /* 0: any number */
	struct span names[POLL_OPTIONS_MAX]; /* borrowed */
	size_t n;
};

/* True for the top-level fields that create a poll. */
bool wa_poll_is_creation(uint32_t number);
/* Appends the stored form of a PollCreationMessage. Options beyond the bounds are left out. */
void wa_poll_write(struct span creation, struct buf *out);
/* The same for a serialized Message. False if it creates no poll. */
bool wa_poll_of_message(struct span message, struct buf *out);
/*
 * Appends the stored form of a poll after a serialized Message has changed it: one that adds an option, or one with the poll as edited. Options
 * keep their places, as votes are counted by them: what an edit leaves out stays, what is new comes behind. False: it changes nothing.
 * Source: whatsmeow WAWebProtobufsE2E.proto (pollAddOptionMessage), whatsapp-rust.
 */
bool wa_poll_change(struct span poll, struct span message, struct buf *out);
/* Reads the stored form. False if it is malformed. */
bool wa_poll_read(struct span value, struct poll *out);

/* What a vote chose. */
struct poll_vote {
	uint16_t options[POLL_OPTIONS_MAX]; /* indices, ascending, each once */
	size_t n;
	size_t unknown;                     /* hashes that are no option of the poll as we know it */
};

/* Reads a serialized PollVoteMessage against the poll. False if it is malformed. */
bool wa_poll_vote_read(struct span plain, const struct poll *poll, struct poll_vote *out);

struct poll_tally {
	uint32_t voters;
	uint32_t votes[POLL_OPTIONS_MAX];
	size_t n;
};

enum poll_counted { POLL_COUNTED, POLL_OLDER, POLL_FULL };

/*
 * Counts a vote. tally and before are the stored records (p NULL: none); the new ones are appended to tally_out and vote_out unless the
 * vote does not count (it is older than the one before, or there are too many voters). result: the tally afterwards.
 */
enum poll_counted wa_poll_count(const struct poll *poll, struct span tally, struct span before, const struct poll_vote *vote, int64_t time_ms,
				struct poll_tally *result, struct buf *tally_out, struct buf *vote_out);

#endif

// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a few sessions with mixed traffic and lost connections lose or double messages, leak descriptors, or hold labels, quick
// replies and settings that the account's other devices do not. The long form is "make soak".
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { soak } from '../load/soak.js';

test('a short soak leaves both sides equal', async () => {
	const { figures, wrong } = await soak({ minutes: 0.15, sessions: 4, pause: 150 });
	assert.deepEqual(wrong, [], JSON.stringify(figures));
	assert.ok(figures.sent > 0 && figures.received > 0);
});

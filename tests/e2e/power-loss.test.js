// SPDX-License-Identifier: GPL-3.0-or-later
// If this fails, a power cut loses a message that was acknowledged, sends one twice, or breaks a conversation's keys.
//
// The course and the judges of kill-messages.test.js; the daemon (tests/tools/powerlossd.c) dies with its disk: what was not synced is
// lost, torn or kept by chance.
process.env.KILL_HOW = 'power';
process.env.KILL_MESSAGES ??= /asan|tsan/.test(process.env.WAREST_BUILD_MODE ?? '') ? '60' : '200';
process.env.KILL_TIMES ??= '4';
await import('./kill-messages.test.js');

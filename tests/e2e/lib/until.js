// SPDX-License-Identifier: GPL-3.0-or-later
// Waiting for what shows in answers only.

// Longer than anything takes that will come at all, even where all is slow.
export const PATIENCE_MS = 240000;

// Looks again and again, a moment apart, until it gives something that is true: resolves with that. what: said when it never came.
export async function until(look, what = look.toString()) {
  for (const end = Date.now() + PATIENCE_MS; ;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// SPDX-License-Identifier: GPL-3.0-or-later
// What independent programs say of media files that ours made: ffprobe and ffmpeg of FFmpeg, gm of GraphicsMagick.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const has = (program) => spawnSync(program, ['-version']).error === undefined;
export const judges = has('ffprobe') && has('ffmpeg') && has('gm');

function withFile(bytes, look) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'warest-judge-'));
  const file = path.join(dir, 'file');
  writeFileSync(file, bytes);
  try {
    return look(file);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

// Streams and format as ffprobe tells them; throws when ffmpeg finds anything wrong while it decodes all of it.
export const probe = (bytes) => withFile(bytes, (file) => {
  const decoded = spawnSync('ffmpeg', ['-v', 'warning', '-xerror', '-i', file, '-f', 'null', '-'], { encoding: 'utf8' });
  if (decoded.status !== 0 || decoded.stderr) throw new Error(`ffmpeg: ${decoded.stderr}`);
  const { streams, format } = JSON.parse(execFileSync('ffprobe', ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', file], { encoding: 'utf8' }));
  return { format, video: streams.find((s) => s.codec_type === 'video'), audio: streams.find((s) => s.codec_type === 'audio'), count: streams.length };
});

// "JPEG 32 24" and the like, one line a frame.
export const identify = (bytes) => withFile(bytes, (file) => execFileSync('gm', ['identify', '-format', '%m %w %h\n', file], { encoding: 'utf8' }).trim().split('\n'));

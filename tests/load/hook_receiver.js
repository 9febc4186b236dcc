// SPDX-License-Identifier: GPL-3.0-or-later
// A receiver of webhooks that does next to nothing, as a worker thread: bytes are looked at only as far as the bench needs it. It tells
// {port}; {mark, came} for each request whose text is "at<mark>" or "road<run> <n>" (mark "run n"; came: monotonic nanoseconds);
// {all} when as many requests came as the main thread said last. With workerData {delayMs} it takes so long for each answer.
import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const MARK = /"text":"(?:at(\d+)|road(\d+ \d+))"/;

let count = 0, wanted = -1;

function request(socket, body) {
  const mark = MARK.exec(body);
  if (mark) parentPort.postMessage({ mark: mark[1] ?? mark[2], came: process.hrtime.bigint() });
  count++;
  if (workerData?.delayMs) setTimeout(() => socket.write(ANSWER), workerData.delayMs);
  else socket.write(ANSWER);
  if (count === wanted) parentPort.postMessage({ all: process.hrtime.bigint() });
}

const server = net.createServer((socket) => {
  let rest = Buffer.alloc(0);
  socket.setNoDelay(true).on('error', () => {});
  socket.on('data', (d) => {
    rest = rest.length ? Buffer.concat([rest, d]) : d;
    for (;;) {
      const head = rest.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(rest.latin1Slice(0, head))[1]);
      if (rest.length < head + 4 + length) return;
      request(socket, rest.latin1Slice(head + 4, head + 4 + length));
      rest = rest.subarray(head + 4 + length);
    }
  });
});

parentPort.on('message', (n) => { count = 0; wanted = n; });
server.listen(0, '127.0.0.1', () => parentPort.postMessage({ port: server.address().port }));

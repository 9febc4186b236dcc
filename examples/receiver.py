#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A webhook receiver: checks the signature, knows each event once, answers "ping" with an action. Standard library alone.

    WAREST_SECRET=secret[,older secret] PORT=8080 python3 receiver.py
"""
import hmac
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRETS = [s.strip() for s in os.environ.get("WAREST_SECRET", "").split(",") if s.strip()]
TOLERANCE_MS = float(os.environ.get("WAREST_TOLERANCE_SEC", "300")) * 1000
seen = set()  # a real receiver keeps these where they survive a restart


def is_signed(headers, body):
    match = re.fullmatch(r"HMAC-SHA(224|256|384|512)=([0-9a-f]+)", headers.get("X-WAREST-Signature", ""))
    if not match:
        return False
    username = headers.get("X-WAREST-Username", "")
    return any(
        hmac.compare_digest(hmac.new((secret + username).encode(), body, "sha" + match[1]).hexdigest(), match[2])
        for secret in SECRETS
    )


def is_fresh(event):
    # The header's time is not signed, that in the body is.
    return os.environ.get("WAREST_VERIFY_TS") != "1" or abs(time.time() * 1000 - event["ts"]) <= TOLERANCE_MS


def answer_to(event):
    if event["event"] == "preflight":
        return {"ok": True, "pong": True}
    if event["event"] == "message_received" and event["data"].get("text") == "ping":
        return {"ok": True, "actions": [{"type": "text", "to": "{{sender.chatId}}", "text": "pong from Python"}]}
    return {"ok": True}


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not is_signed(self.headers, body):
            self.answer(401, {"ok": False, "error": "bad signature"})
            return
        event = json.loads(body)
        event_id = self.headers.get("X-WAREST-Event-Id")
        if not is_fresh(event):
            self.answer(401, {"ok": False, "error": "too old"})
        elif event_id in seen:
            self.answer(200, {"ok": True})
        else:
            if event_id:
                seen.add(event_id)
            print(event["event"], event_id or "", flush=True)
            self.answer(200, answer_to(event))

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080"))), Receiver).serve_forever()

#!/usr/bin/env ruby
# SPDX-License-Identifier: GPL-3.0-or-later
# A webhook receiver: checks the signature, knows each event once, answers "ping" with an action. Needs WEBrick (gem or ruby-webrick).
#
#     WAREST_SECRET=secret[,older secret] PORT=8080 ruby receiver.rb
require "json"
require "openssl"
require "webrick"

SECRETS = ENV.fetch("WAREST_SECRET", "").split(",").map(&:strip).reject(&:empty?)
TOLERANCE_MS = ENV.fetch("WAREST_TOLERANCE_SEC", "300").to_f * 1000
SEEN = {} # a real receiver keeps these where they survive a restart
LOCK = Mutex.new

def signed?(request, body)
  match = /\AHMAC-SHA(224|256|384|512)=([0-9a-f]+)\z/.match(request["X-WAREST-Signature"].to_s)
  return false unless match

  SECRETS.any? do |secret|
    ours = OpenSSL::HMAC.hexdigest("SHA#{match[1]}", secret + request["X-WAREST-Username"].to_s, body)
    OpenSSL.secure_compare(ours, match[2])
  end
end

# The header's time is not signed, that in the body is.
def fresh?(event)
  ENV["WAREST_VERIFY_TS"] != "1" || (Time.now.to_f * 1000 - event["ts"]).abs <= TOLERANCE_MS
end

def first_time?(id)
  LOCK.synchronize { SEEN[id] ? false : SEEN[id] = true }
end

def answer_to(event)
  return { ok: true, pong: true } if event["event"] == "preflight"

  if event["event"] == "message_received" && event["data"]["text"] == "ping"
    return { ok: true, actions: [{ type: "text", to: "{{sender.chatId}}", text: "pong from Ruby" }] }
  end
  { ok: true }
end

def handle(request, body)
  return [401, { ok: false, error: "bad signature" }] unless signed?(request, body)

  event = JSON.parse(body)
  return [401, { ok: false, error: "too old" }] unless fresh?(event)

  id = request["X-WAREST-Event-Id"]
  return [200, { ok: true }] if id && !first_time?(id)

  puts "#{event["event"]} #{id}"
  [200, answer_to(event)]
end

server = WEBrick::HTTPServer.new(BindAddress: ENV.fetch("HOST", "127.0.0.1"), Port: ENV.fetch("PORT", "8080").to_i,
                                 Logger: WEBrick::Log.new(nil, WEBrick::Log::FATAL), AccessLog: [])
server.mount_proc("/") do |request, response|
  response.status, answer = handle(request, request.body.to_s)
  response["Content-Type"] = "application/json"
  response.body = JSON.generate(answer)
end
%w[INT TERM].each { |signal| trap(signal) { server.shutdown } }
server.start

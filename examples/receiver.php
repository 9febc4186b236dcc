<?php
// SPDX-License-Identifier: GPL-3.0-or-later
// A webhook receiver: checks the signature, knows each event once, answers "ping" with an action. For any web server with PHP, or:
//
//     WAREST_SECRET=secret[,older secret] php -S 127.0.0.1:8080 receiver.php
declare(strict_types=1);

function is_signed(string $body): bool
{
    if (!preg_match('/^HMAC-SHA(224|256|384|512)=([0-9a-f]+)$/', $_SERVER['HTTP_X_WAREST_SIGNATURE'] ?? '', $match)) {
        return false;
    }
    $username = $_SERVER['HTTP_X_WAREST_USERNAME'] ?? '';
    foreach (array_filter(array_map('trim', explode(',', getenv('WAREST_SECRET') ?: ''))) as $secret) {
        if (hash_equals(hash_hmac("sha$match[1]", $body, $secret . $username), $match[2])) {
            return true;
        }
    }
    return false;
}

// The header's time is not signed, that in the body is.
function is_fresh(array $event): bool
{
    $tolerance = (float) (getenv('WAREST_TOLERANCE_SEC') ?: 300) * 1000;
    return getenv('WAREST_VERIFY_TS') !== '1' || abs(microtime(true) * 1000 - $event['ts']) <= $tolerance;
}

// True the first time. Each request is a process of its own: what was seen is kept in files.
function is_new(string $id): bool
{
    $folder = (getenv('WAREST_SEEN_DIR') ?: sys_get_temp_dir() . '/warest-seen');
    if (!is_dir($folder)) {
        @mkdir($folder, 0700, true);
    }
    $file = @fopen("$folder/" . hash('sha256', $id), 'x');
    return $file !== false && fclose($file);
}

function answer_to(array $event): array
{
    if ($event['event'] === 'preflight') {
        return ['ok' => true, 'pong' => true];
    }
    if ($event['event'] === 'message_received' && ($event['data']['text'] ?? '') === 'ping') {
        return ['ok' => true, 'actions' => [['type' => 'text', 'to' => '{{sender.chatId}}', 'text' => 'pong from PHP']]];
    }
    return ['ok' => true];
}

function handle(string $body): array
{
    if (!is_signed($body)) {
        return [401, ['ok' => false, 'error' => 'bad signature']];
    }
    $event = json_decode($body, true);
    if (!is_fresh($event)) {
        return [401, ['ok' => false, 'error' => 'too old']];
    }
    $id = $_SERVER['HTTP_X_WAREST_EVENT_ID'] ?? '';
    return [200, $id !== '' && !is_new($id) ? ['ok' => true] : answer_to($event)];
}

[$status, $answer] = handle(file_get_contents('php://input'));
http_response_code($status);
header('Content-Type: application/json');
echo json_encode($answer);

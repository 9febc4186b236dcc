/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, a receiver's answer makes an account do what it does not say, or more than it may. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sessiond/actions/accept.h"
#include "sessiond/actions/act.h"
#include "sessiond/actions/plan.h"
#include "sessiond/actions/template.h"

static const char envelope_text[] =
	"{\"event\":\"message_received\",\"data\":{\"id\":\"sales\",\"text\":\"hi {{event}}\",\"event\":\"mine\",\"message\":{\"key\":{\"id\":\"A\",\"fromMe\":false}},"
	"\"mentions\":[\"1@s.whatsapp.net\",\"2@s.whatsapp.net\"],\"n\":1.5,\"yes\":true,\"none\":null,\"url\":\"a/b\"},"
	"\"ts\":1767225600000,\"session\":{\"id\":\"sales\",\"label\":\"Sales\"}}";

static const struct act_context context = { .country_code = "62", .pause_ms = 1200 };

/* ---- templates ---- */

static void expands(struct json_object *envelope, const char *text, const char *wanted)
{
	struct buf out = { 0 };

	assert_true(expand_text(&out, envelope, text, strlen(text), 10000));
	assert_string_equal(out.len ? buf_text(&out) : "", wanted);
	buf_free(&out);
}

static void test_templates(void **state)
{
	struct json_object *envelope = json_tokener_parse(envelope_text);
	struct buf out = { 0 };

	(void)state;
	expands(envelope, "plain", "plain");
	expands(envelope, "", "");
	expands(envelope, "a {{text}} b", "a hi {{event}} b");
	expands(envelope, "{{ session.label }}/{{ts}}/{{data.n}}/{{n}}/{{yes}}", "Sales/1767225600000/1.5/1.5/true");
	/* the payload's members win over the envelope's */
	expands(envelope, "{{event}} {{data.event}} {{session.id}} {{id}}", "mine mine sales sales");
	expands(envelope, "{{mentions.1}} {{mentions.2}} {{mentions.x}} {{mentions}}", "2@s.whatsapp.net   [\"1@s.whatsapp.net\",\"2@s.whatsapp.net\"]");
	expands(envelope, "{{message.key}} {{url}}", "{\"id\":\"A\",\"fromMe\":false} a/b");
	expands(envelope, "[{{missing}}][{{none}}][{{text.length}}][{{}}][{{.}}][{{message..key}}]", "[][][][][][]");
	expands(envelope, "{{text", "{{text");
	expands(envelope, "{text}} }} {", "{text}} }} {");
	expands(envelope, "{{{id}}}", "{sales}");
	assert_false(expand_text(&out, envelope, "{{text}}{{text}}", 16, 15));
	buf_free(&out);
	json_object_put(envelope);
}

/* ---- plans ---- */

static enum plan_error accept_text(const char *answer, struct json_object **plan)
{
	struct json_object *json = json_tokener_parse(answer), *envelope = json_tokener_parse(envelope_text);
	enum plan_error error = plan_accept(json, envelope, 1200, plan);

	json_object_put(json);
	json_object_put(envelope);
	return error;
}

static struct json_object *accepted(const char *answer)
{
	struct json_object *plan = NULL;

	assert_int_equal(accept_text(answer, &plan), PLAN_OK);
	return plan;
}

static void test_accepts(void **state)
{
	struct json_object *plan, *first;

	(void)state;
	assert_int_equal(accept_text("{}", &plan), PLAN_NOTHING);
	assert_int_equal(accept_text("{\"actions\":[]}", &plan), PLAN_NOTHING);
	assert_int_equal(accept_text("{\"actions\":{\"type\":\"noop\"}}", &plan), PLAN_NOTHING);
	assert_int_equal(accept_text("[1]", &plan), PLAN_NOTHING);
	plan = accepted("{\"actions\":[{\"type\":\"text\",\"{{text}}\":\"{{id}}\",\"deep\":[{\"x\":\"{{mentions.0}}\"},3,null]}],\"delayMs\":99999}");
	assert_int_equal(plan_delay_ms(plan), PLAN_MAX_DELAY_MS);
	first = json_object_array_get_idx(json_object_object_get(plan, "actions"), 0);
	assert_string_equal(json_object_to_json_string_ext(first, JSON_C_TO_STRING_PLAIN),
			    "{\"type\":\"text\",\"{{text}}\":\"sales\",\"deep\":[{\"x\":\"1@s.whatsapp.net\"},3,null]}");
	json_object_put(plan);
	plan = accepted("{\"actions\":[1],\"delayMs\":0}");
	assert_int_equal(plan_delay_ms(plan), 1200);
	json_object_put(plan);
}

/* n actions side by side, or depth queues inside each other. */
static struct json_object *answer_of(size_t n, size_t depth)
{
	struct json_object *answer = json_object_new_object(), *list = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, json_tokener_parse("{\"type\":\"noop\"}"));
	for (size_t i = 1; i < depth; i++) {
		struct json_object *outer = json_object_new_array(), *queue = json_tokener_parse("{\"act\":\"queue\"}");

		json_object_object_add(queue, "items", list);
		json_object_array_add(outer, queue);
		list = outer;
	}
	json_object_object_add(answer, "actions", list);
	return answer;
}

static enum plan_error limits_of(size_t n, size_t depth)
{
	struct json_object *answer = answer_of(n, depth), *plan = NULL;
	enum plan_error error = plan_accept(answer, NULL, 0, &plan);

	json_object_put(answer);
	json_object_put(plan);
	return error;
}

static void test_limits(void **state)
{
	(void)state;
	assert_int_equal(limits_of(100, 1), PLAN_OK);
	assert_int_equal(limits_of(101, 1), PLAN_TOO_MANY);
	assert_int_equal(limits_of(99, 2), PLAN_OK);
	assert_int_equal(limits_of(100, 2), PLAN_TOO_MANY);
	assert_int_equal(limits_of(1, 8), PLAN_OK);
	assert_int_equal(limits_of(1, 9), PLAN_TOO_DEEP);
}

static void test_too_large(void **state)
{
	struct buf text = { 0 };
	struct json_object *plan = NULL;

	(void)state;
	buf_append_text(&text, "{\"actions\":[{\"text\":\"");
	for (size_t i = 0; i < 50000; i++)
		buf_append_text(&text, "{{message.key}}");
	buf_append_text(&text, "\"}]}");
	assert_int_equal(accept_text(buf_text(&text), &plan), PLAN_TOO_LARGE);
	assert_int_equal(json_object_array_length(json_object_object_get(plan, "actions")), 0);
	json_object_put(plan);
	buf_free(&text);
}

static void test_steps(void **state)
{
	struct json_object *plan = accepted(
		"{\"actions\":[{\"act\":\"Queue\",\"items\":[{\"type\":\"text\"},{\"action\":\"DELAY\"}],\"delayMs\":\"7\"},"
		"{\"type\":\"parallel\",\"items\":[{\"act\":\"foo\",\"type\":\"vcard\"}]},{\"act\":\"when\",\"cond\":\"{{none}}\",\"then\":[1],\"else\":[{},{}]},"
		"{\"act\":\"retry\",\"times\":0,\"items\":[{\"type\":\"noop\"}],\"onFail\":{\"type\":\"noop\"}},{\"act\":\"retry\"},{\"type\":\"unknown\"}]}");
	struct step *root = plan_read(plan);
	const struct step *queue = root->children[0], *retry = root->children[3];

	(void)state;
	assert_int_equal(root->n, 6);
	assert_int_equal(queue->kind, STEP_LIST);
	assert_int_equal(queue->delay_ms, 7);
	assert_string_equal(queue->children[0]->act->name, "text");
	assert_string_equal(queue->children[1]->act->name, "delay");
	assert_int_equal(root->children[1]->kind, STEP_PARALLEL);
	assert_string_equal(root->children[1]->children[0]->act->name, "vcard");
	assert_int_equal(root->children[2]->n, 2);
	assert_int_equal(retry->kind, STEP_RETRY);
	assert_int_equal(retry->attempts, 1);
	assert_int_equal(retry->delay_ms, 500);
	assert_int_equal(retry->n, 2);
	assert_int_equal(root->children[4]->n, 0);
	assert_int_equal(root->children[4]->attempts, 3);
	assert_null(root->children[5]->act);
	plan_free(root);
	json_object_put(plan);
}

static void test_truth(void **state)
{
	static const struct {
		const char *json;
		bool truth;
	} cases[] = {
		{ "true", true }, { "false", false }, { "0", false }, { "-1", true }, { "0.0", false }, { "\"\"", false }, { "\"0\"", false }, { "\" No \"", false },
		{ "\"FALSE\"", false }, { "\"null\"", false }, { "\"undefined\"", false }, { "\"nope\"", true }, { "\"00\"", true }, { "[]", true }, { "{}", true },
	};

	(void)state;
	assert_false(plan_truth(NULL));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json_object *value = json_tokener_parse(cases[i].json);

		assert_int_equal(plan_truth(value), cases[i].truth);
		json_object_put(value);
	}
}

/* ---- single actions ---- */

/* The action's calls as "method{params} method{params}", pauses as "wait ms". */
static void says(const char *name, const char *action, const char *wanted)
{
	const struct act *act = act_find(name);
	struct json_object *json = json_tokener_parse(action);
	struct act_script script;
	struct buf text = { 0 };
	const char *fault;

	assert_non_null(act);
	assert_non_null(json);
	fault = act_build(&script, act, json, &context);
	if (fault)
		buf_printf(&text, "! %s", fault);
	for (size_t i = 0; i < script.n; i++) {
		const struct act_part *part = &script.parts[i];

		if (text.len)
			buf_u8(&text, ' ');
		if (part->method)
			buf_printf(&text, "%s%s", part->method, json_object_to_json_string_ext(part->p, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		else
			buf_printf(&text, "wait %lld", (long long)part->wait_ms);
	}
	assert_string_equal(text.len ? buf_text(&text) : "", wanted);
	buf_free(&text);
	act_script_free(&script);
	json_object_put(json);
}

static void test_addresses(void **state)
{
	(void)state;
	says("text", "{\"to\":\"123@lid\",\"text\":\"a\"}", "messages.send.text{\"to\":[\"123@lid\"],\"message\":\"a\"}");
	says("text", "{\"to\":\"0812-345\",\"text\":\"a\"}", "messages.send.text{\"to\":[\"62812345@s.whatsapp.net\"],\"message\":\"a\"}");
	says("text", "{\"to\":\"62812@c.us\",\"text\":\"a\"}", "messages.send.text{\"to\":[\"62812@s.whatsapp.net\"],\"message\":\"a\"}");
	says("text", "{\"to\":\"1203@g.us\",\"text\":5}", "messages.send.text{\"to\":[\"1203@g.us\"],\"message\":\"5\"}");
	says("text", "{\"to\":\"123@newsletter\",\"text\":\"a\",\"mentions\":[\"62811\",\"x\",\"9@lid\"]}",
	     "messages.send.text{\"to\":[\"123@newsletter\"],\"message\":\"a\",\"mentions\":[\"62811@s.whatsapp.net\",\"9@lid\"]}");
	says("text", "{\"text\":\"a\"}", "! \"to\" is missing");
	says("text", "{\"to\":\"a@b\",\"text\":\"a\"}", "! \"to\" is no address");
	says("text", "{\"to\":\"62811\"}", "! \"text\" is missing");
	says("edit", "{\"key\":{\"id\":\"A\",\"remoteJid\":\"5@lid\",\"participant\":\"5@lid\",\"rawParticipant\":\"x\"},\"text\":\"b\"}",
	     "messages.action.edit{\"messageId\":\"A\",\"to\":\"5@lid\",\"message\":\"b\"}");
}

static void test_controls(void **state)
{
	(void)state;
	says("delay", "{\"ms\":5}", "wait 5");
	says("delay", "{\"seconds\":\"2\"}", "wait 2000");
	says("delay", "{\"sec\":90}", "wait 60000");
	says("delay", "{}", "wait 1200");
	says("delay", "{\"state\":\"composing\",\"delayMs\":3}", "wait 3");
	says("delay", "{\"state\":\"recording\",\"chat\":\"1203@g.us\",\"delayMs\":3}",
	     "profile.presence.subscribe{\"jid\":\"1203@g.us\"} profile.presence.set{\"presence\":\"available\"} "
	     "profile.presence.set{\"presence\":\"recording\",\"to\":\"1203@g.us\"} wait 3 profile.presence.set{\"presence\":\"paused\",\"to\":\"1203@g.us\"}");
	says("typing", "{}", "! \"to\" is missing");
	says("presence", "{\"available\":true}", "profile.presence.set{\"presence\":\"available\"}");
	says("presence", "{\"status\":\"composing\",\"jid\":\"62811\"}", "profile.presence.set{\"presence\":\"composing\",\"to\":\"62811@s.whatsapp.net\"}");
	says("presence", "{\"state\":\"composing\"}", "! \"to\" is missing");
	says("react", "{\"key\":{\"id\":\"A\",\"remoteJid\":\"62811\"},\"reaction\":\"+\"}", "messages.action.reaction{\"messageId\":\"A\",\"to\":\"62811@s.whatsapp.net\",\"emoji\":\"+\"}");
	says("REACT", "{\"key\":\"{\\\"id\\\":\\\"A\\\"}\",\"to\":\"62811\",\"text\":\"\"}", "messages.action.unreaction{\"messageId\":\"A\",\"to\":\"62811@s.whatsapp.net\"}");
	says("react", "{\"key\":{\"id\":\"A\"},\"emoji\":\"+\"}", "! \"to\" is missing");
	says("react", "{\"key\":\"text\",\"to\":\"62811\",\"emoji\":\"+\"}", "! \"key\" has no id");
	says("star", "{\"key\":{\"id\":\"A\",\"remoteJid\":\"62811\"}}", "messages.action.star{\"messageId\":\"A\",\"to\":[\"62811@s.whatsapp.net\"]}");
	says("delete", "{\"key\":{\"id\":\"A\",\"remoteJid\":\"62811\"},\"withMedia\":false}",
	     "messages.action.delete{\"messageId\":\"A\",\"to\":[\"62811@s.whatsapp.net\"],\"withMedia\":false}");
	says("revoke", "{\"key\":{\"id\":\"A\",\"remoteJid\":\"62811\"},\"deleteForMe\":true}",
	     "messages.action.revoke{\"messageId\":\"A\",\"to\":\"62811@s.whatsapp.net\",\"deleteForMe\":true}");
	says("read", "{\"keys\":[{\"id\":\"A\",\"remoteJid\":\"62811\"},{\"id\":\"B\",\"remoteJid\":\"62811\"}]}",
	     "messages.action.mark-as-read{\"messageId\":\"A\",\"to\":\"62811@s.whatsapp.net\"} messages.action.mark-as-read{\"messageId\":\"B\",\"to\":\"62811@s.whatsapp.net\"}");
	says("read", "{}", "! \"key\" has no id");
	assert_null(act_find("queue"));
	assert_null(act_find("mute"));
}

static void test_sends(void **state)
{
	(void)state;
	says("noop", "{}", "");
	says("media", "{\"to\":\"62811\",\"mediaType\":\"GIF\",\"url\":\"https://x/y\"}", "messages.send.gif{\"to\":[\"62811@s.whatsapp.net\"],\"input\":{\"url\":\"https://x/y\"}}");
#define MEDIA(type, more) "{\"to\":\"62811\",\"mediaType\":\"" type "\",\"url\":\"https://x/y\"," more "}"
#define CALL(method, more) "messages.send." method "{\"to\":[\"62811@s.whatsapp.net\"],\"input\":{\"url\":\"https://x/y\"}," more "}"
	says("media", MEDIA("audio", "\"transcode\":{\"audioBitrate\":\"96k\",\"extraArgs\":[\"-i\"],\"preset\":\"p\"}"),
	     CALL("audio", "\"isVN\":true,\"wish\":{\"film\":\"true\",\"audioBitrateK\":\"96\",\"sound\":\"mp3\"}"));
	says("media", MEDIA("audio", "\"transcode\":{\"format\":\"mp3\",\"audioBitrate\":64000}"),
	     CALL("audio", "\"isVN\":true,\"wish\":{\"film\":\"true\",\"audioBitrateK\":\"64\",\"sound\":\"mp3\"}"));
	says("media", MEDIA("video", "\"transcode\":{\"format\":\"mp4\",\"videoBitrate\":\"1M\",\"audioBitrate\":64}"),
	     CALL("media", "\"wish\":{\"film\":\"true\",\"audioBitrateK\":\"64\",\"videoBitrateK\":\"1000\"}"));
	says("media", MEDIA("video", "\"transcode\":{\"format\":\"../x\"}"), "! transcode.format of a film is mp4");
	says("media", MEDIA("gif", "\"transcode\":{\"format\":\"mp3\"}"), "! transcode.format of a film is mp4");
	says("media", MEDIA("audio", "\"transcode\":{\"format\":\"wav\"}"), "! transcode.format is none of ogg, mp3, mp4");
	says("media", MEDIA("video", "\"transcode\":{\"videoBitrate\":\"1k;x\"}"), "! transcode.videoBitrate is 50k to 20M");
	says("media", MEDIA("video", "\"transcode\":{\"audioBitrate\":-5}"), "! transcode.audioBitrate is 8k to 512k");
	says("media", MEDIA("image", "\"transform\":{\"sharp\":{\"resize\":{\"width\":640,\"height\":480},\"webp\":{\"quality\":70},\"png\":true}}"),
	     CALL("media", "\"wish\":{\"image\":\"true\",\"width\":\"640\",\"height\":\"480\",\"fit\":\"inside\",\"format\":\"webp\",\"quality\":\"70\"}"));
	says("media", MEDIA("image", "\"transform\":{\"sharp\":{\"resize\":{\"width\":\"64\",\"fit\":\"Cover\",\"withoutEnlargement\":false}}}"),
	     CALL("media", "\"wish\":{\"image\":\"true\",\"width\":\"64\",\"fit\":\"cover\",\"enlarge\":\"true\",\"quality\":\"90\"}"));
	says("media", MEDIA("image", "\"transform\":{\"sharp\":{\"resize\":{\"fit\":\"stretch\"}}}"), "! transform.sharp.resize.fit is none of inside, outside, cover, contain, fill");
	says("media", MEDIA("image", "\"transform\":{\"sharp\":{\"resize\":{\"width\":99999}}}"), "! transform.sharp.resize: width and height are 1 to 16383");
	says("media", MEDIA("image", "\"transform\":{\"sharp\":{\"jpeg\":{\"quality\":101}}}"), "! transform.sharp: a quality is 1 to 100");
#undef MEDIA
#undef CALL
	says("media", "{\"to\":\"62811\",\"url\":\"https://x/y\"}", "! \"mediaType\" is none of image, video, gif, audio");
	says("media", "{\"to\":\"62811\",\"mediaType\":\"image\",\"url\":\"/etc/passwd\"}", "! files are fetched from http and https addresses only");
	says("document", "{\"to\":\"62811\",\"url\":\"file:///etc/passwd\"}", "! files are fetched from http and https addresses only");
	says("document", "{\"to\":\"62811\"}", "! the file's address is missing");
	says("button", "{\"to\":\"62811\",\"buttons\":[{\"displayText\":\"a\"},\"b\",{\"Btype\":\"URL\",\"text\":\"c\",\"url\":\"u\"}]}",
	     "messages.send.button{\"to\":[\"62811@s.whatsapp.net\"],\"buttons\":[{\"type\":\"reply\",\"text\":\"a\"},{\"type\":\"reply\",\"text\":\"b\"},"
	     "{\"type\":\"url\",\"text\":\"c\",\"url\":\"u\"}]}");
	says("button", "{\"to\":\"62811\",\"buttons\":[{\"type\":\"pay\"}]}", "! unsupported button type");
	says("button", "{\"to\":\"62811\",\"buttons\":[]}", "! \"buttons\" has 1 to 10 entries");
	says("button", "{\"to\":\"62811\",\"buttons\":[\"a\"],\"image\":\"/etc/passwd\"}", "! files are fetched from http and https addresses only");
	says("list", "{\"to\":\"62811\",\"list\":{\"sections\":[{\"title\":\"s\",\"rows\":[\"r\",{\"id\":1,\"title\":\"q\"}]}]}}",
	     "messages.send.list{\"to\":[\"62811@s.whatsapp.net\"],\"lists\":[{\"buttonText\":\"Select\",\"sections\":[{\"title\":\"s\",\"rows\":[{\"title\":\"r\"},{\"title\":\"q\",\"id\":\"1\"}]}]}]}");
	says("list", "{\"to\":\"62811\",\"sections\":[{\"rows\":[]}]}", "! the list has no section with a row");
	says("poll", "{\"to\":\"62811\",\"message\":{\"poll\":{\"name\":\"n\",\"values\":[\"a\",\"b\"],\"selectableCount\":9}}}",
	     "messages.send.poll{\"to\":[\"62811@s.whatsapp.net\"],\"options\":[\"a\",\"b\"],\"question\":\"n\",\"maxSelection\":2}");
	says("poll", "{\"to\":\"62811\",\"message\":{\"poll\":{\"name\":\"n\",\"values\":[\"a\",\"a\"]}}}", "! a poll has a name and 2 to 12 different values");
	says("location", "{\"to\":\"62811\",\"lat\":91,\"lng\":0}", "! latitude and longitude are numbers within 90 and 180 degrees");
	says("raw", "{\"to\":\"62811\",\"message\":{\"image\":{\"url\":\"../../secret\"}}}", "! files are fetched from http and https addresses only");
	says("raw", "{\"to\":\"62811\",\"message\":{\"text\":\"a\",\"contextInfo\":{\"stanzaId\":\"Q\",\"isForwarded\":true}}}",
	     "messages.send.text{\"replyMessageId\":\"Q\",\"isForwarded\":true,\"to\":[\"62811@s.whatsapp.net\"],\"message\":\"a\"}");
	says("raw", "{\"to\":\"62811\",\"message\":{\"video\":{\"url\":\"http://x/y\"},\"gifPlayback\":true}}", "messages.send.gif{\"to\":[\"62811@s.whatsapp.net\"],\"input\":{\"url\":\"http://x/y\"}}");
	says("raw", "{\"to\":\"62811\",\"message\":{\"delete\":{\"id\":\"A\"}}}", "messages.action.revoke{\"messageId\":\"A\",\"to\":\"62811@s.whatsapp.net\",\"deleteForMe\":false}");
	says("forward", "{\"to\":\"62811\",\"message\":{\"forward\":{\"key\":{\"id\":\"A\"}}}}", "messages.action.forward{\"to\":[\"62811@s.whatsapp.net\"],\"forwardedMessageId\":\"A\"}");
	says("raw", "{\"to\":\"62811\",\"message\":{\"product\":1}}", "! unsupported content");
	says("raw", "{\"to\":\"62811\"}", "! \"message\" is missing");
	says("raw", "{\"to\":\"62811\",\"message\":{\"conversation\":\"a\"}}", "messages.send.text{\"to\":[\"62811@s.whatsapp.net\"],\"message\":\"a\"}");
	says("raw", "{\"to\":\"62811\",\"message\":{\"extendedTextMessage\":{\"text\":\"a\",\"contextInfo\":{\"stanzaId\":\"Q\",\"mentionedJid\":[\"9@lid\"]}}}}",
	     "messages.send.text{\"replyMessageId\":\"Q\",\"to\":[\"62811@s.whatsapp.net\"],\"message\":\"a\",\"mentions\":[\"9@lid\"]}");
	says("raw", "{\"message\":{\"pin\":{\"id\":\"A\",\"remoteJid\":\"62811\"},\"type\":2}}",
	     "chats.message.pin{\"chatId\":\"62811@s.whatsapp.net\",\"messageId\":\"A\",\"pin\":false,\"duration\":86400}");
	says("raw", "{\"message\":{\"pin\":{\"id\":\"A\",\"remoteJid\":\"62811\"},\"time\":5}}", "! \"time\" of a pin is 86400, 604800 or 2592000 seconds");
}

static void test_data_uri(void **state)
{
	const struct act *act = act_find("sticker");
	struct json_object *json = json_tokener_parse("{\"to\":\"62811\",\"imageUrl\":\"data:image/png;base64,aGVsbG8=\"}");
	struct act_script script;
	char bytes[8] = "";

	(void)state;
	assert_null(act_build(&script, act, json, &context));
	assert_int_equal(pread(script.parts[0].fd, bytes, sizeof bytes, 0), 5);
	assert_string_equal(bytes, "hello");
	assert_string_equal(json_object_to_json_string_ext(json_object_object_get(script.parts[0].p, "input"), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
			    "{\"fd\":0,\"type\":\"image/png\"}");
	act_script_free(&script);
	json_object_put(json);
	says("sticker", "{\"to\":\"62811\",\"imageUrl\":\"data:image/png,x\"}", "! a data URI must be in base64");
	says("sticker", "{\"to\":\"62811\",\"imageUrl\":\"data:;base64,%%\"}", "! a data URI cannot be read");
}

/* What would keep the loop busy for long is told from what is only long. */
static void test_parsable(void **state)
{
	struct buf text = { 0 };

	(void)state;
	assert_true(plan_is_parsable(span_text("")));
	assert_true(plan_is_parsable(span_text("{\"actions\":[{\"text\":\"[[,,{{\\\",\\\\\"}]}")));
	buf_append_text(&text, "{\"actions\":[\"");
	for (size_t i = 0; i < PLAN_MAX_VALUES; i++)
		buf_append_text(&text, ",[{");
	buf_append_text(&text, "\"]}");
	assert_true(plan_is_parsable(buf_span(&text)));
	buf_append_text(&text, "[");
	for (size_t i = 0; i < PLAN_MAX_VALUES; i++)
		buf_append_text(&text, "0,");
	assert_false(plan_is_parsable(buf_span(&text)));
	assert_string_equal(plan_error_text(PLAN_TOO_COMPLEX), "the answer holds more than 20,000 values");
	buf_free(&text);
}

/* ---- time ---- */

enum { ANSWER_MAX = 1 << 20 /* of a receiver, see webhook.h */ };

/* Fills an answer of that size: head, as many pieces as there is room for (at most this many), tail. */
static void fill(struct buf *answer, const char *head, const char *piece, const char *tail, size_t most, size_t size)
{
	buf_append_text(answer, head);
	while (most-- && answer->len + strlen(piece) + strlen(tail) <= size)
		buf_append_text(answer, piece);
	/* without the last comma */
	if (answer->data[answer->len - 1] == ',')
		answer->len--;
	buf_append_text(answer, tail);
}

/* All that a loop does with an answer until it is stored, and as it is begun, in milliseconds of its thread. */
static double loop_ms(struct span answer, struct span sent)
{
	struct timespec begin, end;
	struct json_object *plan = NULL;
	struct buf stored = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	if (memmem(answer.p, answer.n, "\"actions\"", 9) && accept_is_quick(answer, sent)) {
		if (accept_read(answer, sent, 1200, &plan) == PLAN_OK)
			plan_free(plan_read(plan));
		buf_append_text(&stored, json_object_to_json_string_ext(plan, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(plan);
	} else {
		accept_pack(&stored, answer, sent);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	buf_free(&stored);
	return (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
}

/* A thread of the store does this with those that were stored as they came. */
static double read_ms(struct span answer, struct span sent)
{
	struct timespec begin, end;
	struct json_object *plan = NULL;
	struct buf stored = { 0 };

	accept_pack(&stored, answer, sent);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
	accept_unpack(buf_span(&stored), 1200, &plan);
	json_object_put(plan);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
	buf_free(&stored);
	return (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
}

/* A loop must not be kept for long by any answer: of the greatest size, and of the greatest that is read at once. */
static void test_time(void **state)
{
	static const struct {
		const char *what, *head, *piece, *tail;
		size_t most;
	} answers[] = {
		{ "numbers", "{\"actions\":[{\"type\":\"noop\",\"to\":[", "7,", "]}]}", PLAN_MAX_VALUES - 8 },
		{ "members", "{\"actions\":[", "{\"abcdefghijklmnopqrstuvwxyz0123456789\":\"\"},", "]}", PLAN_MAX_VALUES / 2 - 8 },
		{ "members of one", "{\"actions\":[{\"type\":\"noop\"", ",\"x\":\"{{text}}\"", "}]}", PLAN_MAX_VALUES - 8 },
		{ "one text", "{\"actions\":[{\"type\":\"text\",\"text\":\"", "abcdefgh", "\"}]}", SIZE_MAX },
		{ "escapes", "{\"actions\":[{\"type\":\"text\",\"text\":\"", "\\u0001", "\"}]}", SIZE_MAX },
		{ "templates", "{\"actions\":[{\"type\":\"text\",\"text\":\"", "{{a.b}}", "\"}]}", SIZE_MAX },
		{ "large templates", "{\"actions\":[{\"type\":\"text\",\"text\":\"", "{{data}}", "\"}]}", SIZE_MAX },
		{ "braces", "{\"actions\":[{\"type\":\"text\",\"text\":\"", "{{", "\"}]}", SIZE_MAX },
		{ "actions", "{\"actions\":[", "{\"act\":\"text\",\"to\":\"62811\",\"text\":\"{{text}}\"},", "]}", PLAN_MAX_ACTIONS },
	};
	struct buf sent = { 0 };
	double most = 0;

	(void)state;
	buf_append_text(&sent, "{\"event\":\"message_received\",\"data\":{\"a\":{\"b\":\"\"},\"text\":\"");
	for (size_t i = 0; i < 4096; i++)
		buf_u8(&sent, 'x');
	buf_append_text(&sent, "\"}}");
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct buf great = { 0 }, quick = { 0 };
		double ms[3];

		fill(&great, answers[i].head, answers[i].piece, answers[i].tail, answers[i].most, ANSWER_MAX);
		fill(&quick, answers[i].head, answers[i].piece, answers[i].tail, answers[i].most, ACCEPT_QUICK_ANSWER);
		ms[0] = loop_ms(buf_span(&great), buf_span(&sent));
		ms[1] = loop_ms(buf_span(&quick), buf_span(&sent));
		ms[2] = read_ms(buf_span(&great), buf_span(&sent));
		print_message("%s: %zu bytes %.2f ms, %zu bytes %.2f ms, on a thread %.2f ms\n", answers[i].what, great.len, ms[0], quick.len, ms[1], ms[2]);
		most = ms[0] > most ? ms[0] : most;
		most = ms[1] > most ? ms[1] : most;
		buf_free(&great);
		buf_free(&quick);
	}
	buf_free(&sent);
	/* Generous, for sanitizers. */
	assert_true(most < 100);
}

static void test_accepting(void **state)
{
	const struct span sent = span_text(envelope_text), answer = span_text("{\"actions\":[{\"type\":\"text\",\"to\":\"{{id}}\",\"text\":\"a\"}]}");
	const struct span odd[] = { span_text(""), span_text("R"), span_text("R\xff\xff\xff\xff{}"), span_text("[]"), span_text("no"), span_text("{") };
	struct json_object *now = NULL, *later = NULL;
	struct buf stored = { 0 }, large = { 0 };

	(void)state;
	/* Read at once or later, it is the same. */
	assert_true(accept_is_quick(answer, sent));
	assert_int_equal(accept_read(answer, sent, 7, &now), PLAN_OK);
	accept_pack(&stored, answer, sent);
	assert_int_equal(accept_unpack(buf_span(&stored), 7, &later), PLAN_OK);
	assert_string_equal(json_object_to_json_string(now), json_object_to_json_string(later));
	json_object_put(later);
	buf_clear(&stored);
	buf_append_text(&stored, json_object_to_json_string(now));
	assert_int_equal(accept_unpack(buf_span(&stored), 9, &later), PLAN_OK);
	assert_string_equal(json_object_to_json_string(now), json_object_to_json_string(later));
	json_object_put(later);
	json_object_put(now);
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		assert_int_equal(accept_unpack(odd[i], 7, &later), PLAN_NOTHING);
		assert_null(later);
	}
	/* Large is what it is made of, and what its templates may become. */
	fill(&large, "{\"actions\":[\"", "x", "\"]}", SIZE_MAX, ACCEPT_QUICK_ANSWER + 1);
	assert_false(accept_is_quick(buf_span(&large), sent));
	large.len--;
	assert_true(accept_is_quick(buf_span(&large), sent));
	assert_false(accept_is_quick(answer, span_of(large.data, ACCEPT_QUICK_WORK)));
	buf_clear(&large);
	fill(&large, "", "{{data}}", "", SIZE_MAX, ACCEPT_QUICK_ANSWER);
	assert_false(accept_is_quick(buf_span(&large), sent));
	/* Limits hold there, too. */
	buf_clear(&large);
	fill(&large, "{\"actions\":[", "0,", "]}", PLAN_MAX_VALUES + 9, ANSWER_MAX);
	buf_clear(&stored);
	accept_pack(&stored, buf_span(&large), sent);
	assert_int_equal(accept_unpack(buf_span(&stored), 7, &later), PLAN_TOO_COMPLEX);
	json_object_put(later);
	buf_free(&large);
	buf_free(&stored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_templates), cmocka_unit_test(test_accepts),   cmocka_unit_test(test_limits),   cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_steps),	  cmocka_unit_test(test_truth),	    cmocka_unit_test(test_addresses), cmocka_unit_test(test_controls),
		cmocka_unit_test(test_sends),	  cmocka_unit_test(test_data_uri),  cmocka_unit_test(test_parsable),
		cmocka_unit_test(test_time),	  cmocka_unit_test(test_accepting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, archived, muted and starred chats differ between the phone and us, or a forged change is believed. */
#include <stdlib.h>
#include <string.h>

#include "sessiond/crypto/crypto.h"
#include "sessiond/wa/appstate_action.h"
#include "sessiond/wa/appstate_apply.h"
#include "sessiond/wa/proto_walk.h"
#include "tests/unit/vector.h"

static const char *const NAMES[] = { "regular_low", "regular_high", "critical_block", "critical_unblock_low", "regular" };

static void unhex(const char *text, uint8_t *out, size_t n)
{
	assert_int_equal(crypto_unhex(text, strlen(text), out, n), CRYPTO_OK);
}

static void hash_is(const uint8_t *hash, const char *hex)
{
	uint8_t want[APPSTATE_HASH_BYTES];

	unhex(hex, want, sizeof want);
	assert_memory_equal(hash, want, sizeof want);
}

static void mix_all(uint8_t *hash, struct json_object *step, const char *name, void (*mix)(uint8_t *hash, const uint8_t *mac))
{
	struct json_object *list;

	assert_true(json_object_object_get_ex(step, name, &list));
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		uint8_t mac[APPSTATE_MAC_BYTES];

		unhex(json_object_get_string(json_object_array_get_idx(list, i)), mac, sizeof mac);
		mix(hash, mac);
	}
}

static void adds_and_subtracts_like_others(void **state)
{
	struct json_object *root = vector_file(TEST_VECTORS_DIR "/lthash.json"), *steps;
	uint8_t hash[APPSTATE_HASH_BYTES] = { 0 };

	(void)state;
	assert_true(json_object_object_get_ex(root, "steps", &steps));
	for (size_t i = 0; i < json_object_array_length(steps); i++) {
		struct json_object *step = json_object_array_get_idx(steps, i);

		mix_all(hash, step, "subtract", appstate_hash_subtract);
		mix_all(hash, step, "add", appstate_hash_add);
		hash_is(hash, vector_text(step, "result"));
	}
	json_object_put(root);
}

static void start(struct appstate_work *w, const char *name, const char *key_id, const char *key_data, int64_t time)
{
	uint8_t id[6], data[32];

	*w = (struct appstate_work){ .name = name };
	unhex(key_id, id, sizeof id);
	unhex(key_data, data, sizeof data);
	assert_true(appstate_keyring_add(&w->ring, span_of(id, sizeof id), span_of(data, sizeof data), time));
	for (size_t i = 0; i < APPSTATE_BUCKETS; i++)
		w->table.loaded[i] = true;
}

static void next_round(struct appstate_work *w)
{
	while (w->nchanges > 0)
		buf_free(&w->changes[--w->nchanges].plain);
	while (w->npatches > 0)
		buf_free(&w->patches[--w->npatches].bytes);
	w->applied = 0;
}

/* Every patch of real Baileys, in order, with the hash it computed. */
static void takes_the_patches_of_others(void **state)
{
	struct json_object *root = vector_file(TEST_VECTORS_DIR "/appstate-patches.json"), *cases;
	size_t seen = 0;

	(void)state;
	assert_true(json_object_object_get_ex(root, "cases", &cases));
	for (size_t n = 0; n < sizeof NAMES / sizeof NAMES[0]; n++) {
		struct appstate_work w;

		start(&w, NAMES[n], vector_text(root, "key_id"), vector_text(root, "key_data"), 1);
		for (size_t i = 0; i < json_object_array_length(cases); i++) {
			struct json_object *c = json_object_array_get_idx(cases, i), *version;
			struct buf patch = { 0 };

			if (strcmp(vector_text(c, "collection"), NAMES[n]) != 0)
				continue;
			vector_bytes(c, "patch", &patch);
			w.attribute_version = w.state.version;
			appstate_work_add(&w, buf_span(&patch));
			assert_int_equal(appstate_work_size(&w), 1);
			appstate_apply(&w);
			assert_int_equal(w.outcome, APPSTATE_APPLIED);
			assert_false(w.state.diverged);
			assert_int_equal(w.applied, 1);
			json_object_object_get_ex(c, "version_after", &version);
			assert_int_equal(w.state.version, json_object_get_int64(version));
			hash_is(w.state.hash, vector_text(c, "hash_after"));
			assert_true(span_is(w.changes[0].index, vector_text(c, "index")));
			assert_true(w.changes[0].value.n > 0);
			buf_free(&patch);
			next_round(&w);
			seen++;
		}
		appstate_work_free(&w);
	}
	assert_int_equal(seen, json_object_array_length(cases));
	json_object_put(root);
}

#define KEY_ID "000000000001"
#define KEY_DATA "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

/* value.timestamp and pinAction.pinned */
static struct buf pin_value(int64_t time_ms, bool pinned)
{
	struct buf value = { 0 };

	buf_u8(&value, 1 << 3);
	proto_put_varint(&value, (uint64_t)time_ms);
	proto_put_bytes(&value, 5, span_of(pinned ? "\x08\x01" : "\x08\x00", 2));
	return value;
}

static struct appstate_draft pin_draft(struct buf *value, uint8_t iv)
{
	struct appstate_draft draft = { .index = span_text("[\"pin_v1\",\"12025550111@s.whatsapp.net\"]"), .value = buf_span(value), .version = 5 };

	memset(draft.iv, iv, sizeof draft.iv);
	return draft;
}

static void patch_fields_are(struct span bytes, const char *snapshot_mac, const char *patch_mac)
{
	struct appstate_patch patch;
	uint8_t mac[APPSTATE_MAC_BYTES];

	assert_true(appstate_read_patch(bytes, &patch));
	unhex(snapshot_mac, mac, sizeof mac);
	assert_memory_equal(patch.snapshot_mac.p, mac, sizeof mac);
	unhex(patch_mac, mac, sizeof mac);
	assert_memory_equal(patch.mac.p, mac, sizeof mac);
}

static void hash_digest_is(const struct appstate_work *w, const char *hex)
{
	uint8_t digest[32], want[32];

	crypto_sha256(w->state.hash, sizeof w->state.hash, digest);
	unhex(hex, want, sizeof want);
	assert_memory_equal(digest, want, sizeof want);
}

static void compose_and_apply(struct appstate_work *w, const struct appstate_draft *draft, struct buf *patch)
{
	assert_true(appstate_compose(w, draft, 1, patch));
	w->attribute_version = w->state.version;
	appstate_work_add(w, buf_span(patch));
	appstate_apply(w);
	assert_int_equal(w->outcome, APPSTATE_APPLIED);
	assert_false(w->state.diverged);
	next_round(w);
}

/* Bytes that an independent implementation computed. */
static void makes_the_patches_of_others(void **state)
{
	struct buf first = pin_value(1700000000000, true), second = pin_value(1700000001000, false);
	struct appstate_draft a = pin_draft(&first, 0x11), b = pin_draft(&second, 0x22);
	struct buf patch = { 0 };
	struct appstate_work w;

	(void)state;
	start(&w, "regular_low", KEY_ID, KEY_DATA, 1);
	compose_and_apply(&w, &a, &patch);
	patch_fields_are(buf_span(&patch), "d7c8f8915faa6c2a46310310c44b9e4bfa93e50e7d9d0fef488921c17430fc07",
			 "b71f59466afe1434bc21bd420bd03a63862a7bf3d65a2a7c2e96dd7a3b20cf0b");
	hash_digest_is(&w, "6842e2726d6c2a5b26e0bd12efcdf05dfe3d7d6a96844792505c69e59431b928");
	buf_clear(&patch);
	compose_and_apply(&w, &b, &patch);
	hash_digest_is(&w, "2e5cfcd26f3dcd020b46ec80939370820a276ff554ccb04d8d38c60e43db4a5d");
	assert_int_equal(w.state.version, 2);
	assert_int_equal(appstate_table_count(&w.table), 1);
	a.operation = APPSTATE_REMOVE;
	buf_clear(&patch);
	compose_and_apply(&w, &a, &patch);
	assert_int_equal(appstate_table_count(&w.table), 0);
	assert_memory_equal(w.state.hash, (uint8_t[APPSTATE_HASH_BYTES]){ 0 }, APPSTATE_HASH_BYTES);
	/* A REMOVE of what is not there changes nothing. */
	buf_clear(&patch);
	compose_and_apply(&w, &a, &patch);
	assert_int_equal(w.state.version, 4);
	buf_free(&patch);
	buf_free(&first);
	buf_free(&second);
	appstate_work_free(&w);
}

/* Whatever byte of a patch is changed: it is refused, or it was one that says nothing (the version, which the server adds). */
static void believes_no_changed_byte(void **state)
{
	struct buf value = pin_value(1700000000000, true), patch = { 0 };
	struct appstate_draft draft = pin_draft(&value, 0x11);
	struct appstate_work w;

	(void)state;
	start(&w, "regular_low", KEY_ID, KEY_DATA, 1);
	assert_true(appstate_compose(&w, &draft, 1, &patch));
	for (size_t i = 0; i < patch.len; i++) {
		appstate_work_add(&w, buf_span(&patch));
		w.patches[0].bytes.data[i] ^= 1;
		appstate_apply(&w);
		assert_int_not_equal(w.outcome, APPSTATE_APPLIED);
		assert_int_equal(w.state.version, 0);
		assert_int_equal(appstate_table_count(&w.table), 0);
		next_round(&w);
	}
	buf_free(&patch);
	buf_free(&value);
	appstate_work_free(&w);
}

static void sees_gaps_and_missing_keys(void **state)
{
	struct buf value = pin_value(1700000000000, true), patch = { 0 };
	struct appstate_draft draft = pin_draft(&value, 0x11);
	struct appstate_work w, other;

	(void)state;
	start(&w, "regular_low", KEY_ID, KEY_DATA, 1);
	assert_true(appstate_compose(&w, &draft, 1, &patch));
	w.attribute_version = 4;
	appstate_work_add(&w, buf_span(&patch));
	appstate_apply(&w);
	assert_int_equal(w.outcome, APPSTATE_GAP);
	start(&other, "regular_low", "000000000002", KEY_DATA, 1);
	appstate_work_add(&other, buf_span(&patch));
	appstate_apply(&other);
	assert_int_equal(other.outcome, APPSTATE_NO_KEY);
	assert_int_equal(other.missing_len, 6);
	assert_int_equal(other.missing[5], 1);
	buf_free(&patch);
	buf_free(&value);
	appstate_work_free(&w);
	appstate_work_free(&other);
}

static void keeps_the_newest_keys(void **state)
{
	struct appstate_keyring ring = { 0 }, again;
	uint8_t data[32] = { 7 };
	struct buf record = { 0 };

	(void)state;
	assert_null(appstate_keyring_newest(&ring));
	assert_true(appstate_keyring_add(&ring, span_text("old"), span_of(data, 32), 10));
	assert_true(appstate_keyring_add(&ring, span_text("new"), span_of(data, 32), 20));
	assert_false(appstate_keyring_add(&ring, span_text("new"), span_of(data, 32), 20));
	assert_false(appstate_keyring_add(&ring, span_text("new"), span_of(data, 31), 30));
	assert_true(appstate_keyring_add(&ring, span_text("equal"), span_of(data, 32), 20));
	appstate_keyring_write(&ring, &record);
	appstate_keyring_read(&again, buf_span(&record));
	assert_int_equal(again.n, 3);
	assert_memory_equal(appstate_keyring_newest(&again)->id, "equal", 5);
	assert_non_null(appstate_keyring_find(&again, span_text("old")));
	appstate_keyring_free(&again);
	/* Half a record is not read. */
	appstate_keyring_read(&again, span_of(record.data, record.len - 1));
	assert_int_equal(again.n, 2);
	for (int i = 0; i < 200; i++) {
		char id[8];

		snprintf(id, sizeof id, "k%d", i);
		assert_true(appstate_keyring_add(&ring, span_text(id), span_of(data, 32), 100 + i));
	}
	assert_int_equal(ring.n, APPSTATE_KEYS_MAX);
	assert_null(appstate_keyring_find(&ring, span_text("old")));
	appstate_keyring_free(&ring);
	appstate_keyring_free(&again);
	buf_free(&record);
}

/* A copy in plain, as the phone makes one, of what the work holds after one patch. */
static void put_copy(const struct appstate_work *w, const char *key_id, struct buf *out)
{
	struct buf part = { 0 };
	uint8_t id[6];

	proto_put_uint(&part, 1, w->state.version);
	proto_put_bytes(out, 1, buf_span(&part));
	proto_put_text(out, 2, w->name);
	for (size_t i = 0; i < w->nchanges; i++) {
		uint8_t index_mac[APPSTATE_MAC_BYTES];
		struct appstate_keys keys;

		assert_int_equal(crypto_unhex(key_id, 12, id, 6), 0);
		assert_true(appstate_keys_expand(span_of(w->ring.keys[0].data, 32), &keys));
		appstate_index_mac(&keys, w->changes[i].index, index_mac);
		buf_clear(&part);
		proto_put_bytes(&part, 1, buf_span(&w->changes[i].plain));
		proto_put_bytes(&part, 2, span_of(id, sizeof id));
		proto_put_bytes(&part, 3, span_of(appstate_table_find(&w->table, index_mac), APPSTATE_MAC_BYTES));
		proto_put_bytes(out, 3, buf_span(&part));
	}
	proto_put_bytes(out, 4, span_of(w->state.hash, APPSTATE_HASH_BYTES));
	buf_free(&part);
}

static void takes_the_copy_of_the_phone(void **state)
{
	struct buf value = pin_value(1700000000000, true), patch = { 0 }, copy = { 0 };
	struct appstate_draft draft = pin_draft(&value, 0x11);
	struct appstate_work w, other;

	(void)state;
	start(&w, "regular_low", KEY_ID, KEY_DATA, 1);
	assert_true(appstate_compose(&w, &draft, 1, &patch));
	appstate_work_add(&w, buf_span(&patch));
	appstate_apply(&w);
	assert_int_equal(w.outcome, APPSTATE_APPLIED);
	put_copy(&w, KEY_ID, &copy);
	start(&other, "regular_low", KEY_ID, KEY_DATA, 1);
	appstate_apply_copy(&other, buf_span(&copy));
	assert_int_equal(other.outcome, APPSTATE_APPLIED);
	assert_int_equal(other.state.version, w.state.version);
	assert_memory_equal(other.state.hash, w.state.hash, APPSTATE_HASH_BYTES);
	assert_false(other.state.diverged);
	assert_int_equal(other.nchanges, 1);
	assert_true(span_equal(other.changes[0].index, draft.index));
	appstate_work_free(&other);
	/* An entry more than the hash counts is seen. */
	copy.data[copy.len - 1] ^= 1;
	start(&other, "regular_low", KEY_ID, KEY_DATA, 1);
	appstate_apply_copy(&other, buf_span(&copy));
	assert_true(other.state.diverged);
	appstate_work_free(&other);
	/* Another key than ours; half a copy. */
	start(&other, "regular_low", "000000000002", KEY_DATA, 1);
	appstate_apply_copy(&other, buf_span(&copy));
	assert_int_equal(other.outcome, APPSTATE_NO_KEY);
	assert_int_equal(other.missing_len, 6);
	appstate_work_free(&other);
	for (size_t n = 0; n < copy.len - 131; n++) {
		start(&other, "regular_low", KEY_ID, KEY_DATA, 1);
		appstate_apply_copy(&other, span_of(copy.data, n));
		assert_true(other.outcome == APPSTATE_BROKEN || other.nchanges == 0);
		appstate_work_free(&other);
	}
	buf_free(&copy);
	buf_free(&patch);
	buf_free(&value);
	appstate_work_free(&w);
}

/* Every action that the gateway makes is read again as it was meant. */
static void writes_and_reads_actions(void **state)
{
	static const struct {
		struct wa_action action;
		const char *index;
		enum appstate_collection collection;
	} cases[] = {
		{ { .name = "label_edit", .id = (char *)"7", .text = (char *)"a \"b\" <\xc3\xbc>", .number = 5, .number2 = 2 }, "[\"label_edit\",\"7\"]", APPSTATE_REGULAR },
		{ { .name = "quick_reply", .id = (char *)"17", .text = (char *)"/hi", .text2 = (char *)"hello\nthere" }, "[\"quick_reply\",\"17\"]", APPSTATE_REGULAR },
		{ { .name = "label_jid", .id = (char *)"7", .on = true }, "[\"label_jid\",\"7\",\"15550002222@s.whatsapp.net\"]", APPSTATE_REGULAR },
		{ { .name = "label_message", .id = (char *)"7", .message_id = (char *)"3EB0", .on = true },
		  "[\"label_message\",\"7\",\"15550002222@s.whatsapp.net\",\"3EB0\",\"0\",\"0\"]", APPSTATE_REGULAR },
		{ { .name = "contact", .text = (char *)"Bob B", .text2 = (char *)"Bob", .on = true }, "[\"contact\",\"15550002222@s.whatsapp.net\"]", APPSTATE_CRITICAL_UNBLOCK_LOW },
		{ { .name = "setting_unarchiveChats", .on = true }, "[\"setting_unarchiveChats\"]", APPSTATE_REGULAR_LOW },
		{ { .name = "setting_pushName", .text = (char *)"Ann" }, "[\"setting_pushName\"]", APPSTATE_CRITICAL_BLOCK },
		{ { .name = "userStatusMute", .on = true }, "[\"userStatusMute\",\"15550002222@s.whatsapp.net\"]", APPSTATE_REGULAR_HIGH },
		{ { .name = "lock", .on = true }, "[\"lock\",\"15550002222@s.whatsapp.net\"]", APPSTATE_REGULAR_LOW },
		{ { .name = "deleteChat", .media_too = true, .last_message_s = 1700000000 }, "[\"deleteChat\",\"15550002222@s.whatsapp.net\",\"1\"]", APPSTATE_REGULAR_HIGH },
		{ { .name = "markChatAsRead", .on = false, .last_message_s = 1700000000 }, "[\"markChatAsRead\",\"15550002222@s.whatsapp.net\"]", APPSTATE_REGULAR_LOW },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wa_action action = cases[i].action;
		struct buf index = { 0 }, value = { 0 };
		enum appstate_collection collection;
		struct wa_action *again;
		int32_t version;

		assert_int_equal(jid_parse_text(&action.chat, "15550002222@s.whatsapp.net"), 0);
		assert_true(appstate_action_write(&action, 1700000000000, &index, &value, &version, &collection));
		assert_string_equal(buf_text(&index), cases[i].index);
		assert_int_equal(collection, cases[i].collection);
		again = appstate_action_read(buf_span(&index), buf_span(&value), false);
		assert_non_null(again);
		assert_int_equal(again->on, action.on);
		assert_int_equal(again->number, action.number);
		assert_int_equal(again->number2, action.number2);
		assert_int_equal(again->media_too, action.media_too);
		assert_int_equal(again->last_message_s, action.last_message_s);
		assert_int_equal(again->time_ms, 1700000000000);
		assert_string_equal(again->text ? again->text : "", action.text ? action.text : "");
		assert_string_equal(again->text2 ? again->text2 : "", action.text2 ? action.text2 : "");
		assert_string_equal(again->id ? again->id : "", action.id ? action.id : "");
		wa_action_free(again);
		buf_free(&index);
		buf_free(&value);
	}
}

/* Favourites are a list: what is no address is left out. */
static void reads_favourites(void **state)
{
	static const char *const ids[] = { "15550002222@s.whatsapp.net", "", "no address", "1203630001@g.us" };
	struct buf one = { 0 }, list = { 0 }, value = { 0 };
	struct wa_action *a;

	(void)state;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		buf_clear(&one);
		proto_put_bytes(&one, 1, span_text(ids[i]));
		proto_put_bytes(&list, 1, buf_span(&one));
	}
	proto_put_bytes(&list, 1, span_of(NULL, 0));
	proto_put_bytes(&value, 56, buf_span(&list));
	a = appstate_action_read(span_text("[\"favorites\"]"), buf_span(&value), false);
	assert_non_null(a);
	assert_string_equal(a->text, "15550002222@s.whatsapp.net\n1203630001@g.us");
	wa_action_free(a);
	buf_free(&one);
	buf_free(&list);
	buf_free(&value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_and_subtracts_like_others), cmocka_unit_test(takes_the_patches_of_others),
		cmocka_unit_test(makes_the_patches_of_others),	  cmocka_unit_test(believes_no_changed_byte),
		cmocka_unit_test(sees_gaps_and_missing_keys),	  cmocka_unit_test(keeps_the_newest_keys),
		cmocka_unit_test(takes_the_copy_of_the_phone),	  cmocka_unit_test(writes_and_reads_actions), cmocka_unit_test(reads_favourites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

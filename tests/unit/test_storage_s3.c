/* SPDX-License-Identifier: GPL-3.0-or-later */
/* If this fails, S3 servers refuse our requests and presigned addresses, or an answer of theirs is misread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sessiond/storage/s3_sign.h"
#include "sessiond/storage/s3_xml.h"

/*
 * The examples of the Amazon S3 API reference ("Signature Calculations for the Authorization Header", "Authenticating Requests: Using Query
 * Parameters"): access key, time and signatures are theirs.
 */
#define KEY "AKIAIOSFODNN7EXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST { "host", "examplebucket.s3.amazonaws.com" }
#define NOW 1369353600

static void check(const struct s3_to_sign *request, const char *names, const char *signature)
{
	struct buf got = { 0 }, want = { 0 };

	s3_authorization(&got, request);
	buf_printf(&want, "AWS4-HMAC-SHA256 Credential=" KEY "/20130524/us-east-1/s3/aws4_request,SignedHeaders=%s,Signature=%s", names, signature);
	assert_string_equal(buf_text(&got), buf_text(&want));
	buf_free(&got);
	buf_free(&want);
}

static void amazons_examples_get_amazons_signatures(void **state)
{
	const struct s3_pair get[] = { HOST, { "range", "bytes=0-9" }, { "x-amz-content-sha256", NOTHING }, { "x-amz-date", "20130524T000000Z" } };
	const struct s3_pair put[] = { { "date", "Fri, 24 May 2013 00:00:00 GMT" }, HOST,
				       { "x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" },
				       { "x-amz-date", "20130524T000000Z" }, { "x-amz-storage-class", "REDUCED_REDUNDANCY" } };
	const struct s3_pair plain[] = { HOST, { "x-amz-content-sha256", NOTHING }, { "x-amz-date", "20130524T000000Z" } };
	const struct s3_pair lifecycle[] = { { "lifecycle", "" } }, list[] = { { "prefix", "J" }, { "max-keys", "2" } };

	(void)state;
	check(&(struct s3_to_sign){ "GET", "/test.txt", NULL, 0, get, 4, NOTHING, KEY, SECRET, "us-east-1", NOW },
		"host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
	check(&(struct s3_to_sign){ "PUT", "/test$file.text", NULL, 0, put, 5, put[2].value, KEY, SECRET, "us-east-1", NOW },
		"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
	check(&(struct s3_to_sign){ "GET", "/", lifecycle, 1, plain, 3, NOTHING, KEY, SECRET, "us-east-1", NOW }, "host;x-amz-content-sha256;x-amz-date",
		"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	check(&(struct s3_to_sign){ "GET", "/", list, 2, plain, 3, NOTHING, KEY, SECRET, "us-east-1", NOW }, "host;x-amz-content-sha256;x-amz-date",
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void amazons_presigned_example_too(void **state)
{
	const struct s3_pair host[] = { HOST };
	struct buf query = { 0 };

	(void)state;
	s3_presign(&query, &(struct s3_to_sign){ "GET", "/test.txt", NULL, 0, host, 1, S3_UNSIGNED, KEY, SECRET, "us-east-1", NOW }, 86400, NULL);
	assert_string_equal(buf_text(&query), "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
					      "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
					      "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
	buf_free(&query);
}

static void reads(const char *xml, const char *name, const char *want)
{
	char text[24];
	bool found = s3_xml_text(span_text(xml), name, text, sizeof text);

	assert_int_equal(found, want != NULL);
	if (want)
		assert_string_equal(text, want);
}

static void answers_are_read_within_bounds(void **state)
{
	(void)state;
	reads("<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>a &lt;b&gt; &amp;&#65;&#x42;&bad;</Message></Error>", "Code", "NoSuchKey");
	reads("<Error><Message>a &lt;b&gt; &amp;&#65;&#x42;&bad;</Message></Error>", "Message", "a <b> &AB&bad;");
	reads("<a xmlns='x'><UploadId\n>id==</UploadId></a>", "UploadId", "id==");
	reads("<Code>0123456789012345678901234567890</Code>", "Code", "01234567890123456789012");
	reads("<Code>0123456789012345678901\xc3\xa9</Code>", "Code", "0123456789012345678901");
	reads("<Code>a\x01\nb</Code>", "Code", "a  b");
	reads("<Codex>1</Codex><Code>2</Code>", "Code", "2");
	reads("<Code/><Code>2</Code>", "Code", "2");
	reads("<Code><b>1</b></Code>", "Code", NULL);
	reads("<Code>1", "Code", NULL);
	reads("<Code>1</Codf>", "Code", NULL);
	reads("<Code", "Code", NULL);
	reads("", "Code", NULL);
	reads("not XML at all", "Code", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amazons_examples_get_amazons_signatures),
		cmocka_unit_test(amazons_presigned_example_too),
		cmocka_unit_test(answers_are_read_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The yardstick for webhooks: bare libcurl on one keep-alive connection, which posts at a pace, with the time in its text. The receiver tells
 * how long a request takes when nothing stands before it.
 *
 *     baseline_post URL COUNT PER_SECOND
 *     body: {"text":"at<CLOCK_MONOTONIC in ns>","fill":"xxx..."}, about as long as a message's event
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#define FILL 700

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void wait_until(int64_t at_ns)
{
	struct timespec until = { .tv_sec = (time_t)(at_ns / 1000000000), .tv_nsec = (long)(at_ns % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0)
		;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *arg)
{
	(void)bytes;
	(void)arg;
	return size * count;
}

static int post_all(CURL *easy, long count, long per_second)
{
	char fill[FILL + 1], body[FILL + 100];
	int64_t begin = now_ns();

	memset(fill, 'x', FILL);
	fill[FILL] = '\0';
	for (long i = 0; i < count; i++) {
		CURLcode result;

		wait_until(begin + i * (1000000000 / per_second));
		snprintf(body, sizeof body, "{\"text\":\"at%" PRId64 "\",\"fill\":\"%s\"}", now_ns(), fill);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
		result = curl_easy_perform(easy);
		if (result != CURLE_OK) {
			fprintf(stderr, "baseline_post: %s\n", curl_easy_strerror(result));
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	CURL *easy;
	long count, per_second;
	int status;

	if (argc != 4 || (count = strtol(argv[2], NULL, 10)) <= 0 || (per_second = strtol(argv[3], NULL, 10)) <= 0 ||
	    curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(easy = curl_easy_init())) {
		fprintf(stderr, "usage: baseline_post URL COUNT PER_SECOND\n");
		return EXIT_FAILURE;
	}
	curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
	status = post_all(easy, count, per_second);
	curl_easy_cleanup(easy);
	curl_global_cleanup();
	return status;
}

/* SPDX-License-Identifier: MIT */
/* spans.c: finished requests as OTLP's JSON (opentelemetry-proto, trace/v1; HTTP attributes as the semantic
 * conventions 1.23 name them). */
#include "otlp.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* ---- attributes ---- */

/* jansson takes only UTF-8; what is not is escaped. */
static json_t *text_of(const char *text)
{
	char escaped[1024];
	json_t *string = json_string(text);

	if (string)
		return string;
	for (size_t i = 0, n = 0;; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!c || n + 4 >= sizeof escaped) {
			escaped[n] = '\0';
			return json_string(escaped);
		}
		n += (size_t)sprintf(escaped + n, c < 0x80 ? "%c" : "\\x%02x", c);
	}
}

static void add_text(json_t *attributes, const char *key, const char *text)
{
	json_array_append_new(attributes, json_pack("{s:s, s:{s:o}}", "key", key, "value",
						    "stringValue", text_of(text)));
}

/* 64-bit numbers are strings in the JSON of protobuf. */
static void add_number(json_t *attributes, const char *key, long long n)
{
	char digits[32];

	snprintf(digits, sizeof digits, "%lld", n);
	json_array_append_new(attributes,
			      json_pack("{s:s, s:{s:s}}", "key", key, "value", "intValue", digits));
}

/* ---- one span ---- */

static void set_id(json_t *span, const char *key, const unsigned char *id, size_t size)
{
	char hex[33];

	for (size_t i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	json_object_set_new(span, key, json_string(hex));
}

static void set_time(json_t *span, const char *key, long long us)
{
	char digits[32];

	snprintf(digits, sizeof digits, "%lld000", us);
	json_object_set_new(span, key, json_string(digits));
}

static json_t *span_of(const struct span_status *s)
{
	static const unsigned char none[sizeof s->parent];
	enum { SERVER = 2, ERROR = 2 };
	json_t *span = json_object(), *attributes = json_array();

	set_id(span, "traceId", s->trace, sizeof s->trace);
	set_id(span, "spanId", s->id, sizeof s->id);
	if (memcmp(s->parent, none, sizeof none) != 0)
		set_id(span, "parentSpanId", s->parent, sizeof s->parent);
	json_object_set_new(span, "name", text_of(s->method));
	json_object_set_new(span, "kind", json_integer(SERVER));
	set_time(span, "startTimeUnixNano", s->began_us);
	set_time(span, "endTimeUnixNano", s->ended_us);
	add_text(attributes, "http.request.method", s->method);
	add_text(attributes, "url.path", s->path);
	add_number(attributes, "http.response.status_code", s->status);
	add_number(attributes, "http.response.body.size", (long long)s->sent);
	if (*s->client)
		add_text(attributes, "client.address", s->client);
	add_number(attributes, "uwsgi.worker", s->worker);
	add_number(attributes, "uwsgi.core", s->lane);
	json_object_set_new(span, "attributes", attributes);
	if (s->failed || s->status >= 500)
		json_object_set_new(span, "status", json_pack("{s:i}", "code", ERROR));
	return span;
}

/* ---- all ---- */

static json_t *around(const struct settings *settings, json_t *spans)
{
	json_t *attributes = json_array();

	add_text(attributes, "service.name", settings->name);
	add_text(attributes, "telemetry.sdk.name", "uwsgi");
	return json_pack("{s:[{s:{s:o}, s:[{s:{s:s}, s:o}]}]}", "resourceSpans", "resource",
			 "attributes", attributes, "scopeSpans", "scope", "name", "uwsgi", "spans",
			 spans);
}

char *spans_text(const struct settings *settings, const struct status *status, uint64_t *number,
		 size_t *count, unsigned long long *lost)
{
	json_t *spans = json_array();
	struct span_status s;

	for (*count = 0; *count < SPANS_AT_ONCE && uwsgi_status_next_span(status, number, &s, lost);
	     ++*count)
		json_array_append_new(spans, span_of(&s));
	if (*count == 0) {
		json_decref(spans);
		return NULL;
	}
	json_t *all = around(settings, spans);
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;

	json_decref(all);
	return text;
}

// SPDX-License-Identifier: GPL-2.0-only
/* The exporter's text, byte by byte; the buckets; which format a client is given. */
#include "unit.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>

#include "hist.h"

#include "../../tools/accel-exporter/address.c"
#include "../../tools/accel-exporter/buckets.c"
#include "../../tools/accel-exporter/negotiate.c"
#include "../../tools/accel-exporter/exposition.c"

static char written[65536];
static struct text t;

static void begin(enum text_format format)
{
	memset(written, 0, sizeof(written));
	text_begin(&t, fmemopen(written, sizeof(written) - 1, "w"), format);
	assert_non_null(t.f);
}

static void end(void)
{
	text_end(&t);
	fclose(t.f);
}

#define written_is(want)	do { end(); assert_string_equal(written, want); } while (0)

/* --------------------------------------------------------------------- text */

static const struct text_family gauge = { "g_bytes", TEXT_GAUGE, "bytes", "A gauge." };
static const struct text_family counter = { "c_seconds", TEXT_COUNTER, "seconds", "A counter." };
static const struct text_family info = { "i", TEXT_INFO, NULL, "An info." };
static const struct text_family state_set = { "s", TEXT_STATESET, NULL, "States." };
static const struct text_family empty = { "e", TEXT_GAUGE, NULL, "Nothing." };

static void everything(void)
{
	static const char *const states[] = { "good", "bad" };

	text_family(&t, &gauge);
	text_u64(&t, LABELS({ "device", "acc0" }, { "none", NULL }, { "empty", "" }, { "x", "y" }),
		 UINT64_MAX);
	text_u64(&t, NO_LABELS, 0);
	text_family(&t, &empty);
	text_family(&t, &counter);
	text_ns(&t, LABELS({ "none", "" }), UINT64_C(1500000000));
	text_family(&t, &info);
	text_info(&t, LABELS({ "version", "1" }));
	text_family(&t, &state_set);
	text_states(&t, LABELS({ "device", "acc0" }), states, 2, 1);
	text_states(&t, NO_LABELS, states, 2, 9);
}

static void test_openmetrics(void **state)
{
	(void)state;
	begin(TEXT_OPENMETRICS);
	everything();
	written_is("# TYPE g_bytes gauge\n"
		   "# UNIT g_bytes bytes\n"
		   "# HELP g_bytes A gauge.\n"
		   "g_bytes{device=\"acc0\",x=\"y\"} 18446744073709551615\n"
		   "g_bytes 0\n"
		   "# TYPE c_seconds counter\n"
		   "# UNIT c_seconds seconds\n"
		   "# HELP c_seconds A counter.\n"
		   "c_seconds_total 1.5\n"
		   "# TYPE i info\n"
		   "# HELP i An info.\n"
		   "i_info{version=\"1\"} 1\n"
		   "# TYPE s stateset\n"
		   "# HELP s States.\n"
		   "s{device=\"acc0\",s=\"good\"} 0\n"
		   "s{device=\"acc0\",s=\"bad\"} 1\n"
		   "s{s=\"good\"} 0\n"
		   "s{s=\"bad\"} 0\n"
		   "# EOF\n");
}

static void test_prometheus(void **state)
{
	(void)state;
	begin(TEXT_PROMETHEUS);
	everything();
	written_is("# TYPE g_bytes gauge\n"
		   "# HELP g_bytes A gauge.\n"
		   "g_bytes{device=\"acc0\",x=\"y\"} 18446744073709551615\n"
		   "g_bytes 0\n"
		   "# TYPE c_seconds_total counter\n"
		   "# HELP c_seconds_total A counter.\n"
		   "c_seconds_total 1.5\n"
		   "# TYPE i_info gauge\n"
		   "# HELP i_info An info.\n"
		   "i_info{version=\"1\"} 1\n"
		   "# TYPE s gauge\n"
		   "# HELP s States.\n"
		   "s{device=\"acc0\",s=\"good\"} 0\n"
		   "s{device=\"acc0\",s=\"bad\"} 1\n"
		   "s{s=\"good\"} 0\n"
		   "s{s=\"bad\"} 0\n");
}

static void label_is(const char *value, const char *want)
{
	char line[256];

	begin(TEXT_PROMETHEUS);
	text_family(&t, &empty);
	text_info(&t, LABELS({ "l", value }));
	end();
	snprintf(line, sizeof(line), "e{l=\"%s\"} 1\n", want);
	assert_string_equal(strstr(written, "e{"), line);
}

static void test_labels(void **state)
{
	(void)state;
	label_is("plain {text}, = #", "plain {text}, = #");
	label_is("a\\b", "a\\\\b");
	label_is("a\"b", "a\\\"b");
	label_is("a\nb", "a\\nb");
	label_is("\\n", "\\\\n");
	label_is("\t\r\x01\x1f\x7f", "\ufffd\ufffd\ufffd\ufffd\ufffd");
	label_is("\u00e4\u20ac\U0001f600", "\u00e4\u20ac\U0001f600");
	/* alone, cut short, overlong, a surrogate, too large */
	label_is("a\x80z", "a\ufffdz");
	label_is("\xe2\x82", "\ufffd\ufffd");
	label_is("\xc0\xaf", "\ufffd\ufffd");
	label_is("\xed\xa0\x80", "\ufffd\ufffd\ufffd");
	label_is("\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd");
	/* an escape must not swallow what a byte that is none leaves behind */
	label_is("\xe2\"", "\ufffd\\\"");
	label_is("\xff\n", "\ufffd\\n");
}

static void ns_is(uint64_t ns, const char *want)
{
	begin(TEXT_PROMETHEUS);
	text_family(&t, &empty);
	text_ns(&t, NO_LABELS, ns);
	end();
	assert_string_equal(strstr(written, "\ne ") + 3, want);
}

static void test_seconds(void **state)
{
	(void)state;
	ns_is(0, "0\n");
	ns_is(1, "0.000000001\n");
	ns_is(1023, "0.000001023\n");
	ns_is(UINT64_C(100000000), "0.1\n");
	ns_is(UINT64_C(1000000000), "1\n");
	ns_is(UINT64_C(100000000000), "100\n");
	ns_is(UINT64_C(1020000000030), "1020.00000003\n");
	/* a double has 53 bits, this has 64 */
	ns_is(UINT64_MAX, "18446744073.709551615\n");
}

/* ------------------------------------------------------------------ buckets */

/* Of what was counted, nobody but the slots knows which values they were. */
static uint64_t below(const uint64_t *values, size_t nr, uint64_t edge)
{
	uint64_t n = 0;

	for (size_t i = 0; i < nr; i++)
		n += values[i] <= edge;
	return n;
}

/* Each cumulative count is that of the values themselves: no slot lies across an edge. */
static void counts_are_exact(const uint64_t *values, size_t nr)
{
	struct buckets b = { 0 };
	struct accel_hist h = { 0 };
	uint64_t count = 0;

	for (size_t i = 0; i < nr; i++)
		hist_add(&h, values[i]);
	buckets_add(&b, &h);
	for (unsigned int i = 0; i < BUCKETS; i++) {
		count += b.counts[i];
		assert_int_equal(count, below(values, nr, buckets_edge(i)));
	}
	assert_int_equal(buckets_total(&b), nr);
}

static void test_edges(void **state)
{
	uint64_t values[3 * 64 + 2], seed = 88172645463325252u;
	static uint64_t many[20000];
	size_t nr = 0;

	(void)state;
	assert_int_equal(buckets_edge(0), 1023);
	assert_int_equal(buckets_edge(BUCKETS - 1), UINT64_C(137438953471));
	/* on each power of two, and one to each side */
	for (unsigned int bit = 0; bit < 64; bit++) {
		values[nr++] = (UINT64_C(1) << bit) - 1;
		values[nr++] = UINT64_C(1) << bit;
		values[nr++] = (UINT64_C(1) << bit) + 1;
	}
	values[nr++] = 0;
	values[nr++] = UINT64_MAX;
	counts_are_exact(values, nr);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		many[i] = seed >> (seed % 60);
	}
	counts_are_exact(many, ARRAY_SIZE(many));
}

static void test_histogram(void **state)
{
	static const struct text_family h_family = { "h_seconds", TEXT_HISTOGRAM, "seconds", "H." };
	struct accel_hist h = { 0 };
	struct buckets b = { 0 };
	const char *at;

	(void)state;
	hist_add(&h, 1023);
	hist_add(&h, 1024);
	hist_add(&h, UINT64_C(300000000000));
	buckets_add(&b, &h);
	begin(TEXT_OPENMETRICS);
	text_family(&t, &h_family);
	text_histogram(&t, LABELS({ "device", "acc0" }),
		       &(struct text_histogram){ &b, h.sum, UINT64_C(1700000000500000000) });
	end();
	assert_non_null(strstr(written, "# TYPE h_seconds histogram\n# UNIT h_seconds seconds\n"));
	at = strstr(written, "h_seconds_bucket{");
	assert_memory_equal(at, "h_seconds_bucket{device=\"acc0\",le=\"0.000001023\"} 1\n"
			    "h_seconds_bucket{device=\"acc0\",le=\"0.000002047\"} 2\n", 100);
	at = strstr(written, "h_seconds_bucket{device=\"acc0\",le=\"137.438953471\"}");
	assert_string_equal(at, "h_seconds_bucket{device=\"acc0\",le=\"137.438953471\"} 2\n"
			    "h_seconds_bucket{device=\"acc0\",le=\"+Inf\"} 3\n"
			    "h_seconds_sum{device=\"acc0\"} 300.000002047\n"
			    "h_seconds_count{device=\"acc0\"} 3\n"
			    "h_seconds_created{device=\"acc0\"} 1700000000.5\n"
			    "# EOF\n");
	/* Without a sum there is no count; the older format knows no _created. */
	begin(TEXT_PROMETHEUS);
	text_family(&t, &h_family);
	text_histogram(&t, NO_LABELS, &(struct text_histogram){ &b, TEXT_NO_SUM, 1 });
	end();
	at = strstr(written, "h_seconds_bucket{le=\"137.438953471\"}");
	assert_string_equal(at, "h_seconds_bucket{le=\"137.438953471\"} 2\n"
			    "h_seconds_bucket{le=\"+Inf\"} 3\n");
}

/* -------------------------------------------------------------- negotiation */

static void test_negotiate(void **state)
{
	static const char *const openmetrics[] = {
		"application/openmetrics-text",
		"application/openmetrics-text; version=1.0.0",
		"Application/OpenMetrics-Text;Version=\"1.0.0\"",
		"application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.2",
		"text/plain;q=0.5, application/openmetrics-text;q=0.5",
		" , application/openmetrics-text ;q=0.001",
		"text/plain;x=\"a,b;q=1\";q=0.1,application/openmetrics-text;q=0.2",
	}, *const prometheus[] = {
		NULL, "", "*/*", "text/plain", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
		"application/*", "application/openmetrics-text;version=0.0.1",
		"application/openmetrics-text;q=0", "application/openmetrics-text;q=0.000",
		"application/openmetrics-text;q=nan", "application/openmetrics-text;q=-1",
		"application/openmetrics-text;q=0.4,text/plain;q=0.5",
		"text/plain, application/openmetrics-text;q=0.9",
		"application/openmetrics-textile", "xapplication/openmetrics-text",
		"\"application/openmetrics-text\"", "text/plain;note=\"application/openmetrics-text",
		";;;,,,;=;q=,\"", "application/openmetrics-text;q=99999999999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(openmetrics); i++)
		if (negotiate(openmetrics[i]) != TEXT_OPENMETRICS)
			fail_msg("'%s' asks for OpenMetrics", openmetrics[i]);
	for (size_t i = 0; i < ARRAY_SIZE(prometheus); i++)
		if (negotiate(prometheus[i]) != TEXT_PROMETHEUS)
			fail_msg("'%s' does not ask for OpenMetrics",
				 prometheus[i] ? prometheus[i] : "(none)");
}

/* ---------------------------------------------------------------- addresses */

static void address_is(const char *text, int family, const char *host, unsigned int port, bool any)
{
	char name[INET6_ADDRSTRLEN] = "";
	struct address a;

	assert_int_equal(address_parse(text, &a), 0);
	assert_int_equal(a.sa.ss_family, family);
	assert_int_equal(a.any, any);
	if (family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&a.sa;

		inet_ntop(family, &in->sin_addr, name, sizeof(name));
		assert_int_equal(ntohs(in->sin_port), port);
	} else {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&a.sa;

		inet_ntop(family, &in->sin6_addr, name, sizeof(name));
		assert_int_equal(ntohs(in->sin6_port), port);
	}
	assert_string_equal(name, host);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = {
		"", ":", "9942", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:-1",
		"127.0.0.1:+1", "127.0.0.1:65536", "127.0.0.1:999999", "localhost:9942", "::1:9942",
		"[::1]", "[::1:9942", "[]:9942", "::1]:9942", "[127.0.0.1:9942", "300.0.0.1:9942",
		"127.0.0.1:9942 ", " 127.0.0.1:9942", "http://127.0.0.1:9942", "[::1]x:9942",
	};
	struct address a;

	(void)state;
	address_is("127.0.0.1:9942", AF_INET, "127.0.0.1", 9942, false);
	address_is("0.0.0.0:0", AF_INET, "0.0.0.0", 0, false);
	address_is("[::1]:65535", AF_INET6, "::1", 65535, false);
	address_is("[::]:1", AF_INET6, "::", 1, false);
	address_is(":9942", AF_INET6, "::", 9942, true);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (!address_parse(bad[i], &a))
			fail_msg("'%s' is no address", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_prometheus),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_seconds),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_negotiate),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

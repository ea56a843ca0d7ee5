/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The model: differences between snapshots, look-ups, fixtures, sysfs as a source. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"

#define S	UINT64_C(1000000000)

/* A snapshot at @t seconds: device 1 (acc0) with an engine, context 10 that uses it. */
struct given {
	double t;
	uint64_t engine_busy, engine_jobs;
	uint64_t ctx_busy, ctx_jobs, ctx_bytes;
	uint64_t ctx_id;	/* 0: none */
	double ctx_age;
	uint32_t depth;
	uint64_t dev_id;	/* 0: 1 */
	uint64_t calls;
};

static struct accel_snapshot *make(const struct given *g)
{
	struct accel_snapshot *snap = accel_snapshot_new(ACCEL_SOURCE_FIXTURES);
	struct accel_device_info *dev;
	struct accel_engine_info *e;
	struct accel_context_info *ctx;
	struct accel_usage_info *u;
	struct accel_op_info *op;

	assert_non_null(snap);
	snap->has_contexts = true;
	snap->begin_ns = (uint64_t)(g->t * S);
	snap->end_ns = snap->begin_ns + 1000;
	dev = accel_snapshot_add_device(snap, g->dev_id ? g->dev_id : 1, 0);
	dev->valid = ACCEL_DEV_ID | ACCEL_DEV_CONTEXTS;
	dev->open_contexts = 3;
	op = accel_op_add(dev->ops, &dev->num_ops, "ioctl");
	op->calls = g->calls;
	e = accel_device_add_engine(dev, 0, "eng0");
	e->valid = ACCEL_ENGINE_COUNTERS | ACCEL_ENGINE_DEPTH;
	e->depth = g->depth ? g->depth : 1;
	e->busy_ns = g->engine_busy;
	e->jobs = g->engine_jobs;
	e->time_ns = snap->begin_ns;
	if (g->ctx_id) {
		ctx = accel_device_add_context(dev, g->ctx_id);
		ctx->valid = ACCEL_CTX_AGE;
		ctx->age_ns = (uint64_t)(g->ctx_age * S);
		ctx->time_ns = snap->begin_ns;
		u = accel_context_add_usage(ctx, 0, "eng0");
		u->busy_ns = g->ctx_busy;
		u->jobs = g->ctx_jobs;
		u->bytes = g->ctx_bytes;
	}
	accel_snapshot_finish(snap);
	return snap;
}

static struct accel_rates engine(const struct given *a, const struct given *b)
{
	struct accel_snapshot *old = make(a), *new = make(b);
	struct accel_rates r;

	accel_engine_rates(old, new, b->dev_id ? b->dev_id : 1, 0, &r);
	accel_snapshot_free(old);
	accel_snapshot_free(new);
	return r;
}

static struct accel_rates usage(const struct given *a, const struct given *b, uint64_t id)
{
	struct accel_snapshot *old = make(a), *new = make(b);
	struct accel_rates r, total;

	accel_usage_rates(old, new, 1, id, 0, &r);
	accel_total_rates(old, new, 1, id, &total);
	/* one engine: the total is that engine's */
	assert_int_equal(r.valid, total.valid);
	assert_true(fabs(r.util - total.util) < 1e-9);
	accel_snapshot_free(old);
	accel_snapshot_free(new);
	return r;
}

static void test_engine(void **state)
{
	struct accel_rates r = engine(&(struct given){ .t = 10, .engine_busy = S, .engine_jobs = 100 },
				      &(struct given){ .t = 12, .engine_busy = 2 * S, .engine_jobs = 300 });

	(void)state;
	assert_true(r.valid);
	assert_true(fabs(r.util - 0.5) < 1e-9);
	assert_int_equal(r.jobs, 200);
	assert_true(fabs(r.jobs_s - 100) < 1e-6);
	assert_int_equal(r.elapsed_ns, 2 * S);
	assert_true(r.run_mean_ns == 0);
}

static void test_clamp(void **state)
{
	/* the clock was read a little before the counter */
	struct accel_rates r = engine(&(struct given){ .t = 1 },
				      &(struct given){ .t = 2, .engine_busy = S + 500 });

	(void)state;
	assert_true(r.valid);
	assert_true(r.util == 1);
	assert_true(accel_util(UINT64_MAX, 1, 1) == 1);
	assert_true(accel_util(1, 0, 1) == 0);
	assert_true(accel_util(1, 4, 0) == 0.25);
	/* and a busy time that went back: idle, not 2^64 - 10 */
	r = engine(&(struct given){ .t = 1, .engine_busy = 10 }, &(struct given){ .t = 2 });
	assert_true(r.valid);
	assert_true(r.util == 0);
	assert_int_equal(accel_counter_delta(10, 0), 0);
	assert_int_equal(accel_counter_delta(0, UINT64_MAX), UINT64_MAX);
}

static void test_backwards(void **state)
{
	struct accel_rates r = engine(&(struct given){ .t = 1, .engine_jobs = 10 },
				      &(struct given){ .t = 2, .engine_jobs = 9 });

	(void)state;
	assert_false(r.valid);
	assert_int_equal(r.jobs, 0);
	assert_true(r.util == 0);
	/* no time between two readings: nothing can be said */
	r = engine(&(struct given){ .t = 1 }, &(struct given){ .t = 1, .engine_jobs = 9 });
	assert_false(r.valid);
}

static void test_new_device(void **state)
{
	struct accel_rates r = engine(&(struct given){ .t = 1, .dev_id = 1 },
				      &(struct given){ .t = 2, .dev_id = 7, .engine_busy = S / 4 });

	(void)state;
	assert_true(r.valid);
	assert_true(fabs(r.util - 0.25) < 1e-6);
	/* a lower id than one that was there is not new */
	r = engine(&(struct given){ .t = 1, .dev_id = 9 },
		   &(struct given){ .t = 2, .dev_id = 7, .engine_busy = S / 4 });
	assert_false(r.valid);
}

static void test_context(void **state)
{
	struct given a = { .t = 1, .ctx_id = 10, .ctx_age = 1, .ctx_jobs = 5 };
	struct given b = { .t = 2, .ctx_id = 10, .ctx_age = 2, .ctx_jobs = 9, .ctx_busy = S / 2,
			   .ctx_bytes = 4096 };
	struct accel_rates r = usage(&a, &b, 10);

	(void)state;
	assert_true(r.valid);
	assert_true(fabs(r.util - 0.5) < 1e-9);
	assert_int_equal(r.jobs, 4);
	assert_true(fabs(r.run_mean_ns - S / 8) < 1);
	assert_true(fabs(r.bytes_s - 4096) < 1e-6);
	/* two jobs at a time: half of the capacity */
	a.depth = b.depth = 2;
	r = usage(&a, &b, 10);
	assert_true(fabs(r.util - 0.25) < 1e-9);
}

static void test_new_context(void **state)
{
	struct given a = { .t = 1 };
	struct given b = { .t = 2, .ctx_id = 11, .ctx_age = 0.5, .ctx_busy = S / 4, .ctx_jobs = 3 };
	struct accel_rates r = usage(&a, &b, 11);

	(void)state;
	assert_true(r.valid);
	assert_int_equal(r.jobs, 3);
	assert_true(fabs(r.util - 0.25) < 1e-6);
	/* older than the first snapshot, where it was not: what it did since is not known */
	b.ctx_age = 1.5;
	r = usage(&a, &b, 11);
	assert_false(r.valid);
	/* gone */
	r = usage(&b, &a, 11);
	assert_false(r.valid);
	/* never was */
	r = usage(&a, &b, 12);
	assert_false(r.valid);
}

static void test_ops(void **state)
{
	struct accel_snapshot *old = make(&(struct given){ .t = 1, .calls = 5 });
	struct accel_snapshot *new = make(&(struct given){ .t = 3, .calls = 25 });
	struct accel_op_rates r;

	(void)state;
	accel_op_rates(old, new, 1, 0, "ioctl", &r);
	assert_true(r.valid);
	assert_int_equal(r.calls, 20);
	assert_true(fabs(r.calls_s - 10) < 1e-6);
	accel_op_rates(old, new, 1, 0, "nonsense", &r);
	assert_false(r.valid);
	accel_op_rates(new, old, 1, 0, "ioctl", &r);
	assert_false(r.valid);
	accel_snapshot_free(old);
	accel_snapshot_free(new);
}

static void test_lookup(void **state)
{
	struct accel_snapshot *snap = accel_snapshot_new(ACCEL_SOURCE_FIXTURES);
	const struct accel_device_info *dev;
	struct accel_context_info *ctx;
	struct accel_device_info *d;
	uint64_t id;

	(void)state;
	accel_snapshot_add_device(snap, 5, 10);
	d = accel_snapshot_add_device(snap, 6, 2);
	accel_device_add_node(d, "acc2");
	accel_device_add_node(d, "acc2c");
	for (id = 100; id > 0; id--) {
		ctx = accel_device_add_context(d, id);
		accel_context_add_usage(ctx, 1, "b");
		accel_context_add_usage(ctx, 0, "a");
	}
	accel_snapshot_finish(snap);
	assert_string_equal(snap->devices[0].name, "acc2");
	assert_int_equal(accel_snapshot_device(snap, "acc10")->id, 5);
	assert_int_equal(accel_snapshot_device(snap, "10")->id, 5);
	assert_int_equal(accel_snapshot_device(snap, "/dev/accelerator/acc2c")->id, 6);
	assert_null(accel_snapshot_device(snap, "acc1"));
	assert_null(accel_snapshot_device(snap, "acc2c"));
	assert_null(accel_snapshot_device(snap, "10x"));
	assert_null(accel_snapshot_device(snap, ""));
	assert_null(accel_snapshot_device(snap, "-1"));
	assert_int_equal(accel_snapshot_context(snap, 57, &dev)->id, 57);
	assert_int_equal(dev->index, 2);
	assert_null(accel_snapshot_context(snap, 101, NULL));
	assert_string_equal(accel_context_usage(accel_device_context(dev, 1), 0)->name, "a");
	assert_int_equal(accel_device_context(dev, 1)->usage[1].engine, 1);
	assert_int_equal(accel_device_hidden(dev), 0);
	accel_snapshot_free(snap);
	accel_snapshot_free(NULL);
}

static void test_fixtures(void **state)
{
	const struct accel_snapshot *list[2];
	struct accel_snapshot *snap;
	struct accel_source *src;
	struct accel_device_info *dev;
	int i;

	(void)state;
	list[0] = make(&(struct given){ .t = 1, .ctx_id = 10 });
	list[1] = make(&(struct given){ .t = 2 });
	assert_int_equal(accel_source_open_fixtures(&src, list, 2), 0);
	assert_int_equal(accel_source_kind(src), ACCEL_SOURCE_FIXTURES);
	for (i = 0; i < 4; i++) {
		assert_int_equal(accel_snapshot_read(src, &snap), 0);
		assert_int_equal(snap->begin_ns, (i ? 2 : 1) * S);
		assert_int_equal(snap->devices[0].num_contexts, i ? 0 : 1);
		assert_int_equal(accel_device_hidden(&snap->devices[0]), i ? 3 : 2);
		/* a copy is a snapshot as any other: it can grow */
		dev = &snap->devices[0];
		assert_non_null(accel_device_add_context(dev, 11));
		assert_non_null(accel_device_add_context(dev, 12));
		assert_non_null(accel_device_add_engine(dev, 1, "eng1"));
		accel_snapshot_free(snap);
	}
	accel_source_close(src);
	assert_int_equal(accel_source_open_fixtures(&src, list, 0), 0);
	assert_int_equal(accel_snapshot_read(src, &snap), -ENODEV);
	accel_source_close(src);
	accel_snapshot_free((struct accel_snapshot *)list[0]);
	accel_snapshot_free((struct accel_snapshot *)list[1]);
}

/* ------------------------------------------------------------------- sysfs */

static char root[64];

__attribute__((format(printf, 2, 3)))
static void put(const char *text, const char *format, ...)
{
	char path[200], *slash;
	va_list ap;
	int len;
	FILE *f;

	len = snprintf(path, sizeof(path), "%s/", root);
	va_start(ap, format);
	vsnprintf(path + len, sizeof(path) - len, format, ap);
	va_end(ap);
	for (slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void test_sysfs(void **state)
{
	static const char dir[] = "class/accelerator/acc3";
	const struct accel_device_info *dev;
	struct accel_snapshot *snap;
	struct accel_source *src;
	char command[100];

	(void)state;
	snprintf(root, sizeof(root), "/tmp/test_model.XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(accel_source_open_sysfs(&src, root), -ENODEV);
	put("12\n", "%s/id", dir);
	put("accel_x\n", "%s/driver", dir);
	put("failed\n", "%s/state", dir);
	put("1\n", "%s/exclusive", dir);
	put("4\n", "%s/contexts", dir);
	put("18446744073709551615\n", "%s/pinned_bytes", dir);
	put("junk\n", "%s/mapped_bytes", dir);
	put("244:7\n", "%s/dev", dir);
	put("244:8\n", "%sc/dev", dir);
	put("244:9\n", "%s1/dev", dir);
	put("1\n", "%s/engines/b/index", dir);
	put("0\n", "%s/engines/a/index", dir);
	put("77\n", "%s/engines/a/busy_ns", dir);
	assert_int_equal(accel_source_open_sysfs(&src, root), 0);
	assert_int_equal(accel_snapshot_read(src, &snap), 0);
	assert_int_equal(snap->num_devices, 2);
	assert_false(snap->has_contexts);
	dev = accel_snapshot_device(snap, "acc3");
	assert_int_equal(dev->id, 12);
	assert_string_equal(dev->driver, "accel_x");
	assert_int_equal(dev->state, ACCEL_MODEL_FAILED);
	assert_int_equal(dev->flags, ACCEL_DEV_EXCLUSIVE);
	assert_false(dev->valid & (ACCEL_DEV_BYTES | ACCEL_DEV_TYPE | ACCEL_DEV_SERIAL));
	assert_int_equal(dev->num_nodes, 2);
	assert_string_equal(dev->nodes[1].name, "acc3c");
	assert_int_equal(dev->nodes[1].minor, 8);
	assert_int_equal(dev->num_engines, 2);
	assert_string_equal(dev->engines[0].name, "a");
	/* not all of its counters are there */
	assert_false(dev->engines[0].valid & ACCEL_ENGINE_COUNTERS);
	assert_int_equal(accel_snapshot_device(snap, "acc31")->num_nodes, 1);
	accel_snapshot_free(snap);
	accel_source_restrict(src, 12);
	assert_int_equal(accel_snapshot_read(src, &snap), 0);
	assert_int_equal(snap->num_devices, 1);
	accel_snapshot_free(snap);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
	/* the module was unloaded */
	assert_int_equal(accel_snapshot_read(src, &snap), -ENODEV);
	assert_null(snap);
	assert_non_null(strstr(accel_source_error(src), "not loaded"));
	accel_source_close(src);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_engine),
		cmocka_unit_test(test_clamp),
		cmocka_unit_test(test_backwards),
		cmocka_unit_test(test_new_device),
		cmocka_unit_test(test_context),
		cmocka_unit_test(test_new_context),
		cmocka_unit_test(test_ops),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_fixtures),
		cmocka_unit_test(test_sysfs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

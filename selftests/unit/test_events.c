// SPDX-License-Identifier: GPL-2.0-only
/* What BPF programs and accel-trace share lies where both compilers put it. */
#include "unit.h"

#include "accel_events.h"

#define AT(member, offset) \
	_Static_assert(offsetof(struct accel_event, member) == (offset), #member)

AT(ts_ns, 0);
AT(dev_id, 8);
AT(ctx, 16);
AT(cgroup_id, 24);
AT(time_ns, 32);
AT(ret, 40);
AT(dev, 48);
AT(tgid, 52);
AT(tid, 56);
AT(owner, 60);
AT(uid, 64);
AT(cpu, 68);
AT(type, 72);
AT(flags, 74);
AT(comm, 80);
AT(ioctl.cmd, 96);
AT(ioctl.name, 104);
AT(mmap.map, 96);
AT(mmap.write, 120);
AT(pin.mem, 96);
AT(pin.pin_ns, 144);
AT(pin.gather_ns, 152);
AT(pin.folios, 160);
AT(pin.way, 172);
AT(dma.iommu_ns, 120);
AT(dma.segments, 132);
AT(job.job, 96);
AT(job.total_ns, 128);
AT(job.op, 136);
AT(job.engine, 144);
AT(policy.id, 96);
AT(policy.name, 104);
AT(policy.hook, 120);
AT(device.driver, 96);
AT(device.calls, 112);
AT(device.op, 132);
_Static_assert(sizeof(struct accel_event) == 176, "event");
_Static_assert(sizeof(struct accel_event_stack) == 8 * ACCEL_EV_STACK_DEPTH, "stack");
_Static_assert(sizeof(struct accel_agg_key) == 48, "no padding: the kernel hashes all bytes");
_Static_assert(offsetof(struct accel_agg_key, engine) == 32, "engine");
_Static_assert(offsetof(struct accel_agg, hist) == 56, "hist");
_Static_assert(sizeof(struct accel_hist) == 16 + 8 * 560, "hist");
_Static_assert(sizeof(struct accel_trace_count) == 16 * ACCEL_EV_NR, "count");
_Static_assert(ACCEL_EV_NR == 19, "events are added at the end only");
_Static_assert(ACCEL_EV_IOCTL == 8 && ACCEL_EV_JOB_DONE == 17 && ACCEL_EV_POLICY_DENY == 18,
	       "and keep their numbers");

static void test_fits(void **state)
{
	(void)state;
	/* The record is built on a BPF program's stack, of 512 bytes for all its calls. */
	assert_true(sizeof(struct accel_event) + sizeof(struct accel_agg_key) <= 400);
	/* A ring of one page takes more than one. */
	assert_true(sizeof(struct accel_event) + sizeof(struct accel_event_stack) < 2048);
	for (unsigned int type = 0; type < ACCEL_EV_NR; type++) {
		/* A type without a size is lost in the reader; one of 7 bytes tears the next. */
		assert_true(accel_event_size(type) >= ACCEL_EV_SIZE(context));
		assert_true(accel_event_size(type) <= sizeof(struct accel_event));
		assert_int_equal(accel_event_size(type) % 8, 0);
	}
	assert_int_equal(accel_event_size(ACCEL_EV_NR), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

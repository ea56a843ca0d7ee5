// SPDX-License-Identifier: GPL-2.0-only
/*
 * Three ways to keep a device from going while its driver is called: what entering
 * and leaving costs, what closing costs, what memory it takes.
 *
 * Each does what a gate must, and no more: enter finds the gate closed, or keeps it
 * from being drained until leave; close lets nobody in any more, and waits for those
 * who are inside.
 */
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/delay.h>
#include <linux/percpu-refcount.h>
#include <linux/rwsem.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/srcu.h>

#include "bench.h"

/* How often a waiter that can looks at who is inside. */
#define SLICE	msecs_to_jiffies(10)

struct bench_gate {
	struct percpu_ref ref;
	struct srcu_struct srcu;
	struct rw_semaphore sem;
	bool closed;			/* of srcu and sem */
	struct completion drained;	/* of ref, and of call_srcu() */
	struct rcu_head rcu;
	/* its reader */
	enum accel_bench_gate kind;
	unsigned int hold_us;
	struct completion inside;
	u64 left_ns;
};

static struct bench_gate *reading;	/* the one that is never closed */

static void bench_ref_released(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct bench_gate, ref)->drained);
}

static void bench_srcu_done(struct rcu_head *rcu)
{
	complete(&container_of(rcu, struct bench_gate, rcu)->drained);
}

static struct bench_gate *bench_gate_new(void)
{
	struct bench_gate *gate = kzalloc(sizeof(*gate), GFP_KERNEL);
	int ret;

	if (!gate)
		return ERR_PTR(-ENOMEM);
	init_rwsem(&gate->sem);
	init_completion(&gate->drained);
	init_completion(&gate->inside);
	ret = init_srcu_struct(&gate->srcu);
	if (ret)
		goto out_free;
	ret = percpu_ref_init(&gate->ref, bench_ref_released, 0, GFP_KERNEL);
	if (!ret)
		return gate;
	cleanup_srcu_struct(&gate->srcu);
out_free:
	kfree(gate);
	return ERR_PTR(ret);
}

/* @gate: its percpu_ref is dead, nobody is inside */
static void bench_gate_free(struct bench_gate *gate)
{
	srcu_barrier(&gate->srcu);
	cleanup_srcu_struct(&gate->srcu);
	percpu_ref_exit(&gate->ref);
	kfree(gate);
}

static __always_inline bool bench_enter(struct bench_gate *gate, enum accel_bench_gate kind,
					int *idx)
{
	switch (kind) {
	case ACCEL_BENCH_PERCPU_REF:
		return percpu_ref_tryget_live(&gate->ref);
	case ACCEL_BENCH_SRCU:
		*idx = srcu_read_lock(&gate->srcu);
		if (!READ_ONCE(gate->closed))
			return true;
		srcu_read_unlock(&gate->srcu, *idx);
		return false;
	case ACCEL_BENCH_RWSEM:
		down_read(&gate->sem);
		if (!gate->closed)
			return true;
		up_read(&gate->sem);
		return false;
	default:
		return true;
	}
}

static __always_inline void bench_leave(struct bench_gate *gate, enum accel_bench_gate kind,
					int idx)
{
	switch (kind) {
	case ACCEL_BENCH_PERCPU_REF:
		percpu_ref_put(&gate->ref);
		break;
	case ACCEL_BENCH_SRCU:
		srcu_read_unlock(&gate->srcu, idx);
		break;
	case ACCEL_BENCH_RWSEM:
		up_read(&gate->sem);
		break;
	default:
		break;
	}
}

/* @kind is a constant in each of its callers: the loop has no branch on it. */
static __always_inline u64 bench_loop(struct bench_gate *gate, enum accel_bench_gate kind,
				      unsigned int count)
{
	u64 start = ktime_get_ns();
	int idx = 0;

	while (count--) {
		if (bench_enter(gate, kind, &idx)) {
			barrier();
			bench_leave(gate, kind, idx);
		}
	}
	return ktime_get_ns() - start;
}

int bench_gate_read(struct accel_bench_read *arg)
{
	switch (arg->gate) {
	case ACCEL_BENCH_NONE:
		arg->ns = bench_loop(reading, ACCEL_BENCH_NONE, arg->count);
		return 0;
	case ACCEL_BENCH_PERCPU_REF:
		arg->ns = bench_loop(reading, ACCEL_BENCH_PERCPU_REF, arg->count);
		return 0;
	case ACCEL_BENCH_SRCU:
		arg->ns = bench_loop(reading, ACCEL_BENCH_SRCU, arg->count);
		return 0;
	case ACCEL_BENCH_RWSEM:
		arg->ns = bench_loop(reading, ACCEL_BENCH_RWSEM, arg->count);
		return 0;
	}
	return -EINVAL;
}

static int bench_reader(void *data)
{
	struct bench_gate *gate = data;
	bool entered;
	int idx = 0;

	/* Constants, as above; call_srcu() has SRCU's readers. */
	if (gate->kind == ACCEL_BENCH_PERCPU_REF)
		entered = bench_enter(gate, ACCEL_BENCH_PERCPU_REF, &idx);
	else if (gate->kind == ACCEL_BENCH_RWSEM)
		entered = bench_enter(gate, ACCEL_BENCH_RWSEM, &idx);
	else
		entered = bench_enter(gate, ACCEL_BENCH_SRCU, &idx);
	complete(&gate->inside);
	if (!entered)
		return -ENODEV;
	usleep_range(gate->hold_us, gate->hold_us + 1);
	WRITE_ONCE(gate->left_ns, ktime_get_ns());
	if (gate->kind == ACCEL_BENCH_PERCPU_REF)
		bench_leave(gate, ACCEL_BENCH_PERCPU_REF, idx);
	else if (gate->kind == ACCEL_BENCH_RWSEM)
		bench_leave(gate, ACCEL_BENCH_RWSEM, idx);
	else
		bench_leave(gate, ACCEL_BENCH_SRCU, idx);
	return 0;
}

static u64 bench_wait(struct bench_gate *gate)
{
	u64 slices = 0;

	while (!wait_for_completion_timeout(&gate->drained, SLICE))
		slices++;
	return slices;
}

static u64 bench_close(struct bench_gate *gate)
{
	switch (gate->kind) {
	case ACCEL_BENCH_PERCPU_REF:
		percpu_ref_kill(&gate->ref);
		return bench_wait(gate);
	case ACCEL_BENCH_SRCU:
		WRITE_ONCE(gate->closed, true);
		synchronize_srcu(&gate->srcu);
		return 0;
	case ACCEL_BENCH_SRCU_CALLBACK:
		WRITE_ONCE(gate->closed, true);
		call_srcu(&gate->srcu, &gate->rcu, bench_srcu_done);
		return bench_wait(gate);
	default:
		down_write(&gate->sem);
		gate->closed = true;
		up_write(&gate->sem);
		return 0;
	}
}

int bench_gate_close(struct accel_bench_close *arg)
{
	struct task_struct *reader = NULL;
	struct bench_gate *gate;
	u64 start, end;
	int ret = 0;

	if (arg->gate == ACCEL_BENCH_NONE || arg->gate >= ACCEL_BENCH_CLOSINGS ||
	    arg->hold_us > USEC_PER_SEC)
		return -EINVAL;
	gate = bench_gate_new();
	if (IS_ERR(gate))
		return PTR_ERR(gate);
	gate->kind = arg->gate;
	gate->hold_us = arg->hold_us;
	if (arg->hold_us) {
		reader = kthread_create(bench_reader, gate, "accel_bench");
		ret = PTR_ERR_OR_ZERO(reader);
		if (ret) {
			gate->kind = ACCEL_BENCH_PERCPU_REF;
			bench_close(gate);
			goto out;
		}
		get_task_struct(reader);
		wake_up_process(reader);
		wait_for_completion(&gate->inside);
	}
	start = ktime_get_ns();
	arg->slices = bench_close(gate);
	end = ktime_get_ns();
	arg->close_ns = end - start;
	arg->after_ns = reader ? end - READ_ONCE(gate->left_ns) : 0;
	if (reader) {
		kthread_stop(reader);
		put_task_struct(reader);
	}
	/* percpu_ref_exit() wants it dead, whichever gate was measured. */
	if (gate->kind != ACCEL_BENCH_PERCPU_REF) {
		reinit_completion(&gate->drained);
		percpu_ref_kill(&gate->ref);
		wait_for_completion(&gate->drained);
	}
out:
	bench_gate_free(gate);
	return ret;
}

int bench_gate_size(struct accel_bench_size *arg)
{
	arg->percpu = 0;
	switch (arg->gate) {
	case ACCEL_BENCH_PERCPU_REF:
		arg->fixed = sizeof(struct percpu_ref) + sizeof(struct percpu_ref_data) +
			     sizeof(struct completion);
		arg->percpu = sizeof(unsigned long);
		return 0;
	case ACCEL_BENCH_SRCU:
		/* Small form; under contention it grows a tree of srcu_nodes besides. */
		arg->fixed = sizeof(struct srcu_struct) + sizeof(struct srcu_usage);
		arg->percpu = sizeof(struct srcu_data);
		return 0;
	case ACCEL_BENCH_RWSEM:
		arg->fixed = sizeof(struct rw_semaphore);
		return 0;
	}
	return -EINVAL;
}

int bench_gates_init(void)
{
	reading = bench_gate_new();
	return PTR_ERR_OR_ZERO(reading);
}

void bench_gates_exit(void)
{
	percpu_ref_kill(&reading->ref);
	wait_for_completion(&reading->drained);
	bench_gate_free(reading);
}

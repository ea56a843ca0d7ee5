// SPDX-License-Identifier: GPL-2.0-only
/*
 * On this machine itself and in user space, as an emulated processor has neither
 * caches nor reordering: what the three gates' read sides cost by what they are made
 * of on x86-64. Counters of a processor are counters of a thread here.
 *	percpu_ref	two plain increments, each between rcu_read_lock() and
 *			rcu_read_unlock(), which are calls that count nesting
 *	srcu		two plain increments, each with a full barrier, in calls
 *	rwsem		two locked additions to one word that all processors share
 * Not the kernel's code: its instructions. One thread, then two on two processors.
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "bench.h"

#define COUNT	500000
#define APART	__attribute__((aligned(128)))

#if defined(__x86_64__)
/* smp_mb() as the kernel has it */
#define full_barrier()	__asm__ volatile("lock; addl $0,-4(%%rsp)" ::: "memory", "cc")
#else
#define full_barrier()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif
#define barrier()	__asm__ volatile("" ::: "memory")

enum { NONE, PERCPU_REF, SRCU, RWSEM, GATES };

static const char *const names[] = { "none", "percpu_ref", "srcu", "rwsem" };
static APART long shared_count;

static struct own {
	APART volatile long count;
	volatile long unlocks;
	volatile int nesting;
	volatile int special;
} owns[2];

__attribute__((noinline)) static void rcu_lock(struct own *own)
{
	own->nesting++;
	barrier();
}

__attribute__((noinline)) static void rcu_unlock(struct own *own)
{
	barrier();
	if (--own->nesting == 0 && own->special)
		abort();
}

__attribute__((noinline)) static void srcu_lock(struct own *own)
{
	own->count++;
	full_barrier();
}

__attribute__((noinline)) static void srcu_unlock(struct own *own)
{
	full_barrier();
	own->unlocks++;
}

static double loop(int gate, struct own *own)
{
	double start = bench_now_ns();

	for (int i = 0; i < COUNT; i++) {
		switch (gate) {
		case PERCPU_REF:
			rcu_lock(own);
			own->count++;
			rcu_unlock(own);
			barrier();
			rcu_lock(own);
			own->count--;
			rcu_unlock(own);
			break;
		case SRCU:
			srcu_lock(own);
			barrier();
			srcu_unlock(own);
			break;
		case RWSEM:
			__atomic_fetch_add(&shared_count, 256, __ATOMIC_ACQUIRE);
			barrier();
			__atomic_fetch_sub(&shared_count, 256, __ATOMIC_RELEASE);
			break;
		default:
			barrier();
		}
	}
	return (bench_now_ns() - start) / COUNT;
}

static pthread_barrier_t together;
static int current;

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("processor %d: %s", cpu, strerror(errno));
}

static void *other(void *arg)
{
	double *ns = arg;

	on_cpu(1);
	pthread_barrier_wait(&together);
	*ns = loop(current, &owns[1]);
	return NULL;
}

int main(void)
{
	char series[64];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		bench_die("two processors are needed");
	on_cpu(0);
	pthread_barrier_init(&together, NULL, 2);
	for (int i = 0; i < BENCH_ROUNDS; i++) {
		for (int gate = NONE; gate < GATES; gate++) {
			double mine, others;
			pthread_t thread;

			snprintf(series, sizeof(series), "native.%s", names[gate]);
			bench_sample(series, loop(gate, &owns[0]));
			current = gate;
			if (pthread_create(&thread, NULL, other, &others))
				bench_die("pthread_create failed");
			pthread_barrier_wait(&together);
			mine = loop(gate, &owns[0]);
			pthread_join(thread, NULL);
			snprintf(series, sizeof(series), "native2.%s", names[gate]);
			bench_sample(series, mine > others ? mine : others);
		}
	}
	return 0;
}

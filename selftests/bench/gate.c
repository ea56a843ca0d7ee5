// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a gate may be made of: a percpu_ref, SRCU, a read-write semaphore, each in
 * kernel/bench/gates.c. Usage: gate read|threads|close|size
 *	read	enter and leave, one process
 *	threads	the same, a process on each of two processors, on one gate
 *	close	nobody inside; one reader inside, who leaves after 30 ms
 *	size	memory for each device
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel_bench.h"
#include "bench.h"

#define COUNT		20000
#define THREADS_COUNT	200000
#define HOLD_US		30000

static const char *const names[] = {
	[ACCEL_BENCH_NONE] = "none",
	[ACCEL_BENCH_PERCPU_REF] = "percpu_ref",
	[ACCEL_BENCH_SRCU] = "srcu",
	[ACCEL_BENCH_RWSEM] = "rwsem",
	[ACCEL_BENCH_SRCU_CALLBACK] = "call_srcu",
};

static int fd;

static void sample(const char *what, unsigned int gate, double value)
{
	char series[64];

	snprintf(series, sizeof(series), "%s.%s", what, names[gate]);
	bench_sample(series, value);
}

static void order(unsigned long cmd, void *arg)
{
	if (ioctl(fd, cmd, arg))
		bench_die("/dev/accel_bench: %s", strerror(errno));
}

static double read_once(unsigned int gate, unsigned int count)
{
	struct accel_bench_read read = { .gate = gate, .count = count };

	order(ACCEL_BENCH_READ, &read);
	return (double)read.ns / count;
}

static void reads(void)
{
	for (unsigned int gate = 0; gate < ACCEL_BENCH_GATES; gate++)
		read_once(gate, COUNT);
	for (int i = 0; i < BENCH_ROUNDS; i++)
		for (unsigned int gate = 0; gate < ACCEL_BENCH_GATES; gate++)
			sample("read", gate, read_once(gate, COUNT));
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		bench_die("processor %d: %s", cpu, strerror(errno));
}

/* Both start on a signal in shared memory; what is taken is the slower one's time. */
static void threads(void)
{
	struct shared {
		int go[2];
		double ns;
	} *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	for (int i = 0; i < BENCH_ROUNDS; i++) {
		for (unsigned int gate = 0; gate < ACCEL_BENCH_GATES; gate++) {
			double ns;
			pid_t pid;
			int status;

			memset(shared, 0, sizeof(*shared));
			pid = fork();
			if (pid < 0)
				bench_die("fork: %s", strerror(errno));
			pin(pid ? 0 : 1);
			__atomic_store_n(&shared->go[!pid], 1, __ATOMIC_SEQ_CST);
			while (!__atomic_load_n(&shared->go[!!pid], __ATOMIC_SEQ_CST))
				;
			ns = read_once(gate, THREADS_COUNT);
			if (!pid) {
				shared->ns = ns;
				_exit(0);
			}
			if (waitpid(pid, &status, 0) != pid || status)
				bench_die("the other process failed");
			sample("threads", gate, ns > shared->ns ? ns : shared->ns);
		}
	}
}

static void closes(void)
{
	for (int i = 0; i < BENCH_ROUNDS; i++) {
		for (unsigned int gate = ACCEL_BENCH_PERCPU_REF; gate < ACCEL_BENCH_CLOSINGS; gate++) {
			struct accel_bench_close close = { .gate = gate };

			order(ACCEL_BENCH_CLOSE, &close);
			sample("close", gate, close.close_ns / 1000.);
			close = (struct accel_bench_close) { .gate = gate, .hold_us = HOLD_US };
			order(ACCEL_BENCH_CLOSE, &close);
			sample("after", gate, close.after_ns / 1000.);
			sample("slices", gate, close.slices);
		}
	}
}

static void sizes(void)
{
	for (int i = 0; i < BENCH_ROUNDS; i++) {
		for (unsigned int gate = ACCEL_BENCH_PERCPU_REF; gate < ACCEL_BENCH_GATES; gate++) {
			struct accel_bench_size size = { .gate = gate };

			order(ACCEL_BENCH_SIZE, &size);
			sample("bytes64", gate, size.fixed + 64 * size.percpu);
		}
	}
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	fd = open("/dev/accel_bench", O_RDWR);
	if (fd < 0)
		bench_die("/dev/accel_bench: %s: load accel_bench first", strerror(errno));
	if (!strcmp(what, "read"))
		reads();
	else if (!strcmp(what, "threads"))
		threads();
	else if (!strcmp(what, "close"))
		closes();
	else if (!strcmp(what, "size"))
		sizes();
	else
		bench_die("usage: gate read|threads|close|size");
	return 0;
}

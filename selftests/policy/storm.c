// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" TIMEOUT=400 */
/*
 * 10,000 times a policy is attached and detached, while processes open, pin, map, submit and
 * close. Each detach waits for the hooks that run: a grace period, which is hurried here. A
 * twentieth as many on the kernel that checks each access, but with STORM=full. One policy
 * stays all the time, and is told of each byte that it has allowed.
 */
#include "../storm/storm.h"
#include "policy.h"

static char *page;

static void load_main(const char *name, volatile int *stop, unsigned long long *done)
{
	struct accel_job_wait wait;
	uint64_t mem, job;

	while (!*stop) {
		int fd = dev_open(name);
		void *map;

		if (fd < 0 || dev_pin(fd, page, PAGE, RW, &mem) || dev_unpin(fd, mem) ||
		    dev_pin(fd, (void *)0x10000, 3 * PAGE, RW, NULL) != -EFAULT ||
		    dev_pin(fd, page, PAGE, RW, &mem))
			_exit(1);
		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
		if (map == MAP_FAILED || nop_submit(fd, 0, &job) || nop_submit(fd, 1, NULL) ||
		    dev_wait(fd, job, &wait))
			_exit(2);
		munmap(map, PAGE);
		close(fd);
		__atomic_add_fetch(done, 1, __ATOMIC_SEQ_CST);
		/* there is one processor's time for all of us: most of it is the storm's */
		usleep(2000);
	}
	_exit(0);
}

int main(void)
{
	int cycles = storm_times(10000, 500), failed = 0, status, i;
	static struct storm before;
	struct policy p[2], stays;
	volatile int *stop;
	unsigned long long *done, calls = 0;
	struct dev_info devs[2];
	pid_t pids[3];

	policy_begin();
	page = pages(PAGE);
	stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	done = (unsigned long long *)(void *)(stop + 16);
	if (dev_find("soft", 0, &devs[0]) || dev_find("soft", 1, &devs[1]))
		tap_bail("no soft devices");
	dev_write("/sys/kernel/rcu_expedited", "1");
	for (i = 0; i < 2; i++) {
		policy_open(&p[i], "probe.bpf.o");
		policy_set(&p[i], i ? "one" : "all", i ? devs[0].name : "", i);
		if (policy_load(&p[i]))
			tap_bail("%s", policy_log);
	}
	for (i = 0; i < 10; i++)
		for (int k = 0; k < 2; k++) {
			policy_attach(&p[k]);
			policy_detach(&p[k]);
		}
	policy_start(&stays, "unpinned.bpf.o", "stays", "", 1);
	storm_before(&before, "accel_soft");
	for (i = 0; i < 3; i++) {
		pids[i] = fork();
		if (!pids[i])
			load_main(devs[i % 2].name, stop, done);
	}
	/* the one for all devices, with the other in between or not */
	for (i = 0; i < cycles; i += 1 + i % 2) {
		failed += policy_attach(&p[0]) != 0;
		if (i % 2)
			failed += policy_attach(&p[1]) != 0;
		policy_detach(&p[0]);
		if (i % 2)
			policy_detach(&p[1]);
	}
	*stop = 1;
	for (i = 0; i < 3; i++) {
		if (waitpid(pids[i], &status, 0) != pids[i])
			status = -1;
		tap_is(status, 0, "a process that used a device all the time");
	}
	for (int hook = 0; hook < PROBE_HOOKS; hook++)
		calls += p[0].probe->calls[hook] + p[1].probe->calls[hook];
	tap_is(failed, 0, "a policy was attached and detached %d times", cycles);
	tap_ok(*done > 100 && calls > 100, "beside %llu files that were used; %llu hooks ran", *done,
	       calls);
	tap_is(stays.books->back, stays.books->allowed, "the one that stayed was told of %llu bytes: all",
	       stays.books->allowed);
	tap_is(stays.books->allowed, *done * 5 * PAGE, "  and asked about all");
	for (i = 0; i < 2; i++)
		tap_is(policy_attach(&p[i]), 0, "it can be attached again");
	for (i = 0; i < 2; i++)
		policy_detach(&p[i]);
	storm_after(&before, "attach and detach", cycles);
	dev_write("/sys/kernel/rcu_expedited", "0");
	for (i = 0; i < 2; i++)
		policy_close(&p[i]);
	policy_close(&stays);
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" ALONE=1 TIMEOUT=240 */
/*
 * 10,000 processes open the device, pin, map, submit jobs that do not end, and are
 * killed: one half when they have done so, the others wherever they are by then.
 */
#include <signal.h>
#include <sys/wait.h>

#include "storm.h"

#define PROCESSES 10000
#define TOGETHER	4

static struct dev_info dev;
static char *page;

static void child(int ready)
{
	struct storm_user u;
	int ret = storm_use(&u, &dev, page, 2);

	page[0] = ret ? 'e' : 'r';
	if (write(ready, page, 1) != 1)
		_exit(2);
	pause();
	_exit(1);
}

/* Some processes at once; returns how many did not die of the signal. */
static int round_of(int count, uint64_t *seed)
{
	pid_t pids[TOGETHER];
	int ready[2], bad = 0, status, i;
	char c;

	if (pipe(ready))
		tap_bail("pipe: %s", strerror(errno));
	for (i = 0; i < count; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			tap_bail("fork: %s", strerror(errno));
		if (!pids[i])
			child(ready[1]);
	}
	/* The first half are all there; then whatever the others are at. */
	for (i = 0; i < (count + 1) / 2; i++)
		bad += read(ready[0], &c, 1) != 1 || c != 'r';
	usleep(dev_random(seed) % 512);
	for (i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	for (i = 0; i < count; i++)
		bad += waitpid(pids[i], &status, 0) != pids[i] || !WIFSIGNALED(status) ||
		       WTERMSIG(status) != SIGKILL;
	close(ready[0]);
	close(ready[1]);
	return bad;
}

int main(void)
{
	int bad = 0, i;
	static struct storm before;
	uint64_t seed = 1;

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || dev_find("soft", 0, &dev) ||
	    dev_soft_latency(dev.name, ACCEL_SOFT_LATENCY_MAX))
		tap_bail("no soft device");
	for (i = 0; i < 10; i++)
		round_of(TOGETHER, &seed);
	storm_before(&before, "accel_soft");
	for (i = 0; i < PROCESSES; i += TOGETHER)
		bad += round_of(TOGETHER, &seed);
	tap_is(bad, 0, "%d processes opened, pinned, submitted and were killed", PROCESSES);
	storm_after(&before, "open, submit, SIGKILL", PROCESSES);
	tap_is(dev_soft_latency(dev.name, 0), 0, "the device works on");
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2" TIMEOUT=180 */
/*
 * Records of contexts: one that found none gets the first that becomes free; a reader that
 * copies them gets all that were ever used, however often the search has gone round, and
 * whoever was first when several processors looked for one.
 */
#include <errno.h>
#include <sys/mman.h>
#include <bpf/bpf.h>

#include "../top/frames.h"
#include "accel_stats.h"
#include "observe.h"

#define RECORDS	8
#define OPEN	40
#define AT_ONCE	4
#define EACH	100

static struct dev_info dev;

static int open_one(void)
{
	int fd = dev_open(dev.name);

	if (fd < 0)
		tap_bail("open: %s", strerror(-fd));
	return fd;
}

static void calls(int fd, int number)
{
	struct accel_job_wait wait = { .job_id = UINT64_MAX };

	while (number--)
		if (dev_ioctl(fd, ACCEL_IOCTL_JOB_WAIT, &wait) != -ENOENT)
			tap_bail("ioctl");
}

static void *map(const char *name, size_t size)
{
	char path[128];
	void *p;
	int fd;

	snprintf(path, sizeof(path), PINS "/%s", name);
	fd = bpf_obj_get(path);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		tap_bail("cannot map %s: %s", path, strerror(errno));
	close(fd);
	return p;
}

static void observe(unsigned int contexts)
{
	char command[64];

	snprintf(command, sizeof(command), "accelctl observe on --contexts %u", contexts);
	if (shell("accelctl observe off") || shell(command))
		tap_bail("accelctl observe");
}

#define ANY	UINT64_MAX	/* others' are not told to alice: null */

/* Contexts that have @done calls by the core's count, and @kept in their record. */
static int with(char *const argv[], uint64_t done, uint64_t kept)
{
	struct seen seen = { 0 };
	struct json_node *frame;
	struct child top;
	int n = 0;

	if (!child_start(&top, argv))
		tap_bail("cannot start accel-top");
	frame = next_frame(&top, &seen);
	for (const struct json_node *c = json_at(frame, "contexts.0"); c; c = c->next)
		n += json_u64_at(c, "ops.ioctl.calls") == done &&
		     json_u64_at(c, "latency.ioctl.total.count") == kept;
	json_free(frame);
	child_end(&top, SIGTERM);
	return n;
}

static char *const root[] = { "accel-top", "--json", "-d", "0.5", NULL };
static char *const alice[] = { "su", "alice", "-c", "exec accel-top --json -d 0.5", NULL };

static void full(void)
{
	struct accel_stats_control *control;
	int fds[RECORDS], late, later;

	observe(RECORDS);
	control = map("control", 4096);
	for (int i = 0; i < RECORDS; i++) {
		fds[i] = open_one();
		calls(fds[i], 1);
	}
	late = open_one();
	later = open_one();
	calls(late, 3);
	calls(later, 3);
	tap_is(with(root, 1, 1), RECORDS, "full: those that came first have a record each");
	tap_is(with(root, 3, 3), 0, "full: those that came later have none");
	tap_is(control->no_record, 2, "full: each of them is counted, and once");
	close(fds[3]);
	calls(late, 5);
	tap_is(with(root, 8, 5), 1, "full: one that is closed makes room for a later one");
	calls(later, 4);
	tap_is(with(root, 7, 4), 0, "full: and not for two");
	close(fds[5]);
	calls(later, 6);
	tap_is(with(alice, ANY, 6), 1, "full: another one that is closed, for the other");
	tap_is(with(alice, ANY, 5), 1, "full: which takes nothing away from the first");
	tap_is(control->no_record, 2, "full: as many found none as before");
	for (int i = 0; i < RECORDS; i++)
		if (i != 3 && i != 5)
			close(fds[i]);
	close(late);
	close(later);
	munmap(control, 4096);
}

/* As after 2^32 records that were looked at, which takes some hours. */
static void round_it_goes(void)
{
	struct accel_stats_control *control;
	int fds[OPEN + 2];

	observe(64);
	control = map("control", 4096);
	for (int i = 0; i < OPEN; i++)
		fds[i] = open_one();
	control->cursor = UINT32_MAX - 1;
	for (int i = OPEN; i < OPEN + 2; i++)
		fds[i] = open_one();
	for (int i = 0; i < OPEN + 2; i++)
		calls(fds[i], 2);
	tap_is(with(root, 2, 2), OPEN + 2, "round: all have a record");
	tap_is(with(alice, ANY, 2), OPEN + 2, "round: and alice sees all of them");
	for (int i = 0; i < OPEN + 2; i++)
		close(fds[i]);
	munmap(control, 4096);
}

static void at_once(void)
{
	const size_t size = 1024 * sizeof(struct accel_stats_ctx);
	unsigned int used = 0, live = 0, last = 0, kept = 0;
	struct accel_stats_control *control;
	struct accel_stats_ctx *contexts;
	int ready[2], go[2];
	char byte;

	observe(1024);
	control = map("control", 4096);
	contexts = map("contexts", size);
	if (pipe(ready) || pipe(go))
		tap_bail("pipe");
	fflush(stdout);
	for (int i = 0; i < AT_ONCE; i++) {
		if (fork())
			continue;
		close(go[1]);
		for (int k = 0; k < EACH; k++)
			open_one();
		if (write(ready[1], "", 1) != 1 || read(go[0], &byte, 1))
			_exit(1);
		_exit(0);
	}
	for (int i = 0; i < AT_ONCE; i++)
		if (read(ready[0], &byte, 1) != 1)
			tap_bail("a process has ended");
	for (unsigned int i = 0; i < 1024; i++) {
		if (contexts[i].head.state == ACCEL_STATS_FREE)
			continue;
		used++;
		live += contexts[i].head.state == ACCEL_STATS_LIVE;
		last = i + 1;
	}
	tap_is(live, AT_ONCE * EACH, "at once: all have a record");
	tap_is(used, live, "at once: and nobody has another one");
	tap_is(control->contexts_used, last, "at once: readers know up to where");
	tap_is(control->taken, live, "at once: as many are taken");
	close(go[1]);
	while (wait(NULL) > 0)
		;
	for (unsigned int i = 0; i < 1024; i++)
		kept += contexts[i].head.state == ACCEL_STATS_ENDED;
	tap_is(kept, AT_ONCE * EACH, "at once: all have ended");
	tap_is(control->taken, 0, "at once: none is taken any more");
	munmap(control, 4096);
	munmap(contexts, size);
}

int main(void)
{
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	full();
	round_it_goes();
	at_once();
	tap_is(shell("accelctl observe off"), 0, "off");
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=60 */
/*
 * The reader of the events is woken by a backlog, which it would not have to wait for, and
 * by nothing less: waking it for each event would take longer than the event. How often
 * it is, the kernel's ring buffer is asked (a kprobe); the reader stands still meanwhile,
 * so that all that happens is a matter of bytes.
 */
#include <sched.h>

#include "trace.h"

#define TRACEFS	"/sys/kernel/tracing/"
#define FEW	30
#define FLOOD	2000

/* Of all readers of BPF ring buffers; there is one. */
static unsigned long wakeups(void)
{
	FILE *f = fopen(TRACEFS "kprobe_profile", "re");
	unsigned long hits = 0;
	char line[128];

	if (!f)
		tap_bail("no kprobe_profile");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " wakeups %lu", &hits) == 1)
			break;
	fclose(f);
	return hits;
}

static void probe(void)
{
	if (dev_write(TRACEFS "kprobe_events", "p:accel/wakeups bpf_ringbuf_notify") ||
	    dev_write(TRACEFS "events/accel/wakeups/enable", "1"))
		tap_bail("no kprobe: %s", strerror(errno));
}

static void unprobe(void)
{
	dev_write(TRACEFS "events/accel/wakeups/enable", "0");
	dev_write(TRACEFS "kprobe_events", "-:accel/wakeups");
}

/* All from one processor, so that it is one ring. */
static void one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		tap_bail("sched_setaffinity: %s", strerror(errno));
}

static void ioctls(int fd, unsigned int n, unsigned int *made)
{
	for (unsigned int i = 0; i < n; i++)
		dev_ioctl(fd, TRACE_NOTHING, NULL);
	*made += n;
}

int main(void)
{
	unsigned long before, flood;
	unsigned int made = 0;
	struct trace_end end;
	struct dev_info dev;
	int fd, status;
	pid_t pid;

	if (dev_find("soft", 0, &dev) || (fd = dev_open(dev.name)) < 0)
		tap_bail("no soft device");
	/* FEW are less than a quarter of that, which wakes the reader; FLOOD are more than all */
	pid = trace_start("64K", fd, &made);
	trace_rest();
	one_processor();
	probe();
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	before = wakeups();
	ioctls(fd, FEW, &made);
	tap_is(wakeups() - before, 0, "%d events wake nobody", FEW);
	ioctls(fd, FLOOD, &made);
	flood = wakeups() - before;
	tap_ok(flood >= 1, "a backlog does");
	tap_ok(flood <= 8, "  as it passes the mark, and not for each event: %lu times", flood);
	kill(pid, SIGCONT);
	trace_rest();
	unprobe();
	trace_stop(pid);
	tap_ok(trace_read(&end, NULL, NULL), "valid JSON, with an end");
	tap_is(end.emitted, end.delivered + end.lost, "delivered + lost = emitted");
	tap_ok(end.emitted <= made && end.emitted >= FEW + FLOOD, "of %u ioctls", made);
	tap_ok(end.lost && end.delivered > FEW, "the ring was full: %llu delivered, %llu lost",
	       (unsigned long long)end.delivered, (unsigned long long)end.lost);
	close(fd);
	return tap_done();
}

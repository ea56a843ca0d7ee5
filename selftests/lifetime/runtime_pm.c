// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=2,runtime_pm=1" */
/*
 * Runtime PM: what resumes a device, that it is suspended again, that looking at it
 * never resumes it, and what happens when it cannot be resumed. The PM core's own
 * tracepoint tells who tried.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

#define PARENT		"accel_soft.0"
#define DRIVER		"/sys/bus/platform/drivers/accel_soft/"
#define POWER		"/sys/bus/platform/devices/" PARENT "/power/"
#define RESUME_ERROR	"/sys/module/accel_soft/parameters/resume_error"
#define TRACE		"/sys/kernel/tracing/instances/pm"
#define SIZE		(4 * 4096UL)

static int status_is(const char *want)
{
	char text[32] = "";
	FILE *f = fopen(POWER "runtime_status", "r");

	if (!f || !fgets(text, sizeof(text), f))
		tap_bail(POWER "runtime_status: %s", strerror(errno));
	fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, want);
}

/* For ever, unless it does. */
static void wait_suspended(void)
{
	while (!status_is("suspended"))
		usleep(1000);
}

/* How often the PM core was asked to resume the device since the last call. */
static int resumes(void)
{
	char line[512];
	int n = 0;
	FILE *f = fopen(TRACE "/trace", "r");

	if (!f)
		tap_bail(TRACE ": %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		n += line[0] != '#' && strstr(line, "rpm_resume:") != NULL;
	fclose(f);
	f = fopen(TRACE "/trace", "w");
	if (f)
		fclose(f);
	return n;
}

/* What has just been done resumed the device, and it is suspended again. */
static void resumed(const char *what)
{
	int n;

	wait_suspended();
	n = resumes();
	tap_ok(n > 0, "%s resumes it (%d), and it is suspended again", what, n);
}

static void not_resumed(const char *what)
{
	tap_is(resumes(), 0, "%s does not resume it", what);
}

/* A command that looks, succeeds, and resumes nothing. */
static void looks(const char *command)
{
	int status = system(command);

	tap_is(status, 0, "%s", command);
	not_resumed("that");
}

static void look(void)
{
	looks("find /sys/class/accelerator/acc0/ -type f -perm -400 ! -path '*/power/*' "
	      "-exec cat {} + >/dev/null");
	looks("cat /sys/kernel/debug/accelerator/acc0/* >/dev/null");
	looks("accelctl dev list >/dev/null");
	looks("accelctl dev show acc0 >/dev/null");
	looks("accelctl engine >/dev/null");
	looks("accelctl stats >/dev/null");
	looks("accelctl ctx list >/dev/null");
}

static int submit(int fd, uint64_t mem, uint64_t *job)
{
	struct accel_soft_submit args = {
		.op = ACCEL_SOFT_OP_FILL, .dst_mem = mem, .length = SIZE, .pattern = 7,
	};
	int ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &args);

	*job = args.job_id;
	return ret;
}

static int set_latency(int control, uint64_t ns)
{
	struct accel_soft_config config = {
		.engine = ACCEL_SOFT_ENGINE_ANY, .latency_ns = ns,
	};

	return dev_ioctl(control, ACCEL_SOFT_IOCTL_CONFIG, &config);
}

static void test_use(void *memory)
{
	volatile struct accel_soft_status *status;
	int fd, control, second, times;
	struct accel_job_wait wait;
	uint64_t mem, job;
	char command[64];

	fd = dev_open("acc0");
	control = dev_open("acc0c");
	tap_ok(fd >= 0 && control >= 0, "open");
	resumed("open");
	snprintf(command, sizeof(command), "cat /proc/%d/fdinfo/%d >/dev/null", getpid(), fd);
	looks(command);
	look();
	status = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	tap_ok(status != MAP_FAILED, "mmap");
	resumed("an mmap");
	tap_ok(status->version == 1, "its page is touched");
	not_resumed("that");
	munmap((void *)status, 4096);

	tap_is(dev_pin(fd, memory, SIZE, ACCEL_MEM_WRITE, &mem), 0, "pin");
	resumed("a pin");
	tap_is(submit(fd, mem, &job) ?: dev_wait(fd, job, &wait) ?: wait.status, 0, "a job");
	resumed("a job");

	/* A job that runs for as long as nobody ends it, and no call beside it. */
	tap_is(set_latency(control, ACCEL_SOFT_LATENCY_MAX), 0, "jobs that last");
	resumed("an ioctl");
	tap_is(submit(fd, mem, &job), 0, "one of them");
	while (dev_attr("acc0", "engines/eng0/running") != 1)
		usleep(1000);
	/* The submit's end may still suspend it, before the job, which runs by then, resumes it. */
	for (times = 0; times < 100 && dev_attr("acc0", "engines/eng0/running") == 1; usleep(1000))
		times = status_is("active") ? times + 1 : 0;
	tap_is(times, 100, "the device is not suspended while it runs");
	tap_is(set_latency(control, 0), 0, "no more of them");
	resumes();
	second = dev_open("acc0");
	tap_ok(second >= 0, "open once more");
	close(fd);
	resumed("that");

	tap_is(dev_write(DRIVER "unbind", PARENT), 0, "unbind while it is suspended");
	tap_is(dev_ioctl(second, ACCEL_IOCTL_MEM_UNPIN, &mem), -ENODEV, "the file is dead");
	close(second);
	close(control);
	tap_is(dev_write(DRIVER "bind", PARENT), 0, "bind");
	wait_suspended();
	resumes();
}

/* The hardware does not come back: nothing works, nothing hangs, all can be closed. */
static void test_failure(void *memory)
{
	volatile struct accel_soft_status *touched, *untouched;
	struct accel_job_wait wait;
	uint64_t mem, job;
	struct dev_info dev;
	int fd;

	if (dev_find("soft", 0, &dev) || (fd = dev_open(dev.name)) < 0)
		tap_bail("no device");
	tap_is(dev_pin(fd, memory, SIZE, ACCEL_MEM_WRITE, &mem), 0, "a file with a region");
	touched = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	untouched = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	tap_ok(touched != MAP_FAILED && untouched != MAP_FAILED && touched->version == 1,
	       "and two mappings, one of them touched");
	wait_suspended();
	tap_is(dev_write(RESUME_ERROR, "-5"), 0, "resuming is to fail");
	tap_is(submit(fd, mem, &job), -EIO, "a call answers EIO");
	tap_is(dev_open(dev.name), -EIO, "open, too");
	tap_is(dev_pin(fd, memory, SIZE, ACCEL_MEM_WRITE, NULL), -EIO, "a pin, too");
	tap_is(dev_attr(dev.name, "contexts"), 1, "the device is still to be seen");
	/* The device is there, and so is its memory: neither a signal nor an empty page. */
	tap_is(untouched->version, 1, "a mapping that is touched only now shows it");
	tap_is(touched->version, 1, "and so does the other");
	munmap((void *)touched, 4096);
	munmap((void *)untouched, 4096);
	close(fd);
	tap_is(dev_attr(dev.name, "pinned_bytes"), 0, "a close works, and gives all back");
	tap_is(dev_write(DRIVER "unbind", PARENT), 0, "so does an unbind");
	tap_is(dev_write(RESUME_ERROR, "0"), 0, "resuming is to work");
	tap_is(dev_write(DRIVER "bind", PARENT), 0, "bind");
	if (dev_find("soft", 0, &dev) || (fd = dev_open(dev.name)) < 0)
		tap_bail("no device after all");
	tap_is(dev_pin(fd, memory, SIZE, ACCEL_MEM_WRITE, &mem) ?: submit(fd, mem, &job) ?:
	       dev_wait(fd, job, &wait) ?: wait.status, 0, "all is well again");
	close(fd);
}

int main(void)
{
	long long pins = dev_foll_pins();
	struct dev_info dev;
	void *memory;

	if (dev_find("soft", 0, &dev) || strcmp(dev.name, "acc0"))
		tap_bail("no soft device acc0");
	if ((mkdir(TRACE, 0700) && errno != EEXIST) ||
	    dev_write(TRACE "/events/rpm/rpm_resume/filter", "name == \"" PARENT "\"") ||
	    dev_write(TRACE "/events/rpm/rpm_resume/enable", "1"))
		tap_bail(TRACE ": %s", strerror(errno));
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	wait_suspended();
	resumes();
	tap_ok(status_is("suspended"), "a device that nobody has used is suspended");
	look();
	test_use(memory);
	test_failure(memory);
	tap_is(dev_foll_pins(), pins, "no page is pinned");
	tap_is(dev_charged_kb(0), 0, "nor charged for");
	dev_write(TRACE "/events/rpm/rpm_resume/enable", "0");
	rmdir(TRACE);
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=1" */
/* Commands, sizes, reserved fields and arguments that are not there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clean.h"

#define PAGE	4096UL

/* The same command with another size. */
#define RESIZED(cmd, size)	_IOC(_IOC_DIR(cmd), _IOC_TYPE(cmd), _IOC_NR(cmd), size)

struct known {
	const char *name;
	int fd;
	unsigned long cmd;
	const void *arg;	/* harmless */
	int answer;		/* to it */
};

static uint8_t *page;		/* and nothing behind it */
static int soft, control, edu;

static void test_unknown(int fd, const char *node)
{
	static const struct {
		const char *what;
		unsigned long cmd;
	} unknown[] = {
		{ "a number between the core's and the drivers'", _IO(ACCEL_IOCTL_TYPE, 0x3f) },
		{ "a high number", _IOWR(ACCEL_IOCTL_TYPE, 0xff, uint64_t) },
		{ "another type", _IOWR('x', 0, struct accel_mem_pin) },
		{ "a terminal's TCGETS", 0x5401 },
		{ "mem_pin without a direction", _IO(ACCEL_IOCTL_TYPE, 0) },
		{ "mem_pin, only written", _IOW(ACCEL_IOCTL_TYPE, 0, struct accel_mem_pin) },
		{ "mem_pin, only read", _IOR(ACCEL_IOCTL_TYPE, 0, struct accel_mem_pin) },
		{ "0", 0 },
		{ "2^32 - 1", 0xffffffff },
	};

	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		tap_is(dev_ioctl(fd, unknown[i].cmd, page), -ENOTTY, "%s, %s: ENOTTY", node,
		       unknown[i].what);
}

/* A job that was started by the way has to be waited for. */
static int submit(const struct known *k, unsigned int size, void *arg)
{
	int ret = dev_ioctl(k->fd, RESIZED(k->cmd, size), arg);
	struct accel_job_wait wait;
	uint64_t id = 0;

	if (!ret && k->cmd == ACCEL_SOFT_IOCTL_SUBMIT)
		id = ((struct accel_soft_submit *)arg)->job_id;
	else if (!ret && k->cmd == ACCEL_EDU_IOCTL_FACTORIAL)
		id = ((struct accel_edu_factorial *)arg)->job_id;
	else if (!ret && k->cmd == ACCEL_IOCTL_MEM_PIN)
		ret = dev_unpin(k->fd, ((struct accel_mem_pin *)arg)->mem_id);
	return id ? dev_wait(k->fd, id, &wait) : ret;
}

static void test_size(const struct known *k)
{
	unsigned int size = _IOC_SIZE(k->cmd), max = 8192;
	static uint8_t big[8192];
	uint8_t *end = page + PAGE - size;

	memcpy(end, k->arg, size);
	tap_is(submit(k, size, end), k->answer, "%s at the end of a mapped page", k->name);
	memcpy(page, k->arg, size);
	tap_is(dev_ioctl(k->fd, k->cmd, end + 1), -EFAULT, "%s over it: EFAULT", k->name);
	tap_is(dev_ioctl(k->fd, k->cmd, NULL), -EFAULT, "%s of NULL: EFAULT", k->name);
	tap_is(dev_ioctl(k->fd, k->cmd, page + PAGE), -EFAULT, "%s of what is not mapped: EFAULT",
	       k->name);
	tap_is(dev_ioctl(k->fd, k->cmd, (void *)-4096L), -EFAULT, "%s of the kernel's: EFAULT",
	       k->name);

	memset(big, 0, sizeof(big));
	memcpy(big, k->arg, size);
	tap_is(submit(k, size - 1, big), -EINVAL, "%s, a byte short: EINVAL", k->name);
	tap_is(submit(k, 0, big), -EINVAL, "%s without an argument: EINVAL", k->name);
	memcpy(big, k->arg, size);
	tap_is(submit(k, size + 8, big), k->answer, "%s, longer by zeroes", k->name);
	memcpy(big, k->arg, size);
	tap_is(submit(k, max, big), k->answer, "%s, longer by a lot of them", k->name);
	memcpy(big, k->arg, size);
	big[size] = 1;
	tap_is(submit(k, size + 8, big), -E2BIG, "%s, longer by something: E2BIG", k->name);
	big[size] = 0;
	big[max - 1] = 1;
	tap_is(submit(k, max, big), -E2BIG, "%s, something at its far end: E2BIG", k->name);
}

static void test_sizes(void)
{
	struct accel_mem_pin pin = {
		.addr = (uintptr_t)page, .length = PAGE, .flags = ACCEL_MEM_READ,
	};
	struct accel_mem_unpin unpin = { .mem_id = 999999 };
	struct accel_job_wait wait = { .job_id = 999999 };
	struct accel_soft_submit nop = { .op = ACCEL_SOFT_OP_NOP };
	struct accel_soft_config config = { .engine = ACCEL_SOFT_ENGINE_ANY };
	struct accel_edu_factorial factorial = { .n = 5 };
	struct accel_edu_dma dma = {
		.mem_id = 999999, .length = 1, .op = ACCEL_EDU_OP_TO_DEVICE,
	};
	const struct known known[] = {
		{ "mem_pin", soft, ACCEL_IOCTL_MEM_PIN, &pin, 0 },
		{ "mem_unpin", soft, ACCEL_IOCTL_MEM_UNPIN, &unpin, -ENOENT },
		{ "job_wait", soft, ACCEL_IOCTL_JOB_WAIT, &wait, -ENOENT },
		{ "soft_submit", soft, ACCEL_SOFT_IOCTL_SUBMIT, &nop, 0 },
		{ "soft_config", control, ACCEL_SOFT_IOCTL_CONFIG, &config, 0 },
		{ "edu_factorial", edu, ACCEL_EDU_IOCTL_FACTORIAL, &factorial, 0 },
		{ "edu_dma", edu, ACCEL_EDU_IOCTL_DMA, &dma, -ENOENT },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct clean before = clean_read();

		test_size(&known[i]);
		clean_check(&before, known[i].name);
	}
}

static int pin(uint32_t flags, uint32_t reserved)
{
	struct accel_mem_pin arg = {
		.addr = (uintptr_t)page, .length = PAGE, .flags = flags, .reserved = reserved,
	};

	return dev_ioctl(soft, ACCEL_IOCTL_MEM_PIN, &arg);
}

/* Reserved bits of the drivers' own are in drivers/. */
static void test_reserved(void)
{
	struct accel_job_wait wait = { .job_id = 1, .reserved = 1 };
	struct clean before = clean_read();

	tap_is(pin(0, 0), -EINVAL, "mem_pin for nothing");
	tap_is(pin(ACCEL_MEM_READ | 1 << 3, 0), -EINVAL, "mem_pin, unknown flag");
	tap_is(pin(ACCEL_MEM_READ | 1U << 31, 0), -EINVAL, "mem_pin, the highest flag");
	tap_is(pin(ACCEL_MEM_READ, 1), -EINVAL, "mem_pin, reserved");
	tap_is(dev_ioctl(soft, ACCEL_IOCTL_JOB_WAIT, &wait), -EINVAL, "job_wait, reserved");
	wait.reserved = 0;
	wait.deadline_ns = -1;
	tap_is(dev_ioctl(soft, ACCEL_IOCTL_JOB_WAIT, &wait), -EINVAL, "job_wait, before 0");
	clean_check(&before, "reserved bits");
}

/* What cannot be answered must not be done: nobody would know its id. */
static void test_answer_nowhere(void)
{
	struct accel_mem_pin arg = {
		.addr = (uintptr_t)page, .length = PAGE, .flags = ACCEL_MEM_READ,
	};
	struct accel_soft_submit nop = { .op = ACCEL_SOFT_OP_NOP };
	struct accel_job_wait wait;
	struct clean before = clean_read();
	uint8_t *answer;

	answer = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (answer == MAP_FAILED)
		tap_bail("no memory");
	memcpy(answer, &arg, sizeof(arg));
	mprotect(answer, PAGE, PROT_READ);
	tap_is(dev_ioctl(soft, ACCEL_IOCTL_MEM_PIN, answer), -EFAULT,
	       "mem_pin whose answer cannot be written: EFAULT");
	tap_ok(!memcmp(answer, &arg, sizeof(arg)), "its argument is as it was");
	tap_is(dev_ioctl(soft, ACCEL_SOFT_IOCTL_SUBMIT, &nop), 0, "a job");
	wait = (struct accel_job_wait) { .job_id = nop.job_id, .deadline_ns = INT64_MAX };
	mprotect(answer, PAGE, PROT_READ | PROT_WRITE);
	memcpy(answer, &wait, sizeof(wait));
	mprotect(answer, PAGE, PROT_READ);
	tap_is(dev_ioctl(soft, ACCEL_IOCTL_JOB_WAIT, answer), -EFAULT,
	       "job_wait whose answer cannot be written: EFAULT");
	tap_is(dev_wait(soft, nop.job_id, &wait), 0, "the job's end can still be learnt");
	munmap(answer, PAGE);
	clean_check(&before, "a mem_pin without an answer");
}

static void test_other_operations(void)
{
	char byte = 0;

	tap_ok(read(soft, &byte, 1) < 0 && errno == EINVAL, "read: EINVAL");
	tap_ok(write(soft, &byte, 1) < 0 && errno == EINVAL, "write: EINVAL");
}

int main(void)
{
	struct dev_info dev;
	char node[64];

	edu = open_first("edu", &dev);
	soft = open_first("soft", &dev);
	snprintf(node, sizeof(node), "%sc", dev.name);
	control = dev_open(node);
	if (control < 0)
		tap_bail("cannot open %s", node);
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || munmap(page + PAGE, PAGE))
		tap_bail("no memory");
	test_unknown(soft, "soft");
	test_unknown(control, "control");
	test_unknown(edu, "edu");
	test_sizes();
	test_reserved();
	test_answer_nowhere();
	test_other_operations();
	return tap_done();
}

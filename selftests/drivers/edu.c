// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1" TIMEOUT=300 */
/*
 * The edu driver, by bytes read back: factorials, and DMA between pinned memory
 * and the device's buffer, of which this program keeps a copy. Each DMA takes the
 * device 100 ms. And what is cancelled goes on in the hardware, which has one job after
 * the other: none may be taken for another.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "device.h"
#include "tap.h"

#define PAGE		4096UL
#define REGION		(8 * PAGE)
#define TRANSFERS	30
#define ABANDONED	8
#define RW		(ACCEL_MEM_READ | ACCEL_MEM_WRITE)

static int fd = -1;
static uint64_t seed = 7;

static int wait_job(uint64_t id, uint64_t *result)
{
	struct accel_job_wait wait;
	int ret = dev_wait(fd, id, &wait);

	if (!ret && result)
		*result = wait.result;
	return ret ? ret : wait.status;
}

static void test_factorial(void)
{
	static const uint32_t large[] = { 33, 34, 1000, 4096 };
	uint32_t expected = 1, wrong = 0;
	uint64_t result;

	for (uint32_t n = 0; n < 24; n++) {
		struct accel_edu_factorial arg = { .n = n < 20 ? n : large[n - 20] };

		expected = 1;
		for (uint32_t i = 2; i <= arg.n; i++)
			expected *= i;
		result = 0;
		if (dev_ioctl(fd, ACCEL_EDU_IOCTL_FACTORIAL, &arg) ||
		    wait_job(arg.job_id, &result) || result != expected) {
			tap_diag("%u! is %#x, not %#llx", arg.n, expected,
				 (unsigned long long)result);
			wrong++;
		}
	}
	tap_is(wrong, 0, "factorials of 0 to 19, 33, 34, 1000 and 4096, modulo 2^32");
}

static int dma(uint64_t mem, uint64_t offset, uint32_t at, uint32_t n, uint32_t op)
{
	struct accel_edu_dma arg = {
		.mem_id = mem, .offset = offset, .length = n, .buffer_offset = at, .op = op,
	};
	int ret = dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &arg);

	return ret ? ret : wait_job(arg.job_id, NULL);
}

static void test_dma(uint8_t *region, uint64_t mem)
{
	static uint8_t model[REGION], buffer[ACCEL_EDU_BUFFER_SIZE];
	unsigned int failed = 0, wrong = 0;

	/* what the buffer holds is not known before it was filled once */
	for (size_t i = 0; i < REGION; i++)
		region[i] = dev_random(&seed);
	memcpy(model, region, REGION);
	tap_is(dma(mem, 0, 0, sizeof(buffer), ACCEL_EDU_OP_TO_DEVICE), 0, "fill the buffer");
	memcpy(buffer, region, sizeof(buffer));
	for (int i = 0; i < TRANSFERS; i++) {
		uint32_t n = 1 + dev_random(&seed) % (i % 3 ? ACCEL_EDU_BUFFER_SIZE : 64);
		uint32_t at = dev_random(&seed) % (ACCEL_EDU_BUFFER_SIZE - n + 1);
		uint64_t offset = dev_random(&seed) % (REGION - n + 1);
		int back = i & 1, ret;

		ret = dma(mem, offset, at, n,
			  back ? ACCEL_EDU_OP_FROM_DEVICE : ACCEL_EDU_OP_TO_DEVICE);
		if (ret) {
			tap_diag("%u bytes, %llu in memory, %u in the buffer: %s", n,
				 (unsigned long long)offset, at, strerror(-ret));
			failed++;
			continue;
		}
		if (back)
			memcpy(model + offset, buffer + at, n);
		else
			memcpy(buffer + at, region + offset, n);
		if (memcmp(region, model, REGION)) {
			tap_diag("%s %u bytes, %llu in memory, %u in the buffer",
				 back ? "from the device" : "to the device", n,
				 (unsigned long long)offset, at);
			wrong++;
			memcpy(model, region, REGION);
		}
		/* new bytes to send */
		region[offset] = model[offset] = dev_random(&seed);
	}
	tap_is(failed, 0, "%d transfers of random length, place and direction", TRANSFERS);
	tap_is(wrong, 0, "each byte of the region is right after each, also those around");
	tap_is(dma(mem, PAGE - 1, 0, sizeof(buffer), ACCEL_EDU_OP_FROM_DEVICE), 0,
	       "read the buffer back");
	tap_ok(!memcmp(region + PAGE - 1, buffer, sizeof(buffer)), "it is what was sent");
}

static void test_refusals(uint64_t mem, uint64_t read_only, uint64_t write_only)
{
	struct accel_edu_dma arg = { .mem_id = mem, .length = 1, .reserved = 1 };
	struct accel_edu_factorial factorial = { .n = 1, .reserved = 1 };

	tap_is(dma(mem, 0, 0, 0, ACCEL_EDU_OP_TO_DEVICE), -EINVAL, "no bytes");
	tap_is(dma(mem, 0, 0, 4097, ACCEL_EDU_OP_TO_DEVICE), -ERANGE, "more than the buffer holds");
	tap_is(dma(mem, 0, 4000, 97, ACCEL_EDU_OP_TO_DEVICE), -ERANGE, "over the buffer's end");
	tap_is(dma(mem, 0, UINT32_MAX, 2, ACCEL_EDU_OP_TO_DEVICE), -ERANGE, "far beyond it");
	tap_is(dma(mem, REGION - 1, 0, 2, ACCEL_EDU_OP_TO_DEVICE), -ERANGE, "over the region's end");
	tap_is(dma(mem, UINT64_MAX, 0, 2, ACCEL_EDU_OP_TO_DEVICE), -ERANGE, "far beyond it");
	tap_is(dma(mem, 0, 0, 1, 3), -EINVAL, "an operation that there is not");
	tap_is(dma(mem, 0, 0, 1, ACCEL_EDU_OP_FACTORIAL), -EINVAL, "one that is no DMA");
	tap_is(dma(0, 0, 0, 1, ACCEL_EDU_OP_TO_DEVICE), -ENOENT, "no region");
	tap_is(dma(read_only, 0, 0, 1, ACCEL_EDU_OP_FROM_DEVICE), -EACCES,
	       "into a region that is only read");
	tap_is(dma(write_only, 0, 0, 1, ACCEL_EDU_OP_TO_DEVICE), -EACCES,
	       "out of one that is only written");
	tap_is(dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &arg), -EINVAL, "reserved bits of a DMA");
	tap_is(dev_ioctl(fd, ACCEL_EDU_IOCTL_FACTORIAL, &factorial), -EINVAL,
	       "reserved bits of a factorial");
}

/* A file that is closed while the hardware works for it: on @n, or writes to its @page. */
static void abandon(const char *name, uint32_t n, void *page)
{
	struct accel_edu_dma to_page = { .length = PAGE - 1, .op = ACCEL_EDU_OP_FROM_DEVICE };
	struct accel_edu_factorial factorial = { .n = n };
	int other = dev_open(name), ret = other;
	uint64_t id = 0;

	if (page && other >= 0) {
		ret = dev_pin(other, page, PAGE, RW, &id);
		to_page.mem_id = id;
	}
	if (ret >= 0)
		ret = page ? dev_ioctl(other, ACCEL_EDU_IOCTL_DMA, &to_page) :
			     dev_ioctl(other, ACCEL_EDU_IOCTL_FACTORIAL, &factorial);
	if (ret)
		tap_bail("cannot submit from another file: %s", strerror(-ret));
	/* it has begun, and may have ended if we were stopped meanwhile */
	while (dev_attr(name, "engines/edu/queued"))
		usleep(100);
	close(other);
}

/*
 * What is still at work, and what it says when it is through, is not this file's: its
 * results and its bytes are right, each time. The first factorial takes seconds.
 */
static void test_abandoned(const char *name, uint8_t *region, uint64_t mem)
{
	unsigned int wrong = 0, failed = 0, moved = 0;
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);

	if (page == MAP_FAILED)
		tap_bail("no memory: %s", strerror(errno));
	for (unsigned int i = 0; i < ABANDONED; i++) {
		struct accel_edu_factorial small = { .n = 5 };
		uint32_t large = i ? 1U << 28 : UINT32_MAX;
		uint64_t result = 0;

		abandon(name, large, NULL);
		failed += dev_ioctl(fd, ACCEL_EDU_IOCTL_FACTORIAL, &small) ||
			  wait_job(small.job_id, &result);
		wrong += result != 120;

		/* a factorial and then a DMA that are both not waited for */
		memset(region, 0x10 + i, PAGE - 1);
		memset(region + PAGE, 0, PAGE - 1);
		abandon(name, large, NULL);
		failed += !!dma(mem, 0, 0, PAGE - 1, ACCEL_EDU_OP_TO_DEVICE);
		abandon(name, 0, page);
		failed += !!dma(mem, PAGE, 0, PAGE - 1, ACCEL_EDU_OP_FROM_DEVICE);
		moved += !!memcmp(region, region + PAGE, PAGE - 1);
	}
	munmap(page, PAGE);
	tap_is(failed, 0, "jobs behind %d factorials and DMAs of files that were closed", ABANDONED);
	tap_is(wrong, 0, "5! is 120 behind each");
	tap_is(moved, 0, "and every byte is where it was sent");
}

static void test_registers(void)
{
	volatile uint32_t *regs = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	if (tap_ok(regs != MAP_FAILED, "the registers can be mapped")) {
		tap_is(regs[0] & 0xff, 0xed, "the first is the device's identification");
		munmap((void *)regs, PAGE);
	}
	tap_ok(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED,
	       "not for writing");
	tap_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 1 << 20) == MAP_FAILED,
	       "and nothing beyond");
	if (seteuid(65534))
		tap_bail("seteuid: %s", strerror(errno));
	errno = 0;
	tap_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM,
	       "nor by who has no CAP_SYS_RAWIO, in a file that it was given");
	if (seteuid(0))
		tap_bail("seteuid: %s", strerror(errno));
}

int main(void)
{
	uint64_t mem, read_only, write_only;
	long long pins = dev_foll_pins();
	struct dev_info dev;
	uint8_t *region;

	if (dev_find("edu", 0, &dev))
		tap_bail("no edu device here: add -device edu to QEMU and load accel_edu");
	fd = dev_open(dev.name);
	if (fd < 0)
		tap_bail("cannot open %s: %s", dev.name, strerror(-fd));
	region = mmap(NULL, REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (region == MAP_FAILED)
		tap_bail("no memory: %s", strerror(errno));
	tap_is(dev_pin(fd, region, REGION, RW, &mem), 0, "pin a region");
	tap_is(dev_pin(fd, region, PAGE, ACCEL_MEM_READ, &read_only), 0, "and one to read");
	tap_is(dev_pin(fd, region, PAGE, ACCEL_MEM_WRITE, &write_only), 0, "and one to write");
	test_factorial();
	test_dma(region, mem);
	test_abandoned(dev.name, region, mem);
	test_refusals(mem, read_only, write_only);
	test_registers();
	close(fd);
	tap_is(dev_attr(dev.name, "pinned_bytes"), 0, "the close unpins all");
	tap_is(dev_foll_pins(), pins, "no page is left pinned");
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1" APPEND="swiotlb=force" */
/*
 * A job that fails leaves its owner's memory as it is, also where the device only writes
 * to it and all DMA is bounced: what is copied back is what was there when it began.
 */
#include "mem.h"

#define GONE	"/sys/module/accel_edu/parameters/gone"
#define N	100UL	/* bytes that a job writes */
#define AT	1000UL

static int fd;

/* The device is to write @n bytes of its buffer to a region. How the job ended. */
static int job(uint64_t mem, uint64_t offset, uint32_t n, uint32_t op)
{
	struct accel_edu_dma arg = { .mem_id = mem, .offset = offset, .length = n, .op = op };
	struct accel_job_wait wait;
	int ret = dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &arg);

	if (!ret)
		ret = dev_wait(fd, arg.job_id, &wait);
	return ret ? ret : wait.status;
}

static void gone(const char *value)
{
	if (dev_write(GONE, value))
		tap_bail(GONE ": cannot be written");
}

static size_t count(const uint8_t *p, uint8_t byte)
{
	size_t n = 0;

	for (size_t i = 0; i < PAGE; i++)
		n += p[i] == byte;
	return n;
}

static void test(uint32_t flags, const char *how)
{
	uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t mem;

	if (p == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	memset(p, 'A', PAGE);
	if (dev_pin(fd, p, PAGE, flags, &mem))
		tap_bail("pin");
	memset(p, 'B', PAGE);
	gone("Y");
	tap_is(job(mem, 0, ACCEL_EDU_BUFFER_SIZE, ACCEL_EDU_OP_FROM_DEVICE), -ENODEV, "%s: a job fails", how);
	gone("N");
	tap_is(count(p, 'B'), PAGE, "%s: each byte is what the processor has written", how);
	tap_is(job(mem, AT, N, ACCEL_EDU_OP_FROM_DEVICE), 0, "%s: one succeeds", how);
	tap_is(count(p, 'D'), N, "%s: it has written its bytes", how);
	tap_is(count(p, 'B'), PAGE - N, "%s: and no others", how);
	memset(p, 'C', PAGE);
	tap_is(dev_unpin(fd, mem), 0, "%s: unpin", how);
	tap_is(count(p, 'C'), PAGE, "%s: changes nothing", how);
	munmap(p, PAGE);
}

int main(void)
{
	uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct clean before;
	struct dev_info dev;
	uint64_t mem;

	fd = open_first("edu", &dev);
	before = clean_read();
	/* the device's own buffer */
	memset(p, 'D', PAGE);
	if (dev_pin(fd, p, PAGE, READ, &mem) || job(mem, 0, ACCEL_EDU_BUFFER_SIZE, ACCEL_EDU_OP_TO_DEVICE) ||
	    dev_unpin(fd, mem))
		tap_bail("no DMA");
	test(WRITE, "written to");
	test(READ | WRITE, "read and written to");
	clean_check(&before, "it");
	munmap(p, PAGE);
	close(fd);
	return tap_done();
}

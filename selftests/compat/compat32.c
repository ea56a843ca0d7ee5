// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=1" TIMEOUT=30 */
/*
 * A 32-bit caller gets what a 64-bit one gets. Compiled with -m32 and without a C
 * library, of which there is no 32-bit one here: system calls by int 0x80, TAP by hand.
 */
#include <asm/unistd.h>
#include <linux/accelerator.h>
#include <linux/accelerator_edu.h>
#include <linux/accelerator_soft.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/poll.h>

/* asm-generic's numbers are the kernel's own for x86 */
#define ENOENT	2
#define E2BIG	7
#define EBADF	9
#define EFAULT	14
#define EINVAL	22
#define ENOTTY	25
#define ERANGE	34
#define EOPNOTSUPP 95
#define ENOTCONN 107

#define PAGE	4096
#define FOR_EVER ((~0ULL) >> 1)

_Static_assert(sizeof(void *) == 4 && sizeof(long) == 4, "a 32-bit program");

static char memory[2 * PAGE] __attribute__((aligned(PAGE)));
static unsigned int points, failures;

static long call(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return ret;
}

static long control(int fd, unsigned int cmd, void *arg)
{
	return call(__NR_ioctl, fd, (long)cmd, (long)arg);
}

static void print(const char *text)
{
	unsigned int n = 0;

	while (text[n])
		n++;
	call(__NR_write, 1, (long)text, n);
}

static void print_number(long value)
{
	char text[12];
	unsigned int n = sizeof(text), rest = value < 0 ? -value : value;

	text[--n] = '\0';
	do {
		text[--n] = '0' + rest % 10;
		rest /= 10;
	} while (rest);
	if (value < 0)
		text[--n] = '-';
	print(text + n);
}

static void is(long got, long want, const char *what)
{
	if (got != want) {
		failures++;
		print("not ");
	}
	print("ok ");
	print_number(++points);
	print(" - ");
	print(what);
	if (got != want) {
		print("\n#   got ");
		print_number(got);
		print(", expected ");
		print_number(want);
	}
	print("\n");
}

static void test_memory(int fd, __u64 *mem_id)
{
	struct accel_mem_pin pin = { .length = PAGE, .flags = ACCEL_MEM_READ | ACCEL_MEM_WRITE };
	/* of a later version: longer, and what is beyond today's end is zero, or is not */
	struct {
		struct accel_mem_unpin old;
		__u64 newer;
	} unpin = { .newer = 1 };

	pin.addr = (unsigned long)memory + 1;
	is(control(fd, ACCEL_IOCTL_MEM_PIN, &pin), -EINVAL, "unaligned: EINVAL");
	pin.addr = (unsigned long)memory;
	pin.reserved = 1;
	is(control(fd, ACCEL_IOCTL_MEM_PIN, &pin), -EINVAL, "reserved field: EINVAL");
	pin.reserved = 0;
	is(control(fd, ACCEL_IOCTL_MEM_PIN, (void *)8), -EFAULT, "argument not there: EFAULT");
	pin.addr = 0xfffff000U;
	is(control(fd, ACCEL_IOCTL_MEM_PIN, &pin), -EFAULT, "memory not there: EFAULT");
	pin.addr = 1ULL << 32 | (unsigned long)memory;
	is(control(fd, ACCEL_IOCTL_MEM_PIN, &pin), -EFAULT, "address beyond 4 GiB: not cut off, EFAULT");
	pin.addr = (unsigned long)memory;
	is(control(fd, ACCEL_IOCTL_MEM_PIN, &pin), 0, "pinned");
	is(pin.mem_id != 0, 1, "and named");
	*mem_id = pin.mem_id;

	unpin.old.mem_id = pin.mem_id + 1000;
	is(control(fd, ACCEL_IOCTL_MEM_UNPIN, &unpin), -ENOENT, "another's name: ENOENT");
	is(control(fd, _IOC(_IOC_WRITE, ACCEL_IOCTL_TYPE, 1, sizeof(unpin)), &unpin), -E2BIG,
	   "a field that is not known: E2BIG");
	unpin.newer = 0;
	is(control(fd, _IOC(_IOC_WRITE, ACCEL_IOCTL_TYPE, 1, sizeof(unpin)), &unpin), -ENOENT,
	   "a longer argument that ends in zeroes is taken");
}

static void test_jobs(int fd, __u64 mem_id)
{
	struct accel_soft_submit submit = { .op = ACCEL_SOFT_OP_NOP, .engine = ACCEL_SOFT_ENGINE_ANY };
	struct accel_job_wait wait = { .deadline_ns = FOR_EVER };

	is(control(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit), 0, "nop submitted");
	wait.job_id = submit.job_id;
	is(control(fd, ACCEL_IOCTL_JOB_WAIT, &wait), 0, "nop waited for");
	is(wait.status, 0, "it ended well");
	is(control(fd, ACCEL_IOCTL_JOB_WAIT, &wait), -ENOENT, "and is forgotten");

	submit = (struct accel_soft_submit) {
		.op = ACCEL_SOFT_OP_FILL, .engine = ACCEL_SOFT_ENGINE_ANY, .dst_mem = mem_id,
		.dst_offset = 8, .length = 8, .pattern = 0x0807060504030201ULL,
	};
	is(control(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit), 0, "fill submitted");
	wait = (struct accel_job_wait) { .job_id = submit.job_id, .deadline_ns = FOR_EVER };
	is(control(fd, ACCEL_IOCTL_JOB_WAIT, &wait), 0, "fill waited for");
	is(memory[7] == 0 && memory[8] == 1 && memory[15] == 8 && memory[16] == 0, 1,
	   "64-bit fields arrived whole");
}

static int open_node(const char *path)
{
	return call(__NR_open, (long)path, O_RDWR, 0);
}

/* What one file exports another imports, and a job of the other writes to it. */
static void test_dmabuf(int fd, __u64 mem_id)
{
	struct accel_mem_export share = { .mem_id = mem_id, .flags = O_CLOEXEC, .fd = -1 };
	struct accel_mem_import import = { .flags = ACCEL_MEM_READ | ACCEL_MEM_WRITE };
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_FILL, .engine = ACCEL_SOFT_ENGINE_ANY,
		.dst_offset = 64, .length = 8, .pattern = 0x1817161514131211ULL,
	};
	struct accel_job_wait wait = { .deadline_ns = FOR_EVER };
	int other = open_node("/dev/accelerator/acc1");

	share.flags = 1;
	is(control(fd, ACCEL_IOCTL_MEM_EXPORT, &share), -EINVAL, "bad flags: not exported, EINVAL");
	share.flags = O_CLOEXEC;
	is(control(fd, ACCEL_IOCTL_MEM_EXPORT, &share), 0, "exported");
	is(share.fd >= 0, 1, "as a file descriptor");
	import.fd = -1;
	is(control(other, ACCEL_IOCTL_MEM_IMPORT, &import), -EBADF, "no file: not imported, EBADF");
	import.fd = share.fd;
	is(control(other, ACCEL_IOCTL_MEM_IMPORT, &import), 0, "imported by another file");
	is(import.length == PAGE, 1, "with its length");
	is(call(__NR_close, share.fd, 0, 0), 0, "the descriptor is closed");
	submit.dst_mem = import.mem_id;
	is(control(other, ACCEL_SOFT_IOCTL_SUBMIT, &submit), 0, "a job is to write there");
	wait.job_id = submit.job_id;
	is(control(other, ACCEL_IOCTL_JOB_WAIT, &wait), 0, "it is waited for");
	is(wait.status, 0, "it ended well");
	is(memory[63] == 0 && memory[64] == 0x11 && memory[71] == 0x18 && memory[72] == 0, 1,
	   "and wrote to the exporter's memory");
	is(call(__NR_close, other, 0, 0), 0, "the importer is closed");
}

/* By its kernel, which has iommufd or has not. */
static void test_iommufd(int fd)
{
	struct accel_iommufd_bind bind = { .iommufd = -1, .pt_id = 1 };
	struct accel_iommufd_unbind unbind = { 0 };
	int iommu = open_node("/dev/iommu");

	is(control(fd, ACCEL_IOCTL_IOMMUFD_BIND, &bind), iommu < 0 ? -EOPNOTSUPP : -EBADF,
	   iommu < 0 ? "bind without iommufd: EOPNOTSUPP" : "bind to no file: EBADF");
	is(control(fd, ACCEL_IOCTL_IOMMUFD_UNBIND, &unbind), iommu < 0 ? -EOPNOTSUPP : -ENOTCONN,
	   iommu < 0 ? "unbind without iommufd: EOPNOTSUPP" : "not bound: ENOTCONN");
	unbind.reserved = 1;
	is(control(fd, ACCEL_IOCTL_IOMMUFD_UNBIND, &unbind), iommu < 0 ? -EOPNOTSUPP : -EINVAL,
	   iommu < 0 ? "whatever is asked for" : "reserved field: EINVAL");
	if (iommu >= 0)
		call(__NR_close, iommu, 0, 0);
}

/* mmap2(): the sixth argument is in ebp, and no address on the stack holds once that is saved. */
static void *map_node(int fd, unsigned long prot, unsigned long offset)
{
	static unsigned long pages __attribute__((used));
	long ret;

	pages = offset / PAGE;
	__asm__ volatile("push %%ebp\n\tmov %[pages], %%ebp\n\tint $0x80\n\tpop %%ebp"
			 : "=a"(ret)
			 : "a"(__NR_mmap2), "b"(0), "c"(PAGE), "d"(prot), "S"(MAP_SHARED), "D"(fd),
			   [pages] "m"(pages)
			 : "memory");
	return (void *)ret;
}

static int is_there(volatile void *map)
{
	return (unsigned long)map < -(unsigned long)PAGE;
}

static void test_map(int fd)
{
	volatile struct accel_soft_status *status = map_node(fd, PROT_READ, 0);
	volatile __u32 *words = map_node(fd, PROT_READ | PROT_WRITE, ACCEL_SOFT_SCRATCH_OFFSET);
	volatile __u32 *again = map_node(fd, PROT_READ, ACCEL_SOFT_SCRATCH_OFFSET);

	is((long)map_node(fd, PROT_READ, ACCEL_SOFT_SCRATCH_OFFSET + ACCEL_SOFT_SCRATCH_SIZE), -EINVAL,
	   "map where nothing is: EINVAL");
	if (!is_there(status) || !is_there(words) || !is_there(again)) {
		is(0, 1, "mapped");
		return;
	}
	is(status->version, 1, "the status page is mapped");
	is(status->jobs_done >= 2, 1, "and counts jobs");
	words[1] = 42;
	is(again[1], 42, "two mappings show the same buffer");
	is(call(__NR_munmap, (long)status, PAGE, 0), 0, "status unmapped");
	is(call(__NR_munmap, (long)words, PAGE, 0), 0, "buffer unmapped");
	is(call(__NR_munmap, (long)again, PAGE, 0), 0, "twice");
}

/* A job that has ended and was not waited for makes the file readable. */
static void test_poll(int fd)
{
	struct accel_soft_submit submit = { .op = ACCEL_SOFT_OP_NOP, .engine = ACCEL_SOFT_ENGINE_ANY };
	struct accel_job_wait wait = { .deadline_ns = FOR_EVER };
	struct pollfd poll = { .fd = fd, .events = POLLIN };

	is(call(__NR_poll, (long)&poll, 1, 0), 0, "nothing to wait for: poll says so");
	is(control(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit), 0, "submitted");
	is(call(__NR_poll, (long)&poll, 1, -1), 1, "poll waits for its end");
	is(poll.revents, POLLIN, "and says that it can be asked for");
	wait.job_id = submit.job_id;
	is(control(fd, ACCEL_IOCTL_JOB_WAIT, &wait), 0, "asked for");
}

/* The control node's command, with fields that no 32 bits hold. */
static void test_control(void)
{
	struct accel_soft_config config = {
		.engine = ACCEL_SOFT_ENGINE_ANY, .latency_ns = 1ULL << 62, .bandwidth = 1ULL << 40,
	};
	int fd = open_node("/dev/accelerator/acc1c");

	is(control(fd, ACCEL_SOFT_IOCTL_CONFIG, &config), -EINVAL, "a latency of too long: EINVAL");
	/* cut off, it would be short enough */
	config.latency_ns = 1ULL << 40;
	is(control(fd, ACCEL_SOFT_IOCTL_CONFIG, &config), -EINVAL, "it is not cut off: EINVAL");
	config.latency_ns = 0;
	is(control(fd, ACCEL_SOFT_IOCTL_CONFIG, &config), 0, "configured");
	config.bandwidth = 0;
	is(control(fd, ACCEL_SOFT_IOCTL_CONFIG, &config), 0, "and back again");
	is(call(__NR_close, fd, 0, 0), 0, "the control node is closed");
}

/* Hardware: a result by registers, and what a DMA moves there and back. */
static void test_edu(void)
{
	struct accel_mem_pin pin = {
		.addr = (unsigned long)memory + PAGE, .length = PAGE,
		.flags = ACCEL_MEM_READ | ACCEL_MEM_WRITE,
	};
	struct accel_edu_factorial factorial = { .n = 10 };
	struct accel_edu_dma dma = { .length = 64 };
	struct accel_job_wait wait = { .deadline_ns = FOR_EVER };
	int fd = open_node("/dev/accelerator/acc0");

	is(control(fd, ACCEL_EDU_IOCTL_FACTORIAL, &factorial), 0, "edu: factorial submitted");
	wait.job_id = factorial.job_id;
	is(control(fd, ACCEL_IOCTL_JOB_WAIT, &wait), 0, "edu: waited for");
	is(wait.status == 0 && wait.result == 3628800, 1, "edu: 10! is 3628800");
	is(control(fd, ACCEL_IOCTL_MEM_PIN, &pin), 0, "edu: pinned");
	memory[PAGE + 1] = 42;
	dma.mem_id = pin.mem_id;
	dma.offset = 1ULL << 32;
	dma.op = ACCEL_EDU_OP_TO_DEVICE;
	is(control(fd, ACCEL_EDU_IOCTL_DMA, &dma), -ERANGE, "edu: an offset of 4 GiB is not cut off");
	for (int back = 0; back < 2; back++) {
		dma.offset = back ? 128 : 0;
		dma.op = back ? ACCEL_EDU_OP_FROM_DEVICE : ACCEL_EDU_OP_TO_DEVICE;
		is(control(fd, ACCEL_EDU_IOCTL_DMA, &dma), 0, "edu: DMA submitted");
		wait = (struct accel_job_wait) { .job_id = dma.job_id, .deadline_ns = FOR_EVER };
		is(control(fd, ACCEL_IOCTL_JOB_WAIT, &wait), 0, "edu: waited for");
		is(wait.status, 0, "edu: it ended well");
	}
	is(memory[PAGE + 129] == 42 && memory[PAGE + 128] == 0 && memory[PAGE + 192] == 0, 1,
	   "edu: what went there came back");
	is(call(__NR_close, fd, 0, 0), 0, "edu: close");
}

static int test(void)
{
	struct accel_mem_unpin unpin;
	__u64 mem_id = 0;
	int fd;

	fd = open_node("/dev/accelerator/acc1");
	is(fd >= 0, 1, "open");
	if (fd < 0)
		return 1;
	test_memory(fd, &mem_id);
	test_jobs(fd, mem_id);
	test_dmabuf(fd, mem_id);
	test_iommufd(fd);
	test_map(fd);
	test_poll(fd);
	test_control();
	test_edu();
	is(control(fd, _IO(ACCEL_IOCTL_TYPE, 0x3f), 0), -ENOTTY, "unknown command: ENOTTY");
	unpin.mem_id = mem_id;
	is(control(fd, ACCEL_IOCTL_MEM_UNPIN, &unpin), 0, "unpinned");
	is(call(__NR_close, fd, 0, 0), 0, "close");
	return 0;
}

/* Without a C library the compiler still may call it. */
void *memset(void *to, int c, unsigned int n)
{
	volatile char *p = to;

	while (n--)
		*p++ = c;
	return to;
}

void __attribute__((noreturn, force_align_arg_pointer)) _start(void)
{
	int ret = test();

	print("1..");
	print_number(points);
	print("\n");
	call(__NR_exit, ret || failures, 0, 0);
	for (;;)
		;
}

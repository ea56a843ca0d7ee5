// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" APPEND="ia32_emulation=on" TIMEOUT=30 */
/*
 * A 32-bit caller gets what a 64-bit one gets. Compiled with -m32 and without a C
 * library, of which there is no 32-bit one here: system calls by int 0x80, TAP by hand.
 */
#include <asm/unistd.h>
#include <linux/accelerator.h>
#include <linux/accelerator_soft.h>
#include <linux/fcntl.h>

/* asm-generic's numbers are the kernel's own for x86 */
#define ENOENT	2
#define EFAULT	14
#define EINVAL	22
#define E2BIG	7
#define ENOTTY	25

#define PAGE	4096

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
	struct accel_job_wait wait = { .deadline_ns = (~0ULL) >> 1 };

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
	wait = (struct accel_job_wait) { .job_id = submit.job_id, .deadline_ns = (~0ULL) >> 1 };
	is(control(fd, ACCEL_IOCTL_JOB_WAIT, &wait), 0, "fill waited for");
	is(memory[7] == 0 && memory[8] == 1 && memory[15] == 8 && memory[16] == 0, 1,
	   "64-bit fields arrived whole");
}

static int test(void)
{
	struct accel_mem_unpin unpin;
	__u64 mem_id = 0;
	int fd;

	fd = call(__NR_open, (long)"/dev/accelerator/acc0", O_RDWR, 0);
	is(fd >= 0, 1, "open");
	if (fd < 0)
		return 1;
	test_memory(fd, &mem_id);
	test_jobs(fd, mem_id);
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

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" */
/*
 * RLIMIT_MEMLOCK holds for a user, not for a process: a region is an open file's, which
 * processes inherit, so each child that pins up to the limit and ends would have one more.
 */
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mem.h"

#define LIMIT	(16 * PAGE)
#define ALICE	1001
#define BOB	1002
#define CAROL	1003	/* has CAP_IPC_LOCK where it says so */

static int fd;
static struct {
	uint64_t mem;
	int ret;
} *told;	/* by a child */

/* Of all capabilities but this one the change of user takes away. */
static int keep_ipc_lock(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = 1 << CAP_IPC_LOCK, .permitted = 1 << CAP_IPC_LOCK },
	};

	return syscall(SYS_capset, &head, data);
}

/* A process of @uid that pins, and never unpins. With @hold it stops before it ends. */
static pid_t child(uid_t uid, int privileged, unsigned long pages, int hold)
{
	struct rlimit rlim = { LIMIT, LIMIT };
	pid_t pid = fork();
	uint8_t *p;

	if (pid)
		return pid;
	p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || setrlimit(RLIMIT_MEMLOCK, &rlim) || setgid(uid) ||
	    prctl(PR_SET_KEEPCAPS, privileged) || setuid(uid) || (privileged && keep_ipc_lock()))
		_exit(99);
	told->ret = dev_pin(fd, p, pages * PAGE, READ, &told->mem);
	if (!told->ret && charged() != (long long)(pages * PAGE))
		_exit(98);
	if (hold)
		kill(getpid(), SIGSTOP);
	_exit(0);
}

/* What a process of @uid is answered, which then ends. */
static int pins(uid_t uid, int privileged, unsigned long pages)
{
	int status;

	waitpid(child(uid, privileged, pages, 0), &status, 0);
	if (status)
		tap_bail("a child of user %u has ended with 0x%x", uid, status);
	return told->ret;
}

static void test_processes(void)
{
	pid_t pid = child(ALICE, 0, 15, 1);
	uint64_t mem;
	int status;

	waitpid(pid, &status, WUNTRACED);
	tap_ok(WIFSTOPPED(status) && !told->ret, "a process of alice's pins 60 of her 64 KiB");
	mem = told->mem;
	tap_is(pins(ALICE, 0, 15), -ENOMEM, "another one cannot have as much");
	if (!tap_ok(strstr(last_error(fd), "mem_pin: 60 KiB needed, user 1001 has locked 60 of "
			   "RLIMIT_MEMLOCK's 64 KiB"), "it says why"))
		tap_diag("it says '%s'", last_error(fd));
	tap_is(pins(ALICE, 0, 1), 0, "but what is left: a page");
	tap_is(pins(ALICE, 0, 1), -ENOMEM, "and not another one");
	tap_is(pins(BOB, 0, 16), 0, "bob has a limit of his own");
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	tap_is(status, 0, "the process that pinned first has ended");
	tap_is(pins(ALICE, 0, 15), -ENOMEM, "the file has its pages, and she pays for them");
	tap_is(dev_unpin(fd, mem), 0, "somebody else who has the file unpins them");
	tap_is(pins(ALICE, 0, 15), 0, "so she is given back what she paid");
	tap_is(pins(ALICE, 0, 1), -ENOMEM, "and no more than that");
}

static void test_privileged(void)
{
	tap_is(pins(CAROL, 1, 1000), 0, "carol has CAP_IPC_LOCK: no limit is hers");
	tap_is(pins(CAROL, 0, 16), 0, "nor was she charged: without it she has all of one");
	tap_is(pins(CAROL, 0, 1), -ENOMEM, "and no more");
	tap_is(pins(CAROL, 1, 16), 0, "with it she pins beyond");
}

int main(void)
{
	struct clean before = clean_read();
	struct dev_info dev;

	told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		tap_bail("mmap: %s", strerror(errno));
	fd = open_first("soft", &dev);
	test_processes();
	test_privileged();
	close(fd);
	clean_check(&before, "all regions");
	fd = open_first("soft", &dev);
	tap_is(pins(ALICE, 0, 16), 0, "after the close, alice can pin as much as ever");
	tap_is(pins(BOB, 0, 16), 0, "so can bob");
	tap_is(pins(CAROL, 0, 16), 0, "and carol");
	close(fd);
	clean_check(&before, "these");
	return tap_done();
}

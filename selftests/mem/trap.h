/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory whose page faults do not end before they are let go (userfaultfd). */
#ifndef MEM_TRAP_H
#define MEM_TRAP_H

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

#ifndef TRAP_LENGTH
#define TRAP_LENGTH	(8 * 4096UL)
#endif

static int uffd;
static char *trap;	/* touching it waits for the monitor, which never comes */

/* Of memory that is there: what it had is gone, but for those who have pinned it. */
static void trap_arm(void *at)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;

	trap = at;
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0)
		tap_bail("no userfaultfd: %s", strerror(errno));
	reg = (struct uffdio_register){
		.range = { (uintptr_t)trap, TRAP_LENGTH },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	if (madvise(trap, TRAP_LENGTH, MADV_DONTNEED) || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		tap_bail("userfaultfd: %s", strerror(errno));
}

static inline void trap_set(void)
{
	void *p = mmap(NULL, TRAP_LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		tap_bail("userfaultfd: %s", strerror(errno));
	trap_arm(p);
}

/* Let the faults end, as empty pages; those stay, since they are being looked at. */
static void trap_release(void)
{
	struct uffdio_range all = { (uintptr_t)trap, TRAP_LENGTH };

	if (ioctl(uffd, UFFDIO_UNREGISTER, &all))
		tap_bail("UFFDIO_UNREGISTER: %s", strerror(errno));
	close(uffd);
}

/* Until somebody is in it. */
static inline void trap_wait(void)
{
	struct uffd_msg msg;

	if (read(uffd, &msg, sizeof(msg)) != sizeof(msg) || msg.event != UFFD_EVENT_PAGEFAULT)
		tap_bail("userfaultfd: no fault: %s", strerror(errno));
}

#endif

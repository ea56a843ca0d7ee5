// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/*
 * A tracer that showed what it does itself would never come to an end of it. accel-trace
 * uses no device, so it is made to: it inherits an open file, and this test, as its
 * debugger, has it make ioctls on that in the middle of the trace. They happen, and are not
 * in the trace; those of others are. That is so in a pid namespace, too, where its number is
 * another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

#include "device.h"
#include "trace.h"

#define FD	50
#define OWN	5
#define OTHERS	7

/* It waits 50 ms; then the event may be too young to be in order, and has to wait once more. */
#define WAIT_MS		50
#define MAX_WAITS	3

/* ioctl(FD, TRACE_NOTHING) by @pid, which is waiting in a system call; what that returns. */
static long have_it_call(pid_t pid)
{
	struct user_regs_struct before, regs;
	int status;

	for (;;) {
		if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
		    !WIFSTOPPED(status))
			tap_bail("accel-trace cannot be stopped");
		ptrace(PTRACE_GETREGS, pid, NULL, &before);
		/* in a system call, so that there is such an instruction to go back to */
		if ((long)before.orig_rax >= 0)
			break;
		ptrace(PTRACE_CONT, pid, NULL, NULL);
		usleep(10000);
	}
	regs = before;
	regs.rip -= 2;
	regs.rax = SYS_ioctl;
	regs.orig_rax = -1;	/* this is no call to begin anew */
	regs.rdi = FD;
	regs.rsi = TRACE_NOTHING;
	regs.rdx = 0;
	ptrace(PTRACE_SETREGS, pid, NULL, &regs);
	ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		tap_bail("accel-trace died of it");
	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	ptrace(PTRACE_SETREGS, pid, NULL, &before);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	return (long)regs.rax;
}

struct count {
	uint64_t tracer;
	unsigned int own, others, strange;
};

static void count(const struct json_node *e, void *arg)
{
	struct count *c = arg;
	uint64_t pid = json_u64_at(e, "pid");

	if (pid == c->tracer)
		c->own++;
	else if (pid == (uint64_t)getpid())
		c->others++;
	else
		c->strange++;
}

/* Ioctls of the file, by the core's own count. */
static unsigned long long calls(void)
{
	unsigned long long n = 0;
	char line[128];
	FILE *f = fopen("/proc/self/fdinfo/50", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "accel-ioctl: %llu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/*
 * One event, behind which none comes, is shown: the reader does not wait for a backlog only.
 * Time on a busy machine says little: it is how often the reader waits until then that is
 * bounded, and what it asks for each time.
 */
static void alone(pid_t pid, unsigned int *made)
{
	int waits = 0, longest = 0, forever = 0, status;
	struct user_regs_struct regs;
	struct stat st;
	off_t size;

	trace_rest();
	if (ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
	    !WIFSTOPPED(status))
		tap_bail("accel-trace cannot be stopped");
	ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD);
	stat(OUTPUT, &st);
	size = st.st_size;
	dev_ioctl(FD, TRACE_NOTHING, NULL);
	++*made;
	while (st.st_size == size && waits <= MAX_WAITS) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			tap_bail("accel-trace has ended");
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		stat(OUTPUT, &st);
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		/* of a call's two stops, that at its begin */
		if ((long)regs.rax != -ENOSYS || (regs.orig_rax != SYS_epoll_wait &&
						  regs.orig_rax != SYS_epoll_pwait))
			continue;
		waits++;
		if ((int)regs.r10 > longest)
			longest = (int)regs.r10;
		forever += (int)regs.r10 < 0;
	}
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	tap_ok(st.st_size > size, "an event alone is shown, after %d waits", waits);
	tap_ok(!forever && longest <= WAIT_MS, "each of %d ms at most", longest);
}

static void trace(const char *where, int namespaces)
{
	unsigned int i, wrong = 0, made = 0;
	unsigned long long before;
	struct trace_end end;
	struct count c;
	pid_t pid;

	tap_diag("accel-trace in %s", where);
	pid = trace_start_in(namespaces, "1M", FD, &made);
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
		tap_bail("PTRACE_SEIZE: %s", strerror(errno));
	alone(pid, &made);
	before = calls();
	for (i = 0; i < OWN; i++)
		wrong += have_it_call(pid) != -ENOTTY;
	tap_is(wrong, 0, "accel-trace has made %d ioctls", OWN);
	tap_is(calls() - before, OWN, "the core has counted them");
	for (i = 0; i < OTHERS; i++, made++)
		dev_ioctl(FD, TRACE_NOTHING, NULL);
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, 0);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	trace_stop(pid);

	c = (struct count){ .tracer = pid };
	tap_ok(trace_read(&end, count, &c), "valid JSON, with an end");
	tap_is(c.own, 0, "none of them is in the trace");
	tap_ok(c.others >= OTHERS && c.others <= made, "those of others are: %u of %u", c.others, made);
	tap_is(c.strange, 0, "and no more");
	tap_is(end.emitted, c.others, "nor are they counted as emitted");
	tap_is(end.lost, 0, "or lost");
}

int main(void)
{
	struct dev_info dev;

	if (dev_find("soft", 0, &dev) || dup2(dev_open(dev.name), FD) != FD)
		tap_bail("no soft device");
	trace("our pid namespace", 0);
	trace("a pid namespace of its own", CLONE_NEWPID);
	close(FD);
	return tap_done();
}

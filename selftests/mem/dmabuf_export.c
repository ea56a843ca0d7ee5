// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" */
/*
 * Pinned memory that is exported as a dma-buf: shared with other devices and processes,
 * and taken back in every way, with jobs in flight, by its owner and by who imports it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "dmabuf.h"
#include "fds.h"
#include "share.h"
#include "tap.h"

#define PAGE	4096UL
#define SIZE	(600 * PAGE)
#define READ	ACCEL_MEM_READ
#define WRITE	ACCEL_MEM_WRITE
#define LONG_NS	ACCEL_SOFT_LATENCY_MAX	/* such a job does not end by itself */
#define EDU_BYTES	3000
#define UNBIND	"/sys/bus/platform/drivers/accel_soft/unbind"
#define BIND	"/sys/bus/platform/drivers/accel_soft/bind"

static struct dev_info soft[2];		/* [0] exports, [1] imports */
static uint8_t *mem;
static int bufs;
static long long pins;

static void find_soft(void)
{
	if (dev_find("soft", 0, &soft[0]) || dev_find("soft", 1, &soft[1]))
		tap_bail("needs two soft devices");
}

static int crc(int fd, uint64_t src, uint64_t *result)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_CRC32C, .engine = ACCEL_SOFT_ENGINE_ANY, .src_mem = src,
		.length = SIZE,
	};

	return dev_soft(fd, &submit, result);
}

static void nothing_left(const char *what)
{
	/* The last reference of a file is dropped on the way back to user space. */
	tap_is(dmabuf_count(), bufs, "%s: no dma-buf is left", what);
	tap_is(dev_foll_pins(), pins, "%s: no page is pinned", what);
	tap_is(dev_charged_kb(0), 0, "%s: nor charged for", what);
}

static void test_content(void)
{
	int exp = open_dev(&soft[0]), imp = open_dev(&soft[1]), same = open_dev(&soft[0]), dmabuf;
	uint64_t id, in, own, a, b, length, job;

	randomize(mem, SIZE, 1);
	tap_is(dev_pin(exp, mem, SIZE, READ | WRITE, &id), 0, "pinned");
	dmabuf = dmabuf_export(exp, id, O_CLOEXEC);
	tap_ok(dmabuf >= 0, "exported: %d", dmabuf);
	tap_is(fcntl(dmabuf, F_GETFD), FD_CLOEXEC, "close-on-exec");
	tap_is(fcntl(dmabuf, F_GETFL) & O_ACCMODE, O_RDWR, "for reading and writing");
	tap_is(lseek(dmabuf, 0, SEEK_END), SIZE, "all of it");
	tap_ok(!dmabuf_map(dmabuf, SIZE) && errno == ENODEV, "mmap of it: ENODEV");
	tap_is(dmabuf_count(), bufs + 1, "one dma-buf");
	close(dmabuf_export(exp, id, 0));
	tap_is(dmabuf_count(), bufs + 1, "also when it is exported twice");
	tap_is(dmabuf_import(imp, dmabuf, READ | WRITE, &in, &length), 0, "another device takes it");
	tap_is(dev_charged_kb(0), SIZE / 1024, "it is charged for once, to who has pinned it");
	tap_is(length, SIZE, "as long as it is");
	tap_is(dmabuf_import(same, dmabuf, READ, &own, NULL), 0, "so does the same one");
	crc(exp, id, &a);
	tap_is(crc(imp, in, &b), 0, "a job there");
	tap_ok(a == b, "reads what is in it");
	tap_is(crc(same, own, &b), 0, "and a job here");
	tap_ok(a == b, "likewise");
	tap_is(fill(imp, 0, in, SIZE, 0x4444444444444444, &job) ?: job_status(imp, job), 0,
	       "a job there writes");
	tap_ok(mem[0] == 0x44 && !memcmp(mem, mem + 1, SIZE - 1), "the owner's memory");
	tap_is(fill(same, 0, own, SIZE, 5, &job), -EACCES, "what was taken to be read: EACCES");
	tap_is(dmabuf_import(imp, dmabuf, WRITE, &b, NULL), 0, "taken twice by one file");
	tap_is(dev_unpin(exp, id), 0, "unpinned by its owner");
	tap_is(dev_foll_pins(), pins, "no page is pinned, although importers have it");
	tap_is(dev_charged_kb(0), 0, "nor charged for");
	tap_is(crc(imp, in, &a), -ESTALE, "a job there: ESTALE");
	tap_is(crc(same, own, &a), -ESTALE, "a job here: ESTALE");
	tap_is(dmabuf_import(imp, dmabuf, READ, &a, NULL), -ESTALE, "who takes it now: ESTALE");
	tap_is(dev_unpin(imp, in), 0, "the handle there is to be unpinned");
	tap_is(dev_unpin(imp, in), -ENOENT, "once");
	tap_is(dmabuf_export(exp, id, 0), -ENOENT, "export of what is no more: ENOENT");
	close(same);
	close(imp);
	close(exp);
	close(dmabuf);
	nothing_left("content");
}

static void test_edu(void)
{
	struct accel_edu_dma dma = { .length = EDU_BYTES, .op = ACCEL_EDU_OP_TO_DEVICE };
	int exp = open_dev(&soft[0]), fd, dmabuf;
	struct dev_info edu;
	uint64_t id, in;

	if (dev_find("edu", 0, &edu))
		tap_bail("no edu");
	fd = open_dev(&edu);
	randomize(mem, SIZE, 2);
	dev_pin(exp, mem, SIZE, READ | WRITE, &id);
	dmabuf = dmabuf_export(exp, id, 0);
	tap_is(dmabuf_import(fd, dmabuf, READ | WRITE, &in, NULL), 0, "edu takes a region of soft");
	dma.mem_id = in;
	dma.offset = 5 * PAGE + 17;
	tap_is(dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &dma) ?: job_status(fd, dma.job_id), 0, "reads");
	dma.op = ACCEL_EDU_OP_FROM_DEVICE;
	dma.offset = 555 * PAGE;
	tap_is(dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &dma) ?: job_status(fd, dma.job_id), 0, "writes");
	tap_ok(!memcmp(mem + 5 * PAGE + 17, mem + 555 * PAGE, EDU_BYTES), "what it has read");
	/*
	 * It is at work as the region's owner goes, which waits for none of it: with more of
	 * 100 ms than the guest may be stopped for.
	 */
	for (int i = 0; i < 50; i++)
		dev_ioctl(fd, ACCEL_EDU_IOCTL_DMA, &dma);
	close(exp);
	tap_is(job_status(fd, dma.job_id), -ESTALE, "its job when the owner's file is closed: ESTALE");
	close(dmabuf);
	close(fd);
	nothing_left("edu");

	/* The other way round. */
	fd = open_dev(&edu);
	exp = open_dev(&soft[0]);
	dev_pin(fd, mem, SIZE, READ, &id);
	dmabuf = dmabuf_export(fd, id, 0);
	tap_is(dmabuf_import(exp, dmabuf, WRITE, &in, NULL), -EACCES, "a region that edu only reads");
	tap_is(dmabuf_import(exp, dmabuf, READ, &in, NULL), 0, "can be read by others");
	tap_is(crc(exp, in, &id), 0, "is");
	close(fd);
	tap_is(crc(exp, in, &id), -ESTALE, "until it is closed: ESTALE");
	close(exp);
	close(dmabuf);
	nothing_left("edu's own");
}

static void test_bad_input(void)
{
	int fd = open_dev(&soft[0]), other = open_dev(&soft[0]), dmabuf;
	uint64_t id, job;

	dev_pin(fd, mem, SIZE, READ | WRITE, &id);
	tap_is(dmabuf_export(fd, 0, 0), -ENOENT, "no region: ENOENT");
	tap_is(dmabuf_export(fd, id + 1, 0), -ENOENT, "a guess: ENOENT");
	tap_is(dmabuf_export(other, id, 0), -ENOENT, "another file's: ENOENT");
	tap_is(dmabuf_export(fd, id, O_RDWR), -EINVAL, "flags that are not ours: EINVAL");
	tap_is(dmabuf_export(fd, id, 1U << 31), -EINVAL, "others: EINVAL");
	set_latency(&soft[0], LONG_NS);
	fill(fd, 0, id, SIZE, 1, &job);
	tap_is(dmabuf_export(fd, id, 0), -EBUSY, "a job uses it: EBUSY");
	set_latency(&soft[0], 0);
	close(fd);
	fd = open_dev(&soft[0]);
	dev_pin(fd, mem, SIZE, READ | WRITE, &id);
	dmabuf = dmabuf_export(fd, id, 0);
	tap_ok(dmabuf >= 0, "none does: %d", dmabuf);
	close(dmabuf);
	close(other);
	close(fd);
	nothing_left("bad input");
}

struct unpinner {
	int fd, ret;
	uint64_t id;
	volatile bool through;
};

static void *unpin(void *arg)
{
	struct unpinner *u = arg;

	u->ret = dev_unpin(u->fd, u->id);
	u->through = true;
	return NULL;
}

/* Nobody of the device works for us any more: the job that runs is cancelled by a close. */
static int block(const struct dev_info *dev)
{
	struct accel_soft_submit nop = { .op = ACCEL_SOFT_OP_NOP };
	int fd = open_dev(dev);

	set_latency(dev, LONG_NS);
	dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &nop);
	while (dev_attr(dev->name, "engines/eng0/running") != 1)
		sched_yield();
	return fd;
}

/* Not before: that it is said to run does not mean that it has looked how long. */
static void unblock(const struct dev_info *dev, int blocker)
{
	set_latency(dev, 0);
	close(blocker);
}

/* An unpin waits for jobs elsewhere, as it does for the owner's own. */
static void test_unpin_waits(void)
{
	int exp = open_dev(&soft[0]), imp = open_dev(&soft[1]), dmabuf, blocker;
	struct unpinner u = { .fd = exp };
	uint64_t in, job, later;
	pthread_t thread;
	int ret;

	dev_pin(exp, mem, SIZE, READ | WRITE, &u.id);
	dmabuf = dmabuf_export(exp, u.id, 0);
	dmabuf_import(imp, dmabuf, WRITE, &in, NULL);
	blocker = block(&soft[1]);
	tap_is(fill(imp, 0, in, SIZE, 0x6666666666666666, &job), 0, "a job elsewhere waits");
	pthread_create(&thread, NULL, unpin, &u);
	/* From here the owner lets nobody in: it has begun to unpin. */
	while (!(ret = fill(imp, 0, in, SIZE, 0x6666666666666666, &later)))
		sched_yield();
	tap_is(ret, -ESTALE, "the owner unpins: no more jobs: ESTALE");
	tap_ok(!u.through, "but waits for those that there are");
	unblock(&soft[1], blocker);
	pthread_join(thread, NULL);
	tap_is(u.ret, 0, "and unpins when they have ended");
	tap_is(job_status(imp, job), 0, "which they have done well");
	tap_ok(mem[0] == 0x66 && mem[SIZE - 1] == 0x66, "for its memory");
	close(imp);
	close(exp);
	close(dmabuf);
	nothing_left("unpin");
}

static void ignore(int sig)
{
	(void)sig;
}

/* A signal ends the waiting, and nothing else: neither the region nor others' jobs. */
static void test_unpin_interrupted(void)
{
	int exp = open_dev(&soft[0]), imp = open_dev(&soft[1]), dmabuf, blocker;
	struct sigaction act = { .sa_handler = ignore };
	struct unpinner u = { .fd = exp };
	uint64_t in, job, later;
	pthread_t thread;

	sigaction(SIGUSR1, &act, NULL);
	dev_pin(exp, mem, SIZE, READ | WRITE, &u.id);
	dmabuf = dmabuf_export(exp, u.id, 0);
	dmabuf_import(imp, dmabuf, WRITE, &in, NULL);
	blocker = block(&soft[1]);
	tap_is(fill(imp, 0, in, SIZE, 0x5a5a5a5a5a5a5a5a, &job), 0, "a job elsewhere waits");
	pthread_create(&thread, NULL, unpin, &u);
	while (!fill(imp, 0, in, SIZE, 0x5a5a5a5a5a5a5a5a, &later))
		sched_yield();
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
	tap_is(u.ret, -EINTR, "a signal while the owner unpins: EINTR");
	unblock(&soft[1], blocker);
	tap_is(job_status(imp, job), 0, "the job that was there ends well");
	/* not before: it maps the memory anew, as after any move */
	tap_is(fill(imp, 0, in, SIZE, 0x6b6b6b6b6b6b6b6b, &later) ?: job_status(imp, later), 0,
	       "so does a new one: it is shared again");
	tap_ok(mem[0] == 0x6b && mem[SIZE - 1] == 0x6b, "in its memory");
	tap_is(dev_unpin(exp, u.id), 0, "unpinned");
	close(imp);
	close(exp);
	close(dmabuf);
	nothing_left("unpin with a signal");
}

/* The owner's own jobs are seen by the others, too. */
static void test_order(void)
{
	int exp = open_dev(&soft[0]), imp = open_dev(&soft[1]), dmabuf, blocker, fence;
	struct accel_soft_submit read = {
		.op = ACCEL_SOFT_OP_COPY, .engine = 0, .length = SIZE,
	};
	struct accel_job_wait look = { 0 };
	uint8_t *seen = anon(SIZE);
	uint64_t id, in, out, job;

	dev_pin(exp, mem, SIZE, READ | WRITE, &id);
	dmabuf = dmabuf_export(exp, id, 0);
	dmabuf_import(imp, dmabuf, READ, &in, NULL);
	dev_pin(imp, seen, SIZE, WRITE, &out);
	read.src_mem = in;
	read.dst_mem = out;
	blocker = block(&soft[0]);
	tap_is(fill(exp, 0, id, SIZE, 0x7777777777777777, &job), 0, "the owner's job is to write");
	tap_is(dev_ioctl(imp, ACCEL_SOFT_IOCTL_SUBMIT, &read), 0, "another device's to read");
	look.job_id = read.job_id;
	tap_is(dev_ioctl(imp, ACCEL_IOCTL_JOB_WAIT, &look), -ETIMEDOUT, "which waits");
	fence = dmabuf_fence(dmabuf, false);
	tap_is(dmabuf_status(fence), 0, "so does anybody else");
	unblock(&soft[0], blocker);
	tap_is(job_status(imp, read.job_id), 0, "then reads");
	tap_ok(seen[0] == 0x77 && !memcmp(seen, seen + 1, SIZE - 1), "what was written");
	tap_is(dmabuf_wait(fence), 1, "the writer is through");
	close(fence);
	munmap(seen, SIZE);
	close(imp);
	close(exp);
	close(dmabuf);
	nothing_left("order");
}

enum end { END_UNPIN, END_CLOSE, END_KILL, END_UNBIND, END_NR };
static const char * const end_names[] = { "unpin", "close", "kill", "unbind" };

/* A process that does one side's part: it is told what to do by letters, and says 'k'. */
static char told(int sock, char what)
{
	char c = what;

	if (write(sock, &c, 1) != 1 || read(sock, &c, 1) != 1)
		return 0;
	return c;
}

static void done(int sock)
{
	if (write(sock, "k", 1) != 1)
		_exit(2);
}

static void owner(int sock)
{
	int fd = dev_open(soft[0].name);
	uint8_t *own = anon(SIZE);
	uint64_t id;
	char c;

	if (fd < 0 || dev_pin(fd, own, SIZE, READ | WRITE, &id))
		_exit(2);
	if (send_fd(sock, dmabuf_export(fd, id, O_CLOEXEC)))
		_exit(2);
	while (read(sock, &c, 1) == 1) {
		if (c == 'u')
			dev_unpin(fd, id);
		else if (c == 'c')
			close(fd);
		else
			_exit(0);
		done(sock);
	}
	_exit(0);
}

static void importer(int sock)
{
	int fd = dev_open(soft[1].name), dmabuf = receive_fd(sock);
	uint64_t in, jobs[2];
	char c;

	if (fd < 0 || dmabuf < 0 || dmabuf_import(fd, dmabuf, READ | WRITE, &in, NULL))
		_exit(2);
	/* One runs, and one waits behind it. */
	if (fill(fd, 0, in, SIZE, 1, &jobs[0]) || fill(fd, 0, in, SIZE, 2, &jobs[1]))
		_exit(3);
	close(dmabuf);
	done(sock);
	while (read(sock, &c, 1) == 1) {
		if (c == 'u')
			dev_unpin(fd, in);
		else if (c == 'c')
			close(fd);
		else if (c == 's')
			c = job_status(fd, jobs[0]) == -ESTALE &&
			    job_status(fd, jobs[1]) == -ESTALE &&
			    fill(fd, 0, in, SIZE, 3, &jobs[0]) == -ESTALE ? 'k' : 'n';
		else
			_exit(0);
		if (write(sock, c == 'n' ? "n" : "k", 1) != 1)
			_exit(2);
	}
	_exit(0);
}

static pid_t child(void (*main)(int sock), int *sock)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		tap_bail("no sockets");
	pid = fork();
	if (!pid) {
		close(pair[0]);
		main(pair[1]);
	}
	close(pair[1]);
	*sock = pair[0];
	return pid;
}

static void end_side(enum end how, int who, pid_t pid, int sock)
{
	char name[32];

	switch (how) {
	case END_UNPIN:
		/* waits for the jobs, which do not end by themselves: not for the owner here */
		told(sock, 'u');
		break;
	case END_CLOSE:
		told(sock, 'c');
		break;
	case END_KILL:
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		break;
	default:
		snprintf(name, sizeof(name), "accel_soft.%d", who);
		if (dev_write(UNBIND, name))
			tap_bail("cannot unbind %s", name);
	}
}

/* What the owner, if it is there yet, and the importer, who never was, are charged for. */
static void charged(const char *name, pid_t own, pid_t imp, long kb)
{
	long owner_kb = dev_charged_kb(own), importer_kb = dev_charged_kb(imp);

	tap_ok((owner_kb == kb || owner_kb == -ENOENT) && (!importer_kb || importer_kb == -ENOENT),
	       "%s: owner and importer are charged for %ld kB and 0", name, kb);
}

static void reap(pid_t pid, int sock)
{
	/* not by closing: the other child has a copy of this end */
	send(sock, "q", 1, MSG_NOSIGNAL);
	close(sock);
	waitpid(pid, NULL, 0);
}

/* One side ends in one way, then the other in another, with jobs that would never end. */
static void test_ends(enum end first, bool owner_first, enum end second)
{
	const char *who = owner_first ? "owner" : "importer";
	int own_sock, imp_sock, dmabuf, fence;
	pid_t own_pid, imp_pid;
	char name[64];

	snprintf(name, sizeof(name), "%s: %s, other: %s", who, end_names[first],
		 end_names[second]);
	set_latency(&soft[1], LONG_NS);
	own_pid = child(owner, &own_sock);
	dmabuf = receive_fd(own_sock);
	imp_pid = child(importer, &imp_sock);
	if (send_fd(imp_sock, dmabuf) || read(imp_sock, &(char){ 0 }, 1) != 1)
		tap_bail("%s: the importer failed", name);
	while (dev_attr(soft[1].name, "engines/eng0/running") != 1)
		sched_yield();
	fence = dmabuf_fence(dmabuf, true);
	tap_is(dmabuf_status(fence), 0, "%s: jobs are in flight", name);
	charged(name, own_pid, imp_pid, SIZE / 1024);
	if (owner_first) {
		end_side(first, 0, own_pid, own_sock);
		charged(name, own_pid, imp_pid, 0);
		tap_is(dev_foll_pins(), pins, "%s: no page is pinned", name);
		tap_is(dmabuf_wait(fence), -ESTALE, "%s: the fences: ESTALE", name);
		tap_is(told(imp_sock, 's'), 'k', "%s: the jobs, and more: ESTALE", name);
		end_side(second, 1, imp_pid, imp_sock);
	} else {
		end_side(first, 1, imp_pid, imp_sock);
		tap_is(dmabuf_wait(fence), first == END_UNBIND ? -ENODEV : -ECANCELED,
		       "%s: the fences", name);
		charged(name, own_pid, imp_pid, SIZE / 1024);
		end_side(second, 0, own_pid, own_sock);
		charged(name, own_pid, imp_pid, 0);
		tap_is(dev_foll_pins(), pins, "%s: no page is pinned", name);
	}
	close(fence);
	close(dmabuf);
	reap(own_pid, own_sock);
	reap(imp_pid, imp_sock);
	if (first == END_UNBIND || second == END_UNBIND) {
		bool one = (first == END_UNBIND) == owner_first;

		if (first == END_UNBIND && second == END_UNBIND) {
			dev_write(BIND, "accel_soft.0");
			dev_write(BIND, "accel_soft.1");
		} else {
			dev_write(BIND, one ? "accel_soft.0" : "accel_soft.1");
		}
		find_soft();
	}
	set_latency(&soft[1], 0);
	nothing_left(name);
}

/* soft[] is by platform device, whatever numbers they have after they were bound again. */
int main(void)
{
	bufs = dmabuf_count();
	pins = dev_foll_pins();
	find_soft();
	mem = anon(SIZE);
	test_content();
	test_edu();
	test_bad_input();
	test_unpin_waits();
	test_unpin_interrupted();
	test_order();
	for (int first = END_CLOSE; first < END_NR; first++)
		for (int second = END_UNPIN; second < END_NR; second++)
			test_ends(first, true, second);
	for (int first = END_CLOSE; first < END_NR; first++)
		for (int second = END_UNPIN; second < END_NR; second++)
			test_ends(first, false, second);
	return tap_done();
}

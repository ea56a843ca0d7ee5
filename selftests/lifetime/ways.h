/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device goes while it is in use in every way at once: open, duplicated, sent
 * in flight, shared with a child, mapped, pinned, with jobs that run, wait in the
 * queue and are waited for. Each way of going has to leave the same: files that
 * answer ENODEV, empty mappings, ended jobs, and no page pinned.
 */
#ifndef LIFETIME_WAYS_H
#define LIFETIME_WAYS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "fds.h"
#include "scratch.h"
#include "tap.h"

#define PAGE		4096UL
#define PIN_SIZE	(64 * PAGE)
#define JOBS		100	/* of 100 ms each, on the edu */
#define LONG_NS		ACCEL_SOFT_LATENCY_MAX	/* none of the jobs ends by itself */

/* One way for a device to go, and to come back: by a file that is written to, or by a function. */
struct way {
	const char *name;
	const char *driver;
	const char *gone_path;
	const char *gone_text;
	const char *back_path;
	const char *back_text;
	int (*go)(void);
	int (*back)(void);
};

struct user {
	struct dev_info dev;
	int fd, control;
	uint64_t job[JOBS];
	int num_jobs;
	void *pinned;
	volatile uint32_t *map;	/* words: the edu answers nothing narrower */
	struct scratch scratch;	/* the edu has nothing to write to */
};

struct waiter {
	pthread_t thread;
	int fd;
	uint64_t job;
	int ret;
	struct accel_job_wait wait;
	short revents;
};

static void *wait_for_job(void *arg)
{
	struct waiter *w = arg;

	w->ret = dev_wait(w->fd, w->job, &w->wait);
	return NULL;
}

static void *wait_for_hangup(void *arg)
{
	struct waiter *w = arg;
	struct pollfd p = { .fd = w->fd, .events = 0 };

	w->ret = poll(&p, 1, -1);
	w->revents = p.revents;
	return NULL;
}

/* Jobs that run now, of the device's first engine. */
static long long running(const struct user *u)
{
	char attr[64], path[128];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/accelerator/%s/engines", u->dev.name);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)) && entry->d_name[0] == '.')
		;
	if (!dir || !entry)
		tap_bail("%s: no engine", path);
	snprintf(attr, sizeof(attr), "engines/%.32s/running", entry->d_name);
	closedir(dir);
	return dev_attr(u->dev.name, attr);
}

/* Calls of ioctl() that are under way. */
static unsigned int ioctls_inflight(const struct user *u)
{
	unsigned int inflight = 0;
	char path[96], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/debug/accelerator/%s/gate", u->dev.name);
	f = fopen(path, "r");
	if (!f)
		tap_bail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "ioctl %*u %*u %u", &inflight) == 1)
			break;
	fclose(f);
	return inflight;
}

/* So many jobs that the first runs and the last waits when the device goes. */
static int start_jobs(struct user *u)
{
	uint64_t mem;
	int ret;

	ret = dev_pin(u->fd, u->pinned, PIN_SIZE, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &mem);
	if (ret)
		return ret;
	for (u->num_jobs = 0; u->num_jobs < JOBS; u->num_jobs++) {
		if (dev_is(&u->dev, "edu")) {
			struct accel_edu_dma dma = {
				.mem_id = mem, .length = ACCEL_EDU_BUFFER_SIZE,
				.op = ACCEL_EDU_OP_TO_DEVICE,
			};

			ret = dev_ioctl(u->fd, ACCEL_EDU_IOCTL_DMA, &dma);
			u->job[u->num_jobs] = dma.job_id;
		} else {
			struct accel_soft_submit submit = {
				.op = ACCEL_SOFT_OP_FILL, .engine = 0, .dst_mem = mem,
				.length = PIN_SIZE, .pattern = 1,
			};

			ret = dev_ioctl(u->fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit);
			u->job[u->num_jobs] = submit.job_id;
		}
		if (ret)
			return ret;
	}
	return 0;
}

static int user_open(struct user *u, const char *driver)
{
	char control[DEV_NAME_LEN + 1];
	int ret;

	ret = dev_find(driver, 0, &u->dev);
	if (ret)
		return ret;
	u->fd = dev_open(u->dev.name);
	u->control = -1;
	if (u->fd < 0)
		return u->fd;
	if (dev_is(&u->dev, "soft")) {
		struct accel_soft_config config = {
			.engine = ACCEL_SOFT_ENGINE_ANY, .latency_ns = LONG_NS,
		};

		snprintf(control, sizeof(control), "%sc", u->dev.name);
		u->control = dev_open(control);
		if (u->control < 0)
			return u->control;
		ret = dev_ioctl(u->control, ACCEL_SOFT_IOCTL_CONFIG, &config);
		if (ret)
			return ret;
	}
	u->pinned = mmap(NULL, PIN_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	u->map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, u->fd, 0);
	if (u->pinned == MAP_FAILED || u->map == MAP_FAILED)
		return -errno;
	return dev_is(&u->dev, "soft") ? scratch_map(&u->scratch, u->fd) : 0;
}

/* Where the mapping shows something that is not zero while the device is there. */
static unsigned int map_offset(const struct user *u)
{
	return dev_is(&u->dev, "edu") ? 0 :
		offsetof(struct accel_soft_status, version) / sizeof(uint32_t);
}

/* What any descriptor of a device that is gone has to answer. */
static int ask(int fd)
{
	struct accel_mem_unpin unpin = { .mem_id = 1 };

	return dev_ioctl(fd, ACCEL_IOCTL_MEM_UNPIN, &unpin);
}

/* In a child that shares the file and the mapping: exit 0 when both are dead. */
static pid_t start_child(const struct user *u, int go)
{
	pid_t pid = fork();
	char c;

	if (pid)
		return pid;
	if (read(go, &c, 1) != 1)
		_exit(3);
	_exit(ask(u->fd) != -ENODEV ? 1 : u->map[map_offset(u)] ? 2 : 0);
}

static int run_way(const struct way *way)
{
	return way->go ? way->go() : dev_write(way->gone_path, way->gone_text);
}

static void come_back(const struct way *way)
{
	tap_is(way->back ? way->back() : dev_write(way->back_path, way->back_text), 0,
	       "%s: the device comes back", way->name);
}

static void check_waiters(const char *name, struct waiter *w)
{
	/* Whose call is counted but not yet let in when the device goes is told by the call. */
	tap_is(w[0].ret ?: w[0].wait.status, -ENODEV, "%s: who waits for the first job wakes: ENODEV",
	       name);
	tap_is(w[1].ret ?: w[1].wait.status, -ENODEV, "%s: who waits for a queued job wakes: ENODEV",
	       name);
	tap_is(w[1].wait.run_ns, 0, "%s: and never ran", name);
	tap_is(w[2].ret, 1, "%s: poll wakes", name);
	tap_ok((w[2].revents & (POLLHUP | POLLERR)) == (POLLHUP | POLLERR),
	       "%s: with POLLHUP and POLLERR (0x%x)", name, w[2].revents);
}

static void test_way(const struct way *way)
{
	struct waiter waiters[3] = {};
	struct user u = {};
	struct accel_mem_pin pin = { .length = PAGE, .flags = ACCEL_MEM_READ };
	char path[64];
	int sockets[2], go[2], dup_fd, sent, status, i;
	long long pins = dev_foll_pins();
	pid_t child;
	void *moved;

	if (!tap_is(user_open(&u, way->driver), 0, "%s: set up", way->name))
		return;
	tap_is(start_jobs(&u), 0, "%s: jobs submitted", way->name);
	tap_ok(u.map[map_offset(&u)] != 0, "%s: the mapping shows the device", way->name);
	if (u.scratch.map)
		scratch_alive(&u.scratch, way->name);
	tap_ok(dev_foll_pins() == pins + (long long)(PIN_SIZE / PAGE), "%s: pages are pinned",
	       way->name);

	moved = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	moved = mremap((void *)u.map, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, moved);
	tap_ok(moved == MAP_FAILED && errno == EPERM, "%s: a mapping cannot be moved", way->name);
	tap_is(mprotect((void *)u.map, PAGE, PROT_READ | PROT_WRITE) ? errno : 0, EACCES,
	       "%s: a read-only mapping stays so", way->name);

	if (pipe(go) || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		tap_bail("pipe: %s", strerror(errno));
	child = start_child(&u, go[0]);
	dup_fd = dup(u.fd);
	if (send_fd(sockets[0], u.fd))
		tap_bail("cannot send a descriptor");

	for (i = 0; i < 2; i++) {
		waiters[i].fd = u.fd;
		/* The edu's first job would not wait for this thread. */
		waiters[i].job = u.job[i ? JOBS - 1 : dev_is(&u.dev, "edu") ? JOBS - 2 : 0];
		pthread_create(&waiters[i].thread, NULL, wait_for_job, &waiters[i]);
	}
	waiters[2].fd = u.fd;
	pthread_create(&waiters[2].thread, NULL, wait_for_hangup, &waiters[2]);
	while (running(&u) < 1 || ioctls_inflight(&u) < 2)
		usleep(1000);

	tap_is(run_way(way), 0, "%s: the device goes", way->name);
	tap_is(dev_foll_pins(), pins, "%s: no page is pinned as soon as it has gone", way->name);
	tap_is(dev_charged_kb(0), 0, "%s: nor charged for", way->name);
	for (i = 0; i < 3; i++)
		pthread_join(waiters[i].thread, NULL);
	check_waiters(way->name, waiters);

	tap_is(ask(u.fd), -ENODEV, "%s: the file answers ENODEV", way->name);
	tap_is(ask(dup_fd), -ENODEV, "%s: so does its duplicate", way->name);
	sent = receive_fd(sockets[1]);
	tap_is(ask(sent), -ENODEV, "%s: so does one that was in flight", way->name);
	pin.addr = (uintptr_t)u.pinned;
	tap_is(dev_ioctl(u.fd, ACCEL_IOCTL_MEM_PIN, &pin), -ENODEV, "%s: nothing is pinned any more",
	       way->name);
	tap_is(u.map[map_offset(&u)], 0, "%s: the mapping is empty", way->name);
	if (u.scratch.map)
		scratch_gone(&u.scratch, way->name);
	tap_ok(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, u.fd, 0) == MAP_FAILED && errno == ENODEV,
	       "%s: no new mapping", way->name);
	snprintf(path, sizeof(path), "/dev/accelerator/%s", u.dev.name);
	tap_ok(open(path, O_RDWR) < 0 && (errno == ENOENT || errno == ENXIO),
	       "%s: open answers ENOENT or ENXIO", way->name);
	if (write(go[1], "x", 1) != 1 || waitpid(child, &status, 0) != child)
		tap_bail("child: %s", strerror(errno));
	tap_is(status, 0, "%s: a child that shares file and mapping finds both dead", way->name);

	/* The old file stays dead beside the device that comes back under the same name. */
	come_back(way);
	tap_is(ask(u.fd), -ENODEV, "%s: the old file stays dead", way->name);
	if (u.scratch.map)
		scratch_unmap(&u.scratch);
	munmap((void *)u.map, PAGE);
	munmap(u.pinned, PIN_SIZE);
	close(sent);
	close(dup_fd);
	close(u.fd);
	if (u.control >= 0)
		close(u.control);
	for (i = 0; i < 2; i++) {
		close(go[i]);
		close(sockets[i]);
	}
	tap_is(dev_find(way->driver, 0, &u.dev), 0, "%s: it is found again", way->name);
	tap_is(dev_attr(u.dev.name, "contexts"), 0, "%s: and not in use", way->name);
}

#endif

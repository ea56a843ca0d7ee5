// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" */
/*
 * Who is charged for a region: the process that has pinned it, whosever the file is. And
 * it is that one's charge that goes when the region does, whoever ends it.
 */
#include <signal.h>
#include <sys/wait.h>

#include "mem.h"

#define LENGTH	(16 * PAGE)
#define KB	((long)(LENGTH / 1024))

static struct dev_info dev;
static uint8_t *memory;

/* A process with a copy of all that is open, which does one thing at a time when told. */
struct other {
	pid_t pid;
	int to, from;
};

static void other_main(int fd, int from, int to)
{
	uint64_t mem;
	char what;

	while (read(from, &what, 1) == 1) {
		if (what == 'p' && dev_pin(fd, memory, LENGTH, READ | WRITE, &mem))
			_exit(2);
		if (what == 'c')
			close(fd);
		if (write(to, what == 'p' ? (void *)&mem : &what, what == 'p' ? sizeof(mem) : 1) < 1)
			_exit(3);
	}
	_exit(0);
}

static void other_start(struct other *other, int fd)
{
	int to[2], from[2];

	if (pipe(to) || pipe(from))
		tap_bail("pipe: %s", strerror(errno));
	other->pid = fork();
	if (!other->pid) {
		close(to[1]);
		other_main(fd, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	other->to = to[1];
	other->from = from[0];
}

/* Its answer: the region that it has pinned, or the letter. */
static uint64_t tell(const struct other *other, char what)
{
	uint64_t answer = 0;

	if (write(other->to, &what, 1) != 1 || read(other->from, &answer, sizeof(answer)) < 1)
		tap_bail("the other process has failed");
	return answer;
}

static void other_end(struct other *other, int signal)
{
	if (signal)
		kill(other->pid, signal);
	close(other->to);
	waitpid(other->pid, NULL, 0);
	close(other->from);
}

static int open_and_pin(void)
{
	int fd = dev_open(dev.name);
	uint64_t mem;

	if (fd < 0 || dev_pin(fd, memory, LENGTH, READ | WRITE, &mem))
		tap_bail("open or pin");
	return fd;
}

/* The file outlives its owner's descriptor, and with it the charge. */
static void test_last_close(bool killed)
{
	const char *how = killed ? "killed" : "closes it";
	struct clean before = clean_read();
	int fd = open_and_pin();
	struct other other;

	other_start(&other, fd);
	close(fd);
	tap_is(dev_charged_kb(0), KB, "another process has the file: its region is charged for");
	tap_is(dev_charged_kb(other.pid), 0, "and not to that one");
	if (!killed)
		tell(&other, 'c');
	else
		other_end(&other, SIGKILL);
	tap_is(dev_charged_kb(0), 0, "until that one %s", how);
	clean_check(&before, how);
	if (!killed)
		other_end(&other, 0);
}

/* By a file that is somebody else's. */
static void test_pinner(bool dies)
{
	struct clean before = clean_read();
	int fd = dev_open(dev.name);
	struct other other;
	uint64_t mem;

	other_start(&other, fd);
	mem = tell(&other, 'p');
	tap_is(dev_charged_kb(other.pid), KB, "who pins by another's file is charged");
	tap_is(dev_charged_kb(0), 0, "the file's owner is not");
	if (dies) {
		other_end(&other, SIGKILL);
		tap_is(dev_attr(dev.name, "pinned_bytes"), LENGTH, "that one dies: it is still pinned");
		tap_is(dev_foll_pins() - before.foll, LENGTH / PAGE, "each page of it");
		tap_is(dev_charged_kb(0), 0, "and nobody else is charged");
	}
	tap_is(dev_unpin(fd, mem), 0, "the owner unpins");
	if (!dies) {
		tap_is(dev_charged_kb(other.pid), 0, "who has pinned it is not charged any more");
		other_end(&other, 0);
	}
	close(fd);
	clean_check(&before, "that");
}

int main(void)
{
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	memory = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		tap_bail("no memory");
	memset(memory, 1, LENGTH);
	test_last_close(false);
	test_last_close(true);
	test_pinner(false);
	test_pinner(true);
	return tap_done();
}

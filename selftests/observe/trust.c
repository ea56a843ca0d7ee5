// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=180 */
/*
 * A BPF file system that others than root may write to, or only open: an ordinary user
 * neither stops accelctl by a lock, nor gets it to pin in, or remove from, a directory that
 * is the user's. What is said then has the path, its owner and the next step.
 */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "observe.h"

#define BPFFS		"/sys/fs/bpf"
#define POLICIES	BPFFS "/accelerator-policies"
#define LOCK		"/run/accelctl.lock"
#define LOAD		"accelctl policy load ioctl-filter deny=0"
#define BOB		1002

static bool exists(const char *path)
{
	return !access(path, F_OK);
}

/* @uid has a lock on @path until it is killed; 0: it cannot have it */
static pid_t lock_by(uid_t uid, const char *path)
{
	int ready[2];
	char got = 0;
	pid_t pid;

	if (pipe(ready))
		tap_bail("pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int fd;

		if (setgid(uid) || setuid(uid))
			_exit(1);
		fd = open(path, O_RDONLY);
		if (fd < 0 || flock(fd, LOCK_EX) || write(ready[1], "y", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &got, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = 0;
	}
	close(ready[0]);
	return pid;
}

static void unlock(pid_t pid)
{
	if (!pid)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void locks(void)
{
	struct timespec moment = { .tv_nsec = 10000000 };
	char text[64];
	struct stat st;
	int status;
	pid_t pid, on;

	pid = lock_by(BOB, BPFFS);
	tap_ok(pid, "bob has a lock on " BPFFS);
	tap_is(shell("timeout 60 accelctl observe on"), 0, "lock: on does not wait for it");
	tap_is(shell("timeout 60 " LOAD), 0, "lock: nor does policy load");
	shell("accelctl policy unload ioctl-filter");
	tap_is(shell("timeout 60 accelctl observe off"), 0, "lock: nor does off");
	unlock(pid);

	tap_ok(!stat(LOCK, &st) && !st.st_uid && (st.st_mode & 07777) == 0600,
	       LOCK " is root's alone");
	tap_ok(!lock_by(BOB, LOCK), "bob cannot lock it");
	pid = lock_by(0, LOCK);
	tap_ok(pid, "root can");
	fflush(stdout);
	on = fork();
	if (!on)
		_exit(shell("accelctl observe on"));
	snprintf(text, sizeof(text), "waiting for process %d (trust)", pid);
	while (!waitpid(on, &status, WNOHANG) && !said(text))
		nanosleep(&moment, NULL);
	tap_ok(said(text) && said(LOCK), "who waits for it says for whom");
	unlock(pid);
	tap_is(waitpid(on, &status, 0) == on ? status : -1, 0, "and goes on when it is free");
	shell("accelctl observe off");

	chmod(LOCK, 0666);
	tap_is(shell("accelctl observe on"), 1, "a lock that others can have is none");
	tap_ok(said(LOCK) && said("rm " LOCK), "and that is said");
	unlink(LOCK);
}

/* Bob has made @path; @command neither uses it nor removes anything from it. */
static void made_by_bob(const char *path, const char *command)
{
	char line[256];

	snprintf(line, sizeof(line), "su bob -c 'mkdir -m 777 %s %s/bobs'", path, path);
	if (shell(line))
		tap_bail("bob cannot make %s", path);
	tap_is(shell(command), 1, "bob's %s: %s refuses", path, command);
	snprintf(line, sizeof(line), "%s is of user bob, mode 0777", path);
	tap_ok(said(line), "  names it and its owner");
	snprintf(line, sizeof(line), "rm -r %s", path);
	tap_ok(said(line), "  and the next step");
	snprintf(line, sizeof(line), "%s/bobs", path);
	tap_ok(exists(line) && !rmdir(line) && !rmdir(path), "  and has not touched it");
	/* if it has */
	snprintf(line, sizeof(line), "rm -rf %s", path);
	shell(line);
}

int main(void)
{
	char *step;
	FILE *f;
	char line[512] = "";

	locks();

	chmod(BPFFS, 01777);
	made_by_bob(PINS, "accelctl observe on");
	made_by_bob(PINS, "accelctl observe off");
	made_by_bob(PINS, "accelctl observe");
	made_by_bob(PARTIAL, "accelctl observe on");
	made_by_bob(PARTIAL, "accelctl observe off");
	made_by_bob(POLICIES, LOAD);
	made_by_bob(POLICIES, "accelctl policy unload ioctl-filter");
	shell("su bob -c 'ln -s /tmp " PINS "'");
	tap_is(shell("accelctl observe off"), 1, "nor is a link of bob's followed");
	tap_ok(said("no directory"), "and said what it is");
	unlink(PINS);
	mkdir(PINS, 0700);
	chmod(PINS, 0770);
	tap_is(shell("accelctl observe on"), 1, "nor is one taken that a group may write to");
	rmdir(PINS);
	tap_is(shell("accelctl observe on"), 0, "without them, all is well");
	tap_is(shell("su bob -c 'mv " PINS " " BPFFS "/mine'"), 1, "bob cannot take the name away");
	tap_is(shell("accelctl observe off"), 0, "off");

	chmod(BPFFS, 0777);
	tap_is(shell("accelctl observe on"), 1, "where bob can, nothing is pinned");
	tap_ok(said("chmod go-w " BPFFS) && !exists(PINS), "and that is said");
	chmod(BPFFS, 0755);

	/* As it is advised, the pins' group gets there, and nobody else. */
	if (umount(BPFFS))
		tap_bail("umount: %s", strerror(errno));
	tap_is(shell("accelctl observe on"), 1, "no BPF file system");
	f = fopen("/tmp/said", "r");
	step = f && fgets(line, sizeof(line), f) ? strstr(line, "mount -t bpf") : NULL;
	if (f)
		fclose(f);
	tap_ok(step && !shell(step), "what it advises mounts one");
	tap_is(shell("accelctl observe on"), 0, "then it is on");
	tap_is(shell("su alice -c 'accel-top -b -n 1 -d 0.1 --require-latency'"), 0, "alice reads");
	tap_is(shell("su bob -c 'accel-top -b -n 1 -d 0.1 --require-latency'"), 4, "bob does not");
	tap_is(shell("su bob -c 'mkdir " POLICIES "'"), 1, "nor does he make a directory there");
	tap_is(shell("accelctl observe off"), 0, "off");
	chmod(BPFFS, 0755);
	return tap_done();
}

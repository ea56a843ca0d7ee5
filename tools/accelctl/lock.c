// SPDX-License-Identifier: GPL-2.0-only
/* One accelctl at a time changes what is pinned, and nobody but root. */
#include "accelctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Whoever can open a file can lock it, and bpffs has no files but pins: so it is not in there. */
#define LOCK	"/run/accelctl.lock"

static const char *user_name(uid_t uid, char *number, size_t size)
{
	struct passwd *user = getpwuid(uid);

	snprintf(number, size, "%u", uid);
	return user ? user->pw_name : number;
}

/* Nobody else may change what is in there. */
static bool is_roots(const struct stat *st)
{
	return !st->st_uid && !(st->st_mode & 022);
}

bool pins_trusted(const char *path, char *why, size_t size)
{
	char number[16];
	struct stat st;

	if (lstat(path, &st) || (S_ISDIR(st.st_mode) && is_roots(&st)))
		return true;
	if (S_ISDIR(st.st_mode))
		snprintf(why, size,
			 "%s is of user %s, mode %04o: others than root could change what is pinned there; look what is in it, rm -r %s, and try again",
			 path, user_name(st.st_uid, number, sizeof(number)), st.st_mode & 07777,
			 path);
	else
		snprintf(why, size,
			 "%s, of user %s, is no directory; look what it is, rm %s, and try again",
			 path, user_name(st.st_uid, number, sizeof(number)), path);
	return false;
}

int pins_check(const char *path)
{
	char why[512];

	return pins_trusted(path, why, sizeof(why)) ? EXIT_OK : fail(EXIT_FAILED, "%s", why);
}

static int check_bpffs(void)
{
	char number[16];
	struct statfs fs;
	struct stat st;

	/* As systemd mounts it; the pins' group gets in by the door that observe makes. */
	if (statfs(BPFFS, &fs) || fs.f_type != BPF_FS_MAGIC || stat(BPFFS, &st))
		return fail(EXIT_FAILED,
			    "%s is no BPF file system; mount -t bpf -o mode=0700 bpf %s", BPFFS,
			    BPFFS);
	/* Sticky: others may add to it, but neither rename nor remove what is root's. */
	if (!is_roots(&st) && (st.st_uid || !(st.st_mode & S_ISVTX)))
		return fail(EXIT_FAILED,
			    "%s is of user %s, mode %04o: others than root could replace what is pinned there; chown root %s && chmod go-w %s",
			    BPFFS, user_name(st.st_uid, number, sizeof(number)),
			    st.st_mode & 07777, BPFFS, BPFFS);
	return EXIT_OK;
}

/* Who has it, for people: "accelctl, process 123". */
static void tell_holder(const struct stat *lock)
{
	FILE *f = fopen("/proc/locks", "re"), *comm;
	char line[256], path[32], name[32] = "";
	unsigned int major, minor;
	unsigned long ino;
	int pid, found = 0;

	while (f && !found && fgets(line, sizeof(line), f)) {
		int n = sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major, &minor,
			       &ino);

		if (n == 4 && ino == lock->st_ino && makedev(major, minor) == lock->st_dev)
			found = pid;
	}
	if (f)
		fclose(f);
	if (found <= 0) {
		fail(0, "waiting for another accelctl, which has locked %s", LOCK);
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", found);
	comm = fopen(path, "re");
	if (comm && fgets(name, sizeof(name), comm))
		name[strcspn(name, "\n")] = '\0';
	if (comm)
		fclose(comm);
	fail(0, "waiting for process %d (%s), which has locked %s", found, name[0] ? name : "?",
	     LOCK);
}

int lock_pins(void)
{
	char number[16];
	struct stat st;
	int code, fd;

	if (!bpf_util_may_load())
		return fail(EXIT_NO_PERMISSION,
			    "loading BPF programs for a module needs CAP_SYS_ADMIN: run as root");
	code = check_bpffs();
	if (code)
		return code;
	fd = open(LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st))
		return fail(EXIT_FAILED, "cannot lock %s: %s", LOCK, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid || st.st_mode & 077)
		return fail(EXIT_FAILED,
			    "%s is of user %s, mode %04o: others than root could hold the lock; rm %s, and try again",
			    LOCK, user_name(st.st_uid, number, sizeof(number)), st.st_mode & 07777,
			    LOCK);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return EXIT_OK;
	if (errno == EWOULDBLOCK) {
		tell_holder(&st);
		if (!flock(fd, LOCK_EX))
			return EXIT_OK;
	}
	return fail(EXIT_FAILED, "cannot lock %s: %s", LOCK, strerror(errno));
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's init: makes the machine ready, runs one command (or, on a
 * terminal of the host's, a shell), and sends what it printed, its exit status
 * and the kernel's log to the host. See proto.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "proto.h"

#define SYSLOG_ACTION_READ_ALL 3
#define SYSLOG_ACTION_SIZE_BUFFER 10

static int port = -1;

static void power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void send_all(const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(port, p, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			perror("agent: writing to the host");
			power_off();
		}
		if (n > 0) {
			p += n;
			len -= n;
		}
	}
}

static void send_rec(enum vm_rec_type type, const void *data, size_t len)
{
	const char *p = data;

	do {
		struct {
			struct vm_rec hdr;
			char data[VM_REC_MAX];
		} r;
		size_t part = len < VM_REC_MAX ? len : VM_REC_MAX;

		r.hdr.type = type;
		r.hdr.len = part;
		if (part)
			memcpy(r.data, p, part);
		send_all(&r, sizeof(r.hdr) + part);
		p += part;
		len -= part;
	} while (len);
}

static void fatal(const char *what)
{
	fprintf(stderr, "agent: %s\n", what);
	if (port >= 0) {
		send_rec(VM_FATAL, what, strlen(what));
		send_rec(VM_END, NULL, 0);
	}
	power_off();
}

static void send_dmesg(void)
{
	int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);
	char *buf = size > 0 ? malloc(size) : NULL;
	int n = buf ? klogctl(SYSLOG_ACTION_READ_ALL, buf, size) : -1;

	if (n < 0)
		fatal("cannot read the kernel's log");
	if (n)
		send_rec(VM_DMESG, buf, n);
	free(buf);
}

/*
 * Where the kernel has it: two scans, since the first may see stale pointers. A detector that
 * has given up refuses to scan, and its file is empty: that is no good news, and
 * selftests/vm/dmesg-scan takes this line for what it is.
 */
static void send_kmemleak(void)
{
	static const char file[] = "/sys/kernel/debug/kmemleak";
	char *text = NULL, failed[128];
	size_t len = 0;
	int ret;

	if (access(file, F_OK))
		return;
	ret = write_file(file, "scan");
	if (!ret) {
		sleep(5);
		ret = write_file(file, "scan");
	}
	if (!ret) {
		text = read_file(file, &len);
		ret = text ? 0 : -EIO;
	}
	if (ret) {
		len = snprintf(failed, sizeof(failed), "agent: kmemleak does not scan: %s\n",
			       strerror(-ret));
		send_rec(VM_DMESG, failed, len);
	} else if (len) {
		send_rec(VM_DMESG, text, len);
	}
	free(text);
}

static void set_environment(void)
{
	char *list = read_file(VM_DIR "/env", NULL), *line, *save = NULL;

	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("USER", "root", 1);
	setenv("LANG", "C.UTF-8", 1);
	setenv("TERM", "dumb", 1);
	for (line = strtok_r(list, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		putenv(line);	/* list stays */
}

/* A pty of the size that the host's terminal has. Returns the master. */
static int open_pty(int *slave, const char *size)
{
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };
	int master = open("/dev/ptmx", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int unlock = 0, n;
	char path[32];

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) || ioctl(master, TIOCGPTN, &n))
		fatal("no pseudo terminal");
	sscanf(size, "%hu %hu", &ws.ws_row, &ws.ws_col);
	ioctl(master, TIOCSWINSZ, &ws);
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	*slave = open(path, O_RDWR | O_NOCTTY);
	if (*slave < 0)
		fatal("cannot open the pseudo terminal");
	return master;
}

struct run {
	pid_t pid;
	int out, err;	/* both the pty's master when there is one */
	int tty;	/* master, -1 without */
};

static void start(struct run *r, const char *command, const char *size)
{
	int out[2], err[2], slave = -1;

	r->tty = -1;
	if (size) {
		r->tty = open_pty(&slave, size);
		r->out = r->tty;
		r->err = -1;
	} else {
		if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
			fatal("no pipes");
		r->out = out[0];
		r->err = err[0];
	}

	r->pid = fork();
	if (r->pid < 0)
		fatal("cannot fork");
	if (!r->pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		if (slave >= 0) {
			ioctl(slave, TIOCSCTTY, 0);
			dup2(slave, 0);
			dup2(slave, 1);
			dup2(slave, 2);
		} else {
			int null = open("/dev/null", O_RDONLY);

			dup2(null, 0);
			dup2(out[1], 1);
			dup2(err[1], 2);
		}
		if (slave > 2)
			close(slave);
		if (chdir("/root"))
			perror("/root");
		if (*command)
			execl("/bin/sh", "sh", "-c", command, NULL);
		else
			execl("/bin/sh", "-sh", NULL);
		_exit(127);
	}

	if (slave >= 0) {
		close(slave);
	} else {
		close(out[1]);
		close(err[1]);
	}
}

/* Pass on what is there. Returns 0 at the end of the file. */
static int forward(int fd, enum vm_rec_type type)
{
	char buf[VM_REC_MAX];
	ssize_t n = read(fd, buf, sizeof(buf));

	if (n > 0)
		send_rec(type, buf, n);
	/* EIO: a pty whose last user has gone */
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* One record from the host; it sends whole ones, so waiting for the rest is short. */
static void from_host(struct run *r)
{
	char data[VM_REC_MAX];
	struct vm_rec hdr;
	size_t got = 0;

	while (got < sizeof(hdr)) {
		ssize_t n = read(port, (char *)&hdr + got, sizeof(hdr) - got);

		if (n <= 0)
			return;
		got += n;
	}
	if (hdr.len > sizeof(data))
		fatal("a record of the host is too long");
	for (got = 0; got < hdr.len; ) {
		ssize_t n = read(port, data + got, hdr.len - got);

		if (n <= 0)
			return;
		got += n;
	}
	if (r->tty < 0)
		return;
	if (hdr.type == VM_STDIN && hdr.len) {
		if (write(r->tty, data, hdr.len) < 0)
			perror("agent: terminal");
	} else if (hdr.type == VM_WINSIZE && hdr.len == 2 * sizeof(uint16_t)) {
		struct winsize ws = { 0 };

		memcpy(&ws.ws_row, data, 2);
		memcpy(&ws.ws_col, data + 2, 2);
		ioctl(r->tty, TIOCSWINSZ, &ws);
	}
}

static uint32_t run(struct run *r, int sigs)
{
	uint32_t status = 0;
	int running = 1;

	while (running) {
		struct pollfd p[] = {
			{ .fd = r->out, .events = POLLIN },
			{ .fd = r->err, .events = POLLIN },
			{ .fd = port, .events = POLLIN },
			{ .fd = sigs, .events = POLLIN },
		};

		if (poll(p, 4, -1) < 0 && errno != EINTR)
			fatal("poll failed");
		if (p[0].revents && !forward(r->out, VM_STDOUT))
			r->out = -1;
		if (p[1].revents && !forward(r->err, VM_STDERR))
			r->err = -1;
		if (p[2].revents & POLLIN)
			from_host(r);
		if (p[3].revents & POLLIN) {
			struct signalfd_siginfo si;
			int st;
			pid_t pid;

			if (read(sigs, &si, sizeof(si)) < 0)
				continue;
			while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
				if (pid != r->pid)
					continue;
				status = WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
				running = 0;
			}
		}
	}

	/* what it left in the pipes; its children may hold them open for ever */
	if (r->out >= 0)
		fcntl(r->out, F_SETFL, O_NONBLOCK);
	if (r->err >= 0)
		fcntl(r->err, F_SETFL, O_NONBLOCK);
	while (r->out >= 0 && forward(r->out, VM_STDOUT) && errno != EAGAIN)
		errno = 0;
	errno = 0;
	while (r->err >= 0 && forward(r->err, VM_STDERR) && errno != EAGAIN)
		errno = 0;
	return status;
}

int main(void)
{
	char *command, *size;
	struct timespec now;
	const char *error;
	struct run r = { 0 };
	uint32_t word;
	sigset_t set;
	int sigs;

	boot_mounts();
	port = boot_open_port();
	if (port < 0)
		fatal("no virtio-serial port named " VM_PORT_NAME);
	error = boot_modules();
	if (error)
		fatal(error);
	boot_device_nodes();

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigs = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigs < 0)
		fatal("no signalfd");

	set_environment();
	command = read_file(VM_DIR "/command", NULL);
	size = read_file(VM_DIR "/pty", NULL);
	if (!command)
		fatal("no " VM_DIR "/command");
	clock_gettime(CLOCK_BOOTTIME, &now);
	word = now.tv_sec * 1000 + now.tv_nsec / 1000000;
	send_rec(VM_READY, &word, sizeof(word));

	start(&r, command, size);
	word = run(&r, sigs);

	/* processes of the command's that are left go now, while the log is still read */
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	send_kmemleak();
	send_dmesg();
	send_rec(VM_EXIT, &word, sizeof(word));
	send_rec(VM_END, NULL, 0);
	power_off();
}

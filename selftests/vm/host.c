// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's end of the test machine: starts QEMU, passes on what the guest's
 * command prints, keeps its result, and ends the machine in every case.
 *
 *	vmhost [-t] [-b BOOT-SECONDS] [-l SECONDS] -d DIR -- QEMU ARGUMENT...
 *
 * -t: the user's terminal is the command's. Leaves in DIR: status (the exit
 * status of the command, absent when there is none), error (why there is none),
 * dmesg, ready (ms from the start of QEMU and of the guest's clock), qemu.log.
 * Exits 0 when there is a status.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "proto.h"

static const char *dir;
static struct termios cooked;
static bool raw;
static pid_t qemu;

static void restore_terminal(void)
{
	if (raw)
		tcsetattr(0, TCSANOW, &cooked);
	raw = false;
}

static void end_qemu(void)
{
	if (qemu > 0) {
		kill(qemu, SIGKILL);
		waitpid(qemu, NULL, 0);
	}
	qemu = 0;
}

static FILE *result(const char *name, const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, mode);
	if (!f) {
		restore_terminal();
		fprintf(stderr, "vmhost: %s: %s\n", path, strerror(errno));
		end_qemu();
		exit(2);
	}
	return f;
}

__attribute__((noreturn, format(printf, 1, 2)))
static void fail(const char *fmt, ...)
{
	FILE *f = result("error", "w");
	va_list ap;

	end_qemu();
	restore_terminal();
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
	exit(1);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static bool write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd w = { .fd = fd, .events = POLLOUT };

			poll(&w, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			p += n;
			len -= n;
		}
	}
	return true;
}

static void to_guest(int sock, enum vm_rec_type type, const void *data, uint32_t len)
{
	struct {
		struct vm_rec hdr;
		char data[VM_REC_MAX];
	} r = { .hdr = { .type = type, .len = len } };

	memcpy(r.data, data, len);
	/* a guest that is gone is noticed where its records are read */
	write_all(sock, &r, sizeof(r.hdr) + len);
}

static void send_winsize(int sock)
{
	uint16_t size[2];
	struct winsize ws;

	if (ioctl(1, TIOCGWINSZ, &ws) || !ws.ws_row || !ws.ws_col)
		return;
	size[0] = ws.ws_row;
	size[1] = ws.ws_col;
	to_guest(sock, VM_WINSIZE, size, sizeof(size));
}

/*
 * QEMU's monitor (QMP) and the guest's port for it are the two ends of one socket:
 * what a test writes to the port, the monitor reads, and the other way round.
 */
static void start_qemu(char **argv, int argc, int sock)
{
	char **args = calloc(argc + 15, sizeof(*args));
	char chardev[64], monitor[64], port[64];
	int i, n = 0, qmp[2];

	if (!args)
		fail("out of memory");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp))
		fail("socketpair: %s", strerror(errno));
	for (i = 0; i < argc; i++)
		args[n++] = argv[i];
	snprintf(chardev, sizeof(chardev), "socket,id=vmport,fd=%d", sock);
	args[n++] = "-device";
	args[n++] = "virtio-serial-pci";
	args[n++] = "-chardev";
	args[n++] = chardev;
	args[n++] = "-device";
	args[n++] = "virtserialport,chardev=vmport,name=" VM_PORT_NAME;
	snprintf(monitor, sizeof(monitor), "socket,id=qmp,fd=%d", qmp[0]);
	args[n++] = "-chardev";
	args[n++] = monitor;
	args[n++] = "-mon";
	args[n++] = "chardev=qmp,mode=control";
	snprintf(port, sizeof(port), "socket,id=qmpport,fd=%d", qmp[1]);
	args[n++] = "-chardev";
	args[n++] = port;
	args[n++] = "-device";
	args[n++] = "virtserialport,chardev=qmpport,name=" VM_QMP_PORT_NAME;

	qemu = fork();
	if (qemu < 0)
		fail("cannot fork: %s", strerror(errno));
	if (!qemu) {
		int null = open("/dev/null", O_RDONLY);
		int log = fileno(result("qemu.log", "w"));
		sigset_t none;

		/* whatever happens to us, no machine is left running */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setpgid(0, 0);
		dup2(null, 0);
		dup2(log, 1);
		dup2(log, 2);
		fcntl(sock, F_SETFD, 0);
		fcntl(qmp[0], F_SETFD, 0);
		fcntl(qmp[1], F_SETFD, 0);
		execvp(args[0], args);
		fprintf(stderr, "%s: %s\n", args[0], strerror(errno));
		_exit(127);
	}
	close(qmp[0]);
	close(qmp[1]);
	free(args);
}

struct machine {
	int sock;
	bool tty, ready, ended, have_status;
	int64_t started, deadline, limit;
	FILE *dmesg;
	char buf[2 * (sizeof(struct vm_rec) + VM_REC_MAX)];
	size_t fill;
};

static void handle(struct machine *m, const struct vm_rec *hdr, const char *data)
{
	uint32_t word = 0;
	FILE *f;

	if (hdr->len >= sizeof(word))
		memcpy(&word, data, sizeof(word));
	switch (hdr->type) {
	case VM_READY:
		m->ready = true;
		m->deadline = m->limit ? now_ms() + m->limit : 0;
		f = result("ready", "w");
		fprintf(f, "%lld %u\n", (long long)(now_ms() - m->started), word);
		fclose(f);
		if (m->tty)
			send_winsize(m->sock);
		break;
	case VM_STDOUT:
	case VM_STDERR:
		/* the reader may have left (head, q in a pager): the command goes on */
		write_all(hdr->type == VM_STDOUT ? 1 : 2, data, hdr->len);
		break;
	case VM_DMESG:
		fwrite(data, 1, hdr->len, m->dmesg);
		break;
	case VM_EXIT:
		f = result("status", "w");
		fprintf(f, "%u\n", word);
		fclose(f);
		m->have_status = true;
		break;
	case VM_FATAL:
		fail("the guest could not get ready: %.*s", (int)hdr->len, data);
	case VM_END:
		m->ended = true;
		break;
	default:
		fail("a record of unknown type %u came from the guest", hdr->type);
	}
}

/* Returns false when the guest is gone. */
static bool from_guest(struct machine *m)
{
	ssize_t n = read(m->sock, m->buf + m->fill, sizeof(m->buf) - m->fill);
	size_t at = 0;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	m->fill += n;
	while (m->fill - at >= sizeof(struct vm_rec)) {
		struct vm_rec hdr;

		memcpy(&hdr, m->buf + at, sizeof(hdr));
		if (hdr.len > VM_REC_MAX)
			fail("a record from the guest is too long (%u)", hdr.len);
		if (m->fill - at < sizeof(hdr) + hdr.len)
			break;
		handle(m, &hdr, m->buf + at + sizeof(hdr));
		at += sizeof(hdr) + hdr.len;
	}
	memmove(m->buf, m->buf + at, m->fill - at);
	m->fill -= at;
	return true;
}

static void on_signal(struct machine *m, int sigs)
{
	struct signalfd_siginfo si;

	if (read(sigs, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGWINCH) {
		if (m->tty)
			send_winsize(m->sock);
	} else if (si.ssi_signo != SIGCHLD) {
		fail("interrupted by signal %u (%s)", si.ssi_signo, strsignal(si.ssi_signo));
	}
}

static void serve(struct machine *m, int sigs)
{
	bool stdin_open = m->tty;
	char keys[512];

	while (!m->ended) {
		struct pollfd p[] = {
			{ .fd = m->sock, .events = POLLIN },
			{ .fd = sigs, .events = POLLIN },
			{ .fd = stdin_open && m->ready ? 0 : -1, .events = POLLIN },
		};
		int64_t left = m->deadline ? m->deadline - now_ms() : 3600 * 1000;

		if (left <= 0) {
			if (m->ready)
				fail("time limit: the command ran for more than %lld s",
				     (long long)m->limit / 1000);
			fail("time limit: the guest was not ready after %lld s",
			     (long long)(now_ms() - m->started) / 1000);
		}
		if (poll(p, 3, left) < 0 && errno != EINTR)
			fail("poll: %s", strerror(errno));
		if (p[1].revents)
			on_signal(m, sigs);
		if (p[2].revents) {
			ssize_t n = read(0, keys, sizeof(keys));

			if (n > 0)
				to_guest(m->sock, VM_STDIN, keys, n);
			else
				stdin_open = false;
		}
		if (p[0].revents && !from_guest(m))
			break;
	}
	if (!m->have_status)
		fail("the guest ended without a result (a panic, or QEMU failed)");
}

static int usage(void)
{
	fputs("Usage: vmhost [-t] [-b BOOT-SECONDS] [-l SECONDS] -d DIR -- QEMU ARGUMENT...\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static struct machine m;
	int64_t boot_limit = 120000;
	int opt, pair[2], sigs;
	sigset_t set;

	while ((opt = getopt(argc, argv, "+tb:l:d:")) != -1) {
		switch (opt) {
		case 't':
			m.tty = true;
			break;
		case 'b':
			boot_limit = atoll(optarg) * 1000;
			break;
		case 'l':
			m.limit = atoll(optarg) * 1000;
			break;
		case 'd':
			dir = optarg;
			break;
		default:
			return usage();
		}
	}
	if (!dir || optind == argc)
		return usage();

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigs = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigs < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		fail("signalfd or socketpair: %s", strerror(errno));

	m.dmesg = result("dmesg", "w");
	m.sock = pair[0];
	m.started = now_ms();
	m.deadline = m.started + boot_limit;
	start_qemu(argv + optind, argc - optind, pair[1]);
	close(pair[1]);

	if (m.tty && !tcgetattr(0, &cooked)) {
		struct termios t = cooked;

		cfmakeraw(&t);
		raw = !tcsetattr(0, TCSANOW, &t);
	}
	serve(&m, sigs);
	end_qemu();
	restore_terminal();
	return fclose(m.dmesg) ? 2 : 0;
}

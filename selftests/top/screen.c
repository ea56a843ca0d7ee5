// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=240 */
/* accel-top on terminals: good ones, tiny ones, unknown ones; and how it leaves them. */
#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <utmp.h>

#include "child.h"
#include "tap.h"

#define LONG	60	/* seconds, for what comes as soon as it can */

struct term {
	pid_t pid;
	int fd;
	struct termios before;
	char text[262144];	/* all that it has written */
	size_t len;
	int status;
	bool ended;
};

static bool term_start(struct term *t, const char *type, int width, int height,
		       char *const argv[])
{
	struct winsize size = { .ws_row = (unsigned short)height, .ws_col = (unsigned short)width };
	int slave;

	memset(t, 0, sizeof(*t));
	if (openpty(&t->fd, &slave, NULL, NULL, &size) || tcgetattr(slave, &t->before))
		return false;
	t->pid = fork();
	if (t->pid < 0)
		return false;
	if (!t->pid) {
		close(t->fd);
		login_tty(slave);
		if (type)
			setenv("TERM", type, 1);
		else
			unsetenv("TERM");
		setenv("LANG", "C.UTF-8", 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	/* slave stays open: its settings are looked at when the program has gone */
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	return true;
}

/* Takes what comes until @text was written, or for @seconds; true: it was. */
static bool term_expect(struct term *t, const char *text, double seconds)
{
	double until = now_s() + seconds;

	for (;;) {
		struct pollfd fd = { .fd = t->fd, .events = POLLIN };
		ssize_t got;

		if (text && memmem(t->text, t->len, text, strlen(text)))
			return true;
		if (now_s() >= until)
			return false;
		if (waitpid(t->pid, &t->status, WNOHANG) == t->pid) {
			t->ended = true;
			until = 0;	/* what is left to read, and no more */
		}
		while (poll(&fd, 1, 50) > 0 && fd.revents & POLLIN &&
		       t->len < sizeof(t->text) - 1) {
			got = read(t->fd, t->text + t->len, sizeof(t->text) - 1 - t->len);
			if (got <= 0)
				break;
			t->len += (size_t)got;
		}
		if (t->ended && !(text && memmem(t->text, t->len, text, strlen(text))))
			return false;
	}
}

static void term_type(struct term *t, const char *keys)
{
	if (write(t->fd, keys, strlen(keys)) < 0)
		tap_diag("write: %s", strerror(errno));
}

/* Its exit code; 128 + signal; -1: it did not end. */
static int term_end(struct term *t)
{
	if (!t->ended)
		term_expect(t, NULL, LONG);
	if (!t->ended) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, &t->status, 0);
		close(t->fd);
		return -1;
	}
	close(t->fd);
	return WIFEXITED(t->status) ? WEXITSTATUS(t->status) : 128 + WTERMSIG(t->status);
}

static void check_restored(struct term *t, const char *what)
{
	struct termios after;

	/* xterm's: cursor on, the other screen left */
	tap_ok(term_expect(t, "\033[?1049l", LONG), "%s: the other screen is left", what);
	tap_ok(!tcgetattr(t->fd, &after) && after.c_lflag == t->before.c_lflag &&
	       after.c_iflag == t->before.c_iflag && after.c_oflag == t->before.c_oflag,
	       "%s: the terminal's settings are back", what);
}

static char *const plain[] = { "accel-top", "-d", "0.5", NULL };

/* The bar of keys has a cyan ground, where there are colors. */
static bool colored(const struct term *t)
{
	return memmem(t->text, t->len, "\033[46m", 5);
}

static void keys(void)
{
	static struct term t;

	tap_ok(term_start(&t, "xterm-256color", 100, 30, plain), "start");
	tap_ok(term_expect(&t, "acc2", LONG), "devices are shown");
	tap_ok(term_expect(&t, "\033[46m", LONG), "with colors");
	term_type(&t, "h");
	tap_ok(term_expect(&t, "pinning and mapping", LONG), "h: help");
	term_type(&t, "xt");
	term_type(&t, "e");
	tap_ok(term_expect(&t, "eng1", LONG), "e: engines");
	term_type(&t, "k");
	tap_ok(term_expect(&t, "select a context", LONG), "k without a context");
	term_type(&t, "ffoo\r");
	tap_ok(term_expect(&t, "foo", LONG), "f: filter");
	term_type(&t, "d99999\r");
	tap_ok(term_expect(&t, "delay:", LONG), "d: a bad delay is refused");
	term_type(&t, "q");
	check_restored(&t, "q");
	tap_is(term_end(&t), 0, "q: exit code");
}

static void resizes(void)
{
	static const struct winsize sizes[] = {
		{ 5, 20, 0, 0 }, { 50, 300, 0, 0 }, { 2, 9, 0, 0 }, { 24, 80, 0, 0 },
		{ 1, 1, 0, 0 }, { 5, 20, 0, 0 },
	};
	static struct term t;

	tap_ok(term_start(&t, "xterm", 80, 24, plain), "start");
	term_expect(&t, "acc2", LONG);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ioctl(t.fd, TIOCSWINSZ, &sizes[i]);
		kill(t.pid, SIGWINCH);
		term_expect(&t, NULL, 0.3);
		tap_ok(!t.ended, "lives at %dx%d", sizes[i].ws_col, sizes[i].ws_row);
	}
	term_type(&t, "q");
	tap_is(term_end(&t), 0, "exit code");
}

static void tiny(void)
{
	static struct term t;

	tap_ok(term_start(&t, "xterm", 20, 5, plain), "20x5: start");
	tap_ok(term_expect(&t, "dev", LONG) && term_expect(&t, "UTIL", LONG), "20x5: a header, a table");
	term_type(&t, "q");
	tap_is(term_end(&t), 0, "20x5: exit code");
	tap_ok(term_start(&t, "xterm", 12, 3, plain), "12x3: start");
	tap_ok(term_expect(&t, "need 20x5", LONG), "12x3: one line that says what is needed");
	term_type(&t, "q");
	tap_is(term_end(&t), 0, "12x3: exit code");
}

static void signals(void)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP };
	static struct term t;

	for (size_t i = 0; i < 3; i++) {
		tap_ok(term_start(&t, "xterm", 80, 24, plain), "start");
		term_expect(&t, "acc2", LONG);
		kill(t.pid, sigs[i]);
		check_restored(&t, strsignal(sigs[i]));
		tap_is(term_end(&t), 0, "%s: exit code", strsignal(sigs[i]));
	}
}

static void refused(const char *type, const char *says)
{
	static struct term t;

	tap_ok(term_start(&t, type, 80, 24, plain), "TERM=%s: start", type ? type : "(unset)");
	tap_ok(term_expect(&t, says, LONG), "says '%s'", says);
	tap_ok(term_expect(&t, "-b", LONG), "points to -b");
	tap_ok(!memmem(t.text, t.len, "\033", 1), "writes no control sequence");
	tap_is(term_end(&t), 1, "exit code");
}

static void colors(void)
{
	static char *const no_color[] = { "accel-top", "-C", NULL };
	static struct term t;

	tap_ok(term_start(&t, "xterm", 80, 24, no_color), "-C: start");
	term_expect(&t, "acc2", LONG);
	term_type(&t, "q");
	tap_is(term_end(&t), 0, "-C: exit code");
	tap_ok(!colored(&t), "-C: no colors");
	setenv("NO_COLOR", "1", 1);
	tap_ok(term_start(&t, "xterm", 80, 24, plain), "NO_COLOR: start");
	term_expect(&t, "acc2", LONG);
	term_type(&t, "q");
	tap_is(term_end(&t), 0, "NO_COLOR: exit code");
	tap_ok(!colored(&t), "NO_COLOR: no colors");
	unsetenv("NO_COLOR");
}

int main(void)
{
	keys();
	resizes();
	tiny();
	signals();
	refused(NULL, "TERM is not set");
	refused("nonsense", "TERM=nonsense");
	refused("dumb", "TERM=dumb");
	colors();
	return tap_done();
}

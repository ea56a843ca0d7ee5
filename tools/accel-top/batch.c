// SPDX-License-Identifier: GPL-2.0-only
/* Frames for pipes and files: plain text, or a line of JSON for each. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "bpf_util.h"
#include "json_frame.h"
#include "layout.h"
#include "options.h"

#define ALL_COLUMNS	400
#define LINE_SIZE	4096

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Waits until @until, or until a signal tells to stop. */
static void wait_until(double until)
{
	double left;

	while (!stop_signal && (left = until - now_s()) > 0) {
		struct timespec ts = {
			.tv_sec = (time_t)left,
			.tv_nsec = (long)((left - (double)(time_t)left) * 1e9),
		};

		ppoll(NULL, 0, &ts, &wait_mask);
	}
}

static int line_width(const struct options *o)
{
	struct winsize size;

	if (o->width)
		return (int)o->width;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= VIEW_MIN_WIDTH)
		return size.ws_col;
	return ALL_COLUMNS;
}

static int print_plain(const struct frame *f, struct view *v, const struct options *o)
{
	char line[LINE_SIZE];
	struct canvas c;
	int err = layout_plain(&c, f, v, line_width(o));

	if (err) {
		canvas_free(&c);
		return -ENOMEM;
	}
	for (int y = 0; y < c.height; y++) {
		canvas_line(&c, y, line, sizeof(line));
		puts(line);
	}
	putchar('\n');
	canvas_free(&c);
	return 0;
}

static int print(const struct frame *f, struct view *v, const struct options *o)
{
	int err = o->json ? json_frame(stdout, f, v) : print_plain(f, v, o);

	if (err)
		return err;
	return fflush(stdout) || ferror(stdout) ? errno ? -errno : -EIO : 0;
}

int batch_run(struct collect *c, struct view *v, const struct options *o)
{
	struct frame *f = NULL;
	const char *why;
	double next;
	int err;

	if (attach_later(o))
		collect_attach(c, &o->room, &why);
	/* The first look is what the first frame is compared with. */
	next = now_s();
	err = collect_frame(c, &f);
	for (long long n = 0; !err && (!o->frames || n < o->frames); n++) {
		frame_free(f);
		f = NULL;
		next += v->delay;
		wait_until(next);
		if (stop_signal)
			break;
		err = collect_frame(c, &f);
		if (err)
			break;
		err = print(f, v, o);
		if (err) {
			complain("cannot write: %s", strerror(-err));
			frame_free(f);
			return EXIT_FAILED;
		}
	}
	frame_free(f);
	if (err == -ENODEV) {
		complain("the accelerator subsystem was unloaded");
		return EXIT_NO_DEVICE;
	}
	if (err) {
		complain("cannot read the accelerators: %s %s", strerror(-err),
			   collect_error(c));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bpf_util.h"
#include "command.h"
#include "config.h"
#include "events.h"
#include "json.h"
#include "print.h"
#include "proc.h"
#include "session.h"
#include "stream.h"
#include "summary.h"

/* How long an event of a quiet trace may wait to be shown. */
#define ROUND_MS	50

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	if (sig != SIGCHLD)
		stopped = 1;
}

static void catch_signals(void)
{
	/* Not restarted: a wait ends at once. */
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Devices that were named must be there: a wrong number would be silence. */
static int check_devices(const struct config *c)
{
	char path[64];

	for (size_t i = 0; i < c->num_devices; i++) {
		snprintf(path, sizeof(path), "/sys/class/accelerator/acc%u", c->devices[i]);
		if (!access(path, F_OK))
			continue;
		err_printf("no device acc%u; accelctl dev list shows those that are there",
			   c->devices[i]);
		return EXIT_NO_DEVICE;
	}
	return EXIT_OK;
}

static bool pids_alive(const struct config *c)
{
	for (size_t i = 0; i < c->num_pids; i++)
		if (!kill(c->pids[i], 0) || errno == EPERM)
			return true;
	return false;
}

struct trace {
	struct config config;
	struct session session;
	struct command command;
	struct printer printer;
	struct stream *stream;
	FILE *out;
	bool follow_pids;	/* end with the processes of -p */
	uint64_t end_ns;
};

static bool over(struct trace *t)
{
	const struct config *c = &t->config;
	struct session_count count;

	if (stopped || command_poll(&t->command))
		return true;
	if (t->end_ns && now_ns() >= t->end_ns)
		return true;
	if (t->follow_pids && !pids_alive(c))
		return true;
	if (c->max_events) {
		session_read_count(&t->session, &count);
		return count.emitted >= (uint64_t)c->max_events;
	}
	return false;
}

static int round_ms(const struct trace *t)
{
	uint64_t now = now_ns();

	if (!t->end_ns || t->end_ns > now + ROUND_MS * 1000000ULL)
		return ROUND_MS;
	return t->end_ns > now ? (t->end_ns - now) / 1000000 + 1 : 0;
}

static int run(struct trace *t)
{
	int err = 0;

	while (!err && !over(t)) {
		if (t->stream) {
			err = stream_run(t->stream, round_ms(t));
		} else {
			struct timespec pause = { .tv_nsec = round_ms(t) * 1000000L };

			err = nanosleep(&pause, NULL) ? -errno : 0;
		}
		if (err == -EINTR)
			err = 0;
	}
	return err;
}

/* Always the last words: what was seen, what was not. @whole: all that there was was read. */
static int account(struct trace *t, uint64_t delivered, bool whole)
{
	const struct config *c = &t->config;
	struct session_count count;
	uint64_t adrift;
	struct json j;

	session_read_count(&t->session, &count);
	adrift = count.emitted - delivered - count.lost;
	if (c->json) {
		json_begin(&j, t->out, JSON_LINES);
		json_object(&j, NULL);
		json_str(&j, "event", "end");
		json_u64(&j, "emitted", count.emitted);
		json_u64(&j, "delivered", delivered);
		json_u64(&j, "lost", count.lost);
		json_u64(&j, "missed", count.missed);
		json_u64(&j, "unread", whole ? 0 : adrift);
		json_object(&j, "lost_by_event");
		for (int type = 0; type < ACCEL_EV_NR; type++)
			if (count.lost_by_type[type])
				json_u64(&j, event_name(type), count.lost_by_type[type]);
		json_close(&j);
		json_object(&j, "lost_by_cpu");
		for (int cpu = 0; cpu < t->session.num_cpus; cpu++) {
			char name[16];

			snprintf(name, sizeof(name), "%d", cpu);
			if (count.lost_by_cpu[cpu])
				json_u64(&j, name, count.lost_by_cpu[cpu]);
		}
		json_close(&j);
		json_close(&j);
		json_end(&j);
	}
	fflush(t->out);
	fprintf(stderr, "accel-trace: %" PRIu64 " events: %" PRIu64 " %s, %" PRIu64 " lost",
		count.emitted, delivered, c->mode == MODE_STREAM ? "delivered" : "counted",
		count.lost);
	if (count.lost) {
		fprintf(stderr, " (%s:", c->mode == MODE_STREAM ?
			"the buffer was full: --buffer makes it larger" :
			"no more rows: --groups allows more");
		for (int type = 0; type < ACCEL_EV_NR; type++)
			if (count.lost_by_type[type])
				fprintf(stderr, " %s %" PRIu64, event_name(type),
					count.lost_by_type[type]);
		for (int cpu = 0, first = 1; cpu < t->session.num_cpus; cpu++) {
			if (!count.lost_by_cpu[cpu])
				continue;
			fprintf(stderr, "%s cpu%d %" PRIu64, first ? ";" : "", cpu,
				count.lost_by_cpu[cpu]);
			first = 0;
		}
		fputc(')', stderr);
	}
	/* Not seen by the filter, so not known to have passed it. */
	if (count.missed)
		fprintf(stderr, "; %" PRIu64 " not looked at: they interrupted one of their own kind",
			count.missed);
	if (adrift && !whole)
		fprintf(stderr, "; %" PRIu64 " not read", adrift);
	fputc('\n', stderr);
	if (adrift && whole)
		return err_printf("%" PRId64 " events are neither delivered nor lost: this is a bug, please report it",
				  (int64_t)adrift);
	if (ferror(t->out))
		return err_printf("cannot write to %s: %s", c->output ?: "stdout", strerror(EIO));
	return c->strict && (count.lost || count.missed) ? EXIT_LOST : EXIT_OK;
}

static int start(struct trace *t)
{
	struct config *c = &t->config;
	int err;

	if ((c->num_pids || c->command) && !proc_own_pids())
		return err_printf("-p and COMMAND need the kernel's own process ids, which this pid namespace has not: run on the host, or nsenter -t 1 -p");
	if (c->command) {
		/* Forked before any BPF descriptor exists, so that none is inherited. */
		err = command_fork(&t->command, c->command);
		if (err)
			return err_printf("cannot start %s: %s", c->command[0], strerror(-err));
	}
	err = session_open(&t->session, c);
	if (err)
		return err;
	if (c->command) {
		err = session_add_pid(&t->session, t->command.pid);
		if (err)
			return bpf_util_explain("filter by process", err);
	}
	if (c->mode == MODE_STREAM) {
		print_begin(&t->printer, c, t->out);
		t->stream = stream_new(&t->session, &t->printer);
		if (!t->stream)
			return bpf_util_explain("read the ring buffers", -errno);
	}
	t->follow_pids = c->num_pids && pids_alive(c);
	if (c->num_pids && !t->follow_pids)
		err_printf("no process of -p is alive; contexts that it opened are still looked at");
	err = session_attach(&t->session);
	if (err)
		return err;
	if (c->duration_ns)
		t->end_ns = now_ns() + c->duration_ns;
	/* Who waits for this line misses no event; a command's own stderr is left to it. */
	if (!c->command)
		fprintf(stderr, "accel-trace: tracing%s\n",
			c->duration_ns || c->max_events || t->follow_pids ? "" : "; Ctrl-C ends it");
	if (c->command) {
		err = command_run(&t->command);
		if (err)
			return err_printf("cannot run %s: %s", c->command[0], strerror(-err));
	}
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	struct trace t = { .out = stdout, .command = { .go = -1 } };
	uint64_t delivered = 0;
	int code, err;

	code = config_parse(&t.config, argc, argv);
	if (code >= 0)
		return code;
	code = bpf_util_begin("accel-trace", t.config.verbose);
	if (!code)
		code = check_devices(&t.config);
	if (code)
		goto cleanup;
	if (t.config.output) {
		t.out = fopen(t.config.output, "we");
		if (!t.out) {
			t.out = stdout;
			code = err_printf("-o: cannot write to %s: %s", t.config.output,
					  strerror(errno));
			goto cleanup;
		}
	}
	catch_signals();
	code = start(&t);
	if (code)
		goto cleanup;

	err = run(&t);
	/* No event comes after this; what is in the rings is still ours. */
	session_detach(&t.session);
	if (t.stream) {
		if (!err)
			err = stream_drain(t.stream);
		delivered = stream_delivered(t.stream);
	} else {
		err = summary_print(&t.session, t.out, &delivered);
	}
	if (err)
		err_printf("the trace ended early: %s", strerror(-err));
	code = account(&t, delivered, !err);
	if (err)
		code = EXIT_FAILED;
	if (!code && t.command.ended)
		code = t.command.status;

cleanup:
	stream_free(t.stream);
	command_kill(&t.command);
	session_close(&t.session);
	if (t.out != stdout && fclose(t.out) && !code)
		code = err_printf("cannot write to %s: %s", t.config.output, strerror(errno));
	config_free(&t.config);
	proc_forget();
	return code;
}

// SPDX-License-Identifier: GPL-2.0-only
/* accel-exporter: accelerators' metrics, for Prometheus and those who read what it reads. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "bpf_util.h"
#include "http.h"
#include "latencies.h"
#include "metrics.h"
#include "opts.h"

#define DEFAULT_LISTEN	"127.0.0.1:9942"

static bool once, contexts, require_latency;
static const char *listen_on = DEFAULT_LISTEN;
static int format = TEXT_PROMETHEUS;

static const char *const formats[] = {
	[TEXT_PROMETHEUS] = "prometheus", [TEXT_OPENMETRICS] = "openmetrics", NULL
};

static const struct opt table[] = {
	OPTS_GROUP("What to show"),
	{ 0, "contexts", OPT_FLAG, &contexts,
	  .help = "series of each context as well, with its process, user and cgroup" },
	{ 0, "require-latency", OPT_FLAG, &require_latency,
	  .help = "exit 4 if there are no latencies, instead of doing without" },
	OPTS_GROUP("How"),
	{ 0, "listen", OPT_STRING, &listen_on, "ADDR:PORT",
	  .help = "where to serve HTTP (default " DEFAULT_LISTEN "): also [ADDR]:PORT of IPv6; "
	  ":PORT for all addresses; port 0 for one that is free, which is told on stderr" },
	{ 0, "once", OPT_FLAG, &once, .help = "write the metrics to stdout, and exit" },
	{ 0, "format", OPT_ENUM, &format, "FORMAT",
	  .help = "of --once: prometheus (0.0.4, the default), which node_exporter's textfile collector reads, or openmetrics (1.0.0)", .choices = formats },
	{ .type = OPT_END },
};

static const char *const usage[] = {
	"[--listen ADDR:PORT] [OPTION...]",
	"--once [OPTION...]",
	NULL
};

static const struct opts_spec spec = {
	.name = "accel-exporter",
	.summary = "accelerators' metrics in OpenMetrics and Prometheus' text format",
	.usage = usage,
	.opts = table,
	.features = bpf_util_features,
	.epilog =
	"Devices are never opened, and no privilege is needed. Latencies are there after\n"
	"accelctl observe on, for root and its group.\n"
	"\n"
	"Exit codes: 0 done, 1 failed, 2 bad usage, 3 no accelerator subsystem (--once),\n"
	"4 no latencies with --require-latency.\n",
};

__attribute__((format(printf, 2, 3)))
static int complain(int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("accel-exporter: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

/* A document is whole even when the subsystem is not there: it says so, too. */
static int write_once(struct metrics *m)
{
	int err = metrics_write(m, stdout, (enum text_format)format);

	if (fflush(stdout) || ferror(stdout))
		return complain(EXIT_FAILED, "cannot write: %s", strerror(errno));
	if (err)
		return complain(err == -ENODEV ? EXIT_NO_DEVICE : EXIT_FAILED, "%s", m->error);
	return EXIT_OK;
}

static int serve(struct metrics *m, const struct address *where)
{
	int fd = address_listen(where), sig;
	char name[96];
	struct http *h;
	sigset_t ends;

	if (fd == -EADDRINUSE)
		return complain(EXIT_FAILED, "cannot listen on %s: another program does; end that one, or choose another port with --listen",
				listen_on);
	if (fd < 0)
		return complain(EXIT_FAILED, "cannot listen on %s: %s; choose another with --listen",
				listen_on, strerror(-fd));
	address_name(fd, name, sizeof(name));
	/* Before there is a thread that would take them */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	h = http_start(m, fd);
	if (!h)
		return complain(EXIT_FAILED, "cannot serve on %s: %s", name, strerror(errno));
	complain(EXIT_OK, "serving http://%s/metrics", name);
	sigwait(&ends, &sig);
	http_stop(h);
	return EXIT_OK;
}

int main(int argc, char **argv)
{
	struct address where;
	struct metrics m;
	int first, ret;

	ret = opts_parse(&spec, argc, argv, &first);
	if (ret != OPTS_GO_ON)
		return ret;
	if (first < argc)
		return opts_usage_error(&spec, "'%s': nothing is expected but options", argv[first]);
	if (address_parse(listen_on, &where))
		return opts_usage_error(&spec, "--listen: '%s' is not accepted; give ADDR:PORT, [ADDR]:PORT of IPv6 or :PORT, in numbers",
					listen_on);
	if (metrics_open(&m, contexts))
		return complain(EXIT_FAILED, "out of memory");
	if (require_latency && latencies_look(m.latencies) != LATENCIES_ON)
		ret = complain(EXIT_NO_BPF, "no latencies: %s", latencies_why(m.latencies));
	else
		ret = once ? write_once(&m) : serve(&m, &where);
	metrics_close(&m);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What it costs to be observed: a null ioctl of accel_bench, alone, and in the sight of
 * our tools and of their peers, one after the other, each with samples of its own and
 * of none before it. Usage: observe [-x TIMES] [NAME...];
 * -x: so many times the usual number of ioctls in a sample; -c: the observers in turn, so
 * many times over, with a part of the samples each time
 *
 * For the machine with one processor that counts instructions. A sample is what the
 * program and the observer together have spent on it, in processor time, until the
 * observer has nothing left to do; per ioctl, or where events are delivered per event
 * that was; of accel-top, whose own work is per second and not per ioctl, what the
 * program spends. What the kernel does in interrupts is on somebody's account, too.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "accel_bench.h"
#include "bench.h"
#include "device.h"

#define OUT	"/tmp/observe.out"
#define ERR	"/tmp/observe.err"
#define PACE	200000
#define EVENTS	"tracepoint:accel:accel_ioctl "

struct observer {
	const char *name;
	int count;		/* ioctls of a sample */
	enum {
		PER_SECOND,	/* what it does itself, it does as often as it was told to */
		PER_EVENT,
		LINES,		/* delivers a line in OUT for each event */
		PACED,		/* the same, of as many events a second as PACE */
		DROWNED,	/* the same, of more than there is room for */
	} work;
	const char *argv[10];
	const char *ready;	/* what it says when it is attached; NULL: nothing */
};

static char self[16];

static const struct observer observers[] = {
	{ "accel-top", 2000, PER_SECOND, { "accel-top", "-b", "-d", "1", "-n", "100000" }, NULL },
	{ "summary", 2000, PER_EVENT, { "accel-trace", "-c", "-e", "ioctl" }, "tracing" },
	{ "hist", 2000, PER_EVENT, { "accel-trace", "hist", "-e", "ioctl" },
	  "tracing" },
	{ "stream", 2000, LINES, { "accel-trace", "-e", "ioctl", "-o", OUT }, "tracing" },
	{ "paced", 2000, PACED, { "accel-trace", "-e", "ioctl", "-o", OUT }, "tracing" },
	{ "drowned", 2000, DROWNED, { "accel-trace", "-e", "ioctl", "--buffer", "16K", "-o", OUT },
	  "tracing" },
	{ "strace", 300, LINES, { "strace", "-e", "trace=ioctl", "-o", OUT, "-p", self }, "attached" },
	{ "perf-record", 2000, PER_EVENT, { "perf", "record", "-q", "-a", "-e", "accel:accel_ioctl",
					"-o", "/tmp/perf.data" }, NULL },
	{ "bpftrace-hist", 2000, PER_EVENT, { "bpftrace", "-e",
					  EVENTS "{ @ns = hist(args->duration_ns); }" }, NULL },
	{ "bpftrace-printf", 2000, LINES, { "bpftrace", "-o", OUT, "-e", EVENTS
		"{ printf(\"%s %d ctx %d cmd %x ret %d %d ns\\n\", comm, pid, args->ctx, args->cmd, args->ret, args->duration_ns); }" }, NULL },
};

static int fd;
static int times = 1;

static double cpu_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		bench_die("clock of a process: %s", strerror(errno));
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static double ioctls(int count)
{
	struct accel_bench_null null = { .in = 1 };
	double start = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);

	for (int i = 0; i < count; i++)
		ioctl(fd, ACCEL_BENCH_NULL, &null);
	return cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
}

/* The same at PACE; how many a second there were, in @pace. */
static double paced_ioctls(int count, double *pace)
{
	struct accel_bench_null null = { .in = 1 };
	double start = cpu_ns(CLOCK_PROCESS_CPUTIME_ID), begin = bench_now_ns();

	for (int i = 0; i < count; i++) {
		while (bench_now_ns() < begin + i * (1e9 / PACE))
			;
		ioctl(fd, ACCEL_BENCH_NULL, &null);
	}
	*pace = count / (bench_now_ns() - begin) * 1e9;
	return cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - start;
}

static void settle(double seconds)
{
	struct timespec t = { .tv_sec = seconds, .tv_nsec = (seconds - (long)seconds) * 1e9 };

	while (nanosleep(&t, &t))
		;
}

/* Lines that came into OUT since the last time. */
static long lines(off_t *from)
{
	int out = open(OUT, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	long n = 0;
	ssize_t got;

	while (out >= 0 && (got = pread(out, buf, sizeof(buf), *from)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			n += buf[i] == '\n';
		*from += got;
	}
	close(out);
	return n;
}

static pid_t start(const struct observer *o)
{
	pid_t pid;

	unlink(OUT);
	pid = fork();
	if (pid < 0)
		bench_die("fork: %s", strerror(errno));
	if (!pid) {
		int null = open("/dev/null", O_RDWR), err = open(ERR, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		dup2(null, 0);
		dup2(null, 1);
		dup2(err, 2);
		execvp(o->argv[0], (char **)o->argv);
		fprintf(stderr, "%s: %s\n", o->argv[0], strerror(errno));
		_exit(127);
	}
	return pid;
}

static void show(const char *path)
{
	char line[512];
	FILE *f = fopen(path, "r");

	while (f && fgets(line, sizeof(line), f))
		fprintf(stderr, "  %s", line);
	if (f)
		fclose(f);
}

static bool says(const char *path, const char *text)
{
	char line[512];
	FILE *f = fopen(path, "r");
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found |= strstr(line, text) != NULL;
	if (f)
		fclose(f);
	return found;
}

/* How many events accel-trace says that it has lost, at its end. */
static long lost(const char *name)
{
	char line[512];
	FILE *f = fopen(ERR, "r");
	long emitted, shown, n = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "accel-trace: %ld events: %ld %*[^,], %ld lost", &emitted, &shown, &n);
	if (f)
		fclose(f);
	if (n < 0)
		bench_die("%s does not say what it has lost", name);
	return n;
}

/* It sees our ioctls when they cost more than without it. */
static void attached(const struct observer *o, pid_t pid, double bare)
{
	int seen = 0, status;

	for (int i = 0; i < 600 && seen < 3; i++) {
		settle(.2);
		seen = (!o->ready || says(ERR, o->ready)) && ioctls(100) / 100 > bare + 15 ?
		       seen + 1 : 0;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			show(ERR);
			bench_die("%s ended with status %#x", o->name, status);
		}
	}
	if (seen < 3) {
		kill(pid, SIGKILL);
		show(ERR);
		bench_die("%s does not see the ioctls", o->name);
	}
	settle(3);
}

static double median(double *v, int n)
{
	for (int i = 1; i < n; i++)
		for (int j = i; j && v[j - 1] > v[j]; j--) {
			double t = v[j];

			v[j] = v[j - 1];
			v[j - 1] = t;
		}
	return v[n / 2];
}

static void observe(const struct observer *o, int count, int rounds)
{
	double bare[BENCH_ROUNDS], cost;
	clockid_t clock;
	char series[64];
	off_t from = 0;
	long got, warm, sum = 0;
	pid_t pid;

	snprintf(series, sizeof(series), "%s.bare", o->name);
	ioctls(count);
	for (int i = 0; i < rounds; i++) {
		bare[i] = ioctls(count) / count;
		bench_sample(series, bare[i]);
	}
	cost = median(bare, rounds);

	pid = start(o);
	attached(o, pid, cost);
	if (clock_getcpuclockid(pid, &clock))
		bench_die("no clock of %s", o->name);
	lines(&from);
	ioctls(count);
	settle(1.5);
	warm = lines(&from);
	for (int i = 0; i < rounds; i++) {
		double before = cpu_ns(clock), spent, pace = 0;

		spent = o->work == PACED ? paced_ioctls(count, &pace) : ioctls(count);
		settle(1.5);
		if (o->work != PER_SECOND)
			spent += cpu_ns(clock) - before;
		got = o->work >= LINES ? lines(&from) : count;
		sum += got;
		if (o->work == DROWNED)
			continue;
		if (!got)
			bench_die("%s delivered nothing", o->name);
		if (o->work == PACED) {
			bench_sample("paced.pace", pace);
			bench_sample("paced.asked", PACE);
			bench_sample("paced.delivered", 100. * got / count);
			bench_sample("paced.all", 100);
			continue;
		}
		snprintf(series, sizeof(series), "%s.seen", o->name);
		bench_sample(series, cost + (spent - cost * count) / got);
		if (o->work != LINES)
			continue;
		snprintf(series, sizeof(series), "%s.rate", o->name);
		bench_sample(series, got / spent * 1e9);
		snprintf(series, sizeof(series), "%s.delivered", o->name);
		bench_sample(series, 100. * got / count);
	}
	kill(pid, SIGINT);
	for (int i = 0; i < 100 && waitpid(pid, NULL, WNOHANG) != pid; i++) {
		settle(.2);
		if (i == 50)
			kill(pid, SIGKILL);
	}
	if (o->work >= LINES) {
		sum += lines(&from);
		fprintf(stderr, "%s: %ld of %d events delivered\n", o->name, sum, rounds * count);
	}
	if (o->work >= LINES && o->ready && says(ERR, "accel-trace: ")) {
		snprintf(series, sizeof(series), "%s.accounted", o->name);
		bench_sample(series, warm + sum + lost(o->name));
		snprintf(series, sizeof(series), "%s.emitted", o->name);
		bench_sample(series, (double)(1 + rounds) * count);
		snprintf(series, sizeof(series), "%s.lost", o->name);
		bench_sample(series, lost(o->name));
	}
	fprintf(stderr, "%s said:\n", o->name);
	show(ERR);
	/* its probes are gone when the ioctl costs what it did */
	for (int i = 0; i < 100 && ioctls(100) / 100 > cost + 10; i++)
		settle(.1);
}

int main(int argc, char **argv)
{
	struct dev_info dev;
	int cycles = 1;

	while (argc > 2 && (!strcmp(argv[1], "-x") || !strcmp(argv[1], "-c"))) {
		*(argv[1][1] == 'x' ? &times : &cycles) = atoi(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (dev_find("bench", 0, &dev) || (fd = dev_open(dev.name)) < 0)
		bench_die("no device of accel_bench: load it first");
	snprintf(self, sizeof(self), "%d", getpid());
	for (int c = 0; c < cycles; c++) {
		for (size_t i = 0; i < sizeof(observers) / sizeof(observers[0]); i++) {
			/* those would be more of stream's: by their names only */
			bool wanted = argc == 1 && observers[i].work < PACED;

			for (int j = 1; j < argc; j++)
				wanted |= !strcmp(argv[j], observers[i].name);
			if (wanted)
				observe(&observers[i], times * observers[i].count,
					BENCH_ROUNDS / cycles);
		}
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * load: processes that keep accelerators busy, and say exactly what they did.
 * Each process has a thread for each of its contexts; this file starts them,
 * tells them when to run, to stop and to close, and has the report printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crc32c.h"
#include "load.h"
#include "setup.h"

struct main_state {
	const struct config *cfg;
	const struct options *options;
	struct shared *shared;
	struct report *report;
	int signals, timer;
	int alive;		/* children */
	uint64_t events;	/* of those that shared->events brings */
	bool failed;
	bool told;		/* to stop, by a signal */
};

struct child_context {
	struct worker worker;
	pthread_t thread;
	bool opened;
};

static void *child_thread(void *arg)
{
	struct child_context *context = arg;

	if (context->opened)
		worker_run(&context->worker);
	return NULL;
}

static void say(struct shared *shared, uint64_t contexts)
{
	if (write(shared->events, &contexts, sizeof(contexts)) < 0)
		perror("load: eventfd");
}

/* One process: contexts @first to @first + contexts of the shared table. */
static int child(const struct config *cfg, struct shared *shared, const struct tenant *tenant,
		 int first)
{
	struct child_context *contexts = calloc(cfg->contexts, sizeof(*contexts));
	pthread_attr_t attr;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, tenant->name);
	if (!contexts || (tenant->cgroup[0] && !cgroup_enter(tenant->cgroup))) {
		atomic_fetch_add(&shared->trouble, cfg->contexts);
		say(shared, 2 * cfg->contexts);
		return 1;
	}
	crc32c(0, "", 0);	/* before there are threads */
	for (int i = 0; i < cfg->contexts; i++) {
		contexts[i].opened = worker_open(&contexts[i].worker, cfg, shared, first + i);
		if (!contexts[i].opened)
			atomic_fetch_add(&shared->trouble, 1);
	}
	say(shared, cfg->contexts);
	shared_wait(shared, PHASE_RUN);

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	for (int i = 1; i < cfg->contexts; i++) {
		if (pthread_create(&contexts[i].thread, &attr, child_thread, &contexts[i])) {
			fprintf(stderr, "load: cannot start a thread: try fewer --contexts\n");
			atomic_fetch_add(&shared->trouble, 1);
			contexts[i].thread = 0;
		}
	}
	child_thread(&contexts[0]);
	for (int i = 1; i < cfg->contexts; i++)
		if (contexts[i].thread)
			pthread_join(contexts[i].thread, NULL);

	if (cfg->hold) {
		say(shared, cfg->contexts);
		shared_wait(shared, PHASE_CLOSE);
	}
	for (int i = 0; i < cfg->contexts; i++)
		worker_close(&contexts[i].worker);
	if (!cfg->hold)
		say(shared, cfg->contexts);
	return 0;
}

static void reap(struct main_state *m)
{
	int status;

	while (waitpid(-1, &status, WNOHANG) > 0) {
		m->alive--;
		if (!WIFSIGNALED(status))
			continue;
		fprintf(stderr, "load: a process was killed by signal %d\n", WTERMSIG(status));
		m->failed = true;
		m->shared->stop = true;
		atomic_fetch_add(&m->shared->trouble, m->cfg->contexts);
		/* nobody is to wait for what it does not say any more */
		m->events += m->cfg->contexts;
	}
}

static void read_signals(struct main_state *m)
{
	struct signalfd_siginfo info;

	while (read(m->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD) {
			reap(m);
			continue;
		}
		m->told = true;
		m->shared->stop = true;
	}
}

/* Handle one thing that happens; @line: a descriptor to watch, too, or -1. True: it can be read. */
static bool step(struct main_state *m, int line)
{
	struct pollfd fds[] = {
		{ .fd = m->signals, .events = POLLIN },
		{ .fd = m->shared->events, .events = POLLIN },
		{ .fd = m->timer, .events = POLLIN },
		{ .fd = line, .events = POLLIN },
	};
	uint64_t n;

	if (poll(fds, 4, -1) < 0)
		return false;
	if (fds[0].revents)
		read_signals(m);
	if (fds[1].revents && read(m->shared->events, &n, sizeof(n)) == sizeof(n))
		m->events += n;
	if (fds[2].revents && read(m->timer, &n, sizeof(n)) == sizeof(n))
		report_interval(m->report);
	return fds[3].revents;
}

static void wait_for(struct main_state *m, uint64_t events)
{
	while (m->events < events && m->alive)
		step(m, -1);
}

static void wait_line(struct main_state *m)
{
	const char *path = m->options->wait_start;
	bool std = !strcmp(path, "-");
	int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char c = 0;

	if (fd < 0) {
		fprintf(stderr, "load: cannot open %s: %s\n", path, strerror(errno));
		m->failed = m->shared->stop = true;
		return;
	}
	while (!m->told && !m->failed && c != '\n')
		if (step(m, fd) && read(fd, &c, 1) <= 0)
			break;
	if (!std)
		close(fd);
}

/* A shell gives /dev/null to what it starts in the background: that is no end of file. */
static int hold_line(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
		return -1;
	return STDIN_FILENO;
}

static void hold(struct main_state *m)
{
	int line = hold_line();
	char text[256];

	while (!m->told && m->alive)
		if (step(m, line) && read(line, text, sizeof(text)) <= 0)
			break;
}

static void start_timer(struct main_state *m)
{
	uint64_t ns = m->options->interval_ns, first = m->shared->start_ns + ns;
	struct itimerspec timer = {
		.it_interval = { ns / 1000000000, ns % 1000000000 },
		.it_value = { first / 1000000000, first % 1000000000 },
	};

	if (ns)
		timerfd_settime(m->timer, TFD_TIMER_ABSTIME, &timer, NULL);
}

static void stop_timer(struct main_state *m)
{
	struct itimerspec off = { 0 };

	if (!m->options->interval_ns)
		return;
	timerfd_settime(m->timer, 0, &off, NULL);
	report_interval(m->report);
}

static void *share(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Which context is on which device, of which tenant: round and round. */
static struct shared *plan(const struct config *cfg)
{
	struct shared *shared = share(sizeof(*shared));
	int n = 0;

	if (!shared)
		return NULL;
	for (int t = 0; t < cfg->num_tenants; t++)
		shared->num_contexts += cfg->tenants[t].processes * cfg->contexts;
	shared->contexts = share(shared->num_contexts * sizeof(*shared->contexts));
	shared->devices = share(cfg->num_devices * sizeof(*shared->devices));
	shared->events = eventfd(0, EFD_CLOEXEC);
	if (!shared->contexts || !shared->devices || shared->events < 0)
		return NULL;
	for (int t = 0; t < cfg->num_tenants; t++) {
		for (int i = 0; i < cfg->tenants[t].processes * cfg->contexts; i++, n++) {
			struct context_stats *stats = &shared->contexts[n];

			stats->tenant = t;
			stats->device = n % cfg->num_devices;
			stats->number = shared->contexts_of[stats->device]++;
		}
	}
	return shared;
}

static void start_children(struct main_state *m)
{
	const struct config *cfg = m->cfg;
	int first = 0;

	for (int t = 0; t < cfg->num_tenants; t++) {
		for (int p = 0; p < cfg->tenants[t].processes; p++, first += cfg->contexts) {
			pid_t pid = fork();

			if (!pid)
				_exit(child(cfg, m->shared, &cfg->tenants[t], first));
			if (pid > 0) {
				m->alive++;
				continue;
			}
			perror("load: fork");
			m->failed = m->shared->stop = true;
			m->events += 2 * cfg->contexts;
		}
	}
}

static bool run(struct main_state *m)
{
	struct shared *shared = m->shared;
	uint64_t contexts = shared->num_contexts;
	bool good;

	start_children(m);
	wait_for(m, contexts);
	if (m->options->wait_start && !m->failed) {
		report_ready(m->report);
		wait_line(m);
	}
	shared->start_ns = now_ns();
	if (m->cfg->duration_ns)
		shared->end_ns = shared->start_ns + m->cfg->duration_ns;
	start_timer(m);
	shared_enter(shared, PHASE_RUN);
	wait_for(m, 2 * contexts);
	stop_timer(m);
	good = report_final(m->report);
	if (m->cfg->hold)
		hold(m);
	shared_enter(shared, PHASE_CLOSE);
	while (m->alive)
		step(m, -1);
	return good && !m->failed;
}

int main(int argc, char **argv)
{
	static struct config cfg;
	static struct options options;
	struct main_state m = { .cfg = &cfg, .options = &options };
	bool good = false;
	sigset_t mask;
	int ret;

	ret = setup_options(argc, argv, &cfg, &options);
	if (ret >= 0)
		return ret;

	/* Children inherit this: only we hear of signals, and let them finish. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	m.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	m.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	m.shared = plan(&cfg);
	if (m.shared)
		m.report = report_new(&cfg, m.shared, options.json);
	if (m.signals < 0 || m.timer < 0 || !m.report) {
		perror("load: cannot start");
		return 1;
	}
	if (setup_machine(&cfg, &options))
		good = run(&m);
	setup_undo(&cfg, &options);
	free(cfg.files);
	report_free(m.report);
	return good ? 0 : 1;
}

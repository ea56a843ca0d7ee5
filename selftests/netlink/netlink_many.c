/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vm: DEVICES="edu=1 soft=2" */
/*
 * A dump of 10,000 contexts (1,000 on the instrumented kernel) goes over many messages.
 * While others come and go, each that stays is in it exactly once, in ascending order.
 */
#include <errno.h>
#include <linux/accelerator_netlink.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "genl.h"
#include "tap.h"

#define MAX_CONTEXTS	10000
#define DUMPS		5

struct seen {
	uint64_t last;
	char dev[16];
	int contexts, backwards, devices;
	int staying;
};

static int contexts = MAX_CONTEXTS;
static uint64_t stay[MAX_CONTEXTS];
static int num_stay;
static atomic_bool stop;
static atomic_int churned;

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int take(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_CTX_MAX + 1];
	struct seen *seen = arg;
	uint64_t id;

	(void)cmd;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_CTX_MAX);
	id = genl_uint(a[ACCEL_NL_A_CTX_ID]);
	if (strcmp(seen->dev, genl_text(a[ACCEL_NL_A_CTX_DEV_NAME]))) {
		snprintf(seen->dev, sizeof(seen->dev), "%s", genl_text(a[ACCEL_NL_A_CTX_DEV_NAME]));
		seen->devices++;
		seen->last = 0;
	}
	seen->backwards += id <= seen->last;
	seen->last = id;
	seen->contexts++;
	seen->staying += bsearch(&id, stay, num_stay, sizeof(id), compare) != NULL;
	return 0;
}

static int collect(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_CTX_MAX + 1];

	(void)cmd;
	(void)arg;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_CTX_MAX);
	if (num_stay < contexts)
		stay[num_stay++] = genl_uint(a[ACCEL_NL_A_CTX_ID]);
	return 0;
}

/* Opens and closes on both devices, as fast as it goes. */
static void *churn(void *arg)
{
	int fds[16] = { 0 };
	unsigned int i = 0;

	(void)arg;
	while (!atomic_load(&stop)) {
		if (fds[i % 16] > 0)
			close(fds[i % 16]);
		fds[i % 16] = dev_open(i & 1 ? "acc0" : "acc1");
		atomic_fetch_add(&churned, 1);
		i++;
	}
	for (i = 0; i < 16; i++)
		if (fds[i] > 0)
			close(fds[i]);
	return NULL;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int bob_sees(void)
{
	struct seen seen = { 0 };
	struct genl g;
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setuid(1002) || genl_open(&g, ACCELERATOR_FAMILY_NAME) ||
		    genl_request(&g, ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, NULL, take, &seen))
			_exit(99);
		_exit(seen.contexts ? 1 : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(struct genl *g)
{
	struct seen seen = { 0 };
	pthread_t thread;
	int i, dump, bad = 0;
	double start;

	for (i = 0; i < contexts; i++) {
		if (dev_open(i & 1 ? "acc0" : "acc1") < 0)
			break;
	}
	if (!tap_is(i, contexts, "open %d contexts", contexts))
		return -1;
	tap_is(genl_request(g, ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, NULL, collect, NULL), 0,
	       "dump them in peace");
	tap_is(num_stay, contexts, "all are in it");
	qsort(stay, num_stay, sizeof(stay[0]), compare);

	if (pthread_create(&thread, NULL, churn, NULL))
		tap_bail("pthread_create: %s", strerror(errno));
	for (dump = 0; dump < DUMPS; dump++) {
		memset(&seen, 0, sizeof(seen));
		i = atomic_load(&churned);
		start = now();
		if (genl_request(g, ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, NULL, take, &seen)) {
			bad++;
			continue;
		}
		tap_diag("%d contexts in %.0f ms, %d opened meanwhile", seen.contexts,
			 (now() - start) * 1e3, atomic_load(&churned) - i);
		if (seen.staying != contexts || seen.backwards || seen.devices != 2)
			bad++;
		else if (atomic_load(&churned) == i)
			dump--;		/* nobody came or went: that shows nothing */
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	tap_is(bad, 0, "%d dumps while contexts come and go: each that stays once, in order", DUMPS);
	tap_is(bob_sees(), 0, "somebody else sees none of them");
	return 0;
}

int main(void)
{
	const char *kernel = getenv("KERNEL");
	struct rlimit limit;
	struct seen seen = { 0 };
	struct genl g;
	int fd;

	/* each costs ten times as much there, and what checks memory sees no more of it */
	if (kernel && !strcmp(kernel, "full"))
		contexts /= 10;
	limit.rlim_cur = contexts + 100;
	limit.rlim_max = contexts + 100;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		tap_bail("RLIMIT_NOFILE: %s", strerror(errno));
	if (!tap_is(genl_open(&g, ACCELERATOR_FAMILY_NAME), 0, "open the family"))
		return tap_done();
	run(&g);
	for (fd = genl_fd(&g) + 1; fd < contexts + 100; fd++)
		close(fd);
	tap_is(genl_request(&g, ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, NULL, take, &seen), 0,
	       "dump when all are closed");
	tap_is(seen.contexts, 0, "none is left");
	genl_close(&g);
	return tap_done();
}

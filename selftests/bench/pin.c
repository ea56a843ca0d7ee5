// SPDX-License-Identifier: GPL-2.0-only
/*
 * pin [-n ROUNDS] SIZE PAGES STATE THREADS WAY...: register memory and release it, in each
 * way in turn, another one first in each round.
 *
 * SIZE 4K, 1M, …; PAGES: 4K, 2M, or apart: 4K, and none next to its neighbour; STATE: cold
 * (nothing is there yet, each page is faulted in) or warm; each thread has memory and a
 * file of its own, in one process.
 * Prints for each round "@ SIZE.PAGES.STATE.THREADS.WAY NS", of one registration and its
 * release.
 */
#include <pthread.h>

#include "pin_ways.h"

#define HUGE		(2UL << 20)
#define MAX_THREADS	4
#define MAX_WAYS	8

/*
 * One sample takes so long, so that it is neither the clock's nor that of what the others have
 * left in the caches, and that threads meet. Cold ones take long enough; how many, see
 * cold_times().
 */
#define SAMPLE_NS	20e6
#define SAMPLE_BYTES	(16UL << 20)
#define SAMPLE_COLD	4	/* even */

/*
 * Before it the same is done for so long, and not counted: whoever comes after RDMA takes a
 * fifth longer for 20 ms, as what that leaves to be freed later (RCU) is freed meanwhile.
 */
#define LEAD_NS		20e6

#define CLOCK_BYTES	(64UL << 10)	/* warm, from one look at the clock to the next */

#define APART		77	/* no factor of a number of pages */

static size_t size;
static bool cold;
static int threads;

struct worker {
	pthread_t thread;
	pthread_barrier_t *start;
	struct pin_user users[MAX_WAYS];
	struct pin_user *user;	/* of this round */
	uint8_t *memory;
	double ns;
};

static size_t parse_size(const char *text)
{
	char *unit;
	size_t n = strtoul(text, &unit, 10);

	switch (*unit) {
	case 'G':
		return n << 30;
	case 'M':
		return n << 20;
	case 'K':
		return n << 10;
	}
	bench_die("'%s' is no size", text);
}

/*
 * Pages that others gave back come first, the last one first of all, so that what is next
 * in memory is before it: of up to an eighth of the memory, which processors keep for
 * themselves. They are used up, so that what is measured are pages that nobody had.
 */
static void use_up_odd_pages(void)
{
	size_t bytes = sysconf(_SC_PHYS_PAGES) / 6 * 4096;
	uint8_t *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	if (madvise(p, bytes, MADV_NOHUGEPAGE))
		bench_die("madvise: %s", strerror(errno));
	for (size_t i = 0; i < bytes; i += 4096)
		p[i] = 1;
}

/* Pages are allocated in the order of the first touch. */
static uint8_t *get_memory(bool huge, bool apart)
{
	size_t pages = size / 4096, room = (size + HUGE - 1) & -HUGE;
	uint8_t *p = mmap(NULL, room + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	if (p == MAP_FAILED)
		bench_die("mmap: %s", strerror(errno));
	p = (uint8_t *)(((uintptr_t)p + HUGE - 1) & -HUGE);
	if (madvise(p, room, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE))
		bench_die("madvise: %s", strerror(errno));
	for (size_t i = 0; apart && i < pages; i++)
		p[i * APART % pages * 4096] = 1;
	for (size_t i = 0; i < room; i += 4096)
		p[i] = 1;
	return p;
}

/*
 * Pages that are given back in their order are given out in the opposite one, and so by turns:
 * what can be registered as one entry is, the next time, many. Hence an even number of times,
 * where it takes no minute; a round later, the order of the ways is another one.
 */
static size_t cold_times(void)
{
	size_t times = SAMPLE_BYTES / size;

	return size >= SAMPLE_BYTES ? 1 : times > SAMPLE_COLD ? SAMPLE_COLD : times;
}

static void pin_unpin(struct pin_user *u, uint8_t *p)
{
	int ret = u->way->pin(u, p, size);

	if (!ret)
		ret = u->way->unpin(u);
	if (ret)
		bench_die("%s: %s", u->way->name, strerror(-ret));
}

/*
 * Registered and released so often, and for so long; the time of both, without what makes it
 * cold.
 */
static double repeat(struct pin_user *u, uint8_t *p, double least_ns)
{
	size_t clocks = cold ? cold_times() : 1, times = 0;
	size_t at_once = cold || size >= CLOCK_BYTES ? 1 : CLOCK_BYTES / size;
	double start, ns = 0;

	do {
		for (size_t i = 0; i < clocks; i++) {
			if (cold && madvise(p, size < HUGE ? HUGE : size, MADV_DONTNEED))
				bench_die("madvise: %s", strerror(errno));
			start = bench_now_ns();
			for (size_t n = 0; n < at_once; n++)
				pin_unpin(u, p);
			ns += bench_now_ns() - start;
		}
		times += clocks * at_once;
	} while (ns < least_ns);
	return ns / times;
}

static double sample(struct pin_user *u, uint8_t *p)
{
	double ns;

	if (u->way->around)
		u->way->around(true);
	if (!cold || size < SAMPLE_BYTES)
		repeat(u, p, LEAD_NS);
	ns = repeat(u, p, cold ? 0 : SAMPLE_NS);
	if (u->way->around)
		u->way->around(false);
	return ns;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	pthread_barrier_wait(w->start);
	w->ns = sample(w->user, w->memory);
	return NULL;
}

/* All threads at once; the mean of theirs. */
static double round_of(struct worker *workers, int way)
{
	pthread_barrier_t start;
	double ns = 0;

	if (threads == 1)
		return sample(&workers[0].users[way], workers[0].memory);
	pthread_barrier_init(&start, NULL, threads);
	for (int i = 0; i < threads; i++) {
		workers[i].start = &start;
		workers[i].user = &workers[i].users[way];
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			bench_die("no thread");
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		ns += workers[i].ns / threads;
	}
	pthread_barrier_destroy(&start);
	return ns;
}

static void open_way(struct pin_user *u, const char *name)
{
	for (size_t i = 0; i < sizeof(pin_ways) / sizeof(pin_ways[0]); i++)
		if (!strcmp(pin_ways[i].name, name))
			u->way = &pin_ways[i];
	if (!u->way)
		bench_die("no way '%s'", name);
	u->way->open(u);
}

int main(int argc, char **argv)
{
	static struct worker workers[MAX_THREADS];
	int rounds = BENCH_ROUNDS, ways;
	bool huge, apart;

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		rounds = atoi(argv[2]);
		argc -= 2;
		argv += 2;
	}
	ways = argc - 5;
	if (ways < 1 || ways > MAX_WAYS)
		bench_die("pin [-n ROUNDS] SIZE PAGES STATE THREADS WAY...");
	size = parse_size(argv[1]);
	huge = !strcmp(argv[2], "2M");
	apart = !strcmp(argv[2], "apart");
	cold = !strcmp(argv[3], "cold");
	threads = atoi(argv[4]);
	if (threads < 1 || threads > MAX_THREADS)
		bench_die("1 to %d threads", MAX_THREADS);
	use_up_odd_pages();
	for (int t = 0; t < threads; t++) {
		workers[t].memory = get_memory(huge, apart);
		for (int w = 0; w < ways; w++)
			open_way(&workers[t].users[w], argv[5 + w]);
	}
	for (int i = -1; i < rounds; i++)
		for (int n = 0; n < ways; n++) {
			/* forwards and backwards, so that each comes after both its neighbours */
			int w = (i & 1 ? 2 * ways - 1 - n + i : n + i + ways) % ways;
			char series[64];
			double ns = round_of(workers, w);

			snprintf(series, sizeof(series), "%.8s.%.8s.%.8s.%d.%.8s", argv[1], argv[2],
				 argv[3], threads, argv[5 + w]);
			if (i >= 0)
				bench_sample(series, ns);
		}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "latency.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>

#include "bpf_util.h"

#define SAMPLE_EVERY	64	/* looks between two measurements of our programs */
#define SAMPLE_RUNS	2000	/* runs that make a measurement */
#define SAMPLE_LOOKS	5	/* or as many as there were in this many looks */

struct latency {
	struct stats_maps maps;
	struct stats *stats;
	char note[200];
	/*
	 * What our programs cost: the kernel takes the time only while asked to, and then
	 * that of everybody's programs, so never for long.
	 */
	int stats_fd;
	int sampled;		/* looks, since it does */
	uint64_t looks;
	uint64_t run_ns;
	uint64_t runs;
	uint64_t missed_first;
	double ns_per_event;
};

static uint64_t missed(const struct latency *l)
{
	uint64_t sum = 0;

	for (int i = 0; i < l->maps.num_progs; i++)
		sum += bpf_util_missed(l->maps.progs[i]);
	return sum;
}

int latency_open(struct latency **out, const struct stats_room *room, char *why, size_t size)
{
	struct latency *l = calloc(1, sizeof(*l));
	int err;

	*out = NULL;
	if (!l)
		return -ENOMEM;
	l->stats_fd = -1;
	l->ns_per_event = -1;
	/* Whoever asks for more room than the usual wants their own. */
	err = room && room->contexts ? -ENOENT : stats_maps_open(&l->maps, l->note, sizeof(l->note));
	if (err) {
		if (err != -EPROTO && err != -EACCES && err != -EPERM)
			l->note[0] = '\0';
		err = stats_maps_load(&l->maps, room, why, size);
		if (err && l->note[0])
			snprintf(why, size, "%s", l->note);
	} else {
		l->note[0] = '\0';
	}
	if (!err) {
		l->stats = stats_new(&l->maps);
		err = l->stats ? 0 : -ENOMEM;
	}
	if (err) {
		latency_close(l);
		return err;
	}
	l->missed_first = missed(l);
	*out = l;
	return 0;
}

void latency_close(struct latency *l)
{
	if (!l)
		return;
	if (l->stats_fd >= 0)
		close(l->stats_fd);
	stats_free(l->stats);
	stats_maps_close(&l->maps);
	free(l);
}

/*
 * Taking the time of each run costs more than some runs: it is done for one look
 * in SAMPLE_EVERY, and the number of runs is known anyhow.
 */
static void sample_cost(struct latency *l)
{
	uint64_t ns = 0, runs = 0;

	if (!l->maps.num_progs)
		return;
	if (l->stats_fd >= 0) {
		for (int i = 0; i < l->maps.num_progs; i++) {
			struct bpf_prog_info info = { 0 };
			__u32 len = sizeof(info);

			if (!bpf_prog_get_info_by_fd(l->maps.progs[i], &info, &len)) {
				ns += info.run_time_ns;
				runs += info.run_cnt;
			}
		}
		if (runs > l->runs)
			l->ns_per_event = (double)(ns - l->run_ns) / (double)(runs - l->runs);
		/* Too few say little, and the first ones are slow: go on. */
		if (runs - l->runs >= SAMPLE_RUNS || ++l->sampled >= SAMPLE_LOOKS) {
			close(l->stats_fd);
			l->stats_fd = -1;
			l->run_ns = ns;
			l->runs = runs;
		}
	} else if (l->looks % SAMPLE_EVERY == 0) {
		l->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		l->sampled = 0;
	}
	l->looks++;
}

int latency_look(struct latency *l)
{
	sample_cost(l);
	return stats_look(l->stats);
}

const struct stats *latency_stats(const struct latency *l)
{
	return l->stats;
}

bool latency_missed(const struct latency *l, uint64_t *count)
{
	*count = missed(l) - l->missed_first;
	return l->maps.num_progs;
}

double latency_ns(const struct latency *l)
{
	return l->ns_per_event;
}

const char *latency_note(const struct latency *l)
{
	return l->note[0] ? l->note : NULL;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "session.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "accel_trace.skel.h"
#include "accel_trace_raw.skel.h"
#include "bpf_util.h"
#include "events.h"
#include "proc.h"

static int choose_programs(struct session *s)
{
	const struct config *c = s->config;
	struct bpf_program *prog;
	unsigned int chosen = 0;

	bpf_object__for_each_program(prog, s->skel->obj) {
		const char *section = bpf_program__section_name(prog);
		const char *tracepoint = strchr(section, '/') + 1;
		bool want = false;

		for (unsigned int type = 0; type < ACCEL_EV_NR; type++) {
			if (strcmp(tracepoint, event_tracepoint(type)))
				continue;
			want = c->events & EVENT_BIT(type);
			/* A module older than this tool: without what it does not have. */
			if (want && !accel_event_present(tracepoint)) {
				if (c->events_given)
					err_printf("the loaded module has no tracepoint %s: not traced",
						   tracepoint);
				want = false;
			}
			chosen += want;
		}
		if (!strcmp(tracepoint, "sched_process_fork"))
			want = c->follow || c->command;
		bpf_program__set_autoload(prog, want);
	}
	if (chosen)
		return EXIT_OK;
	err_printf("the loaded accelerator module has none of the tracepoints asked for: update module and tools together");
	return EXIT_NO_BPF;
}

/*
 * Our number as the kernel's programs see it, whatever pid namespace we are in: a program says,
 * that is run here and now. 0 when it cannot be had: nobody's.
 */
static uint32_t find_own_tgid(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_0, .imm = 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int fd, err;

	if (proc_own_pids())
		return getpid();
	fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "own_tgid", "GPL", insns,
			   sizeof(insns) / sizeof(insns[0]), &opts);
	if (fd < 0)
		return 0;
	err = bpf_prog_test_run_opts(fd, &run);
	close(fd);
	return err ? 0 : run.retval;
}

static void set_filter(struct session *s)
{
	const struct config *c = s->config;
	struct accel_trace_bpf__rodata *r = s->skel->rodata;

	r->summarize = c->mode != MODE_STREAM;
	r->summary_by = c->by;
	r->with_stack = c->stack;
	r->own_tgid = find_own_tgid();
	r->filter_pids = c->num_pids || c->command;
	r->filter_cgroups = c->cgroup;
	r->only_ok = c->only_ok;
	r->only_failed = c->only_failed;
	r->min_time_ns = c->min_lat_ns;
	r->max_events = c->max_events;
	r->wake_bytes = c->buffer / 4;
	r->num_devices = c->num_devices;
	for (size_t i = 0; i < c->num_devices; i++)
		r->devices[i] = c->devices[i];
	r->num_contexts = c->num_contexts;
	for (size_t i = 0; i < c->num_contexts; i++)
		r->contexts[i] = c->contexts[i];
	r->num_errnos = c->num_errnos;
	for (size_t i = 0; i < c->num_errnos; i++)
		r->errnos[i] = c->errnos[i];
}

static int make_rings(struct session *s)
{
	uint32_t size = 4096;

	s->rings = calloc(s->num_cpus, sizeof(*s->rings));
	if (!s->rings)
		return -ENOMEM;
	while (size < s->config->buffer)
		size *= 2;
	s->ring_size = size;
	for (int cpu = 0; cpu < s->num_cpus; cpu++) {
		s->rings[cpu] = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "accel_trace_cpu", 0, 0, size,
					       NULL);
		if (s->rings[cpu] < 0)
			return -errno;
		if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.rings), &cpu, &s->rings[cpu],
					BPF_ANY))
			return -errno;
	}
	return 0;
}

static int add_cgroup(uint64_t id, void *arg)
{
	uint8_t one = 1;

	return bpf_map_update_elem(*(int *)arg, &id, &one, BPF_ANY) ? -errno : 0;
}

int session_add_pid(struct session *s, pid_t pid)
{
	uint32_t key = pid;
	uint8_t one = 1;

	return bpf_map_update_elem(bpf_map__fd(s->skel->maps.pids), &key, &one, BPF_ANY) ?
	       -errno : 0;
}

/* Two objects from one source: the skeleton of one fits the other. */
_Static_assert(sizeof(struct accel_trace_bpf) == sizeof(struct accel_trace_raw_bpf) &&
	       offsetof(struct accel_trace_bpf, maps.cgroups) ==
	       offsetof(struct accel_trace_raw_bpf, maps.cgroups) &&
	       offsetof(struct accel_trace_bpf, rodata) ==
	       offsetof(struct accel_trace_raw_bpf, rodata) &&
	       sizeof(struct accel_trace_bpf__rodata) == sizeof(struct accel_trace_raw_bpf__rodata),
	       "skeletons");

static int load(struct session *s, int *code)
{
	int err;

	s->skel = s->way ? (struct accel_trace_bpf *)accel_trace_raw_bpf__open() :
			   accel_trace_bpf__open();
	if (!s->skel)
		return -errno;
	*code = choose_programs(s);
	if (*code)
		return 0;
	set_filter(s);
	bpf_map__set_max_entries(s->skel->maps.rings, s->num_cpus);
	bpf_map__set_max_entries(s->skel->maps.rows,
				 s->config->mode == MODE_STREAM ? 1 : s->config->groups);
	err = accel_trace_bpf__load(s->skel);
	if (err) {
		accel_trace_bpf__destroy(s->skel);
		s->skel = NULL;
	}
	return err;
}

int session_open(struct session *s, const struct config *config)
{
	int err, cgroups, code = EXIT_OK;

	*s = (struct session){ .config = config, .num_cpus = libbpf_num_possible_cpus() };
	if (s->num_cpus < 1)
		return bpf_util_explain("count the processors", s->num_cpus);
	s->lost_by_cpu = calloc(s->num_cpus, sizeof(*s->lost_by_cpu));
	if (!s->lost_by_cpu)
		return bpf_util_explain("count what is lost", -ENOMEM);
	for (s->way = bpf_util_first_way(); ; s->way++) {
		err = load(s, &code);
		if (code)
			return code;
		if (!err || s->way || err == -ENOMEM || err == -E2BIG)
			break;
	}
	if (err)
		return bpf_util_explain("load the BPF programs", err);
	if (config->mode == MODE_STREAM) {
		err = make_rings(s);
		if (err)
			return bpf_util_explain("make the ring buffers", err);
	}
	for (size_t i = 0; i < config->num_pids; i++) {
		err = session_add_pid(s, config->pids[i]);
		if (err)
			return bpf_util_explain("filter by process", err);
	}
	if (config->cgroup) {
		cgroups = bpf_map__fd(s->skel->maps.cgroups);
		err = proc_cgroup_walk(config->cgroup, add_cgroup, &cgroups);
		if (err) {
			err_printf("--cgroup: %s: %s; give a directory of %s", config->cgroup,
				   strerror(-err), proc_cgroup_root() ?: "a cgroup2 file system");
			return EXIT_FAILED;
		}
	}
	return EXIT_OK;
}

int session_attach(struct session *s)
{
	int err = accel_trace_bpf__attach(s->skel);

	return err ? bpf_util_explain("attach to the tracepoints", err) : EXIT_OK;
}

void session_detach(struct session *s)
{
	accel_trace_bpf__detach(s->skel);
	bpf_util_quiesce();
}

void session_read_count(struct session *s, struct session_count *count)
{
	struct accel_trace_count *cpus = calloc(s->num_cpus, sizeof(*cpus));
	struct bpf_program *prog;
	uint32_t zero = 0;

	*count = (struct session_count){ .lost_by_cpu = s->lost_by_cpu };
	memset(s->lost_by_cpu, 0, s->num_cpus * sizeof(*s->lost_by_cpu));
	if (cpus && !bpf_map_lookup_elem(bpf_map__fd(s->skel->maps.counts), &zero, cpus)) {
		for (int i = 0; i < s->num_cpus; i++)
			for (int type = 0; type < ACCEL_EV_NR; type++) {
				count->emitted += cpus[i].emitted[type];
				count->lost += cpus[i].lost[type];
				count->lost_by_type[type] += cpus[i].lost[type];
				s->lost_by_cpu[i] += cpus[i].lost[type];
			}
	}
	free(cpus);
	bpf_object__for_each_program(prog, s->skel->obj)
		if (bpf_program__fd(prog) >= 0)
			count->missed += bpf_util_missed(bpf_program__fd(prog));
}

int session_rows_fd(struct session *s)
{
	return bpf_map__fd(s->skel->maps.rows);
}

void session_close(struct session *s)
{
	for (int i = 0; s->rings && i < s->num_cpus; i++)
		if (s->rings[i] > 0)
			close(s->rings[i]);
	free(s->rings);
	free(s->lost_by_cpu);
	accel_trace_bpf__destroy(s->skel);
}

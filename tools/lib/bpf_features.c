// SPDX-License-Identifier: GPL-2.0-only
/* One build for every kernel: what the running one has, and so which way is taken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "accel_stats.skel.h"
#include "accel_stats_raw.skel.h"
#include "bpf_util.h"
#include "stats_maps.h"

int bpf_util_first_way(void)
{
	const char *want = getenv("ACCEL_BPF");

	return want && !strcmp(want, "raw_tp");
}

const char *bpf_util_way_name(int way)
{
	return way ? "raw_tp" : "tp_btf";
}

static void line(const char *what, const char *found)
{
	printf("  %-18s %s\n", what, found);
}

static const char *yes(int answer)
{
	return answer > 0 ? "yes" : answer ? "not known: run as root" : "no";
}

/* One program of a set, loaded and let go: the only proof that the rest will load. */
static int loads(const void *elf, size_t size)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct bpf_object *obj = bpf_object__open_mem(elf, size, NULL);
	struct bpf_program *prog;
	int err = -1;

	if (obj) {
		bpf_object__for_each_program(prog, obj)
			bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), "stats_ioctl"));
		bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "contexts"), 1);
		bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "devices"), 1);
		err = bpf_object__load(obj);
	}
	bpf_object__close(obj);
	libbpf_set_print(print);
	return !err;
}

void bpf_util_features(void)
{
	bool may = bpf_util_may_load(), btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	bool module = !access("/sys/kernel/btf/accelerator", R_OK);
	int tp_btf = -1, raw_tp = -1;
	const void *elf;
	struct utsname u;
	size_t size;

	if (!uname(&u))
		line("kernel", u.release);
	line("libbpf", libbpf_version_string());
	line("BTF of the kernel", yes(btf));
	line("BTF of the module", module ? "yes" : accel_subsystem_present() ?
	     "no: built without pahole" : "no: accelerator is not loaded");
	if (may && module) {
		elf = accel_stats_bpf__elf_bytes(&size);
		tp_btf = loads(elf, size);
		elf = accel_stats_raw_bpf__elf_bytes(&size);
		raw_tp = loads(elf, size);
	}
	line("tp_btf", module ? yes(tp_btf) : "no");
	line("raw_tp", module ? yes(raw_tp) : "no");
	line("fentry, kprobe", "not needed: each step has a tracepoint");
	line("ring buffer", yes(may ? libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) : -1));
	line("bpf_loop", yes(may ? libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
							   BPF_FUNC_loop, NULL) : -1));
	if (tp_btf < 0 && raw_tp < 0)
		line("attached by", "nothing that this process may load");
	else
		line("attached by", tp_btf > 0 && !bpf_util_first_way() ? "tp_btf" :
		     raw_tp > 0 ? "raw_tp, for want of tp_btf" : "nothing: BPF does not work here");
}

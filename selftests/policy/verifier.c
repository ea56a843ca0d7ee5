// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="soft=1" TIMEOUT=120 */
/* Policies that the kernel refuses to load, each with the words in which it says why. */
#include "policy.h"

static const struct {
	const char *program;
	const char *why;
} bad[] = {
	{ "writes", "only read is supported" },
	{ "far_argument", "func 'open' doesn't have 3-th argument" },
	{ "beyond", "access beyond struct accel_context at off 4095 size 1" },
	{ "no_null_check", "Possibly NULL pointer passed to trusted arg0" },
	{ "leak", "Unreleased reference" },
	{ "put_twice", "must point to scalar, or struct with scalar" },
	{ "put_not_ours", "release kernel function bpf_accel_context_put expects refcounted PTR_TO_BTF_ID" },
	{ "untrusted", "R1 must be a rcu pointer" },
	{ "iterator_left", "Unreleased reference" },
	{ "iterator_not_begun", "expected an initialized iter_accel_device as arg #0" },
	{ "too_small", "arg#1 arg#2 memory, len pair leads to invalid memory access" },
	{ "sleeps", "attach to unsupported member open of struct accel_policy_ops" },
};

/* The last line of the verifier's that says something. */
static void diag(void)
{
	char *line = policy_log, *next;

	for (; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (*line && *line != ';' && !strstr(line, ": (") && !strstr(line, "frame"))
			tap_diag("%.150s", line);
	}
}

/* Only @program of bad.bpf.o, with its policy. */
static int load(const char *program)
{
	struct bpf_object *obj = bpf_object__open_file(AREA "/bad.bpf.o", NULL);
	struct bpf_program *prog;
	struct bpf_map *map;
	char ops[64];
	int err;

	if (!obj)
		tap_bail("bad.bpf.o: %s", strerror(errno));
	snprintf(ops, sizeof(ops), "%s_ops", program);
	bpf_object__for_each_map(map, obj)
		if (bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS)
			bpf_map__set_autocreate(map, !strcmp(bpf_map__name(map), ops));
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), program));
	policy_log[0] = '\0';
	err = bpf_object__load(obj);
	bpf_object__close(obj);
	return err;
}

int main(void)
{
	struct policy p;

	policy_begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tap_ok(load(bad[i].program) < 0, "%s is not loaded", bad[i].program);
		if (!tap_ok(strstr(policy_log, bad[i].why), "  \"%s\"", bad[i].why))
			diag();
	}
	policy_open(&p, "unknown.bpf.o");
	policy_log[0] = '\0';
	tap_ok(policy_load(&p) < 0, "a hook that the kernel has not");
	if (!tap_ok(strstr(policy_log, "Cannot find member teleport in kernel BTF"), "  and libbpf says so"))
		diag();
	policy_close(&p);
	return tap_done();
}

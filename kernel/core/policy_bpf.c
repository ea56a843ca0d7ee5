// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct accel_policy_ops as a BPF struct_ops: what a program may be and do.
 *
 * A map of that type, filled in by libbpf or bpftool, is a policy; a link to it attaches
 * it, and takes it away when it goes. The map holds a reference on this module.
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/btf.h>
#include <linux/module.h>

#include "policy.h"

static bool accel_policy_is_valid_access(int off, int size, enum bpf_access_type type,
					 const struct bpf_prog *prog,
					 struct bpf_insn_access_aux *info)
{
	return bpf_tracing_btf_ctx_access(off, size, type, prog, info);
}

/* Policies look, and keep books in maps: they write to no member of any structure. */
static const struct bpf_verifier_ops accel_policy_verifier_ops = {
	.get_func_proto = bpf_base_func_proto,
	.is_valid_access = accel_policy_is_valid_access,
};

static int accel_policy_init(struct btf *btf)
{
	return 0;
}

/* Sleeping would let a policy hold up what it decides on. */
static int accel_policy_check_member(const struct btf_type *t, const struct btf_member *member,
				     const struct bpf_prog *prog)
{
	return prog->sleepable ? -EINVAL : 0;
}

/* 1: copied, 0: not one of ours, so a hook. */
static int accel_policy_init_member(const struct btf_type *t, const struct btf_member *member,
				    void *kdata, const void *udata)
{
	const struct accel_policy_ops *from = udata;
	struct accel_policy_ops *to = kdata;

	switch (__btf_member_bit_offset(t, member) / 8) {
	case offsetof(struct accel_policy_ops, name):
		memcpy(to->name, from->name, sizeof(to->name));
		return 1;
	case offsetof(struct accel_policy_ops, device):
		memcpy(to->device, from->device, sizeof(to->device));
		return 1;
	case offsetof(struct accel_policy_ops, priority):
		to->priority = from->priority;
		return 1;
	default:
		return 0;
	}
}

static int accel_policy_validate(void *kdata)
{
	const struct accel_policy_ops *ops = kdata;
	const char *wrong = accel_policy_check(ops);

	if (!wrong)
		return 0;
	pr_info("policy '%.*s': %s\n", ACCEL_POLICY_NAME_LEN - 1, ops->name, wrong);
	return -EINVAL;
}

static int accel_policy_reg(void *kdata, struct bpf_link *link)
{
	return accel_policy_attach(kdata, link);
}

static void accel_policy_unreg(void *kdata, struct bpf_link *link)
{
	accel_policy_detach(kdata);
}

static int accel_policy_update(void *kdata, void *old_kdata, struct bpf_link *link)
{
	return accel_policy_replace(kdata, old_kdata);
}

/* What the hooks look like, for the verifier and for CFI; never called. */

static int accel_policy_stub_open(struct accel_context *ctx)
{
	return 0;
}

static int accel_policy_stub_ioctl(struct accel_context *ctx, unsigned int cmd, const u64 *arg)
{
	return 0;
}

static int accel_policy_stub_mmap(struct accel_context *ctx, u64 offset, u64 bytes, bool write)
{
	return 0;
}

static int accel_policy_stub_mem_pin(struct accel_context *ctx, struct accel_mem *mem)
{
	return 0;
}

static int accel_policy_stub_dma_map(struct accel_context *ctx, struct accel_mem *mem)
{
	return 0;
}

static int accel_policy_stub_job_submit(struct accel_context *ctx, struct accel_job *job)
{
	return 0;
}

static int accel_policy_stub_job_start(struct accel_context *ctx, struct accel_job *job)
{
	return 0;
}

static void accel_policy_stub_context_close(struct accel_context *ctx)
{
}

static void accel_policy_stub_mem_unpin(struct accel_context *ctx, struct accel_mem *mem)
{
}

static void accel_policy_stub_mem_unpinned(struct accel_context *ctx, u64 bytes)
{
}

static void accel_policy_stub_job_done(struct accel_context *ctx, struct accel_job *job)
{
}

static struct accel_policy_ops accel_policy_stubs = {
	.open = accel_policy_stub_open,
	.ioctl = accel_policy_stub_ioctl,
	.mmap = accel_policy_stub_mmap,
	.mem_pin = accel_policy_stub_mem_pin,
	.dma_map = accel_policy_stub_dma_map,
	.job_submit = accel_policy_stub_job_submit,
	.job_start = accel_policy_stub_job_start,
	.context_close = accel_policy_stub_context_close,
	.mem_unpin = accel_policy_stub_mem_unpin,
	.mem_unpinned = accel_policy_stub_mem_unpinned,
	.job_done = accel_policy_stub_job_done,
};

static struct bpf_struct_ops accel_policy_struct_ops = {
	.verifier_ops = &accel_policy_verifier_ops,
	.init = accel_policy_init,
	.check_member = accel_policy_check_member,
	.init_member = accel_policy_init_member,
	.validate = accel_policy_validate,
	.reg = accel_policy_reg,
	.unreg = accel_policy_unreg,
	.update = accel_policy_update,
	.cfi_stubs = &accel_policy_stubs,
	.name = "accel_policy_ops",
	.owner = THIS_MODULE,
};

/**
 * accel_policy_bpf_init - let BPF programs be policies
 *
 * There is no way back but the module's end: to be called last.
 *
 * Return: 0 or a negative errno. 0 also for a module without BTF (built without pahole):
 * it takes no policies, and accelctl doctor says so.
 */
int accel_policy_bpf_init(void)
{
	return register_bpf_struct_ops(&accel_policy_struct_ops, accel_policy_ops);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies: which are attached, who is asked, and who is told of the end.
 *
 * Each device has a set of its own: the policies that are for it, in their order. A set
 * is never changed, only replaced (RCU), so that a call is decided by the policies of one
 * moment, and an attach, a replacement or a detach loses no call and doubles none.
 *
 * Sets are numbered. What a set has allowed keeps its number (policy_stamp), and each
 * entry of a set knows the number of the first set of that device that it was in. So
 * when the thing ends, whoever is in the set by then and was in it at that time has to be
 * told, and nobody else: no list hangs on the thing.
 */
#include <linux/ctype.h>
#include <linux/glob.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <trace/events/accel.h>

#include "policy.h"

LIST_HEAD(accel_policies);
EXPORT_SYMBOL_IF_KUNIT(accel_policies);
DEFINE_MUTEX(accel_policies_lock);
EXPORT_SYMBOL_IF_KUNIT(accel_policies_lock);
u32 accel_policies_generation;
unsigned int accel_policy_hold_ms = 30000;

DEFINE_STATIC_KEY_FALSE(accel_policies_attached);
EXPORT_SYMBOL_IF_KUNIT(accel_policies_attached);

/* All devices, from their allocation to their release; under accel_policies_lock. */
static LIST_HEAD(accel_policy_devices);
static u64 accel_policy_stamp;

/* One policy of a device. */
struct accel_policy_entry {
	const struct accel_policy_ops *ops;
	u64 since;
	u32 hooks;
	struct accel_policy_counts __percpu *counts;
	struct accel_policy *policy;
};

struct accel_policy_set {
	u64 stamp;
	u32 hooks;		/* that any of them has, or whose partner any of them has */
	u32 num;
	const struct accel_policy_entry *end;
	struct rcu_head rcu;
	struct accel_policy_entry entries[] __counted_by(num);
};

/* What is asked, or told; whichever member the hook takes. */
struct accel_policy_call {
	struct accel_context *ctx;
	union {
		struct {
			unsigned int cmd;
			const u64 *arg;
		} ioctl;
		struct {
			u64 offset;
			u64 bytes;
			bool write;
		} mmap;
		struct accel_mem *mem;
		struct accel_job *job;
	};
};

/* ----------------------------------------------------------------- deciding */

/**
 * accel_hook_name - what users see a hook called
 * @hook: the hook
 *
 * Return: a constant string.
 */
const char *accel_hook_name(enum accel_hook hook)
{
	static const char * const names[ACCEL_HOOK_NR] = {
		[ACCEL_HOOK_OPEN] = "open",
		[ACCEL_HOOK_IOCTL] = "ioctl",
		[ACCEL_HOOK_MMAP] = "mmap",
		[ACCEL_HOOK_MEM_PIN] = "mem_pin",
		[ACCEL_HOOK_DMA_MAP] = "dma_map",
		[ACCEL_HOOK_JOB_SUBMIT] = "job_submit",
		[ACCEL_HOOK_JOB_START] = "job_start",
		[ACCEL_HOOK_CONTEXT_CLOSE] = "context_close",
		[ACCEL_HOOK_MEM_UNPIN] = "mem_unpin",
		[ACCEL_HOOK_JOB_DONE] = "job_done",
	};

	return names[hook];
}

static __always_inline int accel_policy_ask(const struct accel_policy_ops *ops,
					    enum accel_hook hook,
					    const struct accel_policy_call *call)
{
	switch (hook) {
	case ACCEL_HOOK_OPEN:
		return ops->open(call->ctx);
	case ACCEL_HOOK_IOCTL:
		return ops->ioctl(call->ctx, call->ioctl.cmd, call->ioctl.arg);
	case ACCEL_HOOK_MMAP:
		return ops->mmap(call->ctx, call->mmap.offset, call->mmap.bytes,
				 call->mmap.write);
	case ACCEL_HOOK_MEM_PIN:
		return ops->mem_pin(call->ctx, call->mem);
	case ACCEL_HOOK_DMA_MAP:
		return ops->dma_map(call->ctx, call->mem);
	case ACCEL_HOOK_JOB_SUBMIT:
		return ops->job_submit(call->ctx, call->job);
	case ACCEL_HOOK_JOB_START:
		return ops->job_start(call->ctx, call->job);
	default:
		return 0;
	}
}

static __always_inline void accel_policy_notify(const struct accel_policy_ops *ops, enum accel_hook hook,
				const struct accel_policy_call *call)
{
	switch (hook) {
	case ACCEL_HOOK_CONTEXT_CLOSE:
		ops->context_close(call->ctx);
		return;
	case ACCEL_HOOK_MEM_UNPIN:
		ops->mem_unpin(call->ctx, call->mem);
		return;
	case ACCEL_HOOK_JOB_DONE:
		ops->job_done(call->ctx, call->job);
		return;
	default:
		return;
	}
}

/* The partner of a hook; ACCEL_HOOK_NR: it has none. */
static enum accel_hook accel_hook_partner(enum accel_hook hook)
{
	switch (hook) {
	case ACCEL_HOOK_OPEN:
		return ACCEL_HOOK_CONTEXT_CLOSE;
	case ACCEL_HOOK_MEM_PIN:
		return ACCEL_HOOK_MEM_UNPIN;
	case ACCEL_HOOK_JOB_SUBMIT:
		return ACCEL_HOOK_JOB_DONE;
	default:
		return ACCEL_HOOK_NR;
	}
}

/* Tell those before @entry that were in the set when it had the stamp @seen; backwards. */
static __always_inline void accel_policy_tell_set(const struct accel_policy_set *set,
						  const struct accel_policy_entry *entry,
						  enum accel_hook hook,
						  const struct accel_policy_call *call, u64 seen)
{
	while (entry != set->entries) {
		entry--;
		if (!(entry->hooks & BIT(hook)) || entry->since > seen)
			continue;
		this_cpu_inc(entry->counts->calls[hook]);
		accel_policy_notify(entry->ops, hook, call);
	}
}

static __always_inline void accel_policy_tell(enum accel_hook hook, const struct accel_policy_call *call,
			      u64 *stamp)
{
	const struct accel_policy_set *set;
	u64 seen = *stamp;

	*stamp = 0;
	rcu_read_lock();
	set = rcu_dereference(call->ctx->adev->policies);
	if (set)
		accel_policy_tell_set(set, set->end, hook, call, seen);
	rcu_read_unlock();
}

/* Of what is decided on by a hook that has a partner. */
static u64 *accel_policy_stamp_of(enum accel_hook hook, const struct accel_policy_call *call)
{
	switch (hook) {
	case ACCEL_HOOK_MEM_PIN:
		return &call->mem->policy_stamp;
	case ACCEL_HOOK_JOB_SUBMIT:
		return &call->job->policy_stamp;
	default:
		return &call->ctx->policy_stamp;
	}
}

/* The errnos from here on are the kernel's own. */
#define ACCEL_ERRNO_END		512

/*
 * A policy has refused. Those before it are told that it came to nothing. Ends the
 * caller's critical section. @call is a copy, made only here: so the caller keeps its own
 * in registers.
 * Return: the caller's errno.
 */
static noinline int accel_policy_refuse(const struct accel_policy_set *set,
					const struct accel_policy_entry *entry,
					enum accel_hook hook, struct accel_policy_call call,
					int ret)
	__releases(RCU)
{
	struct accel_policy *policy = entry->policy;
	enum accel_hook partner = accel_hook_partner(hook);
	char name[ACCEL_POLICY_NAME_LEN];

	if (ret > 0 || ret <= -ACCEL_ERRNO_END) {
		atomic64_inc(&policy->bad_returns);
		ret = -EPERM;
	}
	this_cpu_inc(policy->counts->refused[hook]);
	trace_accel_policy_deny(call.ctx, policy->id, policy->name, accel_hook_name(hook), ret);
	memcpy(name, policy->name, ACCEL_POLICY_NAME_LEN);
	if (partner != ACCEL_HOOK_NR)
		accel_policy_tell_set(set, entry, partner, &call, U64_MAX);
	if (partner != ACCEL_HOOK_NR)
		*accel_policy_stamp_of(hook, &call) = 0;
	rcu_read_unlock();
	/* of a file that could not be opened nobody can ask why */
	if (hook != ACCEL_HOOK_OPEN)
		accel_context_error(call.ctx, ret, "%s: refused by policy '%s'",
				    accel_hook_name(hook), name);
	return ret;
}

/*
 * Put a call to the policies of its device. The stamp, where the hook has a partner, says
 * later who has allowed it.
 */
static __always_inline int accel_policy_decide(enum accel_hook hook,
					       const struct accel_policy_call *call)
{
	const struct accel_policy_entry *entry, *end;
	const struct accel_policy_set *set;
	int ret;

	rcu_read_lock();
	set = rcu_dereference(call->ctx->adev->policies);
	if (likely(set)) {
		if (accel_hook_partner(hook) != ACCEL_HOOK_NR)
			*accel_policy_stamp_of(hook, call) = set->stamp;
		entry = set->entries;
		end = set->end;
		do {
			if (!(entry->hooks & BIT(hook)))
				continue;
			this_cpu_inc(entry->counts->calls[hook]);
			ret = accel_policy_ask(entry->ops, hook, call);
			if (unlikely(ret))
				return accel_policy_refuse(set, entry, hook, *call, ret);
		} while (++entry != end);
	}
	rcu_read_unlock();
	return 0;
}

int __accel_policy_open(struct accel_context *ctx)
{
	const struct accel_policy_call call = { .ctx = ctx };

	return accel_policy_decide(ACCEL_HOOK_OPEN, &call);
}

int __accel_policy_ioctl(struct accel_context *ctx, unsigned int cmd, const u64 *arg)
{
	const struct accel_policy_call call = {
		.ctx = ctx,
		.ioctl = { .cmd = cmd, .arg = arg },
	};

	return accel_policy_decide(ACCEL_HOOK_IOCTL, &call);
}

int __accel_policy_mmap(struct accel_context *ctx, u64 offset, u64 bytes, bool write)
{
	const struct accel_policy_call call = {
		.ctx = ctx,
		.mmap = { .offset = offset, .bytes = bytes, .write = write },
	};

	return accel_policy_decide(ACCEL_HOOK_MMAP, &call);
}

int __accel_policy_mem_pin(struct accel_context *ctx, struct accel_mem *mem)
{
	struct accel_policy_call call __uninitialized;

	call.ctx = ctx;
	call.mem = mem;
	return accel_policy_decide(ACCEL_HOOK_MEM_PIN, &call);
}

int __accel_policy_dma_map(struct accel_context *ctx, struct accel_mem *mem)
{
	struct accel_policy_call call __uninitialized;

	call.ctx = ctx;
	call.mem = mem;
	return accel_policy_decide(ACCEL_HOOK_DMA_MAP, &call);
}

int __accel_policy_job_submit(struct accel_context *ctx, struct accel_job *job)
{
	const struct accel_policy_call call = { .ctx = ctx, .job = job };

	return accel_policy_decide(ACCEL_HOOK_JOB_SUBMIT, &call);
}

/* True: whoever holds the job back has done so for too long. */
static bool accel_policy_overrules(struct accel_job *job, struct accel_policy *policy)
{
	u64 now = ktime_get_ns();

	if (!job->held_ns)
		job->held_ns = now;
	if (now - job->held_ns < (u64)READ_ONCE(accel_policy_hold_ms) * NSEC_PER_MSEC)
		return false;
	/* the engine may ask again before it starts the job */
	if (!job->overruled)
		atomic64_inc(&policy->overruled);
	job->overruled = true;
	return true;
}

/*
 * Not a refusal, and asked again and again: no deny, no reason kept. Interrupts are off.
 */
bool __accel_policy_job_start(struct accel_context *ctx, struct accel_job *job)
{
	const struct accel_policy_set *set;
	bool start = true;
	u32 n;

	rcu_read_lock();
	set = rcu_dereference(ctx->adev->policies);
	if (set) {
		for (n = 0; n < set->num && start; n++) {
			const struct accel_policy_entry *entry = &set->entries[n];

			if (!(entry->hooks & BIT(ACCEL_HOOK_JOB_START)))
				continue;
			this_cpu_inc(entry->counts->calls[ACCEL_HOOK_JOB_START]);
			if (!entry->ops->job_start(ctx, job))
				continue;
			this_cpu_inc(entry->counts->refused[ACCEL_HOOK_JOB_START]);
			start = accel_policy_overrules(job, entry->policy);
		}
	}
	rcu_read_unlock();
	return start;
}

void __accel_policy_context_close(struct accel_context *ctx)
{
	const struct accel_policy_call call = { .ctx = ctx };

	accel_policy_tell(ACCEL_HOOK_CONTEXT_CLOSE, &call, &ctx->policy_stamp);
}

void __accel_policy_mem_unpin(struct accel_context *ctx, struct accel_mem *mem)
{
	struct accel_policy_call call __uninitialized;

	call.ctx = ctx;
	call.mem = mem;
	accel_policy_tell(ACCEL_HOOK_MEM_UNPIN, &call, &mem->policy_stamp);
}

void __accel_policy_job_done(struct accel_context *ctx, struct accel_job *job)
{
	const struct accel_policy_call call = { .ctx = ctx, .job = job };

	accel_policy_tell(ACCEL_HOOK_JOB_DONE, &call, &job->policy_stamp);
}

/* ---------------------------------------------------------------- attaching */

static bool accel_policy_is_for(const struct accel_policy *policy, const struct accel_device *adev)
{
	return !policy->device[0] || glob_match(policy->device, adev->name);
}

static u64 accel_policy_since(const struct accel_policy_set *set,
			      const struct accel_policy *policy, u64 otherwise)
{
	u32 n;

	for (n = 0; set && n < set->num; n++)
		if (set->entries[n].policy == policy)
			return set->entries[n].since;
	return otherwise;
}

/*
 * What is to be asked of a policy with @hooks: also what it allows by having no say, and
 * wants to be told the end of.
 */
static u32 accel_policy_asked(u32 hooks)
{
	enum accel_hook hook;
	u32 asked = hooks;

	for (hook = 0; hook < ACCEL_HOOK_NR; hook++) {
		enum accel_hook partner = accel_hook_partner(hook);

		if (partner != ACCEL_HOOK_NR && hooks & BIT(partner))
			asked |= BIT(hook);
	}
	return asked;
}

/* The set that @adev should have now. NULL: no policy is for it. Or ERR_PTR -ENOMEM. */
static struct accel_policy_set *accel_policy_set_new(struct accel_device *adev, u64 stamp,
						     gfp_t gfp)
{
	const struct accel_policy_set *old =
		rcu_dereference_protected(adev->policies,
					  lockdep_is_held(&accel_policies_lock));
	struct accel_policy_set *set;
	struct accel_policy *policy;
	u32 num = 0;

	list_for_each_entry(policy, &accel_policies, link)
		num += accel_policy_is_for(policy, adev);
	if (!num)
		return NULL;
	set = kzalloc(struct_size(set, entries, num), gfp);
	if (!set)
		return ERR_PTR(-ENOMEM);
	set->stamp = stamp;
	set->num = num;
	set->end = &set->entries[num];
	num = 0;
	list_for_each_entry(policy, &accel_policies, link) {
		if (!accel_policy_is_for(policy, adev))
			continue;
		set->hooks |= accel_policy_asked(policy->hooks);
		set->entries[num].ops = policy->ops;
		set->entries[num].hooks = policy->hooks;
		set->entries[num].counts = policy->counts;
		set->entries[num].policy = policy;
		set->entries[num].since = accel_policy_since(old, policy, stamp);
		num++;
	}
	return set;
}

static void accel_policy_publish(struct accel_device *adev, struct accel_policy_set *set)
{
	struct accel_policy_set *old =
		rcu_replace_pointer(adev->policies, set, lockdep_is_held(&accel_policies_lock));
	unsigned int i;

	WRITE_ONCE(adev->policy_hooks, set ? set->hooks : 0);

	if (old)
		kfree_rcu(old, rcu);
	/* A job that was held back may be free to go. */
	for (i = 0; i < adev->num_engines; i++)
		wake_up(&adev->engines[i]->wq);
}

/* All devices' sets anew, after accel_policies was changed; or, without memory, none. */
static int accel_policy_rebuild(gfp_t gfp)
{
	u64 stamp = accel_policy_stamp + 1;
	struct accel_device *adev;
	int ret = 0;

	lockdep_assert_held(&accel_policies_lock);
	list_for_each_entry(adev, &accel_policy_devices, policy_link) {
		adev->next_policies = accel_policy_set_new(adev, stamp, gfp);
		if (IS_ERR(adev->next_policies)) {
			adev->next_policies = NULL;
			ret = -ENOMEM;
		}
	}
	if (!ret)
		accel_policy_stamp = stamp;
	list_for_each_entry(adev, &accel_policy_devices, policy_link) {
		if (ret)
			kfree(adev->next_policies);
		else
			accel_policy_publish(adev, adev->next_policies);
		adev->next_policies = NULL;
	}
	return ret;
}

static bool accel_policy_name_ok(const char *name, size_t size, const char *also)
{
	size_t len = strnlen(name, size), i;

	if (len == size)
		return false;
	for (i = 0; i < len; i++)
		if (!isalnum(name[i]) && !strchr(also, name[i]))
			return false;
	return true;
}

/**
 * accel_policy_check - is it one that can be attached?
 * @ops: the policy
 *
 * Return: NULL, or what is wrong with it.
 */
const char *accel_policy_check(const struct accel_policy_ops *ops)
{
	if (!ops->name[0])
		return "it has no name";
	if (!accel_policy_name_ok(ops->name, sizeof(ops->name), "-_."))
		return "its name has other than letters, digits, '-', '_' and '.', or is too long";
	if (!accel_policy_name_ok(ops->device, sizeof(ops->device), "*?[]-!^"))
		return "its device is no pattern of names such as acc[0-3], or is too long";
	return NULL;
}

static u32 accel_policy_hooks(const struct accel_policy_ops *ops)
{
	return (ops->open ? BIT(ACCEL_HOOK_OPEN) : 0) |
	       (ops->ioctl ? BIT(ACCEL_HOOK_IOCTL) : 0) |
	       (ops->mmap ? BIT(ACCEL_HOOK_MMAP) : 0) |
	       (ops->mem_pin ? BIT(ACCEL_HOOK_MEM_PIN) : 0) |
	       (ops->dma_map ? BIT(ACCEL_HOOK_DMA_MAP) : 0) |
	       (ops->job_submit ? BIT(ACCEL_HOOK_JOB_SUBMIT) : 0) |
	       (ops->job_start ? BIT(ACCEL_HOOK_JOB_START) : 0) |
	       (ops->context_close ? BIT(ACCEL_HOOK_CONTEXT_CLOSE) : 0) |
	       (ops->mem_unpin ? BIT(ACCEL_HOOK_MEM_UNPIN) : 0) |
	       (ops->job_done ? BIT(ACCEL_HOOK_JOB_DONE) : 0);
}

static void accel_policy_set_ops(struct accel_policy *policy, const struct accel_policy_ops *ops)
{
	policy->ops = ops;
	policy->hooks = accel_policy_hooks(ops);
	memcpy(policy->name, ops->name, sizeof(policy->name));
	memcpy(policy->device, ops->device, sizeof(policy->device));
	policy->priority = ops->priority;
}

/* Behind those of a lower or the same priority. */
static void accel_policy_insert(struct accel_policy *policy)
{
	struct accel_policy *behind;

	list_for_each_entry(behind, &accel_policies, link)
		if (behind->priority > policy->priority)
			break;
	list_add_tail(&policy->link, &behind->link);
}

static struct accel_policy *accel_policy_find(const struct accel_policy_ops *ops)
{
	struct accel_policy *policy;

	list_for_each_entry(policy, &accel_policies, link)
		if (policy->ops == ops)
			return policy;
	return NULL;
}

static void accel_policy_free(struct accel_policy *policy)
{
	free_percpu(policy->counts);
	kfree(policy);
}

/**
 * accel_policy_attach - have a policy decide from now on
 * @ops: the policy; it stays until it is detached or replaced
 * @link: the BPF link that holds it, or NULL
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL (said in the log), -EEXIST (it is attached already, or another of
 * that name is), -ENOMEM.
 */
int accel_policy_attach(const struct accel_policy_ops *ops, struct bpf_link *link)
{
	const char *wrong = accel_policy_check(ops);
	struct accel_policy *policy, *other;
	int ret = 0;

	if (wrong) {
		pr_info("policy '%.*s': %s\n", ACCEL_POLICY_NAME_LEN - 1, ops->name, wrong);
		return -EINVAL;
	}
	policy = kzalloc(sizeof(*policy), GFP_KERNEL);
	if (!policy)
		return -ENOMEM;
	policy->counts = alloc_percpu(struct accel_policy_counts);
	if (!policy->counts) {
		kfree(policy);
		return -ENOMEM;
	}
	policy->id = accel_id_next();
	policy->bpf_link = link;
	accel_policy_set_ops(policy, ops);

	mutex_lock(&accel_policies_lock);
	list_for_each_entry(other, &accel_policies, link)
		if (other->ops == ops || !strcmp(other->name, policy->name))
			ret = -EEXIST;
	if (!ret) {
		/* First, so that whoever finds a set has also looked for it. */
		static_branch_inc(&accel_policies_attached);
		accel_policy_insert(policy);
		ret = accel_policy_rebuild(GFP_KERNEL);
		if (ret) {
			list_del(&policy->link);
			static_branch_dec(&accel_policies_attached);
		} else {
			accel_policies_generation++;
		}
	}
	mutex_unlock(&accel_policies_lock);
	if (ret)
		accel_policy_free(policy);
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(accel_policy_attach);

/**
 * accel_policy_replace - have a policy take another's place
 * @ops: the new one; its device and its priority may be others
 * @old: the one that is attached
 *
 * Each call is decided by one of the two, and what the old one has allowed is told to
 * the new one when it ends. Counters go on.
 *
 * Context: process, may sleep.
 * Return: 0: the old one is asked no more. -EINVAL (said in the log): another name, or as
 * accel_policy_attach(); -ENOENT: @old is not attached; -EEXIST: @ops is; -ENOMEM.
 */
int accel_policy_replace(const struct accel_policy_ops *ops, const struct accel_policy_ops *old)
{
	const char *wrong = accel_policy_check(ops);
	struct accel_policy *policy;
	int ret;

	if (!wrong && strcmp(ops->name, old->name))
		wrong = "it can replace only a policy of its own name";
	if (wrong) {
		pr_info("policy '%.*s': %s\n", ACCEL_POLICY_NAME_LEN - 1, ops->name, wrong);
		return -EINVAL;
	}
	mutex_lock(&accel_policies_lock);
	policy = accel_policy_find(old);
	ret = !policy ? -ENOENT : accel_policy_find(ops) ? -EEXIST : 0;
	if (!ret) {
		struct list_head *before = policy->link.prev;

		accel_policy_set_ops(policy, ops);
		/* to another place only if it has to: those of equal priority keep theirs */
		if (ops->priority != old->priority) {
			list_del(&policy->link);
			accel_policy_insert(policy);
		}
		ret = accel_policy_rebuild(GFP_KERNEL);
		if (ret) {
			accel_policy_set_ops(policy, old);
			list_move(&policy->link, before);
		} else {
			accel_policies_generation++;
		}
	}
	mutex_unlock(&accel_policies_lock);
	if (!ret)
		synchronize_rcu();
	return ret;
}
EXPORT_SYMBOL_IF_KUNIT(accel_policy_replace);

/**
 * accel_policy_detach - have a policy decide no more
 * @ops: a policy that is attached
 *
 * When it returns, none of the policy's hooks runs or will run; it is not told of the
 * end of what it has allowed. Waits for hooks that are running, which do not sleep.
 *
 * Context: process, may sleep.
 */
void accel_policy_detach(const struct accel_policy_ops *ops)
{
	struct accel_policy *policy;

	mutex_lock(&accel_policies_lock);
	policy = accel_policy_find(ops);
	if (!WARN_ON(!policy)) {
		list_del(&policy->link);
		accel_policies_generation++;
		/* cannot fail: there is nobody to whom we could say so */
		accel_policy_rebuild(GFP_KERNEL | __GFP_NOFAIL);
	}
	mutex_unlock(&accel_policies_lock);
	if (!policy)
		return;
	synchronize_rcu();
	static_branch_dec(&accel_policies_attached);
	accel_policy_free(policy);
}
EXPORT_SYMBOL_IF_KUNIT(accel_policy_detach);

/**
 * accel_policy_sum - read the counters of one hook
 * @policy: the policy; accel_policies_lock is held
 * @hook: the hook
 * @calls: how often it was called
 * @refused: how often it refused, or held a job back
 */
void accel_policy_sum(const struct accel_policy *policy, enum accel_hook hook,
		      u64 *calls, u64 *refused)
{
	int cpu;

	*calls = 0;
	*refused = 0;
	for_each_possible_cpu(cpu) {
		const struct accel_policy_counts *counts = per_cpu_ptr(policy->counts, cpu);

		*calls += READ_ONCE(counts->calls[hook]);
		*refused += READ_ONCE(counts->refused[hook]);
	}
}
EXPORT_SYMBOL_IF_KUNIT(accel_policy_sum);

/**
 * accel_policy_add_device - have the policies that are for a device decide on it
 * @adev: a new device, with its name
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int accel_policy_add_device(struct accel_device *adev)
{
	struct accel_policy_set *set;
	int ret = 0;

	mutex_lock(&accel_policies_lock);
	set = accel_policy_set_new(adev, ++accel_policy_stamp, GFP_KERNEL);
	if (IS_ERR(set)) {
		ret = PTR_ERR(set);
	} else {
		rcu_assign_pointer(adev->policies, set);
		adev->policy_hooks = set ? set->hooks : 0;
		list_add_tail(&adev->policy_link, &accel_policy_devices);
	}
	mutex_unlock(&accel_policies_lock);
	return ret;
}

/**
 * accel_policy_remove_device - undo accel_policy_add_device(), also if it never was done
 * @adev: a device that nobody uses any more
 *
 * Context: process, may sleep.
 */
void accel_policy_remove_device(struct accel_device *adev)
{
	mutex_lock(&accel_policies_lock);
	list_del_init(&adev->policy_link);
	mutex_unlock(&accel_policies_lock);
	/* not even a program that found the device looks at it */
	kfree(rcu_dereference_protected(adev->policies, true));
}

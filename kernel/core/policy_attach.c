// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policies: which are attached, and to which devices and nodes.
 *
 * Each node has a set of its own: the policies that are for it, in their order. A set
 * is never changed, only replaced (RCU), so that a call is decided by the policies of one
 * moment, and an attach, a replacement or a detach loses no call and doubles none.
 */
#include <linux/ctype.h>
#include <linux/glob.h>
#include <linux/slab.h>

#include "policy.h"

struct list_head accel_policies = LIST_HEAD_INIT(accel_policies);
EXPORT_SYMBOL_IF_KUNIT(accel_policies);

/* Protects all that is here, and is held while sets are made. */
DEFINE_MUTEX(accel_policies_lock);
EXPORT_SYMBOL_IF_KUNIT(accel_policies_lock);

u32 accel_policies_generation;

DEFINE_STATIC_KEY_FALSE(accel_policies_attached);
EXPORT_SYMBOL_IF_KUNIT(accel_policies_attached);

/* All devices, from their allocation to their release. */
static LIST_HEAD(accel_policy_devices);
static u64 accel_policy_stamp;

/* A device's name means all of its nodes, a node's name ("acc0c") that one. */
static bool accel_policy_is_for(const struct accel_policy *policy, const struct accel_node *node)
{
	return !policy->device[0] || glob_match(policy->device, node->adev->name) ||
	       glob_match(policy->device, node->name);
}

/*
 * What is to be asked of a policy with @hooks: also what it allows by having no say, and
 * wants to be told the end of.
 */
static u32 accel_policy_asked(u32 hooks)
{
	enum accel_hook hook;
	u32 asked = hooks;

	for (hook = 0; hook < ACCEL_HOOK_NR; hook++)
		if (hooks & accel_hook_partners(hook))
			asked |= BIT(hook);
	return asked;
}

/* So often a policy may be narrowed to other nodes, and widened again, in its life. */
#define ACCEL_POLICY_PASTS	8

/*
 * What @policy has in @node's next set, of the number @stamp: what it had in the @old one, of
 * which it is told, and where it is asked from then on. @to has room for it, or is NULL.
 * Return: how many entries that is.
 */
static u32 accel_policy_fill(struct accel_policy_entry *to, const struct accel_policy_set *old,
			     struct accel_policy *policy, const struct accel_node *node, u64 stamp)
{
	bool asked = accel_policy_is_for(policy, node);
	struct accel_policy_entry entry = {
		.ops = policy->ops,
		.counts = policy->counts,
		.policy = policy,
		.hooks = policy->hooks & ACCEL_HOOKS_PARTNERS,
	};
	u32 num = 0, n;

	for (n = 0; old && n < old->num; n++) {
		if (old->entries[n].policy != policy)
			continue;
		entry.since = old->entries[n].since;
		entry.last = min(old->entries[n].last, old->stamp);
		if (asked && old->entries[n].last == U64_MAX) {
			stamp = entry.since;
			continue;
		}
		if (to)
			to[num] = entry;
		num++;
	}
	if (asked) {
		entry.hooks = policy->hooks;
		entry.since = stamp;
		entry.last = U64_MAX;
		if (to)
			to[num] = entry;
		num++;
	}
	return num;
}

/*
 * The set that @node should have now. NULL: no policy is for it. Or ERR_PTR: -ENOMEM, -EBUSY
 * (a replaced policy's past of this node has too many parts).
 */
static struct accel_policy_set *accel_policy_set_new(struct accel_node *node, u64 stamp, gfp_t gfp)
{
	const struct accel_policy_set *old =
		rcu_dereference_protected(node->policies,
					  lockdep_is_held(&accel_policies_lock));
	struct accel_policy_set *set;
	struct accel_policy *policy;
	u32 num = 0, of_one;

	list_for_each_entry(policy, &accel_policies, link) {
		of_one = accel_policy_fill(NULL, old, policy, node, stamp);
		if (of_one > ACCEL_POLICY_PASTS + 1)
			return ERR_PTR(-EBUSY);
		num += of_one;
	}
	if (!num)
		return NULL;
	set = kzalloc(struct_size(set, entries, num), gfp);
	if (!set)
		return ERR_PTR(-ENOMEM);
	set->stamp = stamp;
	set->num = num;
	set->end = &set->entries[num];
	num = 0;
	list_for_each_entry(policy, &accel_policies, link)
		num += accel_policy_fill(&set->entries[num], old, policy, node, stamp);
	while (num--)
		set->hooks |= set->entries[num].last == U64_MAX ?
			      accel_policy_asked(set->entries[num].hooks) : set->entries[num].hooks;
	return set;
}

/* The sets that accel_policy_prepare() has made decide from now on; or are thrown away. */
static void accel_policy_publish(struct accel_device *adev, bool ok)
{
	/* pairs with accel_engine_add(): engines come while the device is not registered */
	unsigned int num_engines = smp_load_acquire(&adev->num_engines), i;

	for (i = 0; i < adev->num_nodes; i++) {
		struct accel_node *node = &adev->nodes[i];
		struct accel_policy_set *set = node->next_policies;

		node->next_policies = NULL;
		if (ok) {
			WRITE_ONCE(node->policy_hooks, set ? set->hooks : 0);
			set = rcu_replace_pointer(node->policies, set,
						  lockdep_is_held(&accel_policies_lock));
		}
		if (set)
			kfree_rcu(set, rcu);
	}
	/* A job that was held back may be free to go. */
	for (i = 0; ok && i < num_engines; i++)
		wake_up(&adev->engines[i]->wq);
}

static int accel_policy_prepare(struct accel_device *adev, u64 stamp, gfp_t gfp)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < adev->num_nodes; i++) {
		struct accel_policy_set *set = accel_policy_set_new(&adev->nodes[i], stamp, gfp);

		if (IS_ERR(set)) {
			ret = PTR_ERR(set);
			set = NULL;
		}
		adev->nodes[i].next_policies = set;
	}
	return ret;
}

/* All nodes' sets anew, after accel_policies was changed; or, where that fails, none. */
static int accel_policy_rebuild(gfp_t gfp)
{
	u64 stamp = accel_policy_stamp + 1;
	struct accel_device *adev;
	int ret = 0;

	lockdep_assert_held(&accel_policies_lock);
	list_for_each_entry(adev, &accel_policy_devices, policy_link)
		ret = accel_policy_prepare(adev, stamp, gfp) ?: ret;
	if (!ret)
		accel_policy_stamp = stamp;
	list_for_each_entry(adev, &accel_policy_devices, policy_link)
		accel_policy_publish(adev, !ret);
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
	if (ops->name[0] == '.')
		return "its name begins with '.'";
	if (!accel_policy_name_ok(ops->name, sizeof(ops->name), "-_."))
		return "its name has other than letters, digits, '-', '_' and '.', or is too long";
	if (!accel_policy_name_ok(ops->device, sizeof(ops->device), "*?[]-!^"))
		return "its device is no pattern of names such as acc[0-3], or is too long";
	/* glob_match() takes it for one more character of the set */
	if (strchr(ops->device, '^'))
		return "its device has a '^': all but some are [!...]";
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
	       (ops->mem_unpinned ? BIT(ACCEL_HOOK_MEM_UNPINNED) : 0) |
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
 * the new one when it ends, also of nodes that the new one is not for. Counters go on.
 *
 * Context: process, may sleep.
 * Return: 0: the old one is asked no more. -EINVAL (said in the log): another name, or as
 * accel_policy_attach(); -ENOENT: @old is not attached; -EEXIST: @ops is; -ENOMEM; -EBUSY: a
 * node was taken from it and given back too often, it has to be detached and attached.
 */
int accel_policy_replace(const struct accel_policy_ops *ops, const struct accel_policy_ops *old)
{
	const char *wrong = accel_policy_check(ops);
	struct accel_policy *policy;
	bool other_way;
	int ret;

	if (!wrong && strcmp(ops->name, old->name))
		wrong = "it can replace only a policy of its own name";
	if (wrong) {
		pr_info("policy '%.*s': %s\n", ACCEL_POLICY_NAME_LEN - 1, ops->name, wrong);
		return -EINVAL;
	}
	/* what is owed when the sets change would be told to the new one, in its way */
	other_way = !ops->mem_unpinned != !old->mem_unpinned;
	if (other_way)
		accel_policy_prompt_begin();
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
	if (other_way)
		accel_policy_prompt_end();
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
 * @adev: a new device, with its nodes and their names
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int accel_policy_add_device(struct accel_device *adev)
{
	int ret;

	mutex_lock(&accel_policies_lock);
	ret = accel_policy_prepare(adev, ++accel_policy_stamp, GFP_KERNEL);
	accel_policy_publish(adev, !ret);
	if (!ret)
		list_add_tail(&adev->policy_link, &accel_policy_devices);
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
	unsigned int i;

	mutex_lock(&accel_policies_lock);
	list_del_init(&adev->policy_link);
	mutex_unlock(&accel_policies_lock);
	/* not even a program that found the device looks at them */
	for (i = 0; i < adev->num_nodes; i++)
		kfree(rcu_dereference_protected(adev->nodes[i].policies, true));
}

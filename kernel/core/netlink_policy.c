// SPDX-License-Identifier: GPL-2.0-only
/* Generic netlink: the policies that decide, and what they did. */

#include <linux/bpf.h>
#include <net/genetlink.h>

#include "netlink.h"
#include "policy.h"

static int put_hook(struct sk_buff *skb, const struct accel_policy *policy, enum accel_hook hook)
{
	struct nlattr *nest = nla_nest_start(skb, ACCEL_NL_A_POLICY_HOOK);
	u64 calls, refused;

	if (!nest)
		return -EMSGSIZE;
	accel_policy_sum(policy, hook, &calls, &refused);
	if (nla_put_string(skb, ACCEL_NL_A_HOOK_NAME, accel_hook_name(hook)) ||
	    nla_put_uint(skb, ACCEL_NL_A_HOOK_CALLS, calls) ||
	    nla_put_uint(skb, ACCEL_NL_A_HOOK_REFUSED, refused))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_policy(struct sk_buff *skb, const struct accel_policy *policy)
{
	enum accel_hook hook;

	if (nla_put_uint(skb, ACCEL_NL_A_POLICY_ID, policy->id) ||
	    nla_put_string(skb, ACCEL_NL_A_POLICY_NAME, policy->name) ||
	    (policy->device[0] &&
	     nla_put_string(skb, ACCEL_NL_A_POLICY_DEVICE, policy->device)) ||
	    nla_put_s32(skb, ACCEL_NL_A_POLICY_PRIORITY, policy->priority) ||
	    nla_put_uint(skb, ACCEL_NL_A_POLICY_BAD_RETURNS,
			 atomic64_read(&policy->bad_returns)) ||
	    nla_put_uint(skb, ACCEL_NL_A_POLICY_OVERRULED, atomic64_read(&policy->overruled)))
		return -EMSGSIZE;
	/* it stays until it has detached the policy; its id comes a little after it */
	if (policy->bpf_link && policy->bpf_link->id &&
	    nla_put_u32(skb, ACCEL_NL_A_POLICY_LINK_ID, policy->bpf_link->id))
		return -EMSGSIZE;
	for (hook = 0; hook < ACCEL_HOOK_NR; hook++)
		if (policy->hooks & BIT(hook) && put_hook(skb, policy, hook))
			return -EMSGSIZE;
	return 0;
}

/* The position is a count: the order is what matters of policies, and ids have another. */
struct policy_dump {
	u32 next;
};

int accel_nl_policy_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct policy_dump *dump = (void *)cb->ctx;
	struct accel_policy *policy;
	u32 n = 0;
	void *hdr;

	static_assert(sizeof(*dump) <= sizeof(cb->ctx));
	/* who asks may look into the books of a policy next */
	accel_policy_settle();
	guard(mutex)(&accel_policies_lock);
	/* 0 would be no sequence at all */
	cb->seq = accel_policies_generation + 1;
	list_for_each_entry(policy, &accel_policies, link) {
		if (n++ < dump->next)
			continue;
		hdr = genlmsg_put(skb, info->snd_portid, info->snd_seq, info->family,
				  NLM_F_MULTI, info->genlhdr->cmd);
		if (!hdr)
			return skb->len ?: -EMSGSIZE;
		genl_dump_check_consistent(cb, hdr);
		if (put_policy(skb, policy)) {
			genlmsg_cancel(skb, hdr);
			return skb->len ?: -EMSGSIZE;
		}
		genlmsg_end(skb, hdr);
		dump->next = n;
	}
	return skb->len;
}
EXPORT_SYMBOL_IF_KUNIT(accel_nl_policy_get_dumpit);

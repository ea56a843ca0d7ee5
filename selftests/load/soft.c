// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs for the soft driver, each made so that it cannot look done when it is not:
 * bytes that it must write are wrong before, and those around them are watched.
 */
#include <string.h>

#include "crc32c.h"
#include "load.h"

#define GUARD	16

static enum op choose(struct worker *w)
{
	uint32_t total = 0, pick;

	for (int op = 0; op < OP_NR; op++)
		if (OPS_SOFT & 1U << op)
			total += w->cfg->weights[op];
	pick = dev_random(&w->random) % total;
	for (int op = 0; op < OP_NR; op++) {
		if (!(OPS_SOFT & 1U << op))
			continue;
		if (pick < w->cfg->weights[op])
			return op;
		pick -= w->cfg->weights[op];
	}
	return OP_NOP;
}

static void spoil(struct worker *w, uint8_t *dst, size_t n, uint8_t (*right)(struct worker *w,
		  const struct slot *slot, size_t i), const struct slot *slot)
{
	dst[0] = ~right(w, slot, 0);
	dst[n - 1] = ~right(w, slot, n - 1);
	for (int i = 0; i < 16; i++) {
		size_t k = dev_random(&w->random) % n;

		dst[k] = ~right(w, slot, k);
	}
}

static uint8_t copied(struct worker *w, const struct slot *slot, size_t i)
{
	return w->src.data[slot->src + i];
}

static uint8_t filled(struct worker *w, const struct slot *slot, size_t i)
{
	(void)w;
	return slot->pattern >> (8 * (i % 8));
}

static int submit_nop(struct worker *w, struct slot *slot)
{
	struct accel_soft_submit submit = {
		.op = ACCEL_SOFT_OP_NOP,
		.engine = w->cfg->duty ? 0 : ACCEL_SOFT_ENGINE_ANY,
	};
	int ret = timed_ioctl(w, LAT_SUBMIT, ACCEL_SOFT_IOCTL_SUBMIT, &submit);

	slot->job_id = submit.job_id;
	return ret;
}

int soft_start(struct worker *w, struct slot *slot)
{
	size_t base = (slot - w->slots) * w->stride;
	struct accel_soft_submit submit = { .engine = ACCEL_SOFT_ENGINE_ANY };
	uint8_t *dst;
	int ret;

	*slot = (struct slot) { .op = w->cfg->duty ? OP_NOP : choose(w) };
	if (slot->op == OP_NOP)
		return submit_nop(w, slot);

	slot->length = w->cfg->min_size +
		       dev_random(&w->random) % (w->cfg->max_size - w->cfg->min_size + 1);
	slot->bytes = slot->length;
	slot->src = dev_random(&w->random) % (w->src.length - slot->length + 1);
	slot->dst = base + GUARD +
		    dev_random(&w->random) % (w->stride - 2 * GUARD - slot->length + 1);
	dst = w->dst.data + slot->dst;
	switch (slot->op) {
	case OP_COPY:
		submit.op = ACCEL_SOFT_OP_COPY;
		spoil(w, dst, slot->length, copied, slot);
		break;
	case OP_FILL:
		submit.op = ACCEL_SOFT_OP_FILL;
		slot->pattern = dev_random(&w->random);
		spoil(w, dst, slot->length, filled, slot);
		break;
	case OP_COMPARE:
		submit.op = ACCEL_SOFT_OP_COMPARE;
		memcpy(dst, w->src.data + slot->src, slot->length);
		slot->expected = slot->length;
		if (dev_random(&w->random) & 1) {
			slot->expected = dev_random(&w->random) % slot->length;
			dst[slot->expected] ^= 1 << dev_random(&w->random) % 8;
		}
		break;
	default:
		submit.op = ACCEL_SOFT_OP_CRC32C;
		slot->pattern = dev_random(&w->random) & 1 ? (uint32_t)dev_random(&w->random) : 0;
		break;
	}
	memcpy(slot->before, dst - GUARD, GUARD);
	memcpy(slot->after, dst + slot->length, GUARD);

	submit.length = slot->length;
	submit.pattern = slot->pattern;
	if (slot->op != OP_FILL) {
		submit.src_mem = w->src.id;
		submit.src_offset = slot->src;
	}
	if (slot->op != OP_CRC32C) {
		submit.dst_mem = w->dst.id;
		submit.dst_offset = slot->dst;
	}
	ret = timed_ioctl(w, LAT_SUBMIT, ACCEL_SOFT_IOCTL_SUBMIT, &submit);
	slot->job_id = submit.job_id;
	return ret;
}

bool soft_verify(struct worker *w, struct slot *slot, uint64_t result)
{
	const uint8_t *src = w->src.data + slot->src, *dst = w->dst.data + slot->dst;

	if (slot->op == OP_NOP)
		return !result;
	if (memcmp(slot->before, dst - GUARD, GUARD) ||
	    memcmp(slot->after, dst + slot->length, GUARD))
		return false;
	switch (slot->op) {
	case OP_COPY:
		return !result && !memcmp(dst, src, slot->length);
	case OP_FILL:
		for (size_t i = 0; i < slot->length; i++)
			if (dst[i] != filled(w, slot, i))
				return false;
		return !result;
	case OP_COMPARE:
		return result == slot->expected;
	default:
		return result == crc32c(slot->pattern, src, slot->length);
	}
}

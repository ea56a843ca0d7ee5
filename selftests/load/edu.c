// SPDX-License-Identifier: GPL-2.0-only
/*
 * Jobs for QEMU's edu device: factorials, and round trips through the device's
 * buffer, of which each context in flight has a part of its own.
 */
#include <string.h>

#include "load.h"

static int submit_dma(struct worker *w, struct slot *slot)
{
	struct accel_edu_dma dma = {
		.mem_id = w->dst.id,
		.offset = slot->stage ? slot->dst : slot->src,
		.length = slot->length,
		.buffer_offset = slot->pattern,
		.op = slot->stage ? ACCEL_EDU_OP_FROM_DEVICE : ACCEL_EDU_OP_TO_DEVICE,
	};
	int ret = timed_ioctl(w, LAT_DMA, ACCEL_EDU_IOCTL_DMA, &dma);

	slot->job_id = dma.job_id;
	return ret;
}

static int submit_factorial(struct worker *w, struct slot *slot)
{
	struct accel_edu_factorial factorial = { .n = dev_random(&w->random) % 1000 };
	uint32_t result = 1;
	int ret = timed_ioctl(w, LAT_FACTORIAL, ACCEL_EDU_IOCTL_FACTORIAL, &factorial);

	for (uint32_t i = 2; i <= factorial.n; i++)
		result *= i;
	slot->expected = result;
	slot->job_id = factorial.job_id;
	return ret;
}

int edu_start(struct worker *w, struct slot *slot)
{
	uint32_t total = w->cfg->weights[OP_FACTORIAL] + w->cfg->weights[OP_DMA];
	int number = slot - w->slots;
	int parts = w->shared->contexts_of[w->stats->device] * w->cfg->inflight;
	size_t part = ACCEL_EDU_BUFFER_SIZE / parts;
	uint8_t *out, *in;

	if (slot->stage)
		return submit_dma(w, slot);
	*slot = (struct slot) { .op = OP_FACTORIAL };
	/* With more contexts than bytes in the buffer there is no part to have */
	if (!part || dev_random(&w->random) % total < w->cfg->weights[OP_FACTORIAL])
		return submit_factorial(w, slot);

	slot->op = OP_DMA;
	slot->pattern = (w->stats->number * w->cfg->inflight + number) * part;
	slot->length = 1 + dev_random(&w->random) % part;
	slot->bytes = slot->length;
	slot->src = number * w->stride + dev_random(&w->random) % (w->stride / 2 - slot->length);
	slot->dst = number * w->stride + w->stride / 2 + 16 +
		    dev_random(&w->random) % (w->stride / 2 - slot->length - 32);
	out = w->dst.data + slot->src;
	in = w->dst.data + slot->dst;
	for (size_t i = 0; i < slot->length; i++) {
		out[i] = dev_random(&w->random);
		in[i] = ~out[i];
	}
	memcpy(slot->before, in - sizeof(slot->before), sizeof(slot->before));
	memcpy(slot->after, in + slot->length, sizeof(slot->after));
	return submit_dma(w, slot);
}

bool edu_verify(struct worker *w, struct slot *slot, uint64_t result)
{
	const uint8_t *in = w->dst.data + slot->dst;

	if (slot->op == OP_FACTORIAL)
		return result == slot->expected;
	if (!slot->stage)
		return true;
	return !memcmp(in, w->dst.data + slot->src, slot->length) &&
	       !memcmp(slot->before, in - sizeof(slot->before), sizeof(slot->before)) &&
	       !memcmp(slot->after, in + slot->length, sizeof(slot->after));
}

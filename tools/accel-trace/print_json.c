// SPDX-License-Identifier: GPL-2.0-only
/* Members are called as the tracepoints' fields are; docs/tracepoints.md. */
#include "print.h"

#include <string.h>

#include "events.h"
#include "json.h"
#include "proc.h"

static void payload(struct json *j, const struct accel_event *e)
{
	switch (e->type) {
	case ACCEL_EV_DEVICE_UNREGISTER:
		json_u64(j, "duration_ns", e->time_ns);
		/* fallthrough */
	case ACCEL_EV_DEVICE_REGISTER:
	case ACCEL_EV_DEVICE_RELEASE:
		json_strn(j, "driver", e->device.driver, sizeof(e->device.driver));
		json_u64(j, "contexts", e->device.contexts);
		break;
	case ACCEL_EV_DEVICE_STATE:
		json_i64(j, "old_state", e->device.old_state);
		json_i64(j, "new_state", e->device.new_state);
		break;
	case ACCEL_EV_UNPLUG_DRAIN:
		json_i64(j, "op", e->device.op);
		json_u64(j, "calls", e->device.calls);
		json_u64(j, "waited_ns", e->time_ns);
		break;
	case ACCEL_EV_CONTEXT_OPEN:
	case ACCEL_EV_CONTEXT_CLOSE:
		json_u64(j, "node", e->context.node);
		json_u64(j, "duration_ns", e->time_ns);
		break;
	case ACCEL_EV_IOCTL:
		json_u64(j, "duration_ns", e->time_ns);
		/* fallthrough */
	case ACCEL_EV_IOCTL_ENTER:
		json_u64(j, "cmd", e->ioctl.cmd);
		if (*e->ioctl.name)
			json_strn(j, "name", e->ioctl.name, sizeof(e->ioctl.name));
		break;
	case ACCEL_EV_MMAP:
		json_u64(j, "offset", e->mmap.offset);
		json_bool(j, "write", e->mmap.write);
		json_u64(j, "duration_ns", e->time_ns);
		/* fallthrough */
	case ACCEL_EV_MUNMAP:
		json_u64(j, "map", e->mmap.map);
		json_u64(j, "bytes", e->mmap.bytes);
		break;
	case ACCEL_EV_MEM_PIN:
	case ACCEL_EV_MEM_UNPIN:
		json_u64(j, "mem", e->pin.mem);
		json_str(j, "way", way_name(e->pin.way));
		json_u64(j, "bytes", e->pin.bytes);
		json_u64(j, "pages", e->pin.pages);
		json_u64(j, "duration_ns", e->time_ns);
		if (e->type == ACCEL_EV_MEM_UNPIN) {
			json_bool(j, "dirty", e->pin.flags);
			break;
		}
		json_u64(j, "folios", e->pin.folios);
		json_u64(j, "segments", e->pin.segments);
		json_u64(j, "flags", e->pin.flags);
		json_u64(j, "faulted_pages", e->pin.faulted_pages);
		json_u64(j, "account_ns", e->pin.account_ns);
		json_u64(j, "fault_ns", e->pin.fault_ns);
		json_u64(j, "pin_ns", e->pin.pin_ns);
		json_u64(j, "gather_ns", e->pin.gather_ns);
		break;
	case ACCEL_EV_DMA_MAP:
	case ACCEL_EV_DMA_UNMAP:
		json_u64(j, "mem", e->dma.mem);
		json_str(j, "way", way_name(e->dma.way));
		json_u64(j, "bytes", e->dma.bytes);
		json_u64(j, "pages", e->dma.pages);
		json_u64(j, "folios", e->dma.folios);
		json_u64(j, "segments", e->dma.segments);
		json_u64(j, "iommu_ns", e->dma.iommu_ns);
		json_u64(j, "duration_ns", e->time_ns);
		break;
	case ACCEL_EV_JOB_QUEUE:
	case ACCEL_EV_JOB_START:
	case ACCEL_EV_JOB_DONE:
		json_u64(j, "job", e->job.job);
		json_strn(j, "engine", e->job.engine, sizeof(e->job.engine));
		json_u64(j, "op", e->job.op);
		json_u64(j, "bytes", e->job.bytes);
		if (e->type == ACCEL_EV_JOB_QUEUE)
			break;
		json_u64(j, "queue_ns", e->job.queue_ns);
		if (e->type == ACCEL_EV_JOB_START)
			break;
		json_u64(j, "run_ns", e->job.run_ns);
		json_u64(j, "duration_ns", e->job.total_ns);
		break;
	case ACCEL_EV_POLICY_DENY:
		json_strn(j, "policy", e->policy.name, sizeof(e->policy.name));
		json_u64(j, "policy_id", e->policy.id);
		json_strn(j, "hook", e->policy.hook, sizeof(e->policy.hook));
		break;
	}
}

void print_event_json(struct printer *p, const struct accel_event *e)
{
	char dev[16];
	struct json j;

	snprintf(dev, sizeof(dev), "acc%u", e->dev);
	json_begin(&j, p->f, JSON_LINES);
	json_object(&j, NULL);
	json_u64(&j, "ts_ns", e->ts_ns);
	json_str(&j, "event", event_name(e->type));
	json_str(&j, "dev", dev);
	json_u64(&j, "dev_id", e->dev_id);
	json_u64(&j, "cpu", e->cpu);
	json_u64(&j, "pid", e->tgid);
	if (e->tid)
		json_u64(&j, "tid", e->tid);
	json_strn(&j, "comm", e->comm, sizeof(e->comm));
	if (e->flags & ACCEL_EVF_CONTEXT) {
		json_u64(&j, "ctx", e->ctx);
		if (e->owner) {
			json_u64(&j, "tgid", e->owner);
			json_u64(&j, "uid", e->uid);
			json_u64(&j, "cgroup_id", e->cgroup_id);
			json_str(&j, "cgroup", proc_cgroup_path(e->cgroup_id));
		}
	}
	if (e->flags & ACCEL_EVF_RET) {
		json_i64(&j, "ret", e->ret);
		if (e->ret < 0)
			json_str(&j, "error", strerrorname_np(-e->ret));
	}
	payload(&j, e);
	if (e->flags & ACCEL_EVF_STACK) {
		const __u64 *stack = event_stack(e);

		json_array(&j, "stack");
		for (int i = stack_first(stack); i < ACCEL_EV_STACK_DEPTH && stack[i]; i++)
			json_str(&j, NULL, stack_symbol(stack[i], NULL));
		json_close(&j);
	}
	json_close(&j);
}

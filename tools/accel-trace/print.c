// SPDX-License-Identifier: GPL-2.0-only
#include "print.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include <linux/accelerator.h>

#include "events.h"
#include "fmt.h"

/* Results stand below each other for as long as what is before them is shorter. */
#define CALL_WIDTH	62

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void print_begin(struct printer *p, const struct config *config, FILE *f)
{
	*p = (struct printer){ .config = config, .f = f };
	p->realtime = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

static void print_time(struct printer *p, uint64_t ts_ns)
{
	uint64_t wall = ts_ns + p->realtime;
	time_t s = wall / 1000000000;
	unsigned int us = wall % 1000000000 / 1000;
	/* Of two processors' events the later may have been printed first. */
	uint64_t since = p->last_ns && ts_ns > p->last_ns ? ts_ns - p->last_ns : 0;
	char text[16];
	struct tm tm;

	if (p->config->relative)
		fprintf(p->f, "%6" PRIu64 ".%06" PRIu64 " ", since / 1000000000,
			since % 1000000000 / 1000);
	p->last_ns = ts_ns;
	if (!p->config->times)
		return;
	localtime_r(&s, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	if (p->config->times == 1)
		fprintf(p->f, "%s ", text);
	else if (p->config->times == 2)
		fprintf(p->f, "%s.%06u ", text, us);
	else
		fprintf(p->f, "%" PRIu64 ".%06u ", (uint64_t)s, us);
}

static void print_duration(struct printer *p, uint64_t ns)
{
	if (!ns)
		return;
	if (p->config->exact)
		fprintf(p->f, " <%" PRIu64 ".%09" PRIu64 ">", ns / 1000000000, ns % 1000000000);
	else
		fprintf(p->f, " <%s>", FMT(fmt_ns, ns));
}

static void print_part(struct printer *p, const char *name, uint64_t ns)
{
	if (!ns)
		return;
	if (p->config->exact)
		fprintf(p->f, " %s=%" PRIu64 ".%09" PRIu64, name, ns / 1000000000,
			ns % 1000000000);
	else
		fprintf(p->f, " %s=%s", name, FMT(fmt_ns, ns));
}

const char *way_name(uint32_t way)
{
	static const char *const names[] = { "user", "iommufd", "dmabuf" };

	return way < sizeof(names) / sizeof(*names) ? names[way] : "?";
}

static const char *access_name(uint32_t flags)
{
	switch (flags & (ACCEL_MEM_READ | ACCEL_MEM_WRITE)) {
	case ACCEL_MEM_READ:
		return "r";
	case ACCEL_MEM_WRITE:
		return "w";
	case ACCEL_MEM_READ | ACCEL_MEM_WRITE:
		return "rw";
	}
	return "-";
}

/* enum accel_op of the core; docs/tracepoints.md has the numbers. */
static const char *op_name(int op)
{
	static const char *const names[] = {
		"open", "close", "ioctl", "mmap", "fault", "mem_pin", "mem_unpin", "dma_map",
		"dma_unmap", "job_submit",
	};

	return op >= 0 && op < (int)(sizeof(names) / sizeof(*names)) ? names[op] : "?";
}

static const char *state_name(int state)
{
	static const char *const names[] = { "ok", "resetting", "failed", "gone" };

	return state >= 0 && state < (int)(sizeof(names) / sizeof(*names)) ? names[state] : "?";
}

/* What stands between the parentheses. */
static int arguments(const struct accel_event *e, char *out, size_t size)
{
	switch (e->type) {
	case ACCEL_EV_DEVICE_REGISTER:
	case ACCEL_EV_DEVICE_UNREGISTER:
	case ACCEL_EV_DEVICE_RELEASE:
		return snprintf(out, size, "driver=%.16s, id=%llu, contexts=%u", e->device.driver,
				e->dev_id, e->device.contexts);
	case ACCEL_EV_DEVICE_STATE:
		return snprintf(out, size, "%s -> %s", state_name(e->device.old_state),
				state_name(e->device.new_state));
	case ACCEL_EV_UNPLUG_DRAIN:
		return snprintf(out, size, "op=%s, calls=%llu", op_name(e->device.op), e->device.calls);
	case ACCEL_EV_CONTEXT_OPEN:
	case ACCEL_EV_CONTEXT_CLOSE:
		return snprintf(out, size, "node=%u, owner=%u, uid=%u", e->context.node, e->owner,
				e->uid);
	case ACCEL_EV_IOCTL_ENTER:
	case ACCEL_EV_IOCTL:
		if (*e->ioctl.name)
			return snprintf(out, size, "%.24s, 0x%x", e->ioctl.name, e->ioctl.cmd);
		return snprintf(out, size, "0x%x", e->ioctl.cmd);
	case ACCEL_EV_MMAP:
		return snprintf(out, size, "map=%llu, bytes=%llu, offset=0x%llx, %s", e->mmap.map,
				e->mmap.bytes, e->mmap.offset, e->mmap.write ? "rw" : "r");
	case ACCEL_EV_MUNMAP:
		return snprintf(out, size, "map=%llu, bytes=%llu", e->mmap.map, e->mmap.bytes);
	case ACCEL_EV_MEM_PIN:
		return snprintf(out, size, "mem=%llu, %s, bytes=%llu, pages=%llu, folios=%u, %s",
				e->pin.mem, way_name(e->pin.way), e->pin.bytes, e->pin.pages,
				e->pin.folios, access_name(e->pin.flags));
	case ACCEL_EV_MEM_UNPIN:
		return snprintf(out, size, "mem=%llu, bytes=%llu, pages=%llu, %s", e->pin.mem,
				e->pin.bytes, e->pin.pages, e->pin.flags ? "dirty" : "clean");
	case ACCEL_EV_DMA_MAP:
	case ACCEL_EV_DMA_UNMAP:
		return snprintf(out, size, "mem=%llu, bytes=%llu, segments=%u", e->dma.mem,
				e->dma.bytes, e->dma.segments);
	case ACCEL_EV_JOB_QUEUE:
	case ACCEL_EV_JOB_START:
	case ACCEL_EV_JOB_DONE:
		return snprintf(out, size, "job=%llu, engine=%.16s, op=%u, bytes=%llu", e->job.job,
				e->job.engine, e->job.op, e->job.bytes);
	}
	return 0;
}

/* Parts of the whole, and times that are not the call's own. */
static void print_details(struct printer *p, const struct accel_event *e)
{
	switch (e->type) {
	case ACCEL_EV_MEM_PIN:
		print_part(p, "account", e->pin.account_ns);
		print_part(p, "fault", e->pin.fault_ns);
		print_part(p, "pin", e->pin.pin_ns);
		print_part(p, "gather", e->pin.gather_ns);
		if (e->pin.faulted_pages)
			fprintf(p->f, " faulted=%llu", e->pin.faulted_pages);
		break;
	case ACCEL_EV_DMA_MAP:
	case ACCEL_EV_DMA_UNMAP:
		print_part(p, "iommu", e->dma.iommu_ns);
		break;
	case ACCEL_EV_JOB_START:
		print_part(p, "wait", e->job.queue_ns);
		break;
	case ACCEL_EV_JOB_DONE:
		print_part(p, "wait", e->job.queue_ns);
		print_part(p, "run", e->job.run_ns);
		break;
	case ACCEL_EV_UNPLUG_DRAIN:
		print_part(p, "waited", e->time_ns);
		break;
	}
}

void print_event(struct printer *p, const struct accel_event *e)
{
	char args[160], where[40], call[200];
	uint64_t whole = e->time_ns;

	if (p->config->json) {
		print_event_json(p, e);
		return;
	}
	print_time(p, e->ts_ns);
	arguments(e, args, sizeof(args));
	if (e->flags & ACCEL_EVF_CONTEXT)
		snprintf(where, sizeof(where), "acc%u/%llu", e->dev, e->ctx);
	else
		snprintf(where, sizeof(where), "acc%u", e->dev);
	snprintf(call, sizeof(call), "%s(%s)", event_name(e->type), args);
	fprintf(p->f, "%7u %-15s %-9s ", e->tgid,
		fmt_printable(&(struct fmt_buf){ { 0 } }, e->comm, sizeof(e->comm) - 1), where);

	if (e->type == ACCEL_EV_IOCTL_ENTER)
		fprintf(p->f, "%s ...", call);
	else if (!(e->flags & ACCEL_EVF_RET))
		fprintf(p->f, "%s", call);
	else if (e->ret >= 0)
		fprintf(p->f, "%-*s = %lld", CALL_WIDTH, call, e->ret);
	else
		fprintf(p->f, "%-*s = -1 %s (%s)", CALL_WIDTH, call,
			strerrorname_np(-e->ret) ?: "?", strerror(-e->ret));

	if (e->type == ACCEL_EV_JOB_DONE)
		whole = e->job.total_ns;
	if (e->type != ACCEL_EV_JOB_START && e->type != ACCEL_EV_UNPLUG_DRAIN)
		print_duration(p, whole);
	print_details(p, e);
	putc('\n', p->f);
	if (e->flags & ACCEL_EVF_STACK)
		print_stack(p->f, (const struct accel_event_stack *)e);
}

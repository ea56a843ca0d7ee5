// SPDX-License-Identifier: GPL-2.0-only
#include "print.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <linux/accelerator.h>

#include "events.h"
#include "fmt.h"
#include "text.h"

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
	*p = (struct printer){ .config = config, .f = f, .second = -1 };
	p->out.fd = fileno(f);
	p->realtime = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
}

int print_flush(struct printer *p)
{
	int err = out_flush(&p->out);

	return err ? err : fflush(p->f) ? -errno : 0;
}

/* "12.000345": @width columns before the point, @digits behind it, of @ns */
static char *put_seconds(char *at, uint64_t ns, int width, int digits)
{
	uint64_t rest = ns % 1000000000;

	at = put_right(at, ns / 1000000000, width);
	*at++ = '.';
	return put_digits(at, digits == 6 ? rest / 1000 : rest, digits);
}

static char *put_time(struct printer *p, char *at, uint64_t ts_ns)
{
	uint64_t wall = ts_ns + p->realtime;
	time_t s = wall / 1000000000;
	/* Of two processors' events the later may have been printed first. */
	uint64_t since = p->last_ns && ts_ns > p->last_ns ? ts_ns - p->last_ns : 0;
	struct tm tm;

	if (p->config->relative) {
		at = put_seconds(at, since, 6, 6);
		*at++ = ' ';
	}
	p->last_ns = ts_ns;
	if (!p->config->times)
		return at;
	if (p->config->times > 2) {
		at = put_seconds(at, wall, 0, 6);
		*at++ = ' ';
		return at;
	}
	if (s != p->second) {
		localtime_r(&s, &tm);
		strftime(p->clock, sizeof(p->clock), "%H:%M:%S", &tm);
		p->second = s;
	}
	at = put_str(at, p->clock);
	if (p->config->times == 2) {
		*at++ = '.';
		at = put_digits(at, wall % 1000000000 / 1000, 6);
	}
	*at++ = ' ';
	return at;
}

static char *put_duration(const struct printer *p, char *at, uint64_t ns)
{
	if (!ns)
		return at;
	at = put_text(at, " <");
	at = p->config->exact ? put_seconds(at, ns, 0, 9) : fmt_ns_to(at, ns);
	*at++ = '>';
	return at;
}

static char *put_part(const struct printer *p, char *at, const char *name, uint64_t ns)
{
	if (!ns)
		return at;
	*at++ = ' ';
	at = put_str(at, name);
	*at++ = '=';
	return p->config->exact ? put_seconds(at, ns, 0, 9) : fmt_ns_to(at, ns);
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

/* What an unplug waits for; docs/tracepoints.md has the numbers. */
static const char *op_name(int op)
{
	enum { JOB_RUN = 32, PHASE = 64 };
	static const char *const names[] = {
		"open", "close", "ioctl", "mmap", "fault", "mem_pin", "mem_unpin", "dma_map",
		"dma_unmap", "job_submit",
	};
	/* where a removal is that waits for no context */
	static const char *const phases[] = {
		"lock", "power", "cancel", "engines", "gate", "mappings", "contexts", "iommufd",
		"debugfs", "sysfs", "nodes",
	};

	if (op >= PHASE)
		return op - PHASE < (int)(sizeof(phases) / sizeof(*phases)) ?
		       phases[op - PHASE] : "?";
	if (op == JOB_RUN)
		return "job_run";
	return op >= 0 && op < (int)(sizeof(names) / sizeof(*names)) ? names[op] : "?";
}

static const char *state_name(int state)
{
	static const char *const names[] = { "ok", "resetting", "failed", "gone" };

	return state >= 0 && state < (int)(sizeof(names) / sizeof(*names)) ? names[state] : "?";
}

#define PUT(label, value)	put_u64(put_text(at, label), value)

/* What stands between the parentheses. */
static char *put_arguments(char *at, const struct accel_event *e)
{
	switch (e->type) {
	case ACCEL_EV_DEVICE_REGISTER:
	case ACCEL_EV_DEVICE_UNREGISTER:
	case ACCEL_EV_DEVICE_RELEASE:
		at = put_strn(put_text(at, "driver="), e->device.driver, ACCEL_EV_NAME_LEN);
		at = PUT(", id=", e->dev_id);
		return PUT(", contexts=", e->device.contexts);
	case ACCEL_EV_DEVICE_STATE:
		at = put_text(put_str(at, state_name(e->device.old_state)), " -> ");
		return put_str(at, state_name(e->device.new_state));
	case ACCEL_EV_UNPLUG_DRAIN:
		at = put_str(put_text(at, "op="), op_name(e->device.op));
		return PUT(", calls=", e->device.calls);
	case ACCEL_EV_CONTEXT_OPEN:
	case ACCEL_EV_CONTEXT_CLOSE:
		at = PUT("node=", e->context.node);
		at = PUT(", owner=", e->owner);
		return PUT(", uid=", e->uid);
	case ACCEL_EV_IOCTL_ENTER:
	case ACCEL_EV_IOCTL:
		if (*e->ioctl.name)
			at = put_text(put_strn(at, e->ioctl.name, ACCEL_EV_IOCTL_LEN), ", ");
		return put_hex(at, e->ioctl.cmd);
	case ACCEL_EV_MMAP:
		at = PUT("map=", e->mmap.map);
		at = PUT(", bytes=", e->mmap.bytes);
		at = put_hex(put_text(at, ", offset="), e->mmap.offset);
		return put_str(at, e->mmap.write ? ", rw" : ", r");
	case ACCEL_EV_MUNMAP:
		at = PUT("map=", e->mmap.map);
		return PUT(", bytes=", e->mmap.bytes);
	case ACCEL_EV_MEM_PIN:
		at = PUT("mem=", e->pin.mem);
		at = put_str(put_text(at, ", "), way_name(e->pin.way));
		at = PUT(", bytes=", e->pin.bytes);
		at = PUT(", pages=", e->pin.pages);
		at = PUT(", folios=", e->pin.folios);
		return put_str(put_text(at, ", "), access_name(e->pin.flags));
	case ACCEL_EV_MEM_UNPIN:
		at = PUT("mem=", e->pin.mem);
		at = PUT(", bytes=", e->pin.bytes);
		at = PUT(", pages=", e->pin.pages);
		return put_str(at, e->pin.flags ? ", dirty" : ", clean");
	case ACCEL_EV_DMA_MAP:
	case ACCEL_EV_DMA_UNMAP:
		at = PUT("mem=", e->dma.mem);
		at = PUT(", bytes=", e->dma.bytes);
		return PUT(", segments=", e->dma.segments);
	case ACCEL_EV_JOB_QUEUE:
	case ACCEL_EV_JOB_START:
	case ACCEL_EV_JOB_DONE:
		at = PUT("job=", e->job.job);
		at = put_strn(put_text(at, ", engine="), e->job.engine, ACCEL_EV_NAME_LEN);
		at = PUT(", op=", e->job.op);
		return PUT(", bytes=", e->job.bytes);
	case ACCEL_EV_POLICY_DENY:
		at = put_strn(at, e->policy.name, ACCEL_EV_NAME_LEN);
		return put_strn(put_text(at, ", hook="), e->policy.hook, ACCEL_EV_NAME_LEN);
	}
	return at;
}

/* Parts of the whole, and times that are not the call's own. */
static char *put_details(const struct printer *p, char *at, const struct accel_event *e)
{
	switch (e->type) {
	case ACCEL_EV_MEM_PIN:
		at = put_part(p, at, "account", e->pin.account_ns);
		at = put_part(p, at, "fault", e->pin.fault_ns);
		at = put_part(p, at, "pin", e->pin.pin_ns);
		at = put_part(p, at, "gather", e->pin.gather_ns);
		return e->pin.faulted_pages ? PUT(" faulted=", e->pin.faulted_pages) : at;
	case ACCEL_EV_DMA_MAP:
	case ACCEL_EV_DMA_UNMAP:
		return put_part(p, at, "iommu", e->dma.iommu_ns);
	case ACCEL_EV_JOB_START:
		return put_part(p, at, "wait", e->job.queue_ns);
	case ACCEL_EV_JOB_DONE:
		at = put_part(p, at, "wait", e->job.queue_ns);
		return put_part(p, at, "run", e->job.run_ns);
	case ACCEL_EV_UNPLUG_DRAIN:
		return put_part(p, at, "waited", e->time_ns);
	}
	return at;
}

/* What only the kernel says to itself; a call that is restarted ends with one of these. */
static const char *kernel_error(int error, const char **text)
{
	static const struct {
		int error;
		const char *name, *text;
	} errors[] = {
		{ 512, "ERESTARTSYS", "to be restarted, unless a handler says otherwise" },
		{ 513, "ERESTARTNOINTR", "to be restarted" },
		{ 514, "ERESTARTNOHAND", "to be restarted, unless there is a handler" },
		{ 515, "ENOIOCTLCMD", "no such ioctl" },
		{ 516, "ERESTART_RESTARTBLOCK", "to be restarted where it was" },
		{ 517, "EPROBE_DEFER", "driver asks to be probed later" },
		{ 524, "ENOTSUPP", "not supported" },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == error) {
			*text = errors[i].text;
			return errors[i].name;
		}
	*text = strerror(error);
	return strerrorname_np(error) ?: "?";
}

/* The C library looks for the words anew each time. */
static char *put_error(char *at, int error)
{
	static const char *names[256], *texts[256];

	if (error >= 256 || !names[error]) {
		const char *text, *name = kernel_error(error, &text);

		if (error >= 256)
			return put_text(put_strn(put_text(put_str(at, name), " ("), text, 200), ")");
		names[error] = name;
		texts[error] = strdup(text) ?: "?";
	}
	at = put_text(put_str(at, names[error]), " (");
	return put_text(put_strn(at, texts[error], 200), ")");
}

static char *put_comm(char *at, const char *comm)
{
	return at + text_safe(at, ACCEL_EV_COMM_LEN, comm, ACCEL_EV_COMM_LEN - 1);
}

static char *put_where(char *at, const struct accel_event *e)
{
	at = PUT("acc", e->dev);
	return e->flags & ACCEL_EVF_CONTEXT ? PUT("/", e->ctx) : at;
}

/* "   1234 name            acc0/5    " */
static char *put_who(struct printer *p, char *at, const struct accel_event *e)
{
	struct accel_event *last = &p->last;
	char *from, *to = p->who;

	if (!p->who_len || e->tgid != last->tgid || e->ctx != last->ctx || e->dev != last->dev ||
	    (e->flags ^ last->flags) & ACCEL_EVF_CONTEXT ||
	    memcmp(e->comm, last->comm, sizeof(e->comm))) {
		memcpy(last, e, offsetof(struct accel_event, comm) + sizeof(e->comm));
		to = put_right(to, e->tgid, 7);
		*to++ = ' ';
		from = to;
		to = put_pad(put_comm(to, e->comm), from, 15);
		*to++ = ' ';
		from = to;
		to = put_where(to, e);
		if (to < from + 9)
			to = put_pad(to, from, 9);
		*to++ = ' ';
		p->who_len = to - p->who;
	}
	memcpy(at, p->who, sizeof(p->who));
	return at + p->who_len;
}

static char *put_call(char *at, const struct accel_event *e)
{
	at = put_text(put_str(at, event_name(e->type)), "(");
	return put_text(put_arguments(at, e), ")");
}

void print_event(struct printer *p, const struct accel_event *e)
{
	char *at, *from;
	uint64_t whole = e->time_ns;

	if (p->config->json) {
		print_event_json(p, e);
		return;
	}
	at = put_time(p, out_line(&p->out), e->ts_ns);
	at = put_who(p, at, e);
	from = at;
	at = put_call(at, e);
	if (e->type == ACCEL_EV_IOCTL_ENTER) {
		at = put_text(at, " ...");
	} else if (e->flags & ACCEL_EVF_RET) {
		at = put_text(put_pad(at, from, CALL_WIDTH), " = ");
		if (e->ret >= 0)
			at = put_u64(at, e->ret);
		else
			at = put_error(put_text(at, "-1 "), -e->ret);
	}
	if (e->type == ACCEL_EV_JOB_DONE)
		whole = e->job.total_ns;
	if (e->type != ACCEL_EV_JOB_START && e->type != ACCEL_EV_UNPLUG_DRAIN)
		at = put_duration(p, at, whole);
	at = put_details(p, at, e);
	*at++ = '\n';
	out_end(&p->out, at);
	if (e->flags & ACCEL_EVF_STACK)
		print_stack(&p->out, event_stack(e));
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=120 */
/*
 * Every field of every tracepoint that a program can cause, against operations
 * whose figures are known: as tracefs prints them and as accel-trace --json does.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "trace.h"

#define TRACEFS	"/sys/kernel/tracing"
#define PAGES	16
#define LENGTH	12345

/* What the operations know of themselves. */
static struct {
	char pid[16], cmd_pin[16], cmd_submit[16], bytes[16], job[24], mem[24];
} known;

static struct dev_info dev;

/* ------------------------------------------------------------- the operations */

static int operations(void)
{
	size_t page = sysconf(_SC_PAGESIZE), size = PAGES * page;
	struct accel_soft_submit copy = {
		.op = ACCEL_SOFT_OP_COPY, .engine = 0, .dst_offset = size / 2, .length = LENGTH,
	};
	struct accel_job_wait wait = { 0 };
	unsigned char *mem;
	void *status;
	uint64_t id;
	int fd, ret;

	mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = dev_open(dev.name);
	if (mem == MAP_FAILED || fd < 0)
		return -EIO;
	madvise(mem, size, MADV_NOHUGEPAGE);
	ret = dev_pin(fd, mem, size, ACCEL_MEM_READ | ACCEL_MEM_WRITE, &id);
	if (ret)
		return ret;
	copy.src_mem = id;
	copy.dst_mem = id;
	ret = dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &copy);
	if (ret)
		return ret;
	ret = dev_wait(fd, copy.job_id, &wait);
	if (ret || wait.status)
		return -EIO;
	status = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	if (status == MAP_FAILED)
		return -errno;
	munmap(status, page);
	/* Refused: zero length, and a command that nobody knows. */
	if (dev_pin(fd, mem, 0, ACCEL_MEM_READ, &id) != -EINVAL ||
	    dev_ioctl(fd, _IO(ACCEL_IOCTL_TYPE, 0xff), NULL) != -ENOTTY)
		return -EPROTO;
	ret = dev_unpin(fd, copy.src_mem);
	if (ret)
		return ret;
	close(fd);
	snprintf(known.pid, sizeof(known.pid), "%d", getpid());
	snprintf(known.cmd_pin, sizeof(known.cmd_pin), "0x%lx", ACCEL_IOCTL_MEM_PIN);
	snprintf(known.cmd_submit, sizeof(known.cmd_submit), "0x%lx", ACCEL_SOFT_IOCTL_SUBMIT);
	snprintf(known.bytes, sizeof(known.bytes), "%zu", size);
	snprintf(known.job, sizeof(known.job), "%llu", (unsigned long long)copy.job_id);
	snprintf(known.mem, sizeof(known.mem), "%llu", (unsigned long long)copy.src_mem);
	return 0;
}

/* ------------------------------------------------------------------- tracefs */

static char *lines[4096];
static size_t num_lines;

static void read_trace(void)
{
	FILE *f = fopen(TRACEFS "/trace", "r");
	char line[1024];

	while (f && num_lines < 4096 && fgets(line, sizeof(line), f))
		if (*line != '#')
			lines[num_lines++] = strdup(line);
	if (f)
		fclose(f);
}

/* The value of "name=value" in @line, NULL when it has none. */
static const char *field(const char *line, const char *name)
{
	static char value[64];
	char pattern[40];
	const char *at;

	snprintf(pattern, sizeof(pattern), " %s=", name);
	at = strstr(line, pattern);
	if (!at)
		return NULL;
	snprintf(value, sizeof(value), "%s", at + strlen(pattern));
	value[strcspn(value, " \n")] = 0;
	return value;
}

/* The first line of @event after @from in which field @name is @value (or any). */
static const char *find(const char *event, const char *name, const char *value)
{
	char pattern[64];

	snprintf(pattern, sizeof(pattern), ": accel_%s: ", event);
	for (size_t i = 0; i < num_lines; i++) {
		const char *got;

		if (!strstr(lines[i], pattern))
			continue;
		got = name ? field(lines[i], name) : NULL;
		if (!name || (got && !strcmp(got, value)))
			return lines[i];
	}
	return NULL;
}

/* "name=value" pairs: value "*" is any, "+" is any number above 0. */
static void check(const char *event, const char *name, const char *value, const char *const *want)
{
	const char *line = find(event, name, value);

	if (!tap_ok(line != NULL, "%s: is traced", event))
		return;
	for (; *want; want += 2) {
		const char *got = field(line, want[0]);
		bool good = got && (!strcmp(want[1], "*") || !strcmp(got, want[1]) ||
				    (!strcmp(want[1], "+") && strtoull(got, NULL, 10) > 0));

		if (!tap_ok(good, "%s: %s is %s", event, want[0], want[1]))
			tap_diag("in: %s", line);
	}
}

#define CHECK(event, name, value, ...) \
	check(event, name, value, (const char *const []){ __VA_ARGS__, NULL })

static void write_tracefs(const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), TRACEFS "/%s", file);
	if (dev_write(path, text))
		tap_bail("cannot write %s to %s", text, path);
}

static void tracefs_fields(void)
{
	char dev_id[24], ctx[24];
	const char *line;

	if (mkdir(TRACEFS, 0700) && errno != EEXIST)
		tap_diag("no %s", TRACEFS);
	if (access(TRACEFS "/events", F_OK) &&
	    system("mount -t tracefs tracefs " TRACEFS))
		tap_bail("cannot mount tracefs");
	snprintf(dev_id, sizeof(dev_id), "%lld", dev_attr(dev.name, "id"));
	write_tracefs("trace", "");
	write_tracefs("events/accel/enable", "1");
	tap_is(operations(), 0, "the operations, under tracefs");
	write_tracefs("events/accel/enable", "0");
	read_trace();

	line = find("context_open", "tgid", known.pid);
	if (!tap_ok(line != NULL, "context_open: by this process"))
		return;
	snprintf(ctx, sizeof(ctx), "%s", field(line, "ctx"));
	CHECK("context_open", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "node", "0",
	      "uid", "0", "owner", "fields", "cgroup_id", "+", "ret", "0", "duration_ns", "+");
	CHECK("ioctl_enter", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "cmd", known.cmd_pin);
	CHECK("mem_pin", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "mem", known.mem,
	      "bytes", known.bytes, "pages", "16", "folios", "16", "flags", "0x3",
	      "faulted_pages", "16", "account_ns", "+", "fault_ns", "+", "pin_ns", "*",
	      "ret", "0", "duration_ns", "+");
	CHECK("dma_map", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "mem", known.mem,
	      "bytes", known.bytes, "segments", "+", "ret", "0", "duration_ns", "+");
	CHECK("ioctl", "name", "mem_pin", "ctx", ctx, "dev", dev.name, "dev_id", dev_id,
	      "cmd", known.cmd_pin, "ret", "0", "duration_ns", "+");
	CHECK("ioctl", "name", "soft_submit", "ctx", ctx, "cmd", known.cmd_submit, "ret", "0",
	      "duration_ns", "+");
	CHECK("ioctl", "name", "?", "ctx", ctx, "cmd", "0xacff", "ret", "-25");
	CHECK("ioctl", "ret", "-22", "ctx", ctx, "name", "mem_pin");
	CHECK("job_queue", "job", known.job, "ctx", ctx, "dev", dev.name, "dev_id", dev_id,
	      "engine", "eng0", "op", "1", "bytes", "12345", "ret", "0");
	CHECK("job_start", "job", known.job, "ctx", ctx, "dev", dev.name, "dev_id", dev_id,
	      "engine", "eng0", "op", "1", "queue_ns", "+");
	CHECK("job_done", "job", known.job, "ctx", ctx, "dev", dev.name, "dev_id", dev_id,
	      "engine", "eng0", "op", "1", "bytes", "12345", "ret", "0", "queue_ns", "+",
	      "run_ns", "+", "duration_ns", "+");
	CHECK("mmap", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "map", "+", "offset", "0",
	      "bytes", "4096", "write", "0", "ret", "0", "duration_ns", "+");
	CHECK("munmap", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "map", "+",
	      "bytes", "4096");
	CHECK("dma_unmap", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "mem", known.mem,
	      "bytes", known.bytes, "segments", "+", "ret", "0", "duration_ns", "+");
	CHECK("mem_unpin", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "mem", known.mem,
	      "bytes", known.bytes, "pages", "16", "dirty", "1", "duration_ns", "+");
	CHECK("context_close", "ctx", ctx, "dev", dev.name, "dev_id", dev_id, "tgid", known.pid,
	      "ret", "0", "duration_ns", "+");
	for (size_t i = 0; i < num_lines; i++)
		if (strstr(lines[i], "ffff888") || strstr(lines[i], "0xffffffff"))
			tap_ok(false, "no kernel pointer: %s", lines[i]);
}

/* ------------------------------------------------------------------- the tool */

static struct json_node *events[256];
static char *copies[256];
static size_t num_events;

static void read_events(void)
{
	FILE *f = fopen(OUTPUT, "r");
	char *line = NULL;
	size_t size = 0;

	while (f && num_events < 256 && getline(&line, &size, f) > 0) {
		events[num_events] = json_parse(line);
		copies[num_events] = strdup(line);
		if (events[num_events])
			num_events++;
	}
	free(line);
	if (f)
		fclose(f);
}

static void json_check(const char *event, const char *name, const char *value,
		       const char *const *want)
{
	const struct json_node *e = NULL;
	const char *line = NULL;

	for (size_t i = 0; i < num_events && !e; i++) {
		const struct json_node *at = json_at(events[i], name);

		if (strcmp(json_text_at(events[i], "event"), event) || !at || !at->text ||
		    strcmp(at->text, value))
			continue;
		e = events[i];
		line = copies[i];
	}
	if (!tap_ok(e != NULL, "--json: %s: is there", event))
		return;
	for (; *want; want += 2) {
		const struct json_node *at = json_at(e, want[0]);
		const char *got = !at ? NULL : at->text ? at->text :
				  at->kind == JSON_TRUE ? "true" :
				  at->kind == JSON_FALSE ? "false" : "null";
		bool good = got && (!strcmp(want[1], "*") || !strcmp(got, want[1]) ||
				    (!strcmp(want[1], "+") && strtoull(got, NULL, 10) > 0));

		if (!tap_ok(good, "--json: %s: %s is %s", event, want[0], want[1]))
			tap_diag("in: %s", line);
	}
}

#define JSON_CHECK(event, name, value, ...) \
	json_check(event, name, value, (const char *const []){ __VA_ARGS__, NULL })

/* Every event carries who, where and when. */
#define COMMON	"dev", dev.name, "dev_id", "+", "ctx", "+", "pid", "+", "comm", "fields", \
		"tgid", "+", "uid", "0", "cgroup_id", "+", "cgroup", "/", "ts_ns", "+", "cpu", "*"

static void json_fields(void)
{
	char bytes[16], cmd[16];

	snprintf(bytes, sizeof(bytes), "%ld", PAGES * sysconf(_SC_PAGESIZE));
	snprintf(cmd, sizeof(cmd), "%lu", ACCEL_IOCTL_MEM_PIN);
	tap_is(trace_run("-e all " AREA "/fields operations"), 0, "accel-trace runs the operations");
	read_events();
	JSON_CHECK("context_open", "dev", dev.name, COMMON, "ret", "0", "node", "0",
		   "duration_ns", "+");
	JSON_CHECK("ioctl_enter", "cmd", cmd, COMMON);
	JSON_CHECK("ioctl", "name", "mem_pin", COMMON, "tid", "+", "cmd", cmd, "ret", "0",
		   "duration_ns", "+");
	JSON_CHECK("ioctl", "error", "ENOTTY", COMMON, "ret", "-25", "cmd", "44287");
	JSON_CHECK("ioctl", "error", "EINVAL", COMMON, "ret", "-22", "name", "mem_pin");
	JSON_CHECK("mem_pin", "bytes", bytes, COMMON, "mem", "+", "pages", "16", "folios", "16",
		   "flags", "3", "faulted_pages", "16", "account_ns", "+", "fault_ns", "+",
		   "pin_ns", "*", "ret", "0", "duration_ns", "+");
	JSON_CHECK("dma_map", "bytes", bytes, COMMON, "mem", "+", "segments", "+", "ret", "0",
		   "duration_ns", "+");
	JSON_CHECK("job_queue", "bytes", "12345", COMMON, "job", "+", "engine", "eng0", "op", "1",
		   "ret", "0");
	JSON_CHECK("job_start", "bytes", "12345", COMMON, "job", "+", "engine", "eng0", "op", "1",
		   "queue_ns", "+");
	JSON_CHECK("job_done", "bytes", "12345", COMMON, "job", "+", "engine", "eng0", "op", "1",
		   "ret", "0", "queue_ns", "+", "run_ns", "+", "duration_ns", "+");
	JSON_CHECK("mmap", "bytes", "4096", COMMON, "map", "+", "offset", "0", "write", "false",
		   "ret", "0", "duration_ns", "+");
	JSON_CHECK("munmap", "bytes", "4096", COMMON, "map", "+");
	JSON_CHECK("dma_unmap", "bytes", bytes, COMMON, "mem", "+", "ret", "0", "duration_ns", "+");
	JSON_CHECK("mem_unpin", "bytes", bytes, COMMON, "mem", "+", "pages", "16",
		   "dirty", "true", "duration_ns", "+");
	JSON_CHECK("context_close", "dev", dev.name, COMMON, "ret", "0", "duration_ns", "+");
}

/* Devices that come and go: the edu device, unbound and bound again. */
static void device_fields(void)
{
	struct dev_info edu;
	char link[256] = "", script[512];
	ssize_t len;

	if (dev_find("edu", 0, &edu)) {
		tap_skip("no edu device");
		return;
	}
	snprintf(script, sizeof(script), "/sys/class/accelerator/%s/device", edu.name);
	len = readlink(script, link, sizeof(link) - 1);
	if (len < 0)
		tap_bail("%s: %s", script, strerror(errno));
	snprintf(script, sizeof(script),
		 "sh -c 'cd /sys/class/accelerator/%s/device/driver && echo %s >unbind && echo %s >bind'",
		 edu.name, strrchr(link, '/') + 1, strrchr(link, '/') + 1);
	num_events = 0;
	/* The driver's probe and remove run in the process that writes. */
	tap_is(trace_run("-e device %s", script), 0, "accel-trace sees a driver unbound and bound");
	read_events();
	JSON_CHECK("device_unregister", "dev", edu.name, "dev_id", "+", "contexts", "0",
		   "driver", "accel_edu", "duration_ns", "+", "pid", "+");
	JSON_CHECK("device_release", "dev", edu.name, "dev_id", "+", "contexts", "0",
		   "driver", "accel_edu");
	JSON_CHECK("device_register", "dev", edu.name, "dev_id", "+", "contexts", "0",
		   "driver", "accel_edu");
}

int main(int argc, char **argv)
{
	if (dev_find("soft", 0, &dev))
		tap_bail("no soft device");
	if (argc > 1 && !strcmp(argv[1], "operations"))
		return operations() ? 1 : 0;
	tracefs_fields();
	json_fields();
	device_fields();
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=120 */
/*
 * What BPF programs are told, and what they walk over, is what there is: each device, each
 * context, each region once. A context in a map stays what it was beyond its file's end,
 * and holds up nobody: not its device, not the driver's module.
 */
#include <grp.h>

#include "tenants.h"
#include "walk.h"

static struct walk *walk;
static struct policy p;

static void go(const char *program)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(p.obj, program);
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err = prog ? bpf_prog_test_run_opts(bpf_program__fd(prog), &opts) : -ENOENT;

	if (err)
		tap_bail("%s: %s", program, strerror(-err));
}

static void walks(const struct dev_info *devs, int num)
{
	unsigned long long contexts = 0, mems = 0, sum = 0, pages_sum = 0;
	/* each pin has pages of its own: DMA debugging counts those that overlap */
	char *memory = pages(30 * 21 * PAGE);
	int fds[30];

	go("look");
	tap_is(walk->devices, num, "devices");
	tap_is(walk->contexts, 0, "no contexts yet");
	for (int i = 0; i < 30; i++) {
		fds[i] = dev_open(devs[i % num].name);
		contexts++;
		for (int k = 0; k < i % 7; k++) {
			uint64_t mem;

			if (dev_pin(fds[i], memory, (k + 1) * PAGE, RW, &mem))
				tap_bail("no pin");
			memory += (k + 1) * PAGE;
			mems++;
			sum += mem;
			pages_sum += k + 1;
		}
	}
	go("look");
	tap_is(walk->devices, num, "devices");
	tap_is(walk->contexts, contexts, "contexts");
	tap_is(walk->mems, mems, "regions");
	tap_is(walk->mem_sum, sum, "  each of them: the sum of their ids");
	tap_is(walk->bytes, pages_sum * PAGE, "  and of their lengths");
	tap_is(walk->wrong, 0, "what is told of each agrees with it");
	for (int i = 0; i < 30; i += 2)
		close(fds[i]);
	go("look");
	tap_is(walk->contexts, contexts / 2, "half of them closed");
	for (int i = 1; i < 30; i += 2)
		close(fds[i]);
	go("look");
	tap_is(walk->contexts + walk->mems, 0, "all of them");
}

static void figures(const struct dev_info *dev)
{
	struct accel_job_wait wait;
	uint64_t job;
	int fd;

	if (policy_attach(&p))
		tap_bail("keeper: %s", policy_log);
	fd = dev_open(dev->name);
	go("recall");
	tap_is(walk->kept, 1, "the context is in the map");
	walk->index = dev->index;
	for (int i = 0; i < 3; i++) {
		nop_submit(fd, 0, &job);
		dev_wait(fd, job, &wait);
	}
	go("find");
	tap_is(walk->wrong, 0, "device, engine, counters and context are found");
	tap_is(walk->kept_tgid, getpid(), "whose it is");
	tap_is(walk->ioctls, 6, "its ioctls");
	tap_is(walk->pins, 0, "its pins");
	tap_is(walk->engine_jobs, dev_attr(dev->name, "engines/eng0/jobs"), "the engine's jobs");
	walk->index = 4000;
	go("find");
	tap_is(walk->wrong, 1, "a device that is not there");
	close(fd);
}

#define ALICE	1001
#define ACCEL	900

/* Alice, in a cgroup of her own, with two jobs, of which the first takes longer than the test. */
static void alice(void *arg)
{
	const struct dev_info *dev = arg;
	struct accel_soft_submit submit = { .op = ACCEL_SOFT_OP_FILL, .length = PAGE };
	struct accel_job_wait wait;
	char *memory = pages(PAGE);
	gid_t group = ACCEL;
	uint64_t mem;
	int fd;

	if (setgroups(1, &group) || setgid(ACCEL) || setuid(ALICE))
		_exit(99);
	fd = dev_open(dev->name);
	if (mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ||
	    dev_pin(fd, memory, PAGE, RW, &mem) ||
	    dev_pin(fd, (void *)0x10000, PAGE, RW, NULL) != -EFAULT)
		_exit(98);
	submit.dst_mem = mem;
	if (dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit) ||
	    dev_ioctl(fd, ACCEL_SOFT_IOCTL_SUBMIT, &submit))
		_exit(97);
	dev_wait(fd, submit.job_id, &wait);
	_exit(96);
}

/* What is told of somebody else, while it is at it. */
static void of_alice(const struct dev_info *dev)
{
	struct accel_soft_config config = { .engine = ACCEL_SOFT_ENGINE_ANY, .bandwidth = 1 };
	char control[DEV_NAME_LEN + 1];
	unsigned long long busy;
	struct stat st;
	int fd, status;
	pid_t pid;

	snprintf(control, sizeof(control), "%sc", dev->name);
	fd = dev_open(control);
	if (dev_ioctl(fd, ACCEL_SOFT_IOCTL_CONFIG, &config))
		tap_bail("%s cannot be configured", control);
	walk->index = dev->index;
	pid = tenant("/walk", alice, (void *)dev);
	/* her file is the last that was opened, and she waits for her second job */
	do {
		usleep(10000);
		if (waitpid(pid, &status, WNOHANG) == pid)
			tap_bail("alice: %d", status);
		go("recall");
		go("find");
	} while (walk->kept_tgid != (unsigned int)pid || walk->ioctls < 4 || !walk->ioctls_in_flight ||
		 !walk->running);
	tap_is(walk->wrong, 0, "alice's context is found");
	tap_is(walk->kept_uid, ALICE, "its user");
	if (stat(CGROUPS "/walk", &st))
		tap_bail("no cgroup");
	tap_is(walk->kept_cgroup, st.st_ino, "its cgroup");
	tap_is(walk->ioctls_in_flight, 1, "an ioctl that is under way");
	tap_is(walk->ioctl_errors, 1, "one that failed");
	tap_is(walk->pins, 2, "its pins");
	tap_is(walk->pin_errors, 1, "of which one failed");
	tap_is(walk->device_pinned, PAGE, "what the device has pinned");
	tap_is(walk->device_mapped, PAGE, "what is mapped of it");
	tap_is(walk->mapped, PAGE, "and of the context");
	tap_is(walk->running, 1, "a job runs");
	tap_is(walk->queued, 1, "and one waits");
	busy = walk->engine_busy_ns;
	do
		go("find");
	while (walk->engine_busy_ns == busy);
	tap_ok(walk->engine_busy_ns > busy, "and the engine's busy time grows: %llu, %llu ns", busy,
	       walk->engine_busy_ns);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	do
		go("find");
	while (walk->running || walk->queued);
	busy = walk->engine_busy_ns;
	go("find");
	tap_is(walk->engine_busy_ns, busy, "until nothing runs");
	tap_is(walk->device_pinned + walk->device_mapped, 0, "nor is anything held");
	config.bandwidth = 0;
	dev_ioctl(fd, ACCEL_SOFT_IOCTL_CONFIG, &config);
	close(fd);
}

static void kept(const struct dev_info *dev)
{
	uint64_t id = walk->kept_id, mem;
	char *memory = pages(PAGE);
	int fd = dev_open(dev->name);

	(void)id;
	dev_pin(fd, memory, PAGE, RW, &mem);
	go("recall");
	id = walk->kept_id;
	tap_is(walk->kept_pinned, PAGE, "kept, and open: its pinned bytes");
	close(fd);
	go("recall");
	tap_is(walk->kept, 1, "kept, and closed: it is still there");
	tap_is(walk->kept_id, id, "  the same");
	tap_is(walk->kept_tgid, getpid(), "  with its owner");
	tap_is(walk->kept_pinned, 0, "  and nothing pinned");
	go("look");
	tap_is(walk->contexts, 0, "  but in no walk");
	dev_write("/sys/bus/platform/drivers/accel_soft/unbind", "accel_soft.0");
	go("recall");
	tap_is(walk->kept_id, id, "kept, and its device is gone");
	go("drop");
	go("recall");
	tap_is(walk->kept, 0, "dropped");
	dev_write("/sys/bus/platform/drivers/accel_soft/bind", "accel_soft.0");
}

/* One that is in the map as the map goes; the module is unloaded after that. */
static void with_the_map(void)
{
	struct dev_info dev;
	char out[512] = "";

	if (dev_find("soft", 0, &dev))
		tap_bail("the device did not come back");
	close(dev_open(dev.name));
	go("recall");
	tap_is(walk->kept, 1, "kept as its map goes");
	munmap(walk, PAGE);
	policy_close(&p);
	tap_is(run(out, sizeof(out), "rmmod accel_soft accel_edu"), 0, "rmmod of drivers %s", out);
	for (int i = 0; i < 600 && run(out, sizeof(out), "rmmod accelerator"); i++)
		usleep(100000);
	tap_ok(access("/sys/class/accelerator", F_OK), "rmmod of the core, when all is freed %s", out);
}

int main(void)
{
	struct dev_info devs[8];
	int num = dev_list(devs, 8);
	struct bpf_map *map;

	policy_begin();
	policy_open(&p, "walk.bpf.o");
	if (policy_load(&p))
		tap_bail("walk.bpf.o: %s", policy_log);
	map = bpf_object__find_map_by_name(p.obj, ".bss.walk");
	walk = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	if (walk == MAP_FAILED)
		tap_bail("mmap");
	walks(devs, num);
	figures(&devs[1]);
	of_alice(&devs[1]);
	kept(&devs[1]);
	with_the_map();
	return tap_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* vm: DEVICES="edu=1 soft=2" TIMEOUT=120 */
/*
 * What BPF programs are told, and what they walk over, is what there is: each device, each
 * context, each region once. A context in a map stays what it was beyond its file's end,
 * and holds up nobody: not its device, not the driver's module.
 */
#include "policy.h"
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
	kept(&devs[1]);
	with_the_map();
	return tap_done();
}

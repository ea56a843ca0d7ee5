// SPDX-License-Identifier: GPL-2.0-only
/* vm: KERNEL=newest DEVICES="soft=1" */
/*
 * An address space for each file, by PASID: on iommufd's mock devices, as no endpoint of
 * the emulator has PASIDs. iommufd is asked which page table a PASID is attached to; and
 * accel_mock, the driver, walks that one and no other for each byte that it copies.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mock.h"
#include "rig.h"
#include "trap.h"

#define IOVA	0x2000000UL	/* mock devices have addresses from 16 MiB to 2 GiB */
#define LENGTH	(4 * PAGE)
#define N	3000		/* more than one of the mock IOMMU's pages */
#define DRIVER	"/sys/bus/iommufd_mock/drivers/accel_mock/"

/* A file, its address space, and what is mapped there. */
struct space {
	int fd;
	uint32_t ioas, hwpt, pasid;
	uint64_t mem;
	char *p;
};

static void space_new(struct space *space, const struct mock *mock)
{
	int ioas = iommufd_ioas(mock->iommufd), hwpt;

	memset(space, 0, sizeof(*space));
	hwpt = iommufd_hwpt_pasid(mock->iommufd, mock->device, ioas);
	space->fd = dev_open(mock->dev.name);
	space->p = pages_new(LENGTH);
	if (space->fd < 0 || ioas < 0 || hwpt < 0 ||
	    iommufd_map(mock->iommufd, ioas, space->p, LENGTH, IOVA, RW))
		tap_bail("no address space: %d, %d, %d", space->fd, ioas, hwpt);
	space->ioas = ioas;
	space->hwpt = hwpt;
}

static void space_bind(struct space *space, const struct mock *mock)
{
	int ret = iommufd_bind_pasid(space->fd, mock->iommufd, space->hwpt, &space->pasid);

	if (ret < 0)
		tap_bail("bind: %s", strerror(-ret));
	ret = iommufd_pin(space->fd, IOVA, LENGTH, RW, &space->mem);
	if (ret)
		tap_bail("region: %s", strerror(-ret));
}

/* One that is bound, on a device of its own. */
static void space_alone(struct space *space, struct mock *mock)
{
	mock_new(mock, DEVICE_HAS_PASIDS);
	mock_compatible(mock);
	mock_find(mock);
	space_new(space, mock);
	space_bind(space, mock);
}

/* After its end: nothing holds its page table and its IOAS any more. */
static int space_gone(const struct space *space, const struct mock *mock)
{
	int ret = iommufd_destroy(mock->iommufd, space->hwpt);

	return ret ? ret : iommufd_destroy(mock->iommufd, space->ioas);
}

/* One copy by the device; its status, or what submitting it answers */
static int copy(const struct space *space, uint64_t from, uint64_t to, uint64_t *pasid)
{
	struct accel_mock_copy arg = {
		.mem_id = space->mem, .from = from, .to = to, .length = N,
	};
	struct accel_job_wait wait;
	int ret = dev_ioctl(space->fd, ACCEL_MOCK_IOCTL_COPY, &arg);

	if (ret)
		return ret;
	ret = dev_wait(space->fd, arg.job_id, &wait);
	*pasid = wait.result;
	return ret ? ret : wait.status;
}

static int copies(const struct space *space, const char *who)
{
	uint64_t pasid = 0;

	memset(space->p + 2 * PAGE, 0, N);
	tap_is(copy(space, 100, 2 * PAGE, &pasid), 0, "%s: a copy by the device", who);
	tap_is(pasid, space->pasid, "%s: is marked with its PASID", who);
	return tap_ok(!memcmp(space->p + 100, space->p + 2 * PAGE, N), "%s: arrives", who);
}

static int bind_raw(int fd, int iommufd, uint32_t flags, uint32_t reserved)
{
	struct accel_iommufd_bind arg = {
		.iommufd = iommufd, .flags = flags, .reserved = reserved,
	};

	return dev_ioctl(fd, ACCEL_IOCTL_IOMMUFD_BIND, &arg);
}

/* The way of somebody who has no page table for a PASID yet. */
static void test_two_steps(const struct mock *mock)
{
	int fd = dev_open(mock->dev.name), ioas = iommufd_ioas(mock->iommufd), device, hwpt;
	uint32_t pasid = 0, again = 0;
	char *p = pages_new(LENGTH), text[16];
	struct space space;

	tap_is(strlen(fdinfo(fd, "accel-pasid")), 0, "fdinfo: a new file has no PASID");
	device = iommufd_bind_pasid(fd, mock->iommufd, 0, &pasid);
	if (!tap_ok(device > 0 && pasid > 0, "bind: device %d, PASID %u", device, pasid))
		tap_bail("cannot go on");
	snprintf(text, sizeof(text), "%u", pasid);
	tap_ok(!strcmp(fdinfo(fd, "accel-pasid"), text), "fdinfo has it");
	tap_is(mock_check(mock, pasid, 0), 0, "it is attached to nothing");
	tap_is(iommufd_pin(fd, IOVA, PAGE, RW, NULL), -ENOTCONN, "so no region can be named");
	tap_is(dev_pin(fd, p, PAGE, RW, NULL), -EBUSY, "nor one of one's own memory");
	tap_is(iommufd_bind_pasid(fd, mock->iommufd, 0, NULL), -EBUSY, "bind: the first step again");
	tap_is(iommufd_bind(fd, mock->iommufd, mock->hwpt), -EBUSY, "bind: all of the device");
	tap_is(iommufd_bind_pasid(fd, mock->iommufd, ioas, NULL), -EINVAL, "bind: an IOAS");
	said(fd, "IOMMU_HWPT_ALLOC_PASID");
	tap_is(mock_check(mock, pasid, 0), 0, "the PASID is still attached to nothing");
	hwpt = iommufd_hwpt(mock->iommufd, device, ioas);
	tap_is(iommufd_bind_pasid(fd, mock->iommufd, hwpt, NULL), -EINVAL,
	       "bind: a page table that is not for PASIDs");
	iommufd_destroy(mock->iommufd, hwpt);
	tap_is(iommufd_bind_pasid(fd, mock->iommufd, 9999, NULL), -ENOENT, "bind: no such object");

	hwpt = iommufd_hwpt_pasid(mock->iommufd, device, ioas);
	tap_ok(hwpt > 0, "a page table for PASIDs of that device");
	tap_is(iommufd_bind_pasid(fd, mock->iommufd, hwpt, &again), device, "bind: that one");
	tap_is(again, pasid, "the PASID is the same");
	tap_is(mock_check(mock, pasid, hwpt), 0, "it is attached to that page table");
	tap_is(mock_check(mock, pasid, mock->hwpt), -EINVAL, "and to no other");
	tap_is(iommufd_bind_pasid(fd, mock->iommufd, hwpt, NULL), -EBUSY, "bind: a third time");

	space = (struct space) { .fd = fd, .pasid = pasid, .p = p };
	if (iommufd_map(mock->iommufd, ioas, p, LENGTH, IOVA, RW))
		tap_bail("IOAS_MAP: %s", strerror(errno));
	tap_is(iommufd_pin(fd, IOVA, LENGTH, RW, &space.mem), 0, "a region");
	tap_is(iommufd_unbind(fd), -EBUSY, "unbind: a region is there");
	copies(&space, "it");
	tap_is(iommufd_unmap(mock->iommufd, ioas, IOVA, LENGTH), 0, "unmap under the region");
	memset(p, 0x5a, LENGTH);
	tap_is(copy(&space, 0, PAGE, &(uint64_t){ 0 }), -EFAULT, "the device reaches it no more");
	tap_is(iommufd_destroy(mock->iommufd, hwpt), -EBUSY, "its page table is in use");
	tap_is(dev_unpin(fd, space.mem), 0, "unpin");
	tap_is(iommufd_unbind(fd), 0, "unbind");
	tap_is(mock_check(mock, pasid, 0), 0, "its PASID is attached to nothing");
	tap_is(strlen(fdinfo(fd, "accel-pasid")), 0, "fdinfo: it has none any more");
	tap_is(iommufd_destroy(mock->iommufd, hwpt), 0, "its page table is nobody's");
	tap_is(iommufd_destroy(mock->iommufd, ioas), 0, "its IOAS is nobody's");

	tap_ok(iommufd_bind_pasid(fd, mock->iommufd, 0, &again) > 0 && again == pasid,
	       "bind: the PASID was free again");
	tap_is(iommufd_unbind(fd), 0, "unbind, without a page table");
	tap_is(dev_pin(fd, p, PAGE, RW, &space.mem), 0, "the device is everybody's again");
	close(fd);
	munmap(p, LENGTH);
}

/* At the same addresses, each has its own memory. */
static void test_two_files(const struct mock *mock)
{
	struct space a, b, c;
	uint32_t pasid;
	int other;

	space_new(&a, mock);
	space_new(&b, mock);
	space_bind(&a, mock);
	space_bind(&b, mock);
	tap_ok(a.pasid && b.pasid && a.pasid != b.pasid, "two files: PASIDs %u and %u", a.pasid,
	       b.pasid);
	tap_ok(!mock_check(mock, a.pasid, a.hwpt) && !mock_check(mock, b.pasid, b.hwpt),
	       "each is attached to its page table");
	tap_ok(mock_check(mock, a.pasid, b.hwpt) && mock_check(mock, b.pasid, a.hwpt), "not to the other's");
	copies(&a, "one");
	copies(&b, "the other");
	tap_ok(memcmp(a.p + 2 * PAGE, b.p + 2 * PAGE, N), "what they have there is not the same");

	other = iommufd_open();
	space_new(&c, mock);
	tap_is(iommufd_bind_pasid(c.fd, other, 0, NULL), -EBUSY, "a third, by another iommufd");
	tap_is(iommufd_bind(c.fd, mock->iommufd, mock->hwpt), -EBUSY, "a third, without a PASID");
	tap_is(dev_pin(c.fd, c.p, PAGE, RW, NULL), -EBUSY, "a third, with memory of its own");
	tap_ok(iommufd_bind_pasid(c.fd, mock->iommufd, 0, &pasid) > 0, "a third, by a PASID");
	tap_is(iommufd_bind_pasid(c.fd, other, c.hwpt, NULL), -EBUSY,
	       "the page table of a PASID, by another iommufd");
	tap_is(iommufd_bind_pasid(c.fd, mock->iommufd, a.hwpt, NULL) > 0, 1,
	       "two PASIDs can have one page table");
	tap_is(mock_check(mock, pasid, a.hwpt), 0, "which is so");
	tap_is(iommufd_unbind(c.fd), 0, "unbind");

	close(a.fd);
	tap_is(mock_check(mock, a.pasid, 0), 0, "a close detaches");
	tap_is(space_gone(&a, mock), 0, "nothing of it is in use");
	tap_is(mock_check(mock, b.pasid, b.hwpt), 0, "the other file is attached as before");
	copies(&b, "the other");
	space_bind(&c, mock);
	tap_is(c.pasid, a.pasid, "the third gets the PASID that was freed");
	copies(&c, "it");
	close(b.fd);
	close(c.fd);
	tap_ok(!space_gone(&b, mock) && !space_gone(&c, mock) && mock_none_attached(mock),
	       "nothing is attached after the last close");
	close(other);
}

struct bind_before_pasids {
	int32_t iommufd;
	uint32_t pt_id, flags, out_id;
};

/* All of the device, and one that has PASIDs: not both. */
static void test_whole(const struct mock *mock)
{
	struct bind_before_pasids before = { .iommufd = mock->iommufd, .pt_id = mock->hwpt };
	int fd = dev_open(mock->dev.name), other = dev_open(mock->dev.name);

	tap_ok(iommufd_bind(fd, mock->iommufd, mock->hwpt) > 0, "bind: all of the device");
	tap_is(strlen(fdinfo(fd, "accel-pasid")), 0, "it has no PASID");
	tap_is(iommufd_bind_pasid(other, mock->iommufd, 0, NULL), -EBUSY, "then none by PASID");
	said(other, "attached for another file");
	tap_is(iommufd_unbind(fd), 0, "unbind");
	tap_is(dev_ioctl(fd, _IOWR(ACCEL_IOCTL_TYPE, 0x03, struct bind_before_pasids), &before), 0,
	       "bind: by a program that is older than PASIDs");
	tap_ok(before.out_id > 0, "which learns of the device");
	tap_is(iommufd_unbind(fd), 0, "unbind");
	tap_ok(iommufd_bind_pasid(other, mock->iommufd, 0, NULL) > 0, "afterwards one can");
	close(other);
	close(fd);
}

static void test_refused(const struct mock *mock)
{
	int fd = dev_open(mock->dev.name), other = iommufd_open(), hwpt;
	struct accel_iommufd_bind arg;
	struct mock plain, bare;

	tap_is(bind_raw(fd, mock->iommufd, 2, 0), -EINVAL, "bind: an unknown flag");
	tap_is(bind_raw(fd, mock->iommufd, 3, 0), -EINVAL, "bind: and a known one");
	tap_is(bind_raw(fd, mock->iommufd, ACCEL_IOMMUFD_PASID, 1), -EINVAL, "bind: reserved");
	arg = (struct accel_iommufd_bind) {
		.iommufd = mock->iommufd, .flags = ACCEL_IOMMUFD_PASID, .out_pasid = 5,
	};
	tap_is(dev_ioctl(fd, ACCEL_IOCTL_IOMMUFD_BIND, &arg), -EINVAL, "bind: a PASID of one's own");
	tap_is(iommufd_bind_pasid(fd, -1, 0, NULL), -EBADF, "bind: no descriptor");
	tap_is(iommufd_bind_pasid(fd, fd, 0, NULL), -EBADFD, "bind: not an iommufd");
	tap_is(iommufd_bind_pasid(fd, mock->iommufd, mock->ioas, NULL), -EINVAL,
	       "bind: an IOAS, at once");
	said(fd, "IOMMU_HWPT_ALLOC_PASID");
	tap_is(iommufd_unbind(fd), -ENOTCONN, "which leaves nothing bound");
	tap_is(iommufd_bind_pasid(fd, other, 0, NULL), -EPERM,
	       "bind: an iommufd to which the mock device does not belong");
	close(other);
	close(fd);

	mock_new(&plain, 0);
	mock_compatible(&plain);
	mock_find(&plain);
	fd = dev_open(plain.dev.name);
	tap_is(iommufd_bind_pasid(fd, plain.iommufd, 0, NULL), -EOPNOTSUPP,
	       "a device without PASIDs");
	said(fd, "has no PASIDs");
	tap_ok(iommufd_bind(fd, plain.iommufd, plain.hwpt) > 0, "can be bound without one");
	close(fd);
	close(plain.iommufd);

	mock_new(&bare, DEVICE_HAS_PASIDS);
	mock_find(&bare);
	fd = dev_open(bare.dev.name);
	hwpt = iommufd_hwpt_pasid(bare.iommufd, bare.device, bare.ioas);
	tap_is(iommufd_bind_pasid(fd, bare.iommufd, hwpt, NULL), -EINVAL,
	       "a device whose untagged DMA has a page table that is not for PASIDs");
	close(fd);
	close(bare.iommufd);
}

static void test_kill(const struct mock *mock)
{
	struct space space;
	char byte = 0;
	int ready[2];
	pid_t pid;

	space_new(&space, mock);
	space_bind(&space, mock);
	if (pipe(ready))
		tap_bail("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		for (;;) {
			if (copy(&space, 0, 2 * PAGE, &(uint64_t){ 0 }))
				_exit(1);
			if (write(ready[1], &byte, 1) != 1)
				_exit(1);
		}
	}
	close(space.fd);
	tap_is(read(ready[0], &byte, 1), 1, "a process uses its PASID");
	tap_is(mock_check(mock, space.pasid, space.hwpt), 0, "which is attached");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_is(mock_check(mock, space.pasid, 0), 0, "it is killed: detached");
	tap_is(space_gone(&space, mock), 0, "nothing of it is in use");
	close(ready[0]);
	close(ready[1]);
}

static void driver(const char *what, const struct mock *mock)
{
	char path[96];

	snprintf(path, sizeof(path), DRIVER "%s", what);
	tap_is(dev_write(path, mock->bus_name), 0, "%s the driver", what);
}

static void test_unplug(struct mock *mock)
{
	struct space a, b;

	space_new(&a, mock);
	space_new(&b, mock);
	space_bind(&a, mock);
	tap_ok(iommufd_bind_pasid(b.fd, mock->iommufd, 0, &b.pasid) > 0, "one file of two steps");
	driver("unbind", mock);
	tap_ok(!mock_check(mock, a.pasid, 0) && mock_none_attached(mock), "detaches");
	tap_is(copy(&a, 0, PAGE, &(uint64_t){ 0 }), -ENODEV, "its file answers ENODEV");
	tap_is(iommufd_bind_pasid(b.fd, mock->iommufd, b.hwpt, NULL), -ENODEV, "the other, too");
	tap_ok(!space_gone(&a, mock) && !space_gone(&b, mock), "nothing of them is in use");
	driver("bind", mock);
	mock_find(mock);
	close(a.fd);
	close(b.fd);
}

struct binder {
	pthread_t thread;
	const struct mock *mock;
	const struct space *space;
	int ret;
};

static void *do_bind(void *arg)
{
	struct binder *binder = arg;

	binder->ret = iommufd_bind_pasid(binder->space->fd, binder->mock->iommufd,
					 binder->space->hwpt, NULL);
	return NULL;
}

/* The second step, twice at a time, while the driver goes. */
static void test_race(struct mock *mock)
{
	int odd = 0, both = 0, left = 0, won = 0;

	for (int i = 0; i < 30; i++) {
		struct binder binder[2];
		struct space space;

		space_new(&space, mock);
		if (iommufd_bind_pasid(space.fd, mock->iommufd, 0, &space.pasid) < 0)
			tap_bail("bind");
		for (int k = 0; k < 2; k++) {
			binder[k] = (struct binder) { .mock = mock, .space = &space };
			pthread_create(&binder[k].thread, NULL, do_bind, &binder[k]);
		}
		if (i & 1)
			dev_write(DRIVER "unbind", mock->bus_name);
		for (int k = 0; k < 2; k++) {
			pthread_join(binder[k].thread, NULL);
			won += binder[k].ret > 0;
			odd += binder[k].ret < 0 && binder[k].ret != -ENODEV &&
			       binder[k].ret != -EBUSY;
		}
		both += binder[0].ret > 0 && binder[1].ret > 0;
		close(space.fd);
		left += mock_check(mock, space.pasid, 0) || space_gone(&space, mock);
		if (i & 1) {
			dev_write(DRIVER "bind", mock->bus_name);
			mock_find(mock);
		}
		munmap(space.p, LENGTH);
	}
	tap_ok(won >= 15, "30 races of two binds, every other one with an unplug: %d won", won);
	tap_is(odd, 0, "those that did not: EBUSY or ENODEV");
	tap_is(both, 0, "never both");
	tap_is(left, 0, "nothing stayed attached");
}

/* One request of iommufd's tests, in a thread of its own. */
struct request {
	pthread_t thread;
	const struct mock *mock;
	struct test_cmd cmd;
	uint32_t op, id;
	int ret;
};

static void *do_request(void *arg)
{
	struct request *r = arg;

	r->ret = test_op(r->mock->iommufd, &r->cmd, r->op, r->id);
	return NULL;
}

/* Until @n threads of this process sleep where no signal reaches them, and go on doing so. */
static void sleepers_wait(int n)
{
	int asleep, calm = 0;

	do {
		DIR *dir = opendir("/proc/self/task");
		struct dirent *e;

		asleep = 0;
		while (dir && (e = readdir(dir))) {
			char path[300], state = 0;
			FILE *f;

			snprintf(path, sizeof(path), "/proc/self/task/%s/stat", e->d_name);
			f = e->d_name[0] == '.' ? NULL : fopen(path, "re");
			if (f && fscanf(f, "%*d (%*[^)]) %c", &state) == 1)
				asleep += state == 'D';
			if (f)
				fclose(f);
		}
		closedir(dir);
		calm = asleep < n ? 0 : calm + 1;
		usleep(1000);
	} while (calm < 20);
}

/*
 * The driver goes while the second step is under way, and stays so for as long as somebody
 * likes: to attach a PASID takes a lock of iommufd's, which another attach holds while it
 * waits for somebody who looks at what is mapped, and there is a fault that nobody serves.
 */
static void test_blocked(struct mock *mock)
{
	int ioas = iommufd_ioas(mock->iommufd), hwpt;
	struct request look = { .mock = mock, .op = OP_ACCESS_RW };
	struct request attach = { .mock = mock, .op = OP_MOCK_DOMAIN_REPLACE, .id = mock->id };
	struct test_cmd access = { .size = 0 };
	struct test_cmd back = { .replace = { .pt_id = mock->hwpt } };
	static char looked[PAGE];
	struct binder binder = { .mock = mock };
	char *p = pages_new(TRAP_LENGTH);
	struct space space;

	hwpt = iommufd_hwpt_pasid(mock->iommufd, mock->device, ioas);
	if (hwpt < 0 || iommufd_map(mock->iommufd, ioas, p, TRAP_LENGTH, IOVA, RW) ||
	    test_op(mock->iommufd, &access, OP_CREATE_ACCESS, ioas))
		tap_bail("nothing to look at: %s", strerror(errno));
	space_new(&space, mock);
	if (iommufd_bind_pasid(space.fd, mock->iommufd, 0, &space.pasid) < 0)
		tap_bail("bind");

	trap_arm(p);
	look.id = access.access.out_access_fd;
	look.cmd.rw.iova = IOVA;
	look.cmd.rw.length = PAGE;
	look.cmd.rw.uptr = (uintptr_t)looked;
	pthread_create(&look.thread, NULL, do_request, &look);
	trap_wait();
	attach.cmd.replace.pt_id = hwpt;
	pthread_create(&attach.thread, NULL, do_request, &attach);
	sleepers_wait(1);
	binder.space = &space;
	pthread_create(&binder.thread, NULL, do_bind, &binder);
	sleepers_wait(2);
	tap_is(iommufd_bind_pasid(space.fd, mock->iommufd, space.hwpt, NULL), -EBUSY,
	       "bind: while the second step is under way");
	tap_is(iommufd_unbind(space.fd), -EBUSY, "unbind: the same");
	tap_is(iommufd_pin(space.fd, IOVA, PAGE, RW, NULL), -ENOTCONN, "a region: not yet");
	driver("unbind", mock);
	tap_is(dev_attr(mock->dev.name, "contexts"), -ENOENT, "its device is not there any more");

	trap_release();
	pthread_join(look.thread, NULL);
	pthread_join(attach.thread, NULL);
	pthread_join(binder.thread, NULL);
	tap_is(binder.ret, -ENODEV, "the second step then answers ENODEV");
	tap_is(mock_check(mock, space.pasid, 0), 0, "and has left nothing attached");
	tap_is(space_gone(&space, mock), 0, "nothing of it is in use");
	tap_is(look.ret || attach.ret, 0, "the others went on");
	close(look.id);
	close(space.fd);
	if (test_op(mock->iommufd, &back, OP_MOCK_DOMAIN_REPLACE, mock->id) ||
	    iommufd_destroy(mock->iommufd, hwpt) || iommufd_destroy(mock->iommufd, ioas))
		tap_bail("not as before: %s", strerror(errno));
	driver("bind", mock);
	mock_find(mock);
	munmap(p, TRAP_LENGTH);
}

/* The device goes under its files, by way of iommufd. */
static void test_device_gone(void)
{
	struct space space;
	struct mock mock;

	space_alone(&space, &mock);
	tap_is(iommufd_destroy(mock.iommufd, mock.id), 0, "the mock device goes");
	tap_is(copy(&space, 0, PAGE, &(uint64_t){ 0 }), -ENODEV, "its file answers ENODEV");
	tap_is(space_gone(&space, &mock), 0, "nothing of it is in use");
	close(space.fd);
	close(mock.iommufd);
}

/* The iommufd is closed first: it stays for as long as a file is bound. */
static void test_iommufd_closed(void)
{
	struct space space;
	struct mock mock;

	space_alone(&space, &mock);
	close(mock.iommufd);
	copies(&space, "with the iommufd closed");
	tap_ok(mock_exists(&mock), "the mock device is there");
	close(space.fd);
	/* with the last reference on the iommufd, which a worker puts */
	while (mock_exists(&mock))
		usleep(10000);
	tap_ok(1, "and goes with the file");
}

/* PASIDs are given in their order: one that was lost would be missing. */
static void test_none_lost(const struct mock *mock)
{
	int fds[6], lost = 0;
	uint32_t pasid;

	for (int i = 0; i < 6; i++) {
		pasid = 0;
		fds[i] = dev_open(mock->dev.name);
		lost += iommufd_bind_pasid(fds[i], mock->iommufd, 0, &pasid) < 0 ||
			pasid != (uint32_t)i + 1;
	}
	tap_is(lost, 0, "none was lost: six files have 1 to 6");
	for (int i = 0; i < 6; i++)
		close(fds[i]);
}

int main(void)
{
	struct left before = left_now();
	struct mock mock;

	mock_new(&mock, DEVICE_HAS_PASIDS);
	mock_compatible(&mock);
	mock_load();
	mock_find(&mock);

	test_two_steps(&mock);
	test_two_files(&mock);
	test_whole(&mock);
	test_refused(&mock);
	test_kill(&mock);
	test_unplug(&mock);
	test_race(&mock);
	test_blocked(&mock);
	test_device_gone();
	test_iommufd_closed();

	tap_ok(mock_none_attached(&mock), "no PASID is attached in the end");
	test_none_lost(&mock);
	close(mock.iommufd);
	mock_unload();
	left_check(&before, "all");
	return tap_done();
}

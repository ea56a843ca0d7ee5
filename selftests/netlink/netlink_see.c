/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* vm: DEVICES="edu=1 soft=2" */
/*
 * Who sees which contexts, as which numbers, and who is notified of what:
 * users, sockets that were passed on, namespaces of users, pids and networks.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/accelerator_netlink.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "genl.h"
#include "tap.h"

#define ALICE	1001
#define BOB	1002
#define MAX	8

/* What a dump of contexts, or a wait for notifications, showed. */
struct seen {
	int num;
	struct {
		uint8_t cmd;
		uint64_t id;
		uint32_t pid, init_pid;
		int64_t uid;		/* -1: not told */
		char dev[16];
	} of[MAX];
};

static int take(uint8_t cmd, const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *a[ACCEL_NL_A_CTX_MAX + 1];
	struct seen *seen = arg;
	int i = seen->num++;

	if (i >= MAX)
		return 0;
	seen->of[i].cmd = cmd;
	genl_attrs(nlh, NULL, a, ACCEL_NL_A_CTX_MAX);
	if (cmd >= ACCEL_NL_CMD_DEVICE_GET && cmd <= ACCEL_NL_CMD_DEVICE_CHANGE_NTF) {
		snprintf(seen->of[i].dev, 16, "%s", genl_text(a[ACCEL_NL_A_DEV_NAME]));
		return 0;
	}
	snprintf(seen->of[i].dev, 16, "%s", genl_text(a[ACCEL_NL_A_CTX_DEV_NAME]));
	seen->of[i].id = genl_uint(a[ACCEL_NL_A_CTX_ID]);
	seen->of[i].pid = genl_uint(a[ACCEL_NL_A_CTX_PID]);
	seen->of[i].init_pid = genl_uint(a[ACCEL_NL_A_CTX_INIT_PID]);
	seen->of[i].uid = a[ACCEL_NL_A_CTX_UID] ? (int64_t)genl_uint(a[ACCEL_NL_A_CTX_UID]) : -1;
	return 0;
}

static int look_through(struct genl *g, struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	return genl_request(g, ACCEL_NL_CMD_CONTEXT_GET, NLM_F_DUMP, NULL, take, seen);
}

static int look(struct seen *seen)
{
	struct genl g;
	int ret = genl_open(&g, ACCELERATOR_FAMILY_NAME);

	if (ret)
		return ret;
	ret = look_through(&g, seen);
	genl_close(&g);
	return ret;
}

static uint64_t wanted;

static void fill_id(struct nlmsghdr *nlh, void *arg)
{
	(void)arg;
	mnl_attr_put_u64(nlh, ACCEL_NL_A_CTX_ID, wanted);
}

/* Ask for one context by its id. */
static int look_at(uint64_t id, struct seen *seen)
{
	struct genl g;
	int ret = genl_open(&g, ACCELERATOR_FAMILY_NAME);

	if (ret)
		return ret;
	wanted = id;
	memset(seen, 0, sizeof(*seen));
	ret = genl_request(&g, ACCEL_NL_CMD_CONTEXT_GET, 0, fill_id, take, seen);
	genl_close(&g);
	return ret;
}

/* Run @fn in a process of its own as user @uid; what it returns, or -1. */
static int as_user(uid_t uid, int (*fn)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (uid && (setgid(uid) || setuid(uid)))
			_exit(126);
		/* whoever changes its user loses its /proc/self, unless it says so */
		prctl(PR_SET_DUMPABLE, 1);
		_exit(fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

/* A process of @uid that holds a context of @dev open until it is killed. */
static pid_t hold(uid_t uid, const char *dev)
{
	int ready[2], fd;
	char c = 0;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* as a member of the nodes' group, whatever the user's own are */
		if (seteuid(0) || setegid(900) || seteuid(uid))
			_exit(1);
		fd = dev_open(dev);
		c = fd >= 0;
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ready[1]);	/* so that a child that ends early is noticed */
	if (read(ready[0], &c, 1) != 1)
		c = 0;
	close(ready[0]);
	return c ? pid : -1;
}

static void release(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ------------------------------------------------------------------- users */

struct expect {
	int num;
	int64_t uid;		/* of all that are seen */
	uint64_t other;		/* somebody else's context */
	pid_t pid;
};

static int sees(void *arg)
{
	const struct expect *want = arg;
	struct seen seen;
	int i;

	if (look(&seen) || seen.num != want->num)
		return 1;
	for (i = 0; i < seen.num && i < MAX; i++)
		if (want->uid >= 0 && seen.of[i].uid != want->uid)
			return 2;
	for (i = 0; i < seen.num && i < MAX; i++)
		if (seen.of[i].init_pid != (want->uid < 0 ? seen.of[i].pid : 0))
			return 4;	/* for CAP_SYS_ADMIN only */
	if (want->other && look_at(want->other, &seen) != -ENOENT)
		return 3;
	return 0;
}

static void test_users(uint64_t roots_id)
{
	struct expect alice = { .num = 1, .uid = ALICE, .other = roots_id };
	struct expect bob = { .num = 0, .uid = -1, .other = roots_id };
	struct expect root = { .num = 2, .uid = -1 };

	tap_is(as_user(0, sees, &root), 0, "root sees alice's and its own");
	tap_is(as_user(ALICE, sees, &alice), 0, "alice sees her own only, and cannot ask for root's");
	tap_is(as_user(BOB, sees, &bob), 0, "bob sees none, and cannot ask for root's");
}

/* The socket is opened as one user and used as another: both must be allowed to see. */
static void test_passed_socket(void)
{
	struct seen seen;
	struct genl g;

	tap_ok(!seteuid(ALICE) && !genl_open(&g, ACCELERATOR_FAMILY_NAME) && !seteuid(0),
	       "alice opens a socket");
	tap_is(look_through(&g, &seen), 0, "root is talked into asking on it");
	tap_is(seen.num, 1, "which shows what alice may see");
	tap_is(seen.of[0].uid, ALICE, "her own");
	genl_close(&g);

	tap_ok(!genl_open(&g, ACCELERATOR_FAMILY_NAME) && !seteuid(ALICE), "root's socket, used by alice");
	tap_is(look_through(&g, &seen), 0, "she asks on it");
	tap_is(seen.num, 1, "which shows her own only");
	tap_ok(!seteuid(0), "back to root");
	genl_close(&g);
}

/* -------------------------------------------------------------- namespaces */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	int ret = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text);

	close(fd);
	return ret;
}

/* alice as root of a user namespace of her own, where she is 0 */
static int in_user_ns(void *arg)
{
	struct seen seen;

	(void)arg;
	if (unshare(CLONE_NEWUSER))
		return 10;
	if (write_file("/proc/self/setgroups", "deny") ||
	    write_file("/proc/self/uid_map", "0 1001 1") ||
	    write_file("/proc/self/gid_map", "0 1001 1"))
		return 11;
	if (getuid() || look(&seen))
		return 1;
	if (seen.num != 1)
		return 2;	/* all capabilities in there, but not outside */
	return seen.of[0].uid == 0 ? 0 : 3;
}

static int in_unmapped_user_ns(void *arg)
{
	struct seen seen;

	(void)arg;
	if (unshare(CLONE_NEWUSER))
		return 10;
	if (look(&seen) || seen.num != 1)
		return 1;
	return seen.of[0].uid == -1 ? 0 : 2;
}

static int in_pid_ns_child(void *arg)
{
	const struct expect *want = arg;
	struct seen seen;
	int fd, i, own = 0;

	fd = dev_open("acc2");
	if (fd < 0 || look(&seen) || seen.num != want->num + 1)
		return 1;
	for (i = 0; i < seen.num; i++) {
		if (!strcmp(seen.of[i].dev, "acc2"))
			own = seen.of[i].pid == 1 && getpid() == 1;
		else if (seen.of[i].pid)
			return 2;	/* a pid that is not in here */
		if (seen.of[i].init_pid <= 1)
			return 4;	/* but said to be another namespace's */
	}
	return own ? 0 : 3;
}

static int in_pid_ns(void *arg)
{
	if (unshare(CLONE_NEWPID))
		return 10;
	return as_user(0, in_pid_ns_child, arg);
}

static int in_net_ns(void *arg)
{
	struct seen seen;

	(void)arg;
	if (unshare(CLONE_NEWNET))
		return 10;
	if (look(&seen))
		return 1;
	return seen.num == 2 ? 0 : 2;
}

/* What needs a namespace that this kernel may have been built without. */
static void check_ns(const char *ns, uid_t uid, int (*fn)(void *arg), void *arg, const char *what)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", ns);
	if (access(path, F_OK))
		tap_skip("no %s namespaces here: %s", ns, what);
	else
		tap_is(as_user(uid, fn, arg), 0, "%s", what);
}

static void test_namespaces(void)
{
	struct expect both = { .num = 2 };

	check_ns("user", ALICE, in_user_ns, NULL,
		 "in her own user namespace, alice sees her own only, as uid 0");
	check_ns("user", ALICE, in_unmapped_user_ns, NULL, "a uid that is not mapped is not told");
	check_ns("pid", 0, in_pid_ns, &both,
		 "in a pid namespace: pids as in there, 0 for those outside");
	check_ns("net", 0, in_net_ns, NULL, "in another network namespace one may ask");
}

/* ----------------------------------------------------------- notifications */

static int listen_for(struct genl *g, struct seen *seen, int ms)
{
	struct pollfd fd = { .fd = genl_fd(g), .events = POLLIN };
	int ret = 0;

	memset(seen, 0, sizeof(*seen));
	while (!ret && poll(&fd, 1, ms) > 0)
		ret = genl_receive(g, take, seen);
	return ret;
}

/* What is heard in a pid namespace must not name a process of it that it is not about. */
static int in_pid_ns_listener(void *arg)
{
	struct seen seen;
	struct genl g;

	(void)arg;
	if (genl_open(&g, ACCELERATOR_FAMILY_NAME) ||
	    genl_subscribe(&g, ACCELERATOR_MCGRP_CONTEXTS))
		return 1;
	close(dev_open("acc1"));
	if (listen_for(&g, &seen, 200) || seen.num != 2 || getpid() != 1)
		return 2;
	if (seen.of[0].pid || seen.of[1].pid)
		return 3;
	return seen.of[0].init_pid > 1 && seen.of[1].init_pid == seen.of[0].init_pid ? 0 : 4;
}

static int in_pid_ns_listens(void *arg)
{
	if (unshare(CLONE_NEWPID))
		return 10;
	return as_user(0, in_pid_ns_listener, arg);
}

static int alice_subscribes(void *arg)
{
	struct genl g;

	(void)arg;
	if (genl_open(&g, ACCELERATOR_FAMILY_NAME))
		return 1;
	if (genl_subscribe(&g, ACCELERATOR_MCGRP_CONTEXTS) != -EPERM)
		return 2;
	return genl_subscribe(&g, ACCELERATOR_MCGRP_DEVICES) ? 3 : 0;
}

static void test_context_notifications(void)
{
	struct seen seen;
	struct genl g;
	int fd;

	genl_open(&g, ACCELERATOR_FAMILY_NAME);
	tap_is(genl_subscribe(&g, ACCELERATOR_MCGRP_CONTEXTS), 0, "root may listen to contexts");
	tap_is(as_user(ALICE, alice_subscribes, NULL), 0, "alice may listen to devices, not to contexts");
	fd = dev_open("acc1");
	close(fd);
	tap_is(listen_for(&g, &seen, 200), 0, "listen");
	tap_is(seen.num, 2, "two notifications");
	tap_is(seen.of[0].cmd, ACCEL_NL_CMD_CONTEXT_OPEN_NTF, "it was opened");
	tap_is(seen.of[1].cmd, ACCEL_NL_CMD_CONTEXT_CLOSE_NTF, "it was closed");
	tap_ok(seen.of[0].id && seen.of[0].id == seen.of[1].id, "the same context");
	tap_is(seen.of[0].init_pid, getpid(), "by this process");
	tap_is(seen.of[0].pid, 0, "as no namespace's but the initial one's");
	tap_is(seen.of[0].uid, 0, "by root");
	genl_close(&g);
	check_ns("pid", 0, in_pid_ns_listens, NULL,
		 "in a pid namespace, notifications name no process of it");
}

/* Unbind and bind a device of the soft driver, and listen. */
static int rebind(void)
{
	char drv[] = "/sys/bus/platform/drivers/accel_soft/";
	char path[80];

	snprintf(path, sizeof(path), "%sunbind", drv);
	if (dev_write(path, "accel_soft.1"))
		return -1;
	snprintf(path, sizeof(path), "%sbind", drv);
	return dev_write(path, "accel_soft.1");
}

/* A listener in another network namespace hears nothing; "ready" and "done" by pipes. */
static int deaf(void *arg)
{
	int *pipes = arg;
	struct seen seen;
	struct genl g;
	char c = 1;

	if (unshare(CLONE_NEWNET) || genl_open(&g, ACCELERATOR_FAMILY_NAME))
		return 1;
	if (genl_subscribe(&g, ACCELERATOR_MCGRP_DEVICES) ||
	    genl_subscribe(&g, ACCELERATOR_MCGRP_CONTEXTS))
		return 2;
	if (write(pipes[1], &c, 1) != 1 || read(pipes[2], &c, 1) != 1)
		return 3;
	if (listen_for(&g, &seen, 100))
		return 4;
	return seen.num ? 5 : 0;
}

static void test_device_notifications(void)
{
	int pipes[4], status = -1;
	struct seen seen;
	struct genl g;
	pid_t pid;
	char c = 1;

	genl_open(&g, ACCELERATOR_FAMILY_NAME);
	genl_subscribe(&g, ACCELERATOR_MCGRP_DEVICES);
	if (pipe(pipes) || pipe(pipes + 2))
		tap_bail("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(deaf(pipes));
	close(pipes[1]);
	close(pipes[2]);
	if (read(pipes[0], &c, 1) != 1)
		tap_diag("the other listener did not start");
	tap_is(rebind(), 0, "unbind and bind a device");
	tap_is(listen_for(&g, &seen, 300), 0, "listen");
	tap_is(seen.num, 2, "two notifications");
	tap_is(seen.of[0].cmd, ACCEL_NL_CMD_DEVICE_DEL_NTF, "it went");
	tap_is(seen.of[1].cmd, ACCEL_NL_CMD_DEVICE_ADD_NTF, "it came");
	tap_ok(!strcmp(seen.of[0].dev, "acc2"), "it was %s", seen.of[0].dev);
	close(dev_open("acc1"));
	signal(SIGPIPE, SIG_IGN);
	if (write(pipes[3], &c, 1) != 1)
		tap_diag("the other listener has gone");
	waitpid(pid, &status, 0);
	if (access("/proc/self/ns/net", F_OK))
		tap_skip("no network namespaces here");
	else
		tap_is(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0,
		       "in another network namespace nothing was heard");
	genl_close(&g);
}

static int uevents(void)
{
	struct sockaddr_nl all = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&all, sizeof(all)))
		tap_bail("uevents: %s", strerror(errno));
	return fd;
}

/* The next that tells of a node: what ("add"), and of which. */
static void next_node_event(int fd, char *what, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char event[4096], *path;
	ssize_t n;

	while (poll(&p, 1, 1000) > 0) {
		n = recv(fd, event, sizeof(event) - 1, 0);
		if (n < 0)
			break;
		event[n] = '\0';
		path = strstr(event, "/accelerator/");
		if (!path)
			continue;
		snprintf(what, size, "%.*s %s", (int)strcspn(event, "@"), event,
			 strrchr(path, '/') + 1);
		return;
	}
	snprintf(what, size, "none");
}

/* What udev is told: of the device first, and of its second node when all is there. */
static void test_uevents(void)
{
	static const char *const want[] = {
		"remove acc2c", "remove acc2", "add acc2", "add acc2c",
	};
	char what[64];
	int fd = uevents();

	tap_is(rebind(), 0, "unbind and bind a device, and look at uevents");
	for (int i = 0; i < 4; i++) {
		next_node_event(fd, what, sizeof(what));
		tap_ok(!strcmp(what, want[i]), "uevent: %s, expected %s", what, want[i]);
	}
	close(fd);
}

/* A file that outlives its device: what is told of it when it is closed at last. */
static void test_late_close(void)
{
	struct seen seen;
	struct genl g;
	int fd;

	genl_open(&g, ACCELERATOR_FAMILY_NAME);
	genl_subscribe(&g, ACCELERATOR_MCGRP_CONTEXTS);
	fd = dev_open("acc2");
	tap_is(rebind(), 0, "unbind and bind a device that is open");
	tap_ok(!look(&seen) && !seen.num, "its context is no longer enumerated");
	close(fd);
	tap_is(listen_for(&g, &seen, 200), 0, "listen");
	tap_is(seen.num, 2, "two notifications");
	tap_ok(seen.of[1].cmd == ACCEL_NL_CMD_CONTEXT_CLOSE_NTF && seen.of[0].id == seen.of[1].id &&
	       !strcmp(seen.of[0].dev, seen.of[1].dev), "opened and closed, the same context");
	genl_close(&g);
}

/* Opens acc2, leaves it to a child, and ends; the child ends with the pipe @arg. */
static int bequeath(void *arg)
{
	int *pipes = arg;
	char c;

	if (dev_open("acc2") < 0)
		return 1;
	if (fork())
		return 0;
	prctl(PR_SET_PDEATHSIG, 0);
	close(pipes[1]);
	_exit(read(pipes[0], &c, 1) < 0);
}

/* Who has opened a file is no more, and the file is: his number may be another's by now. */
static void test_dead_opener(void)
{
	struct seen seen, before;
	int pipes[2], i;

	if (pipe2(pipes, O_CLOEXEC))
		tap_bail("pipe: %s", strerror(errno));
	look(&before);
	tap_is(as_user(0, bequeath, pipes), 0,
	       "a process opens a file, leaves it to another, and ends");
	tap_ok(!look(&seen) && seen.num == before.num + 1, "its context is there");
	for (i = 0; i < seen.num && strcmp(seen.of[i].dev, "acc2"); i++)
		;
	tap_ok(i < seen.num && !seen.of[i].pid, "and has no pid: it would be nobody's");
	tap_ok(i < seen.num && seen.of[i].init_pid, "though it is known what it was");
	tap_is(system("accelctl --json ctx list acc2 | grep -Eq '\"pid\": *null'"), 0,
	       "accelctl shows none");
	close(pipes[0]);
	close(pipes[1]);
	for (i = 0; i < 1000 && !look(&seen) && seen.num != before.num; i++)
		usleep(10000);
}

int main(void)
{
	struct seen seen;
	pid_t alice;
	int fd;

	fd = dev_open("acc0");
	alice = hold(ALICE, "acc1");
	if (!tap_ok(fd >= 0 && alice > 0, "root and alice have a context each"))
		return tap_done();
	look(&seen);
	test_users(seen.of[0].id);
	test_passed_socket();
	test_namespaces();
	release(alice);
	close(fd);
	test_context_notifications();
	test_device_notifications();
	test_uevents();
	test_dead_opener();
	test_late_close();
	return tap_done();
}

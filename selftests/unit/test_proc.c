// SPDX-License-Identifier: GPL-2.0-only
/* Containers out of cgroup paths as the runtimes make them; users; cgroup ids. */
#include "unit.h"

#include "proc.h"

#define ID	"0123456789ab0123456789ab0123456789ab0123456789ab0123456789abcdef"
#define POD	"1a2b3c4d-1111-2222-3333-444455556666"
#define POD_	"1a2b3c4d_1111_2222_3333_444455556666"

static void test_containers(void **state)
{
	static const struct {
		const char *path, *runtime, *id, *pod;
	} cases[] = {
		{ "/system.slice/docker-" ID ".scope", "docker", "0123456789ab", "" },
		{ "/docker/" ID, "docker", "0123456789ab", "" },
		{ "/machine.slice/libpod-" ID ".scope/container", "podman", "0123456789ab", "" },
		{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
		  "podman", "0123456789ab", "" },
		{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_
		  ".slice/cri-containerd-" ID ".scope", "containerd", "0123456789ab", POD },
		{ "/kubepods.slice/kubepods-pod" POD_ ".slice/crio-" ID ".scope", "crio",
		  "0123456789ab", POD },
		{ "/kubepods/besteffort/pod" POD "/" ID, "containerd", "0123456789ab", POD },
		{ "/kubepods/pod" POD, "", "", POD },
		{ "/lxc.payload.web/system.slice/x.service", "lxc", "web", "" },
		{ "/machine.slice/machine-build.scope", "nspawn", "build", "" },
	};
	static const char *const none[] = {
		"/", "/system.slice/ssh.service", "/user.slice/user-0.slice/session-1.scope",
		"/docker", "/docker-notes", "/system.slice/docker-short.scope", "/podium/pods",
		"/machine.slice/libpod-conmon-" ID ".scope", "/" ID, "",
	};
	struct proc_container c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(proc_container(cases[i].path, &c));
		assert_string_equal(c.runtime, cases[i].runtime);
		assert_string_equal(c.id, cases[i].id);
		assert_string_equal(c.pod, cases[i].pod);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (proc_container(none[i], &c))
			fail_msg("'%s' is taken for a container", none[i]);
	assert_false(proc_container(NULL, &c));
}

static void test_users(void **state)
{
	(void)state;
	assert_string_equal(proc_user(0), "root");
	assert_string_equal(proc_user(4000000000U), "4000000000");
	assert_ptr_equal(proc_user(0), proc_user(0));
	proc_forget();
	assert_string_equal(proc_user(0), "root");
	proc_forget();
}

static void test_comm(void **state)
{
	char comm[16];

	(void)state;
	assert_true(proc_comm(getpid(), comm, sizeof(comm)));
	assert_string_equal(comm, "test_proc");
	assert_false(proc_comm(0x7ffffff0, comm, sizeof(comm)));
}

static int count(uint64_t id, void *arg)
{
	assert_true(id);
	++*(int *)arg;
	return 0;
}

static void test_cgroups(void **state)
{
	uint64_t id;
	int n = 0;

	(void)state;
	assert_null(proc_cgroup_path(0));
	assert_string_equal(proc_cgroup_label(0), "-");
	if (!proc_cgroup_root())
		skip();
	id = proc_cgroup_id("/");
	assert_true(id);
	assert_int_equal(proc_cgroup_id(proc_cgroup_root()), id);
	assert_string_equal(proc_cgroup_path(id), "/");
	assert_int_equal(proc_cgroup_id("/no/such/group"), 0);
	assert_null(proc_cgroup_path(UINT64_MAX - 5));
	assert_int_equal(proc_cgroup_walk("/", count, &n), 0);
	assert_true(n >= 1);
	proc_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_comm),
		cmocka_unit_test(test_cgroups),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

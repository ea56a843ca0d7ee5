/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names for numbers that the kernel gives: cgroups, containers, users,
 * processes. Answers are cached; strings stay valid until proc_forget().
 */
#ifndef TOOLS_LIB_PROC_H
#define TOOLS_LIB_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * proc_cgroup_path() - the path of a cgroup, from the mount point of cgroup2
 * @id: its id: the inode number of its directory, as bpf_get_current_cgroup_id() gives
 *
 * By file handle (CAP_DAC_READ_SEARCH), else by a walk over the tree. Unknown
 * ids are asked for again after a second.
 *
 * Return: "/" or "/a/b"; NULL when there is none (it is gone, or not ours to see).
 */
const char *proc_cgroup_path(uint64_t id);

/**
 * proc_cgroup_id() - the reverse
 * @path: from the mount point of cgroup2 ("/a/b"), or from the root ("/sys/fs/cgroup/a/b")
 *
 * Return: the id; 0 and errno when there is none.
 */
uint64_t proc_cgroup_id(const char *path);

/* proc_cgroup_root() - where cgroup2 is mounted, NULL when it is not */
const char *proc_cgroup_root(void);

/**
 * proc_cgroup_walk() - call @fn for a cgroup and all below it
 * @path: as for proc_cgroup_id()
 * @fn: gets the id and @arg; not 0 ends the walk
 * @arg: passed on
 *
 * Return: what @fn returned, or -errno.
 */
int proc_cgroup_walk(const char *path, int (*fn)(uint64_t id, void *arg), void *arg);

/**
 * struct proc_container - what a cgroup's path tells about a container
 * @runtime: "docker", "containerd", "crio", "podman", "lxc", "nspawn"; "" when there is none
 * @id: short form of its id (12 digits), or its name
 * @pod: uid of the Kubernetes pod, "" outside of one
 */
struct proc_container {
	char runtime[16];
	char id[64];
	char pod[40];
};

/* proc_container() - read the container out of @path; false when it is in none */
bool proc_container(const char *path, struct proc_container *c);

/*
 * proc_cgroup_label() - the shortest useful name of a cgroup: "docker:0123456789ab",
 * "pod 1a2b…:0123…", "ssh.service", else its path; "-" for an unknown one
 */
const char *proc_cgroup_label(uint64_t id);

/* proc_user() - the name of a user, or its number; never NULL */
const char *proc_user(uid_t uid);

/* proc_comm() - the name of a running process into @comm; false when it is gone */
bool proc_comm(pid_t pid, char *comm, size_t size);

/* proc_own_pids() - whether process ids here are the kernel's own, which BPF programs see */
bool proc_own_pids(void);

/**
 * proc_started_after() - whether a process began later than something that it should have done
 * @pid: the process
 * @ago_ns: when that was, before now
 *
 * Return: true when it began later, or is not there: the number is another's by now.
 */
bool proc_started_after(pid_t pid, uint64_t ago_ns);

/* proc_forget() - drop the caches and what they handed out */
void proc_forget(void);

#endif /* TOOLS_LIB_PROC_H */

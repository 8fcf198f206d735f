/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The kernel's types as far as the programs look at them. `preserve_access_index` makes the compiler record every access by name, and
 * libbpf puts in the offsets of the running kernel when it loads the programs (CO-RE): no kernel headers or BTF are needed to build,
 * and fields that are not named here do not matter.
 */
#ifndef RAUHA_KERNEL_BPF_H
#define RAUHA_KERNEL_BPF_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* bpf_helpers.h wants these before it is included; <linux/bpf.h> brings the enumerations of the helpers. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define FOLLOWS_BTF __attribute__((preserve_access_index))

struct ns_common {
	unsigned int inum;
} FOLLOWS_BTF;

struct user_namespace {
	struct user_namespace *parent;
	struct ns_common ns;
} FOLLOWS_BTF;

struct net {
	struct ns_common ns;
} FOLLOWS_BTF;

struct mnt_namespace {
	struct ns_common ns;
	struct user_namespace *user_ns;
} FOLLOWS_BTF;

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
} FOLLOWS_BTF;

struct kernfs_node {
	__u64 id;
	struct kernfs_node *parent;
} FOLLOWS_BTF;

/* Since Linux 6.15 the parent has another name and is read under RCU. */
struct kernfs_node___since_6_15 {
	struct kernfs_node *__parent;
} FOLLOWS_BTF;

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[];
} FOLLOWS_BTF;

struct css_set {
	struct cgroup *dfl_cgrp;
} FOLLOWS_BTF;

struct qstr {
	const unsigned char *name;
} FOLLOWS_BTF;

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
	struct user_namespace *s_user_ns;
} FOLLOWS_BTF;

struct inode {
	void *i_private;
	struct super_block *i_sb;
} FOLLOWS_BTF;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} FOLLOWS_BTF;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
} FOLLOWS_BTF;

struct mount {
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
} FOLLOWS_BTF;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} FOLLOWS_BTF;

struct file {
	unsigned int f_mode;
	struct path f_path;
	struct inode *f_inode;
} FOLLOWS_BTF;

struct fs_struct {
	struct path root;
} FOLLOWS_BTF;

struct cred;

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *real_parent;
	const struct cred *cred;
	const struct cred *real_cred;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	struct fs_struct *fs;
	char comm[16];
} FOLLOWS_BTF;

struct linux_binprm {
	struct file *file;
} FOLLOWS_BTF;

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	unsigned short skc_family;
	unsigned short skc_num;
	possible_net_t skc_net;
} FOLLOWS_BTF;

struct sock_cgroup_data {
	struct cgroup *cgroup;
} FOLLOWS_BTF;

struct sock {
	struct sock_common __sk_common;
	struct sock_cgroup_data sk_cgrp_data;
} FOLLOWS_BTF;

struct socket {
	short type;
	struct sock *sk;
} FOLLOWS_BTF;

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
} FOLLOWS_BTF;

struct unix_address {
	int len;
	struct sockaddr_un name[];
} FOLLOWS_BTF;

struct unix_sock {
	struct unix_address *addr;
} FOLLOWS_BTF;

struct msghdr {
	void *msg_name;
	int msg_namelen;
} FOLLOWS_BTF;

struct kernel_siginfo;
struct sockaddr;
struct user_namespace;
struct perf_event_attr;

#endif

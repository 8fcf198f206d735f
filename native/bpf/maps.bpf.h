/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The maps: the state of all zones, pinned. Who writes what: Rauha writes zones, names, policies, contact, addresses, levels before a
 * zone's first process exists; the programs write devices, mounts, ports, events, counters, and the part of a zone's record that says
 * where it is.
 */
#ifndef RAUHA_MAPS_BPF_H
#define RAUHA_MAPS_BPF_H

#include "contract.gen.h"
#include "kernel.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct config_record);
} rauha_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ZONES_AT_ONCE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct zone_record);
} rauha_zones SEC(".maps");

struct name_key {
	__u8 name[128];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * ZONES_AT_ONCE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct name_key);
	__type(value, __u64);
} rauha_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ZONES_AT_ONCE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct policy_record);
} rauha_policies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4 * ZONES_AT_ONCE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct contact_record);
	__type(value, __u64);
} rauha_contact SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 8 * ZONES_AT_ONCE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct address_record);
	__type(value, struct ports_record);
} rauha_addresses SEC(".maps");

/* Which levels of the cgroup tree zones have been made at: only there is looked for one. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LEVELS);
	__type(key, __u32);
	__type(value, __u64);
} rauha_levels SEC(".maps");

/* The zone that a file system belongs to, by device number: each zone's root is one of its own. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ZONES_AT_ONCE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u64);
} rauha_devices SEC(".maps");

/* The zone that a mount namespace belongs to, by its inode number. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ZONES_AT_ONCE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u64);
} rauha_mounts SEC(".maps");

/* The zone that listens on a TCP port. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ZONES_AT_ONCE);
	__type(key, struct port_record);
	__type(value, __u64);
} rauha_ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct event_key_record);
	__type(value, struct event_record);
} rauha_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HOOK_COUNT *DECISION_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} rauha_counters SEC(".maps");

/* Zeros to begin an event with: it is longer than a program's stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_RDONLY_PROG);
	__type(key, __u32);
	__type(value, struct event_record);
} rauha_blank SEC(".maps");

#endif

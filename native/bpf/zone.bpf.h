/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Who acts: the zone of a task, from its cgroup. */
#ifndef RAUHA_ZONE_BPF_H
#define RAUHA_ZONE_BPF_H

#include "maps.bpf.h"

struct subject {
	__u64 id;
	struct zone_record *zone;
	struct task_struct *task;
};

static __always_inline __u64 cgroup_id_at(struct cgroup *cgroup, __u32 level)
{
	const char *slots = (const char *)cgroup + bpf_core_field_offset(struct cgroup, ancestors);
	struct cgroup *ancestor = NULL;

	bpf_probe_read_kernel(&ancestor, sizeof(ancestor), slots + level * sizeof(ancestor));
	return BPF_CORE_READ(ancestor, kn, id);
}

/*
 * The zone that a cgroup is in, its id, or 0. The outermost counts: what a zone makes below itself stays in it. Zones lie at a few levels
 * of the tree, so this is one look-up in most cases, and never more than there are levels.
 */
static __noinline __u64 zone_of_cgroup(struct cgroup *cgroup)
{
	int depth = BPF_CORE_READ(cgroup, level);

	for (int i = 1; i < LEVELS; i++) {
		/* A copy: of a counter whose address is taken the verifier could not tell that it grows. */
		__u32 level = (__u32)i;
		const __u64 *used;
		__u64 id;

		if (i > depth)
			break;
		used = bpf_map_lookup_elem(&rauha_levels, &level);
		if (!used || !*used)
			continue;
		id = cgroup_id_at(cgroup, level);
		if (bpf_map_lookup_elem(&rauha_zones, &id))
			return id;
	}
	return 0;
}

static __always_inline __u64 zone_of_task(struct task_struct *task)
{
	return zone_of_cgroup(BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

/* The zone whose task made the socket. */
static __always_inline __u64 zone_of_socket(struct sock *sk)
{
	return zone_of_cgroup(BPF_CORE_READ(sk, sk_cgrp_data.cgroup));
}

/* Whether the caller is in a zone at all. */
static __always_inline bool find_subject(struct subject *s)
{
	s->task = bpf_get_current_task_btf();
	s->id = zone_of_task(s->task);
	s->zone = s->id ? bpf_map_lookup_elem(&rauha_zones, &s->id) : NULL;
	return s->zone != NULL;
}

/*
 * Whether the caller is one to decide about. Not before the zone is armed, when its launcher still builds it; and not its init, which is
 * the launcher to the end and which nobody in the zone can trace.
 */
static __always_inline bool is_subject(struct subject *s)
{
	return find_subject(s) && s->zone->armed && (__u32)s->task->tgid != s->zone->init;
}

/*
 * Whether the zone may touch the other one: the policy of each lists the other, as on the bridge. The one that is touched has as much to
 * say as the one that acts.
 */
static __always_inline bool may_contact(const struct subject *s, __u64 other)
{
	const struct zone_record *zone = bpf_map_lookup_elem(&rauha_zones, &other);
	struct contact_record key = {.from = s->id};

	if (!zone || zone->contact_key == 0 || s->zone->contact_key == 0)
		return false;
	key.to_key = zone->contact_key;
	if (!bpf_map_lookup_elem(&rauha_contact, &key))
		return false;
	key.from = other;
	key.to_key = s->zone->contact_key;
	return bpf_map_lookup_elem(&rauha_contact, &key) != NULL;
}

static __always_inline const struct policy_record *policy_of(const struct subject *s)
{
	return bpf_map_lookup_elem(&rauha_policies, &s->id);
}

static __always_inline const struct config_record *config(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&rauha_config, &zero);
}

#endif

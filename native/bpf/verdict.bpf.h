/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* What is decided: counted always, and told when it is a denial. */
#ifndef RAUHA_VERDICT_BPF_H
#define RAUHA_VERDICT_BPF_H

#include "zone.bpf.h"

#define EPERM  1
#define EACCES 13

static __always_inline void count(__u32 hook, __u32 decision)
{
	__u32 key = hook * DECISION_COUNT + decision;
	__u64 *counter = bpf_map_lookup_elem(&rauha_counters, &key);

	if (counter)
		*counter += 1;
}

static __always_inline int allow(__u32 hook)
{
	count(hook, DECISION_ALLOW);
	return 0;
}

/*
 * Counts a denial and begins its event; NULL when the zone has had all the events it gets. An event is an entry of its own, filled where
 * it lies: a program can be preempted, so nothing on the way is shared. `event_end` makes it complete.
 */
static __noinline struct event_record *event_begin(struct subject *s, __u32 hook, __u32 reason, __u64 target)
{
	struct event_key_record key = {.zone = s->id};
	struct event_record *event;
	__u32 zero = 0;

	count(hook, reason == WHY_LOOKUP_FAILED ? DECISION_ERROR : DECISION_DENY);
	key.number = __sync_fetch_and_add(&s->zone->denials, 1);
	if (key.number >= EVENTS_PER_ZONE)
		return NULL;
	event = bpf_map_lookup_elem(&rauha_blank, &zero);
	if (!event || bpf_map_update_elem(&rauha_events, &key, event, BPF_NOEXIST) < 0)
		return NULL;
	event = bpf_map_lookup_elem(&rauha_events, &key);
	if (!event)
		return NULL;
	event->boot_ns = bpf_ktime_get_boot_ns();
	event->target = target;
	event->number = 0;
	event->hook = hook;
	event->reason = reason;
	event->pid = (__u32)s->task->tgid;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	return event;
}

static __always_inline void event_end(struct event_record *event, __u32 kind)
{
	event->object_kind = kind;
	event->done = 1;
}

/* A denial whose object is a number: a signal, a capability, a command, a pid. */
static __always_inline int deny_number(struct subject *s, __u32 hook, __u32 reason, __u64 target, __u64 number)
{
	struct event_record *event = event_begin(s, hook, reason, target);

	if (event) {
		event->number = number;
		event_end(event, OBJECT_NUMBER);
	}
	return -EPERM;
}

/* Decides by flags of the zone's policy; a policy that can't be looked up denies. 0: nothing stands against it. */
static __always_inline int check_policy(struct subject *s, __u32 hook, __u32 flags, __u64 number)
{
	const struct policy_record *policy = policy_of(s);

	if (!policy)
		return deny_number(s, hook, WHY_LOOKUP_FAILED, 0, number);
	return (policy->flags & flags) == flags ? 0 : deny_number(s, hook, WHY_POLICY, 0, number);
}

/* A denial whose object has a name in the kernel's memory. */
static __always_inline int deny_name(struct subject *s, __u32 hook, __u32 reason, const void *name, int error)
{
	struct event_record *event = event_begin(s, hook, reason, 0);

	if (event) {
		bpf_probe_read_kernel_str(event->object, sizeof(event->object), name);
		event_end(event, OBJECT_NAME);
	}
	return error;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Sockets: addresses that the policy lists, and whose socket is at the other end. */
#ifndef RAUHA_SOCKET_BPF_H
#define RAUHA_SOCKET_BPF_H

#include "verdict.bpf.h"
#include <bpf/bpf_endian.h>

#define AF_UNSPEC    0
#define AF_INET	     2
#define AF_INET6     10
#define ADDRESS_BITS 128

/* sockaddr_in and sockaddr_in6 in one. */
struct any_address {
	__u16 family;
	__be16 port;
	__u32 in4; /* IPv6: flow label */
	__u8 in6[16];
	__u32 scope;
};

static __always_inline __u32 namespace_of_socket(struct sock *sk)
{
	return BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
}

/*
 * As the prefix tree has it: IPv4 mapped into IPv6. False: no address of these families. An IPv4 socket takes AF_UNSPEC for AF_INET when it
 * sends and when it is bound; when it connects, that means to let go of a peer.
 */
static __always_inline bool address_read(struct address_record *key, __u16 *port, struct sock *sk, __u32 hook,
					 const void *from, int length)
{
	struct any_address any = {};

	if (length < 8 || bpf_probe_read_kernel(&any, 8, from) < 0)
		return false;
	*port = bpf_ntohs(any.port);
	if (any.family == AF_UNSPEC && hook != HOOK_SOCKET_CONNECT)
		any.family = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET ? AF_INET : AF_UNSPEC;
	if (any.family == AF_INET) {
		key->address[10] = key->address[11] = 0xff;
		__builtin_memcpy(key->address + 12, &any.in4, 4);
		return true;
	}
	if (any.family != AF_INET6 || length < 24 || bpf_probe_read_kernel(&any, 24, from) < 0)
		return false;
	__builtin_memcpy(key->address, any.in6, 16);
	return true;
}

static __always_inline bool is_own_host(const struct address_record *key)
{
	__u64 high, low;

	__builtin_memcpy(&high, key->address, 8);
	__builtin_memcpy(&low, key->address + 8, 8);
	if (high != 0)
		return false;
	/* :: and ::1, which as a destination are this host. */
	if (low == 0 || low == bpf_cpu_to_be64(1))
		return true;
	/* ::ffff:127.0.0.0/8 and ::ffff:0.0.0.0 */
	return key->address[10] == 0xff && key->address[11] == 0xff && (key->address[12] == 127 || (low >> 32) == 0);
}

static __always_inline int deny_address(struct subject *s, __u32 hook, __u32 reason, __u64 target, const void *address)
{
	struct event_record *event = event_begin(s, hook, reason, target);

	if (event) {
		bpf_probe_read_kernel(event->object, sizeof(struct any_address), address);
		event_end(event, OBJECT_ADDRESS);
	}
	return -EPERM;
}

/* The zone that listens there in this network namespace, or 0. */
static __always_inline __u64 listener_of(__u32 network, __u16 port)
{
	struct port_record key = {.network_ns = network, .port = port};
	const __u64 *owner = bpf_map_lookup_elem(&rauha_ports, &key);

	return owner && bpf_map_lookup_elem(&rauha_zones, owner) ? *owner : 0;
}

/* Whether the policy lists the port, of the narrowest network that it names this address by. */
static __noinline bool is_listed(const struct subject *s, struct address_record *key, __u32 direction, __u16 port)
{
	const struct ports_record *ports;

	key->prefix = 32 + 64 + ADDRESS_BITS;
	key->way = direction;
	key->zone = s->id;
	ports = bpf_map_lookup_elem(&rauha_addresses, key);
	for (__u32 i = 0; ports && i < PORT_RANGES && i < ports->count; i++) {
		const __u16 *range = (const __u16 *)ports->ranges + 2 * i;

		if (port >= range[0] && port <= range[1])
			return true;
	}
	return false;
}

static __noinline int check_peer(struct subject *s, __u32 hook, struct sock *sk, const void *address, int length)
{
	const struct config_record *facts = config();
	const struct policy_record *policy = policy_of(s);
	struct address_record key = {};
	__u32 network = namespace_of_socket(sk);
	__u16 port = 0;
	__u64 other;

	if (!address_read(&key, &port, sk, hook, address, length))
		return allow(hook);
	if (!policy || !facts)
		return deny_address(s, hook, WHY_LOOKUP_FAILED, 0, address);
	other = listener_of(network, port);
	if (other && is_own_host(&key)) {
		if (other == s->id || may_contact(s, other))
			return allow(hook);
		return deny_address(s, hook, WHY_OTHER_ZONE, other, address);
	}
	if (policy->flags & POLICY_ANY_ADDRESS)
		return allow(hook);
	/* The zone's own loopback is the zone's; the host's is not. */
	if (is_own_host(&key) && network == s->zone->network_ns && network != facts->host_netns)
		return allow(hook);
	if (is_listed(s, &key, WAY_OUT, port))
		return allow(hook);
	/* A datagram, from a port that the policy opens, to somebody who may call there: an answer. */
	if (hook == HOOK_SOCKET_SENDMSG && network != facts->host_netns) {
		port = BPF_CORE_READ(sk, __sk_common.skc_num);
		if (port && is_listed(s, &key, WAY_IN, port))
			return allow(hook);
	}
	return deny_address(s, hook, WHY_EGRESS, 0, address);
}

SEC("lsm/socket_connect")
int BPF_PROG(rauha_socket_connect, struct socket *sock, struct sockaddr *address, int length, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_peer(&s, HOOK_SOCKET_CONNECT, sock->sk, address, length);
}

/* Of every send: only those that name a destination are looked at. */
SEC("lsm/socket_sendmsg")
int BPF_PROG(rauha_socket_sendmsg, struct socket *sock, struct msghdr *message, int size, int ret)
{
	struct subject s;

	if (ret || !message->msg_name || !is_subject(&s))
		return ret;
	return check_peer(&s, HOOK_SOCKET_SENDMSG, sock->sk, message->msg_name, message->msg_namelen);
}

SEC("lsm/socket_bind")
int BPF_PROG(rauha_socket_bind, struct socket *sock, struct sockaddr *address, int length, int ret)
{
	const struct config_record *facts = config();
	const struct policy_record *policy;
	struct address_record key = {};
	struct subject s;
	__u16 port = 0;

	if (ret || !is_subject(&s))
		return ret;
	if (!address_read(&key, &port, sock->sk, HOOK_SOCKET_BIND, address, length))
		return allow(HOOK_SOCKET_BIND);
	policy = policy_of(&s);
	if (!policy || !facts)
		return deny_address(&s, HOOK_SOCKET_BIND, WHY_LOOKUP_FAILED, 0, address);
	if (namespace_of_socket(sock->sk) != facts->host_netns || (policy->flags & POLICY_ANY_ADDRESS) || port == 0)
		return allow(HOOK_SOCKET_BIND);
	return is_listed(&s, &key, WAY_IN, port) ? allow(HOOK_SOCKET_BIND)
						 : deny_address(&s, HOOK_SOCKET_BIND, WHY_INGRESS, 0, address);
}

/* Nothing is decided here: whoever listens, zoned or not, is noted as the owner of the port. */
SEC("lsm/socket_listen")
int BPF_PROG(rauha_socket_listen, struct socket *sock, int backlog, int ret)
{
	unsigned short family = sock->sk->__sk_common.skc_family;
	struct port_record key = {};
	struct subject s;

	if (ret || (family != AF_INET && family != AF_INET6))
		return ret;
	key.network_ns = namespace_of_socket(sock->sk);
	key.port = sock->sk->__sk_common.skc_num;
	if (find_subject(&s))
		bpf_map_update_elem(&rauha_ports, &key, &s.id, BPF_ANY);
	else
		bpf_map_delete_elem(&rauha_ports, &key);
	return 0;
}

/* A unix socket belongs to the zone of the task that made it, whatever path led to it. */
static __always_inline int check_unix(struct subject *s, __u32 hook, struct sock *other)
{
	__u64 owner = zone_of_socket(other);
	const struct policy_record *policy = policy_of(s);
	struct event_record *event;
	__u32 reason = owner ? WHY_OTHER_ZONE : WHY_HOST;

	if (owner == s->id || (owner && may_contact(s, owner)))
		return allow(hook);
	if (!policy)
		reason = WHY_LOOKUP_FAILED;
	else if (!owner && (policy->flags & POLICY_HOST_SOCKETS))
		return allow(hook);
	event = event_begin(s, hook, reason, owner);
	if (event) {
		struct unix_address *address = BPF_CORE_READ((struct unix_sock *)other, addr);

		/* Whole, with the family: an abstract name begins with NUL. A socket that was never bound has none. */
		if (address)
			bpf_probe_read_kernel(event->object, sizeof(struct sockaddr_un),
					      (char *)address + bpf_core_field_offset(struct unix_address, name));
		event_end(event, OBJECT_ADDRESS);
	}
	return -EPERM;
}

SEC("lsm/unix_stream_connect")
int BPF_PROG(rauha_unix_connect, struct sock *sock, struct sock *other, struct sock *newsk, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_unix(&s, HOOK_UNIX_STREAM_CONNECT, other);
}

SEC("lsm/unix_may_send")
int BPF_PROG(rauha_unix_send, struct socket *sock, struct socket *other, int ret)
{
	struct subject s;

	if (ret || !is_subject(&s))
		return ret;
	return check_unix(&s, HOOK_UNIX_MAY_SEND, other->sk);
}

#endif

#include "gateway.h"
#include <netinet/in.h>
#include <string.h>

/* SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of linux/netfilter_ipv[46]: headers that clash with the C library's. */
#define ORIGINAL_DST 80

/** address_make - an address of a record as the kernel wants it; returns its length */
socklen_t address_make(struct sockaddr_storage *to, uint32_t family, const uint8_t address[16], uint32_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

	memset(to, 0, sizeof(*to));
	if (family == 4) {
		memcpy(&in.sin_addr, address, 4);
		memcpy(to, &in, sizeof(in));
		return sizeof(in);
	}
	memcpy(&in6.sin6_addr, address, 16);
	memcpy(to, &in6, sizeof(in6));
	return sizeof(in6);
}

/** address_meant - where a program of the zone wanted to go, before the zone's packet filter sent it here */
int address_meant(int fd, enum zone_socket listener, struct report_opened *record)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	socklen_t length = sizeof(in6);

	if (listener == SOCKET_TCP6) {
		if (getsockopt(fd, SOL_IPV6, ORIGINAL_DST, &in6, &length) < 0)
			return -1;
		record->family = 6;
		record->port = ntohs(in6.sin6_port);
		memcpy(record->address, &in6.sin6_addr, 16);
		return 0;
	}
	length = sizeof(in);
	if (getsockopt(fd, SOL_IP, ORIGINAL_DST, &in, &length) < 0)
		return -1;
	record->family = 4;
	record->port = ntohs(in.sin_port);
	memcpy(record->address, &in.sin_addr, 4);
	return 0;
}

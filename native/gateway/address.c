#include "gateway.h"
#include <netinet/in.h>
#include <string.h>

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

/*
 * What the parts of the gateway share: the one program through which a zone in network mode `filtered` reaches anything. It runs on
 * the host, accepts on sockets of the zone's network namespace, connects from the host's, and moves bytes. It decides nothing: rauha
 * does, over two pipes with fixed records.
 *
 *   main.c         the loop
 *   orders.c       what rauha says
 *   reports.c      what rauha is told
 *   connections.c  connections of the zone, from accept to the end
 *   flow.c         bytes of one direction
 *   pipes.c        what splice(2) needs
 *   publish.c      ports of the host's that lead to the zone
 *   datagrams.c    DNS by UDP, and the packet filter's notices
 */
#ifndef RAUHA_GATEWAY_H
#define RAUHA_GATEWAY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "contract.gen.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* What an event of epoll is about: this in the upper half of its data, an index in the lower. */
enum source {
	SOURCE_ORDERS,
	SOURCE_REPORTS,
	SOURCE_LISTENER,
	SOURCE_DATAGRAMS,
	SOURCE_NOTICES,
	SOURCE_LOOKUP,
	SOURCE_PUBLISHED,
	SOURCE_DIALER,
	SOURCE_SIDE
};

/* The program in the zone, and what it is connected to. */
enum side { CLIENT, SERVER, SIDES };

/* Bytes from one side to the other. */
struct flow {
	int pipe;	 /* of the pool, while bytes are under way; -1 */
	uint32_t piped;	 /* bytes in it */
	uint32_t heard;	 /* bytes in `buffer` that were read for rauha to see */
	uint32_t passed; /* of these, what has been passed on or left out */
	uint8_t *buffer;
	uint64_t total; /* bytes that arrived on the other side */
	bool held;	/* bytes are reported, and wait for rauha's word */
	bool ended;	/* the side has said all that it will say */
	bool shut;	/* and the other side has been told */
};

struct connection {
	uint32_t id; /* 0: free */
	int fd[SIDES];
	bool connected;
	bool published;	   /* from the host to the zone: the client is on the host, the server in the zone */
	bool server_first; /* the first word of the server lets the program's bytes go unheard */
	uint8_t *preamble; /* what rauha has to say to the server before anything of the program's */
	size_t preamble_size;
	struct flow flow[SIDES];
	bool again;	/* on the list of those that have more to do than one turn allows */
	uint64_t since; /* the round that it came in */
};

struct gateway {
	int epoll;
	int sockets[SOCKETS];
	bool finishing;
	uint32_t open;
	uint64_t round; /* of epoll_wait */
};

extern struct gateway gateway;

/* main.c */
int watch(int fd, uint32_t events, enum source source, uint32_t index);
_Noreturn void stop(const char *why);

/* address.c */
socklen_t address_make(struct sockaddr_storage *to, uint32_t family, const uint8_t address[16], uint32_t port);
int address_meant(int fd, enum zone_socket listener, struct report_opened *record);

/* reports.c */
void report(enum report_id id, const void *fields, size_t size, const void *data, size_t data_size);
void reports_flush(void);
void reports_settle(void);
bool reports_pending(void);

/* orders.c */
void orders_turn(void);

/* pipes.c */
int pipe_take(void);
void pipe_give(int pipe, bool empty);
int pipe_end(int pipe, bool write_end);

/* flow.c */
enum pumped { PUMPED_IDLE, PUMPED_BUDGET, PUMPED_BROKEN };
enum pumped flow_pump(struct connection *c, enum side from);
void flow_close(struct flow *f);

/* connections.c */
void connections_start(void);
void connections_accept(enum zone_socket listener);
void connections_event(uint32_t index, uint32_t events);
bool connections_again(void);
void connections_finish(void);
void connection_connect(const struct order_connect *order, const uint8_t *data, size_t size);
void connection_pass(const struct order_pass *order);
void connection_refuse(uint32_t id);
bool connections_full(void);
void connection_publish(int client, int dialer, const struct sockaddr_in *to, const struct report_published *from);
void connection_reply(uint32_t id, const uint8_t *data, size_t size);

/* publish.c */
uint32_t publish_prepare(int count, char **arguments);
void publish_start(void);
void publish_watch(bool on);
void publish_accept(uint32_t listener);
void dialer_give(int fd, bool gently);
bool dialer_is_connecting(int fd);
void dialer_turn(uint32_t fd);

/* datagrams.c */
void datagrams_turn(enum zone_socket socket);
void notices_turn(void);
void query_answer(uint32_t query, const uint8_t *data, size_t size);
void lookup_ask(const struct order_ask *order, const uint8_t *data, size_t size);
void lookup_turn(uint32_t index);
void lookup_forget(uint32_t number);

#endif

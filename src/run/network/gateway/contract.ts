/**
 * The boundary between Rauha and its native gateway, in one place: what the gateway reports and what it is ordered to do. The gateway
 * holds no policy: it accepts, connects and moves bytes; who may go where is decided on this side.
 *
 * `scripts/generate.ts` makes `native/gateway/contract.gen.h` of these tables; the codec beside this file reads them as they are. Wire
 * format, little endian: `u32 id, u32 length of what follows`, then the fields in order without gaps, then `data` where the record has
 * some. An unknown record ends the gateway, and the zone's way out with it.
 */

/** `address` is 16 bytes: an IPv4 address is its first four. */
export type GatewayField = "u32" | "u64" | "address";

export interface GatewayRecordSpec {
  readonly id: number;
  readonly fields: Readonly<Record<string, GatewayField>>;
  /** Whether bytes follow the fields. */
  readonly data?: true;
}

/** What the gateway reports. Ids are append-only. */
export const gatewayReports = {
  /** A program of the zone connected to `address` and `port`; `family` is 4 or 6. What it sends is reported until an order comes. */
  opened: { id: 1, fields: { connection: "u32", family: "u32", port: "u32", address: "address" } },
  /** Bytes that wait for a decision: of the program (`side` 0), or of what was connected to with mode `handshake` (1). */
  heard: { id: 2, fields: { connection: "u32", side: "u32" }, data: true },
  /** Connecting did not work. The program waits for another order. */
  failed: { id: 3, fields: { connection: "u32", error: "u32" } },
  /** With mode `inspect`: the server spoke before the program did, and bytes flow both ways from now on. */
  spoke: { id: 4, fields: { connection: "u32" } },
  /** A connection is over: by whom it was reset (0: it ended), and how many bytes went out and came in. */
  closed: { id: 5, fields: { connection: "u32", error: "u32", sent: "u64", received: "u64" } },
  /** A datagram to port 53: a DNS query. */
  asked: { id: 6, fields: { query: "u32" }, data: true },
  /** A datagram in answer to an `ask`. */
  answered: { id: 7, fields: { lookup: "u32" }, data: true },
  /** Asking did not work: the socket's errno. */
  unanswered: { id: 8, fields: { lookup: "u32", error: "u32" } },
  /** A message of the zone's packet filter about a packet that it refused (NFLOG). */
  noticed: { id: 9, fields: {}, data: true },
  /** What was dropped since there was too much of it: notices that the kernel could not queue count as one. */
  dropped: { id: 10, fields: { queries: "u32", notices: "u32" } },
  /** From `address` and `port` somebody connected to the published port `listener`. `failed` or `closed` follow, bytes are not heard. */
  published: { id: 11, fields: { connection: "u32", listener: "u32", port: "u32", address: "address" } },
} as const satisfies Record<string, GatewayRecordSpec>;

/** What the gateway is told. Orders about a connection that has ended meanwhile are passed over. Ids are append-only. */
export const gatewayOrders = {
  /** Connect, from the host's network. `data` is sent first, before anything of the program's. */
  connect: {
    id: 1,
    fields: { connection: "u32", family: "u32", port: "u32", mode: "u32", address: "address" },
    data: true,
  },
  /** Let bytes flow both ways, those that were heard first; `skip` of what the other side has said is not passed on. */
  pass: { id: 2, fields: { connection: "u32", skip: "u32" } },
  /** Reset the connection. It is not reported again. */
  refuse: { id: 3, fields: { connection: "u32" } },
  /** Send this to the program and end the connection. It is not reported again. */
  reply: { id: 4, fields: { connection: "u32" }, data: true },
  /** Answer a query; without data it is forgotten. */
  answer: { id: 5, fields: { query: "u32" }, data: true },
  /** Send a datagram from a new socket, and report what comes back until `forget`. */
  ask: { id: 6, fields: { lookup: "u32", family: "u32", port: "u32", address: "address" }, data: true },
  forget: { id: 7, fields: { lookup: "u32" } },
  /** The zone has ended: pass on what is on its way, then end. */
  finish: { id: 8, fields: {} },
} as const satisfies Record<string, GatewayRecordSpec>;

/** `connect.mode`. */
export const connectMode = {
  /** Bytes flow at once. */
  open: 0,
  /** The program's first bytes are reported and wait for `pass`; the server's flow. */
  inspect: 1,
  /** The server's first bytes are reported and wait for `pass`, as do the program's. */
  handshake: 2,
} as const;

/**
 * Descriptors of the gateway when it starts: orders, reports, errors; then as many sockets of the zone's as `gatewaySockets` names. Its
 * arguments tell of more behind these: how many dialers of the zone, then a port of the zone for each listener on the host.
 */
export const gatewayFd = { orders: 0, reports: 1, errors: 2, sockets: 3 } as const;

/** The zone's sockets in the order of descriptors: TCP listeners, DNS, the packet filter's notices. The version 6 ones may be missing. */
export const gatewaySockets = ["tcp4", "udp4", "notices", "tcp6", "udp6"] as const;

/** What bounds the conversation; the gateway has the same numbers. */
export const gatewayLimits = {
  /** Bytes of a program that are reported before a decision. */
  heard: 16_384,
  /** Largest record either way. */
  record: 80_000,
  connections: 8192,
  queries: 1024,
  lookups: 256,
  /** Sockets that connect to published ports of the zone: so many connections at a time. */
  dialers: 128,
  /** Ports that one zone publishes. */
  published: 16,
} as const;

type FieldValue<F extends GatewayField> = F extends "address" ? Uint8Array : number;

type RecordOf<T extends Record<string, GatewayRecordSpec>> = {
  [K in keyof T & string]: { readonly record: K } & {
    readonly [F in keyof T[K]["fields"]]: FieldValue<T[K]["fields"][F]>;
  } & (T[K] extends { readonly data: true } ? { readonly data: Uint8Array } : unknown);
}[keyof T & string];

/** What the gateway says. */
export type GatewayReport = RecordOf<typeof gatewayReports>;
/** What it is told. */
export type GatewayOrder = RecordOf<typeof gatewayOrders>;

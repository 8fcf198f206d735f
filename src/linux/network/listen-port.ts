import { formatPublish, type PublishedPort } from "../../run/bridge/publish.ts";
import { addressOf, closeFd, systemCall } from "../ffi.ts";
import { call } from "../system-calls.ts";
import { NetworkFailure } from "./failure.ts";

const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const EACCES = 13;
const EADDRINUSE = 98;
/** Who may wait while all connections of a zone are in use; more are not answered. */
const backlog = 512;

/**
 * A TCP socket that listens on a port of the host. SO_REUSEADDR: connections of an earlier run that have ended do not hold the port; a
 * socket that listens there does, and is a NetworkFailure.
 */
export function listenPort(published: PublishedPort): number {
  const what = `--publish ${formatPublish(published)}`;
  const fd = systemCall(call.socket, AF_INET, SOCK_STREAM_CLOEXEC);
  if (fd < 0) throw new NetworkFailure("socket", -fd, what);
  const one = new Int32Array([1]);
  const name = new Uint8Array(16);
  const view = new DataView(name.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, published.port, false);
  name.set(published.address, 4);
  const result =
    systemCall(call.setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, addressOf(one), 4) ||
    systemCall(call.bind, fd, addressOf(name), name.length) ||
    systemCall(call.listen, fd, backlog);
  if (result >= 0) return fd;
  closeFd(fd);
  if (result === -EADDRINUSE)
    throw new NetworkFailure("publish a port", 0, `${what}: the port is in use on the host; choose another`);
  if (result === -EACCES)
    throw new NetworkFailure(
      "publish a port",
      0,
      `${what}: ports of the host below 1024 are for root; take a higher one`,
    );
  throw new NetworkFailure("publish a port", -result, what);
}

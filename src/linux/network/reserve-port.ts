import { formatPublish, type PublishedPort } from "../../run/bridge/publish.ts";
import { addressOf, closeFd, systemCall } from "../ffi.ts";
import { call } from "../system-calls.ts";
import { NetworkFailure } from "./failure.ts";

const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const EADDRINUSE = 98;

/**
 * Takes a TCP port of the host as long as the descriptor is open: bound, never listening, since the packet filter sends its connections
 * on before any socket sees them. So no program of the host's loses its port to a zone, and no two zones have the same.
 */
export function reservePort(published: PublishedPort): number {
  const fd = systemCall(call.socket, AF_INET, SOCK_STREAM_CLOEXEC);
  if (fd < 0) throw new NetworkFailure("socket", -fd, formatPublish(published));
  const name = new Uint8Array(16);
  const view = new DataView(name.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, published.port, false);
  name.set(published.address, 4);
  const bound = systemCall(call.bind, fd, addressOf(name), name.length);
  if (bound >= 0) return fd;
  closeFd(fd);
  const what = `--publish ${formatPublish(published)}`;
  if (bound === -EADDRINUSE) throw new NetworkFailure("publish a port", 0, `${what}: the port is in use on the host`);
  throw new NetworkFailure("bind", -bound, what);
}

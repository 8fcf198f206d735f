/** A zone in the tests' world that tries to get out: Python with helpers, and what came of it. */
import { expect } from "bun:test";
import type { World } from "./world.ts";

export type Ran = Awaited<ReturnType<World["sandbox"]>>;

/** What the gateway denied. */
export const denials = (run: Ran) => run.result.enforcement_events.filter(({ hook }) => hook === "network_gateway");

/** Runs Python in the zone with helpers; what it prints comes back. */
export async function attack(world: World, flags: readonly string[], script: string): Promise<Ran> {
  await world.forget();
  const helpers = `
import socket, struct, time, sys
def tcp(host, port, data=b"", wait=5):
  try:
    s = socket.create_connection((host, port), wait); s.settimeout(wait)
    for piece in (data if isinstance(data, list) else [data]): s.sendall(piece); time.sleep(0.02 if isinstance(data, list) else 0)
    got = s.recv(4096)
    return "open " + got[:40].decode("latin1") if got else "closed"
  except OSError as e: return type(e).__name__
def udp(host, port, data=b"x"):
  try:
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(0.5)
    s.sendto(data, (host, port)); return "open " + s.recv(100)[:40].decode("latin1")
  except OSError as e: return type(e).__name__
def hello(name=None, extra=b"", size=0):
  sni = b"" if name is None else struct.pack("!HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name.encode()
  pad = struct.pack("!HH", 21, size) + bytes(size) if size else b""
  ext = sni + extra + pad
  body = b"\\x03\\x03" + bytes(32) + b"\\x00" + struct.pack("!H", 2) + b"\\x13\\x01" + b"\\x01\\x00" + struct.pack("!H", len(ext) & 0xffff) + ext
  message = b"\\x01" + struct.pack("!I", len(body))[1:] + body
  return message
def record(message, size=16384):
  return b"".join(b"\\x16\\x03\\x01" + struct.pack("!H", len(message[i:i+size])) + message[i:i+size] for i in range(0, len(message), size))
`;
  return world.sandbox(flags, ["python3", "-c", helpers + script]);
}

/** No server of the world was reached but by what the test allows. */
export async function nobodyCame(world: World, allowed: RegExp = /^$/): Promise<void> {
  const { seen } = await world.seen();
  expect(seen.filter((line) => !allowed.test(line))).toEqual([]);
}

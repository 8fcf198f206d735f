/** The gateway by itself: what it does with orders that no Rauha gives, and that it ends with whoever started it. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { wireAddress } from "../../src/run/network/gateway/address.ts";
import { encodeOrder, GatewayDecoder } from "../../src/run/network/gateway/codec.ts";
import { type GatewayReport, gatewayOrders } from "../../src/run/network/gateway/contract.ts";
import { isRoot, patient } from "../support/identity.ts";

const GATEWAY = new URL("../../dist/gateway", import.meta.url).pathname;

/** The program with no sockets of a zone: descriptors 3 and up are /dev/null. */
function start() {
  const nothing = Array.from({ length: 5 }, () => Bun.file("/dev/null"));
  return Bun.spawn([GATEWAY], { stdio: ["pipe", "pipe", "pipe", ...nothing] } as never) as Bun.Subprocess<
    "pipe",
    "pipe",
    "pipe"
  >;
}

async function endOf(child: ReturnType<typeof start>) {
  const impatience = setTimeout(() => child.kill("SIGKILL"), patient(20_000));
  const [stdout, stderr] = await Promise.all([child.stdout.bytes(), child.stderr.text()]);
  const code = await child.exited;
  clearTimeout(impatience);
  return { code, stderr, reports: new GatewayDecoder().push(stdout) as GatewayReport[] };
}

test("ends without a word when the orders end, and after finish", async () => {
  const one = start();
  one.stdin.end();
  expect(await endOf(one)).toEqual({ code: 0, stderr: "", reports: [] });
  const two = start();
  two.stdin.write(encodeOrder({ record: "finish" }));
  two.stdin.flush();
  const ended = await endOf(two);
  expect(ended).toEqual({ code: 0, stderr: "", reports: [] });
});

test("ends when nobody reads its reports any more", async () => {
  const child = start();
  await child.stdout.cancel();
  const ask = { record: "ask", lookup: 1, ...wireAddress([127, 0, 0, 1]), port: 1, data: new Uint8Array([1]) } as const;
  for (let count = 0; count < 50 && child.exitCode === null; count++) {
    try {
      child.stdin.write(encodeOrder(ask));
      await child.stdin.flush();
    } catch {}
    await Bun.sleep(5);
  }
  child.stdin.end();
  expect(await child.exited).toBe(0);
});

test.each([
  ["of an unknown kind", [99, 0, 0, 0, 0, 0, 0, 0]],
  ["longer than any", [2, 0, 0, 0, 255, 255, 255, 255]],
  ["shorter than its kind", [1, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]],
])("an order %s ends it with a word", async (_, bytes) => {
  const child = start();
  child.stdin.write(new Uint8Array(bytes));
  child.stdin.flush();
  const { code, stderr } = await endOf(child);
  expect(code).toBe(1);
  expect(stderr).toBe("rauha: the gateway stops: order: Protocol error\n");
});

test("orders about connections that are not there are passed over", async () => {
  const child = start();
  const address = wireAddress([127, 0, 0, 1]);
  for (const connection of [0, 1, 0x10000, 0xffff_ffff, 0x7fff_1fff]) {
    child.stdin.write(
      encodeOrder({ record: "connect", connection, ...address, port: 9, mode: 0, data: new Uint8Array(9) }),
    );
    child.stdin.write(encodeOrder({ record: "pass", connection, skip: 0xffff_ffff }));
    child.stdin.write(encodeOrder({ record: "reply", connection, data: new Uint8Array(9) }));
    child.stdin.write(encodeOrder({ record: "refuse", connection }));
    child.stdin.write(encodeOrder({ record: "answer", query: connection, data: new Uint8Array(9) }));
    child.stdin.write(encodeOrder({ record: "forget", lookup: connection }));
  }
  child.stdin.write(encodeOrder({ record: "finish" }));
  child.stdin.flush();
  expect(await endOf(child)).toEqual({ code: 0, stderr: "", reports: [] });
});

test("a lookup that nobody answers is reported, and too many at a time are", async () => {
  const child = start();
  const ask = (lookup: number, port: number) =>
    encodeOrder({ record: "ask", lookup, ...wireAddress([127, 0, 0, 1]), port, data: new Uint8Array([1]) });
  const silent = await Bun.udpSocket({ hostname: "127.0.0.1" });
  for (let lookup = 1; lookup <= 300; lookup++) child.stdin.write(ask(lookup, silent.port));
  child.stdin.flush();
  const reader = child.stdout.getReader();
  const decoder = new GatewayDecoder();
  const refused: number[] = [];
  while (refused.length < 44) {
    const { value } = await reader.read();
    if (value === undefined) break;
    for (const report of decoder.push(value)) if (report.record === "unanswered") refused.push(report.lookup);
  }
  expect(refused).toEqual(Array.from({ length: 44 }, (_, index) => 257 + index));
  silent.close();
  child.stdin.end();
  await child.exited;
});

test("hostile orders never crash it: it works on, or ends with a word", async () => {
  // Not ask: to wherever chance says, nothing may be sent.
  const ids = Object.values(gatewayOrders)
    .map(({ id }) => id)
    .filter((id) => id !== gatewayOrders.ask.id);
  for (let round = 0; round < 40; round++) {
    const child = start();
    for (let count = 0; count < 30; count++) {
      const length = Math.floor(Math.random() * 80);
      const id = Math.random() < 0.95 ? (ids[Math.floor(Math.random() * ids.length)] ?? 1) : 77;
      const order = crypto.getRandomValues(new Uint8Array(8 + length));
      order.set([id, 0, 0, 0, length, 0, 0, 0]);
      child.stdin.write(order);
    }
    child.stdin.end();
    const { code } = await endOf(child);
    expect([0, 1]).toContain(code);
  }
});

test("holds no privilege: no capability, no core file, and root's is nobody", async () => {
  const child = start();
  child.stdin.write(encodeOrder({ record: "forget", lookup: 1 }));
  child.stdin.flush();
  let status = "";
  for (let tries = 0; tries < 200 && !/NoNewPrivs:\s+1/.test(status); tries++) {
    await Bun.sleep(5);
    status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  }
  expect(/CapEff:\s+(\w+)/.exec(status)?.[1]).toBe("0000000000000000");
  expect(/CapPrm:\s+(\w+)/.exec(status)?.[1]).toBe("0000000000000000");
  expect(/NoNewPrivs:\s+(\d)/.exec(status)?.[1]).toBe("1");
  expect(/Uid:\s+(\d+)\s+(\d+)\s+(\d+)/.exec(status)?.slice(1)).toEqual(
    Array(3).fill(isRoot ? "65534" : String(process.getuid?.())),
  );
  child.stdin.end();
  await child.exited;
});

/** --publish in network mode filtered: ports of the host that lead to a zone, by what somebody on the host sees and by the result. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { patient } from "../support/identity.ts";
import { start } from "../support/rauha.ts";
import { makeRuntimeFolder } from "../support/zone-records.ts";
import { converse, counting, filtered, freePort, publishing, serve } from "./publishing.ts";

const ingress = (result: { readonly events: readonly object[] }) =>
  (result.events as Record<string, unknown>[]).filter((event) =>
    String(event["event.name"]).startsWith("rauha.network.ingress"),
  );

describe("a published port", () => {
  test(
    "leads curl to a web server in the zone, 200 times",
    async () => {
      const script = `
import http.server
class Handler(http.server.SimpleHTTPRequestHandler):
  def do_GET(self):
    self.send_response(200); self.end_headers(); self.wfile.write(b"hello from the zone")
http.server.ThreadingHTTPServer(("0.0.0.0", 7000), Handler).serve_forever()`;
      const zone = await publishing(script);
      const url = `http://127.0.0.1:${zone.port}/`;
      const curl = Bun.spawn(["curl", "-sS", "--max-time", "60", url], { stdout: "pipe" });
      expect(await curl.stdout.text()).toBe("hello from the zone");
      for (let count = 0; count < 200; count++) {
        const answer = await fetch(url, { headers: { connection: "close" }, keepalive: false });
        expect(await answer.text()).toBe("hello from the zone");
      }
      const events = ingress(await zone.end());
      expect(events.length).toBeGreaterThanOrEqual(201);
      expect(events.at(-1)).toMatchObject({
        "event.name": "rauha.network.ingress.allowed",
        "network.address": "127.0.0.1",
        "network.protocol": "tcp",
        why: `--publish 127.0.0.1:${zone.port}:7000`,
      });
      expect(Number(events.at(-1)?.["network.sent_bytes"])).toBeGreaterThan(19);
    },
    patient(60_000),
  );

  test(
    "serves 100 at the same time",
    async () => {
      const zone = await publishing(
        serve(`
here, lock = threading.Barrier(100), threading.Lock()
def each(c):
  if c.recv(4) == b"ping": c.sendall(b"pong"); return
  here.wait()
  c.sendall(b"all are here")`),
      );
      const all = await Promise.all(Array.from({ length: 100 }, () => converse(zone.port, "wait")));
      expect(all).toEqual(all.map(() => ({ text: "all are here" })));
      await zone.end();
    },
    patient(60_000),
  );

  test(
    "lets more than can be served wait, and serves them then",
    async () => {
      const zone = await publishing(counting);
      const idle: Socket[] = [];
      for (let count = 0; count < 128; count++)
        await new Promise<void>((resolve) => idle.push(connect({ port: zone.port, host: "127.0.0.1" }, resolve)));
      let answered = 0;
      const waiting = Array.from({ length: 30 }, async () => {
        const answer = await converse(zone.port, "late");
        answered++;
        return answer;
      });
      await Bun.sleep(300);
      expect(answered).toBe(0);
      // Half of them end well, half do not: either way the sockets are as good as new.
      for (const [index, socket] of idle.entries()) {
        if (index % 2 === 0) socket.end();
        else socket.resetAndDestroy();
      }
      expect(await Promise.all(waiting)).toEqual(waiting.map(() => ({ text: "4 late" })));
      await zone.end();
    },
    patient(60_000),
  );

  test(
    "passes on the end of either side by itself, and every byte before it",
    async () => {
      const zone = await publishing(
        serve(`
def each(c):
  first = c.recv(4)
  if first == b"ping": c.sendall(b"pong"); return
  c.sendall(b"early")
  c.shutdown(socket.SHUT_WR)
  time.sleep(.2)
  n = 4
  while True:
    b = c.recv(65536)
    if not b: break
    n += len(b)
  print(n, flush=True)
  os._exit(0)`),
      );
      const big = Buffer.alloc(8 << 20, "x");
      expect(await converse(zone.port, big)).toEqual({ text: "early" });
      const result = await zone.ended();
      expect(result).toMatchObject({ status: "succeeded", stdout: `${big.length}\n` });
      const counted = await publishing(counting);
      expect(await converse(counted.port, big)).toEqual({ text: `${big.length} xxxxxxxxxx` });
      await counted.end();
    },
    patient(60_000),
  );

  test(
    "has nothing of one connection in another that uses the same socket",
    async () => {
      const zone = await publishing(
        serve(`
def each(c):
  b = c.recv(4)
  if b == b"spam": c.sendall(b"secret" * 100000)
  else: c.sendall(b"only " + b)`),
      );
      for (let round = 0; round < 2; round++) {
        const spam = Array.from({ length: 128 }, async () => {
          const socket = connect({ port: zone.port, host: "127.0.0.1" }, () => socket.write("spam"));
          await new Promise((resolve) => socket.once("data", resolve));
          socket.resetAndDestroy();
        });
        await Promise.all(spam);
        const after = await Promise.all(Array.from({ length: 128 }, () => converse(zone.port, "mine")));
        expect(after).toEqual(after.map(() => ({ text: "only mine" })));
      }
      await zone.end();
    },
    patient(60_000),
  );

  test("resets who comes while nobody listens in the zone", async () => {
    const port = await freePort();
    const child = start(
      ["sandbox", ...filtered, "--publish", `${port}:7000`, "--stream", "--", "sh", "-c", "echo up; cat"],
      {
        stdin: "pipe",
      },
    );
    await child.stdout.getReader().read();
    expect(await converse(port, "hello")).toEqual({ text: "", error: "ECONNRESET" });
    child.kill("SIGTERM");
    await child.exited;
    expect((await converse(port, "hello")).error).toBe("ECONNREFUSED");
  });

  test("is on the host's loopback alone, or where it is said", async () => {
    const [one, two] = [await freePort(), await freePort()];
    const flags = [...filtered, "--publish", `${one}:7000`, "--publish", `0.0.0.0:${two}:7000`];
    const child = start(["sandbox", ...flags, "--stream", "--", "sh", "-c", "echo up; exec sleep 30"]);
    await child.stdout.getReader().read();
    const places = readFileSync("/proc/net/tcp", "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .flatMap(([, local = "", , state]) => (state === "0A" ? [local] : []));
    const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");
    expect(places.filter((place) => place.endsWith(`:${hex(one)}`))).toEqual([`0100007F:${hex(one)}`]);
    expect(places.filter((place) => place.endsWith(`:${hex(two)}`))).toEqual([`00000000:${hex(two)}`]);
    child.kill("SIGTERM");
    await child.exited;
  });

  test(
    "leaves no listener and no process when rauha is killed, and the port can be had again",
    async () => {
      const { folder, env, comeBy } = makeRuntimeFolder();
      const port = await freePort();
      for (let moment = 0; moment < 6; moment++) {
        const before = takeSnapshot([folder]);
        const child = start(["sandbox", ...filtered, "--publish", `${port}:7000`, "--", "sleep", "30"], { env });
        for (const end = performance.now() + patient(10_000); performance.now() < end && moment > 0; await Bun.sleep(2))
          if ((await converse(port, "")).error !== "ECONNREFUSED") break;
        child.kill("SIGKILL");
        await child.exited;
        await comeBy();
        expect(await leftSince(before, [folder])).toEqual([]);
        expect((await converse(port, "")).error).toBe("ECONNREFUSED");
      }
    },
    patient(60_000),
  );
});

/** Killed at any moment, a filtered zone leaves nothing: no gateway, no namespace that a process holds, no file. */
import { expect, test } from "bun:test";
import { descendantsOf, leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { patient } from "../support/identity.ts";
import { sandbox, start } from "../support/rauha.ts";
import { makeRuntimeFolder } from "../support/zone-records.ts";

const { folder, env, comeBy } = makeRuntimeFolder();
const filtered = [
  "sandbox",
  "--network",
  "filtered",
  "--allow-domain",
  "*.invalid",
  "--allow-egress",
  "192.0.2.0/24:*",
];
const busy = `
import socket, threading
def tcp():
  while True:
    try: s = socket.create_connection(("192.0.2.1", 9), 1); s.sendall(b"x" * 100000)
    except OSError: pass
def udp():
  while True:
    try: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 99)); socket.gethostbyname("a.invalid")
    except OSError: pass
for f in (tcp, udp): threading.Thread(target=f).start()`;

test(
  "30 random moments leave nothing",
  async () => {
    for (let moment = 0; moment < 30; moment++) {
      const before = takeSnapshot([folder]);
      const command = moment % 3 === 0 ? ["true"] : moment % 3 === 1 ? ["sleep", "20"] : ["python3", "-c", busy];
      const signal = (["SIGKILL", "SIGTERM"] as const)[moment % 2] ?? "SIGKILL";
      const after = Math.random() * patient(moment % 3 === 2 ? 300 : 60);
      const child = start([...filtered, "--", ...command], { env });
      await Bun.sleep(after);
      child.kill(signal);
      await child.exited;
      await comeBy();
      const left = await leftSince(before, [folder]);
      expect({ command, signal, after, left }).toEqual({ command, signal, after, left: [] });
    }
  },
  patient(120_000),
);

/** Waits for a descendant of that name. */
async function find(pid: number, name: string): Promise<number> {
  for (const end = performance.now() + patient(10_000); performance.now() < end; await Bun.sleep(5)) {
    const found = descendantsOf(pid).find((each) => each.name === name);
    if (found !== undefined) return found.pid;
  }
  throw new Error(`no process ${name}`);
}

test(
  "a gateway that is killed leaves the zone without a way out, and the result says so",
  async () => {
    const before = takeSnapshot([folder]);
    const script =
      "sleep 1; getent hosts a.invalid || echo none; curl -sS --max-time 5 http://192.0.2.1/ 2>&1 | cut -c-9";
    const child = start([...filtered, "--", "sh", "-c", script], { env });
    process.kill(await find(child.pid, "rauha-gateway"), "SIGKILL");
    const result = JSON.parse(await child.stdout.text());
    await child.exited;
    expect(result.stdout).toMatch(/^none\ncurl: \(\d+/);
    const lost = result.events.find(
      (event: Record<string, unknown>) => event["event.name"] === "rauha.network.gateway.lost",
    );
    expect(lost).toMatchObject({ "event.outcome": "failed" });
    expect(result.enforcement.trust_level).toBe("partial");
    expect(await leftSince(before, [folder])).toEqual([]);
  },
  patient(60_000),
);

test("a zone that ends at once has a gateway that ends at once", async () => {
  const before = takeSnapshot([folder]);
  const run = await sandbox(filtered.slice(1), ["true"]);
  expect(run.exitCode).toBe(0);
  expect(await leftSince(before, [folder])).toEqual([]);
});

test("a command that is not there is told as ever", async () => {
  const run = await sandbox(filtered.slice(1), ["/no/such/command"]);
  expect(run.exitCode).toBe(127);
  expect(run.result.error?.code).toBe("command_not_found");
});

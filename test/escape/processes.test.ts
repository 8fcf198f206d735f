/** Other processes: the host's are neither seen nor reached, pid 1 is out of reach, and two zones don't meet. */
import { afterAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { makeFolder } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { expectAllowed, expectDenied } from "../support/layers.ts";
import { PROBE, probeBind, probeOnHost, probePath } from "../support/probe.ts";
import { start, tryInZone } from "../support/rauha.ts";

const victim = Bun.spawn([probePath, "sleep", "600"], { stdio: ["ignore", "ignore", "ignore"] });
afterAll(() => victim.kill("SIGKILL"));

describe("a process of the host's", () => {
  test("is not there: not to be signalled, traced, read or looked into", async () => {
    const { pid } = victim;
    const attempts = [
      `kill ${pid} 9`,
      `kill ${pid} 0`,
      `ptrace ${pid}`,
      `vm-read ${pid}`,
      `pidfd ${pid}`,
      `proc-root ${pid}`,
      `read /proc/${pid}/environ`,
      `readlink /proc/${pid}/cwd`,
    ];
    expect(probeOnHost(`kill ${pid} 0`, `pidfd ${pid}`).map(({ outcome }) => outcome)).toEqual(["OK", "OK"]);
    for (const user of [[], ["--user", "0"]]) {
      const tried = await tryInZone([...attempts, "kill -1 0"], user);
      for (const attempt of attempts.slice(0, 5)) expectDenied(tried, attempt, "pids", "ESRCH");
      for (const attempt of attempts.slice(5)) expectDenied(tried, attempt, "view", "ENOENT");
    }
    expect(victim.exitCode).toBeNull();
  });

  test("survives a signal to everyone and to the process group", async () => {
    await tryInZone(["kill 0 0", "kill -1 0"]);
    const child = start([
      "sandbox",
      ...probeBind,
      "--",
      "sh",
      "-c",
      `trap '' TERM; kill -TERM -1; kill -TERM 0; ${PROBE} kill -1 9`,
    ]);
    await child.exited;
    expect(victim.exitCode).toBeNull();
    expect(readFileSync(`/proc/${victim.pid}/comm`, "utf8")).toBe("test-probe\n");
  });
});

describe("a process of the zone's", () => {
  test("can be signalled and traced by its parent: debuggers work", async () => {
    const child = start([
      "sandbox",
      "--json",
      ...probeBind,
      "--",
      "sh",
      "-c",
      `sleep 30 & ${PROBE} kill $! 0 + ptrace $! + vm-read $! + pidfd $! + proc-root $! + kill $! 9`,
    ]);
    const { stdout } = JSON.parse(await child.stdout.text()) as { stdout: string };
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split(": ").at(-1)?.split(" ")[0]),
    ).toEqual(["OK", "OK", "OK", "OK", "OK", "OK"]);
  });
});

describe("pid 1 of the zone", () => {
  test("shows nothing of the launcher: no memory, no descriptors, no root, no environment", async () => {
    for (const user of [[], ["--user", "0"]]) {
      const tried = await tryInZone(
        [
          "ptrace 1",
          "vm-read 1",
          "pidfd 1 0",
          "proc-root 1",
          "list /proc/1/fd",
          "read /proc/1/environ",
          "open r /proc/1/mem",
          "readlink /proc/1/cwd",
          "pidfd 1",
        ],
        user,
      );
      for (const { attempt, outcome } of tried.answers.slice(0, -1))
        expect(`${attempt}: ${outcome}`).toMatch(/: (EPERM|EACCES)$/);
      expectAllowed(tried, "pidfd 1");
    }
  });
});

describe("two zones", () => {
  test("have no namespace in common, nor with the host", async () => {
    // Both at once: the kernel gives the number of a namespace that is gone to the next one.
    const lookAndStay = ["ns", `sleep ${patient(1)}`];
    const [one, two] = await Promise.all([tryInZone(lookAndStay), tryInZone(lookAndStay)]);
    const host = probeOnHost("ns")[0]?.items ?? [];
    const all = [host, one?.answers[0]?.items ?? [], two?.answers[0]?.items ?? []];
    expect(all.map((items) => items.length)).toEqual([7, 7, 7]);
    expect(new Set(all.flat()).size).toBe(21);
  });

  test("of root's have ids of their own on the host", async () => {
    const maps = await Promise.all([1, 2, 3].map(() => tryInZone([["lines", "/proc/self/uid_map"]])));
    const outside = maps.map(({ answers }) => answers[0]?.items[0]?.trim().split(/\s+/)[1]);
    if (process.getuid?.() === 0) expect(new Set(outside).size).toBe(3);
    else expect(new Set(outside).size).toBe(1);
  });

  test("share no /tmp, no System V memory, no message queue, no abstract name", async () => {
    const attempts = ["create /tmp/shared", "listen abstract shared", "syscall 29 4711 4096 01700"];
    const zones = await Promise.all([1, 2].map(() => tryInZone([...attempts, "sleep 0.5"])));
    for (const zone of zones) expectAllowed(zone, ...attempts);
  });
});

test("processes can't outlive the zone by being stopped", async () => {
  const folder = makeFolder("stopped");
  const child = start([
    "sandbox",
    "--repo-path",
    folder,
    "--repo-mode",
    "rw",
    "--",
    "sh",
    "-c",
    "sh -c 'kill -STOP $$; touch late' & sleep 0.2",
  ]);
  await child.exited;
  await Bun.sleep(200);
  expect(await Bun.file(`${folder}/late`).exists()).toBe(false);
});

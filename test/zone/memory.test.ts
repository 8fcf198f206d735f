/** Memory: a zone has what it was given and no more, one process or many, by whatever mechanism this host has; the host stays unharmed. */
import { describe, expect, test } from "bun:test";
import { patient } from "../support/identity.ts";
import { PROBE, probeBind } from "../support/probe.ts";
import { guarantee, sandbox, tryInZone } from "../support/rauha.ts";

const mebi = 1 << 20;

/** Whether a cgroup limits this user's zones here, by the product's own word; each test holds it to that. */
const mechanism = guarantee((await sandbox([], ["true"])).result, "memory_limit").mechanism ?? "";
const byCgroup = mechanism.startsWith("cgroup");

describe(`--memory, by ${mechanism}`, () => {
  test("lets a task have what it was given", async () => {
    const { answers, result } = await tryInZone(["memhog 150M touch"], ["--memory", "256Mi"]);
    expect(answers[0]).toMatchObject({ outcome: "OK", items: ["150 MiB"] });
    expect(guarantee(result, "memory_limit").state).toBe("enforced");
    expect(result.usage.memory_peak_bytes === null || result.usage.memory_peak_bytes > 100 * mebi).toBe(true);
  });

  test(
    "ends a process that takes more: killed for it, or refused by malloc",
    async () => {
      const { exitCode, result } = await sandbox(
        ["--memory", "128Mi", ...probeBind],
        [PROBE, "memhog", "1G", "touch", "500"],
      );
      if (byCgroup) {
        expect(exitCode).toBe(137);
        expect(result).toMatchObject({ status: "failed", cause: "oom", signal: "SIGKILL" });
      } else {
        expect(result.stdout).toMatch(/memhog 1G touch 500: ENOMEM \d+ MiB|^$/);
        if (result.stdout === "") expect(result.cause).toBe("oom");
      }
      expect(result.usage.max_rss_bytes).toBeLessThan(140 * mebi);
    },
    patient(30_000),
  );

  test(
    "counts many processes together",
    async () => {
      const { result, exitCode } = await sandbox(
        ["--memory", "128Mi", ...probeBind],
        [PROBE, "memhogs", "8", "40M", "3000"],
      );
      // Each alone would fit. The zone is killed as a whole; a version 1 cgroup knows no such thing and kills as many as it must.
      expect(result.stdout).not.toContain("8 lived");
      if (mechanism.startsWith("cgroup v1")) expect(result.stdout).toContain("ENOMEM");
      else
        expect({ exitCode, cause: result.cause, signal: result.signal }).toEqual({
          exitCode: 137,
          cause: "oom",
          signal: "SIGKILL",
        });
      expect(result.events.map((event) => event["event.name"])).toContain("rauha.resource.oom.detected");
    },
    patient(30_000),
  );

  test(
    "counts what is in /tmp and /dev/shm, or their own quota does",
    async () => {
      const tried = await sandbox(["--memory", "64Mi", ...probeBind], [PROBE, "filebomb", "/tmp", "10", "20M"], {
        patienceMs: patient(30_000),
      });
      if (byCgroup) expect(tried.result).toMatchObject({ cause: "oom", signal: "SIGKILL" });
      else expect(tried.result.cause).toBeOneOf(["oom", "exit"]);
    },
    patient(30_000),
  );

  test(
    "a task of the shipped policy has 4 GiB",
    async () => {
      const { answers } = await tryInZone(["memhog 900M touch"]);
      expect(answers[0]).toMatchObject({ outcome: "OK", items: ["900 MiB"] });
    },
    patient(30_000),
  );

  test("reserved address space is not memory: runtimes that reserve much start", async () => {
    const { answers } = await tryInZone(["syscall 9 0 0x1000000000 0 0x4022 -1 0"], ["--memory", "256Mi"]);
    expect(answers[0]?.outcome).toBe("OK");
  });

  test("a kill by SIGKILL alone is no oom", async () => {
    const { result } = await sandbox(["--memory", "128Mi"], ["sh", "-c", "kill -9 $$"]);
    expect(result).toMatchObject({ cause: "signal", signal: "SIGKILL" });
  });
});

test("the result tells the peak, or says nothing: never a made-up number", async () => {
  const { result } = await tryInZone(["memhog 64M touch 300"]);
  const { memory_peak_bytes: peak, max_rss_bytes: rss } = result.usage;
  expect(rss).toBeGreaterThan(60 * mebi);
  expect(rss).toBeLessThan(200 * mebi);
  if (byCgroup) expect(peak).toBeGreaterThan(60 * mebi);
  if (peak !== null) expect(peak).toBeLessThan(300 * mebi);
});

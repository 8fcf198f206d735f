/** Limits that one process meets: wall clock, processor time, file size, open files, core, address space; and who lifted none of them. */
import { describe, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { asRecord, PROBE, probeBind } from "../support/probe.ts";
import { guarantee, sandbox, tryInZone } from "../support/rauha.ts";

describe("the wall clock", () => {
  test("sends SIGTERM first: a task that tidies up is let", async () => {
    const script = "trap 'echo tidied; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    const { exitCode, result } = await sandbox(["--timeout", `${patient(500)}ms`], ["sh", "-c", script]);
    expect(exitCode).toBe(124);
    expect(result).toMatchObject({ status: "timed_out", cause: "timeout", exit_code: 3, stdout: "ready\ntidied\n" });
    expect(result.duration_ms).toBeLessThan(patient(5000));
  });

  test(
    "sends SIGKILL to all of the zone when the grace is over",
    async () => {
      const { exitCode, result } = await sandbox(
        ["--timeout", `${patient(300)}ms`, ...probeBind],
        [PROBE, "ignore-term", "60"],
      );
      expect(exitCode).toBe(124);
      expect(result).toMatchObject({ status: "timed_out", cause: "timeout", signal: "SIGKILL", stdout: "deaf\n" });
      expect(result.duration_ms).toBeGreaterThanOrEqual(5000);
      expect(result.duration_ms).toBeLessThan(patient(9000));
    },
    patient(30_000),
  );

  test(
    "reaches a task that stopped itself",
    async () => {
      const { exitCode, result } = await sandbox(
        ["--timeout", `${patient(300)}ms`],
        ["sh", "-c", "kill -STOP $$; sleep 60"],
      );
      expect({ exitCode, status: result.status }).toEqual({ exitCode: 124, status: "timed_out" });
      expect(result.duration_ms).toBeLessThan(patient(9000));
    },
    patient(30_000),
  );
});

describe("processor time", () => {
  test(
    "ends with SIGXCPU, and the cause is told from a signal",
    async () => {
      const { exitCode, result } = await sandbox(["--limit-cpu", "1", ...probeBind], [PROBE, "spin", "20"]);
      expect(exitCode).toBe(128 + 24);
      expect(result).toMatchObject({ status: "failed", cause: "cpu_limit", signal: "SIGXCPU" });
      // The limit counts ticks, the usage what really ran: on a busy machine they differ.
      expect((result.usage.user_ms ?? 0) + (result.usage.system_ms ?? 0)).toBeGreaterThanOrEqual(500);
    },
    patient(30_000),
  );

  test(
    "ends a task that ignores SIGXCPU a second later",
    async () => {
      const { result } = await sandbox(["--limit-cpu", "1"], ["sh", "-c", "trap '' XCPU; while :; do :; done"]);
      expect(result).toMatchObject({ status: "failed", cause: "cpu_limit", signal: "SIGKILL" });
    },
    patient(30_000),
  );
});

describe("file size", () => {
  test("ends with SIGXFSZ, and the file is no larger", async () => {
    const folder = makeFolder("fsize");
    const flags = ["--limit-fsize", "1Mi", "--repo-path", folder, "--repo-mode", "rw", ...probeBind];
    const { exitCode, result } = await sandbox(flags, [PROBE, "filebomb", folder, "1", "5M"]);
    expect(exitCode).toBe(128 + 25);
    expect(result).toMatchObject({ status: "failed", cause: "file_size_limit", signal: "SIGXFSZ" });
    expect(statSync(join(folder, "0")).size).toBe(1 << 20);
  });

  test("does not count what goes to stdout", async () => {
    const { exitCode, result } = await sandbox(["--limit-fsize", "1Ki"], ["head", "-c", "100000", "/dev/zero"]);
    expect({ exitCode, bytes: result.stdout_bytes }).toEqual({ exitCode: 0, bytes: 100_000 });
  });
});

describe("open files, address space, core", () => {
  test("--limit-nofile", async () => {
    const tried = await tryInZone(["openbomb 1000"], ["--limit-nofile", "32"]);
    expect(tried.answers[0]).toMatchObject({ outcome: "EMFILE", items: ["29 made"] });
    expect(guarantee(tried.result, "rlimit_nofile").state).toBe("enforced");
  });

  test("--limit-as", async () => {
    const tried = await tryInZone(["memhog 1G"], ["--limit-as", "200Mi"]);
    expect(tried.answers[0]?.outcome).toBe("ENOMEM");
    expect(Number.parseInt(tried.answers[0]?.items[0] ?? "", 10)).toBeWithin(150, 201);
  });

  test("the policy's defaults: 8192 files, no core dump, none of them to be lifted", async () => {
    const tried = await tryInZone(["limits", "raise-limit 7", "raise-limit 4", "die 6"], ["--user", "0"]);
    expect(asRecord(tried.answers[0]?.items ?? [])).toMatchObject({
      nofile: "8192",
      "nofile.hard": "8192",
      core: "0",
      "core.hard": "0",
      as: "unlimited",
    });
    expect(tried.answers.slice(1).map(({ outcome }) => outcome)).toEqual(["EPERM", "EPERM"]);
    expect(tried.result.signal).toBe("SIGABRT");
  });

  test("--limit-core lets a core be written where the workspace is", async () => {
    const tried = await tryInZone(["limits"], ["--limit-core", "1Mi"]);
    expect(asRecord(tried.answers[0]?.items ?? [])).toMatchObject({
      core: String(1 << 20),
      "core.hard": String(1 << 20),
    });
  });
});

test("a limit of the flag's wins over the policy's, and the result says who limited", async () => {
  const { result } = await sandbox(["--limit-nofile", "64", "--pids", "20"], ["sh", "-c", "ulimit -n"]);
  expect(result.stdout).toBe("64\n");
  for (const name of ["rlimit_nofile", "pids_limit", "memory_limit", "wall_clock", "tmpfs_quota"]) {
    expect(guarantee(result, name), name).toMatchObject({ state: "enforced", mechanism: expect.stringMatching(/\w/) });
  }
  for (const name of ["rlimit_cpu", "rlimit_as", "rlimit_fsize", "cpu_quota"]) {
    expect(guarantee(result, name), name).toEqual({ state: "not_requested", mechanism: null });
  }
});

describe("scratch space", () => {
  test(
    "holds 100,000 files in /tmp",
    async () => {
      const { answers } = await tryInZone([["filebomb", "/tmp", "100000"]], ["--timeout", "50s"]);
      expect(answers[0]).toMatchObject({ outcome: "OK", items: ["100000 made"] });
    },
    patient(60_000),
  );

  test(
    "has an end in files: 262,144 of them, in all folders together",
    async () => {
      const tried = await tryInZone(
        [
          ["filebomb", "/tmp", "200000"],
          ["filebomb", "/dev/shm", "200000"],
        ],
        ["--timeout", "50s"],
      );
      expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", "ENOSPC"]);
      expect(200_000 + Number.parseInt(tried.answers[1]?.items[0] ?? "", 10)).toBeWithin(260_000, 262_144);
      expect(guarantee(tried.result, "tmpfs_quota").state).toBe("enforced");
    },
    patient(60_000),
  );

  test(
    "has an end in bytes: 1 GiB, in all folders together",
    async () => {
      const tried = await tryInZone(
        [
          ["filebomb", "/tmp", "7", "100M"],
          ["filebomb", "/run", "7", "100M"],
        ],
        ["--timeout", "50s"],
      );
      expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", "ENOSPC"]);
    },
    patient(60_000),
  );

  test("of a policy's size", async () => {
    const flags = ["--policy", `${import.meta.dir}/small-tmp.toml`];
    const tried = await tryInZone([["filebomb", "/tmp", "10", "1M"]], flags);
    expect(tried.answers[0]?.outcome).toBe("ENOSPC");
    expect(Number.parseInt(tried.answers[0]?.items[0] ?? "", 10)).toBeWithin(3, 5);
  });

  test("is gone with the zone", async () => {
    const before = readdirSync("/dev/shm").sort();
    await tryInZone([
      ["create", "/dev/shm/rauha-test-left"],
      ["create", "/tmp/rauha-test-left"],
    ]);
    expect(readdirSync("/dev/shm").sort()).toEqual(before);
    expect(readdirSync("/tmp")).not.toContain("rauha-test-left");
  });
});

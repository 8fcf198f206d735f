/** Denials as events: for the zone's whole life, from all of its processes, told truly and in bounded number; and what policies make of them. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { hasProgram, inVm, isPinned, needs, patient } from "../support/identity.ts";
import { PROBE, probeBind } from "../support/probe.ts";
import { guarantee, outcomes, rauha, sandbox, tryInZone } from "../support/rauha.ts";

const ioUringSetup = 425;

/** A policy file of the test's own. */
function policyFile(text: string, others: Readonly<Record<string, string>> = {}): string {
  const folder = writeFiles(makeFolder("policy"), { "mine.toml": text, ...others });
  return `${folder}/mine.toml`;
}

describe("a flood", () => {
  needs("perl", hasProgram("perl"))(
    "of denied calls is denied, counted and told in part; the result stays small and says that it is partial",
    async () => {
      // Each costs a turn of the zone's init, of which an emulated processor does a few hundred a second.
      const calls = inVm ? 4_000 : 100_000;
      const script = `my $denied = 0; for (1..${calls}) { $denied++ if syscall(${ioUringSetup}, 1, 0) == -1 && $!{EPERM} } print $denied`;
      const began = performance.now();
      const { result, stdout } = await sandbox([], ["perl", "-e", script]);
      expect(performance.now() - began).toBeLessThan(patient(30_000));
      expect(result).toMatchObject({ status: "succeeded", stdout: String(calls) });
      expect(result.enforcement_events).toHaveLength(256);
      expect(result.enforcement.trust_level).toBe("partial");
      expect(stdout.length).toBeLessThan(1 << 20);
      const dropped = result.events.find((event) => event["event.name"] === "rauha.enforcement.deny.dropped");
      expect(dropped).toMatchObject({ "event.outcome": "degraded", level: "warn" });
      expect(dropped?.degraded_reason).toStartWith(`${calls - 256} `);
    },
    patient(60_000),
  );

  needs("perl", hasProgram("perl"))("does not keep the time limit from ending it", async () => {
    const script = `while (1) { syscall(${ioUringSetup}, 1, 0) }`;
    const { exitCode, result } = await sandbox(["--timeout", "1s"], ["perl", "-e", script]);
    expect({ exitCode, cause: result.cause }).toEqual({ exitCode: 124, cause: "timeout" });
    expect(result.enforcement_events).toHaveLength(256);
  });
});

describe("the listener", () => {
  test("hears grandchildren, and those that outlive their parents", async () => {
    const script = `(sleep 0.2; exec ${PROBE} socket 40 1) & (sh -c 'sh -c "${PROBE} unshare user"'); ${PROBE} bpf; wait`;
    const { result } = await sandbox(probeBind, ["sh", "-c", script]);
    expect(result.stdout).toBe("unshare user: EPERM\nbpf: EPERM\nsocket 40 1: EPERM\n");
    expect(result.enforcement_events.map(({ action }) => action)).toEqual(["unshare", "bpf", "socket"]);
    expect(new Set(result.enforcement_events.map(({ pid }) => pid)).size).toBe(3);
  });

  test("tells of denials by the caller's own streams too, and with a time-out", async () => {
    const folder = makeFolder("result");
    const args = ["sandbox", ...probeBind, "--stream", "--result", `${folder}/result.json`, "--", PROBE, "bpf"];
    expect((await rauha(args)).stdout).toBe("bpf: EPERM\n");
    const result = (await Bun.file(`${folder}/result.json`).json()) as { enforcement_events: unknown[] };
    expect(result.enforcement_events).toHaveLength(1);
  });

  test("is not the task's: no descriptor of it is left, no second one can be made", async () => {
    const SECCOMP_SET_MODE_FILTER = 1;
    const NEW_LISTENER = 8;
    const number = process.arch === "arm64" ? 277 : 317;
    const { answers } = await tryInZone(["fds", `syscall ${number} ${SECCOMP_SET_MODE_FILTER} ${NEW_LISTENER} 0`]);
    expect(answers[0]?.items.filter((item) => !/^[0-3]=/.test(item))).toEqual([]);
    expect(answers[0]?.items.join()).not.toContain("seccomp");
    expect(answers[1]?.outcome).toBe("EPERM");
  });
});

describe("a policy's lists", () => {
  test("deny takes a call away, and the event names the list", async () => {
    const policy = policyFile('extends = "task"\n[syscalls]\ndeny = ["ptrace", "mkdir", "mkdirat"]\n');
    const tried = await tryInZone(["mkdir /tmp/made", "create /tmp/file"], ["--policy", policy]);
    expect(outcomes(tried)).toEqual({ "mkdir /tmp/made": "EPERM", "create /tmp/file": "OK" });
    expect(tried.result.enforcement_events).toMatchObject([
      {
        object: "/tmp/made",
        why: expect.stringContaining("syscalls.deny"),
        policy_key: expect.stringMatching(/^syscalls\.deny without "mkdir/),
      },
    ]);
  });

  test("allow gives one back: the kernel answers, not the filter", async () => {
    const policy = policyFile('extends = "task"\n[syscalls]\nallow = ["unshare", "add_key"]\n');
    const tried = await tryInZone(["unshare user", "bpf"], ["--policy", policy]);
    expect(outcomes(tried)).toEqual({ "unshare user": "OK", bpf: "EPERM" });
    expect(tried.result.enforcement_events.map(({ action }) => action)).toEqual(["bpf"]);
    expect(guarantee(tried.result, "self_test").mechanism).not.toContain("new user namespace");
  });

  test("misspelled names are refused, all of them, with the nearest", async () => {
    const policy = policyFile('extends = "task"\n[syscalls]\ndeny = ["ptrase"]\nallow = ["unshar"]\n');
    const { exitCode, stderr } = await rauha(["sandbox", "--policy", policy, "--", "true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("ptrase");
    expect(stderr).toContain("ptrace");
    expect(stderr).toContain("unshare");
    expect(stderr).toMatch(/mine\.toml:3:\d+/);
    expect(stderr).toMatch(/mine\.toml:4:\d+/);
  });

  test("deny of what the listener is handed over by still denies, without events and with a guarantee that says so", async () => {
    const policy = policyFile('extends = "task"\n[syscalls]\ndeny = ["sendmsg"]\n');
    const tried = await tryInZone(["bpf", "socket 1 1"], ["--policy", policy]);
    expect(outcomes(tried)).toEqual({ bpf: "EPERM", "socket 1 1": "OK" });
    expect(tried.result.enforcement_events).toEqual([]);
    expect(guarantee(tried.result, "syscall_filter").state).toBe("enforced");
    expect(guarantee(tried.result, "denial_events").state).toBe("unavailable");
    expect(tried.result.enforcement.trust_level).toBe("best_effort");
  });
});

describe("a profile of the user's", () => {
  const allowAll = (syscalls: readonly object[]) => JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW", syscalls });

  test("is applied, and a denial says which file denied", async () => {
    const rules = [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 1 }];
    const policy = policyFile('extends = "task"\n[syscalls]\nprofile = "mine.json"\n', {
      "mine.json": allowAll(rules),
    });
    const tried = await tryInZone(["mkdir /tmp/made", "create /tmp/file"], ["--policy", policy]);
    expect(outcomes(tried)).toEqual({ "mkdir /tmp/made": "EPERM", "create /tmp/file": "OK" });
    const [event] = tried.result.enforcement_events;
    expect(event).toMatchObject({ object: "/tmp/made", why: expect.stringContaining("mine.json") });
    expect(guarantee(tried.result, "syscall_filter").mechanism).toContain("mine.json");
  });

  test("that is broken is refused with its place, before anything runs", async () => {
    const policy = policyFile('extends = "task"\n[syscalls]\nprofile = "mine.json"\n', {
      "mine.json": '{\n "default": 1\n}',
    });
    const { exitCode, stderr } = await rauha(["sandbox", "--policy", policy, "--", "true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("mine.json");
    expect(stderr).toContain("defaultAction");
  });

  test("that is not there is refused by name", async () => {
    const policy = policyFile('extends = "task"\n[syscalls]\nprofile = "none.json"\n');
    const { exitCode, stderr } = await rauha(["sandbox", "--policy", policy, "--", "true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("none.json can't be read: ENOENT");
  });
});

describe("enforcement.require", () => {
  test("landlock holds here", async () => {
    const policy = policyFile('extends = "task"\n[enforcement]\nrequire = "landlock"\n');
    const { result } = await sandbox(["--policy", policy], ["true"]);
    const lsm = isPinned ? ["bpf-lsm", "landlock"] : ["landlock"];
    expect(result).toMatchObject({ status: "succeeded", enforcement: { lsm } });
  });

  test("bpf-lsm is refused with 125 where it does not decide, naming the key's place", async () => {
    const policy = policyFile('extends = "task"\n[enforcement]\nrequire = "bpf-lsm"\n');
    const { exitCode, result, stderr } = await sandbox(["--policy", policy], ["true"]);
    if (isPinned) {
      expect({ exitCode, lsm: result.enforcement.lsm }).toEqual({ exitCode: 0, lsm: ["bpf-lsm", "landlock"] });
      return;
    }
    expect(exitCode).toBe(125);
    expect(result).toMatchObject({ status: "runtime_error", cause: "policy", error: { code: "unenforceable" } });
    expect(result.error?.message).toContain("the policy requires bpf-lsm, which does not decide here: ");
    expect(stderr).toMatch(/mine\.toml:3:\d+/);
    expect(stderr).toContain("rauha doctor");
  });
});

describe("filesystem and devices by policy", () => {
  /** One that no zone has by itself; in a container there may be none, and then one that every zone has must do. */
  const device = ["/dev/fuse", "/dev/kvm", "/dev/net/tun", "/dev/loop-control"].find(existsSync) ?? "/dev/full";

  test("readable_paths are read only, denied_paths are hidden, devices.allowed are there", async () => {
    const policy = policyFile(
      `extends = "task"\n[filesystem]\nreadable_paths = ["/etc/debian_version"]\ndenied_paths = ["/usr/share/doc", "/usr/bin/env"]\n[devices]\nallowed = ["/dev/null", "${device}"]\n`,
    );
    const tried = await tryInZone(
      [
        "open r /etc/debian_version",
        "open w /etc/debian_version",
        "list /usr/share/doc",
        "exec /usr/bin/env",
        "open r /usr/bin/env",
        `stat ${device}`,
        "stat /dev/loop0",
      ],
      ["--policy", policy],
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual([
      "OK",
      expect.stringMatching(/EROFS|EACCES/),
      "OK",
      "EACCES",
      expect.stringMatching(/OK|EACCES/),
      "OK",
      "ENOENT",
    ]);
    expect(tried.answers[2]?.items).toEqual([]);
  });
});

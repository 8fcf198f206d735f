/** What the task may do: ids, capabilities, limits, and the self-test that tries the forbidden. */
import { describe, expect, test } from "bun:test";
import { type PlanOp, stages, verifyCheck } from "../../src/run/plan/contract.ts";
import { isRoot, launch, runners } from "./launch.ts";
import { type PlanParts, plan, userId } from "./plans.ts";

const status = "grep -E '^(Cap|NoNewPrivs|Groups|Uid|Umask)' /proc/self/status";
const capabilities = { chown: 1n << 0n, kill: 1n << 5n, setuid: 1n << 7n, sysAdmin: 1n << 21n, sysPtrace: 1n << 19n };
const lines = (names: readonly string[], mask: bigint) =>
  names.map((name) => `${name}:\t${mask.toString(16).padStart(16, "0")}\n`).join("");
const sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];

describe.each(runners)("as %s", (runner) => {
  const run = (script: string, parts: Partial<PlanParts> = {}) =>
    launch(plan({ runner, argv: ["sh", "-c", script], ...parts }), { runner });
  const uid = runner === "root" ? 0 : userId;

  test("no capabilities, no new privileges, the plan's ids and umask", async () => {
    const { output } = await run(`${status}; touch /tmp/x; stat -c %a /tmp/x`);
    expect(output(1)).toContain(lines(sets, 0n));
    expect(output(1)).toContain("NoNewPrivs:\t1");
    expect(output(1)).toContain(`Uid:\t${uid}\t${uid}\t${uid}\t${uid}`);
    expect(output(1)).toContain("Umask:\t0022");
    expect(output(1)).toEndWith("644\n");
  });

  test("granted capabilities are in every set, whoever the task is, and stay over exec", async () => {
    const mask = capabilities.chown | capabilities.kill;
    const { output } = await run(status, { mask });
    expect(output(1)).toContain(lines(sets, mask));
    if (runner !== "root") return;
    const other = await run(status, { mask, uid: 7 });
    expect(other.output(1)).toContain(lines(sets, mask));
    expect(other.output(1)).toContain("Uid:\t7\t7\t7\t7");
  });

  test("init keeps the right to signal, and to the task it is a closed book", async () => {
    const script =
      "grep CapEff /proc/1/status; ls -l /proc/1/fd; cat /proc/1/environ; kill -9 1; echo $?; grep VmRSS /proc/1/status";
    const { output, one } = await run(script);
    expect(output(1)).toContain("CapEff:\t0000000000000020");
    expect(output(2).match(/Permission denied/g)?.length).toBeGreaterThanOrEqual(2);
    expect(one("ended").status).toBe(0);
    expect(Number(/VmRSS:\s+(\d+)/.exec(output(1))?.[1])).toBeLessThan(300);
  });

  test("the self-test reports what it tried", async () => {
    const checks =
      verifyCheck.mount | verifyCheck.writeProcSys | verifyCheck.ptraceInit | verifyCheck.regainCapabilities;
    const { one, records } = await run("true", { after: [{ op: "verify", checks }] });
    expect(one("verified").checks).toBe(checks);
    const names = records.map(({ record }) => record);
    expect(names.indexOf("verified")).toBeLessThan(names.indexOf("started"));
    expect(one("ended").status).toBe(0);
  });

  test.each([
    ["newUserNamespace", 0n, "a new user namespace could be made"],
    ["mount", capabilities.sysAdmin, "a mount could be changed"],
    ["ptraceInit", capabilities.sysPtrace, "init could be traced"],
  ] as const)("a lock that does not hold stops the task: %s", async (check, mask, detail) => {
    const ops = plan({ runner, argv: ["echo", "ran"], mask, after: [{ op: "verify", checks: verifyCheck[check] }] });
    const { all, output, one } = await launch(ops, { runner });
    const [failed] = all("failed");
    if (check === "ptraceInit") {
      // init is no one's to trace even with the capability: its memory belongs to the host's root
      expect(failed).toBeUndefined();
      expect(one("verified").checks).toBe(verifyCheck.ptraceInit);
      return;
    }
    expect(failed).toMatchObject({ step: "verify", detail });
    expect(stages[failed?.stage ?? 0]).toBe("verify");
    expect(output(1)).toBe("");
  });

  test("rlimits are the plan's", async () => {
    const rlimit = (resource: number, soft: number, hard = soft): PlanOp => ({
      ...{ op: "rlimit", resource, soft, hard, clamp: 1 },
    });
    const after = [rlimit(7, 64, 100), rlimit(4, 0), rlimit(1, 1 << 20), rlimit(0, 100)];
    const { output } = await run("ulimit -n; ulimit -Hn; ulimit -c; ulimit -f; ulimit -t", { after });
    expect(output(1)).toBe("64\n100\n0\n2048\n100\n");
  });

  test("a hard limit that nobody here may raise is kept where the plan allows, and said", async () => {
    const resource = 7;
    const ops = (clamp: number) =>
      plan({
        runner,
        argv: ["sh", "-c", "ulimit -Hn"],
        after: [{ op: "rlimit", resource, soft: 2 ** 20 + 9, hard: 2 ** 20 + 9, clamp }],
      });
    const shellLimit = Bun.spawnSync(["sh", "-c", "ulimit -Hn"]).stdout.toString().trim();
    const kept = await launch(ops(1), { runner });
    if (kept.output(1).trim() === `${2 ** 20 + 9}`) return; // this host lets anybody
    expect(kept.output(1).trim()).toBe(shellLimit);
    expect(kept.all("skipped").some(({ step, errno }) => step === "prlimit64" && errno === 1)).toBe(true);
    const refused = (await launch(ops(0), { runner })).one("failed");
    expect(refused).toMatchObject({ errno: 1, step: "prlimit64" });
    expect(stages[refused.stage]).toBe("limits");
  });

  test("RLIMIT_NPROC counts the zone's processes alone", async () => {
    const nproc: PlanOp = { op: "rlimit", resource: 6, soft: 6, hard: 6, clamp: 1 };
    const script = "for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait; echo end";
    const { output } = await run(script, { after: [nproc], ...(runner === "root" ? { uid: 7 } : {}) });
    expect(output(2)).toContain("Cannot fork");
    expect((await run("sleep 0 & sleep 0 & wait; echo ok", { after: [nproc] })).output(1)).toBe("ok\n");
  });

  test("an id that the zone does not have is refused", async () => {
    const failed = (await run("true", { uid: 70_000 })).one("failed");
    expect(failed.step).toMatch(/setres[gu]id/);
    expect(stages[failed.stage]).toBe("caps");
  });
});

describe.if(isRoot)("root's zones", () => {
  const runner = "root" as const;

  test("supplementary groups are the plan's", async () => {
    const ops = plan({ runner, argv: ["id", "-G"], uid: 7 }).map((op) =>
      op.op === "identity" ? { ...op, groups: ["20", "30"] } : op,
    );
    expect((await launch(ops, { runner })).output(1)).toBe("7 20 30\n");
  });

  test("without a user namespace: the host's ids, and no capability but the plan's", async () => {
    const namespaces = 0x6e020000;
    const ops = plan({ runner, argv: ["sh", "-c", `${status}; hostname; ls /proc | grep -c '^[0-9]'`], namespaces });
    const { output } = await launch(
      ops.filter(({ op }) => op !== "uid_map" && op !== "gid_map"),
      { runner },
    );
    expect(output(1)).toContain(lines(sets, 0n));
    expect(output(1)).toContain("zone\n");
  });

  test.each([
    ["hostname", 0x7a020000],
    ["loopback", 0x3e020000],
  ] as const)("%s without a namespace of its own would be the host's: refused", async (op, namespaces) => {
    const { one } = await launch(plan({ runner, argv: ["true"], namespaces }), { runner });
    const failed = one("failed");
    expect(stages[failed.stage]).toBe("net");
    expect(failed.step).toBe(op === "hostname" ? "sethostname" : "ioctl(SIOCSIFFLAGS)");
  });
});

/** cgroup ops: on the version 1 hierarchies that root has here, and on whatever directory stands in for one. */
import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupKind, endCause, type PlanOp, stages } from "../../src/run/plan/contract.ts";
import { isRoot, launch } from "./launch.ts";
import { type PlanParts, plan } from "./plans.ts";

const runner = "root" as const;
const memoryRoot = "/sys/fs/cgroup/memory";
const pidsRoot = "/sys/fs/cgroup/pids";
const hasVersion1 = isRoot && existsSync(`${memoryRoot}/memory.limit_in_bytes`) && existsSync(`${pidsRoot}/tasks`);
const unified = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((path) => existsSync(`${path}/cgroup.procs`));
const hasVersion2 = isRoot && unified !== undefined;

let count = 0;
const newName = (): string => `rauha-test-${process.pid}-${count++}`;
const v1 = (root: string, name: string): PlanOp => ({ op: "cgroup", path: `${root}/${name}`, kind: cgroupKind.v1 });
const set = (file: string, value: string, optional = 0): PlanOp => ({ op: "cgroup_set", file, value, optional });
const collect = (file: string): PlanOp => ({ op: "cgroup_collect", file });
const run = (script: string, before: readonly PlanOp[], parts: Partial<PlanParts> = {}) =>
  launch(plan({ runner, argv: ["sh", "-c", script], before, ...parts }), { runner });
const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

describe.if(hasVersion1)("version 1 controllers", () => {
  test("the zone is in its cgroups, sees them as the root, and they are gone with it", async () => {
    const name = newName();
    const result = await run("cat /proc/self/cgroup; cat /proc/1/cgroup | grep pids", [
      v1(memoryRoot, name),
      v1(pidsRoot, name),
    ]);
    expect(result.output(1)).toMatch(/:memory:\/\n/);
    expect(result.output(1)).toMatch(/:pids:\/\n/);
    expect(result.one("cleaned").errno).toBe(0);
    expect(existsSync(`${memoryRoot}/${name}`)).toBe(false);
    expect(existsSync(`${pidsRoot}/${name}`)).toBe(false);
  });

  test("limits hold from the first instruction, and control files are reported at the end, in order", async () => {
    const name = newName();
    const ops = plan({
      runner,
      argv: ["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait"],
      before: [
        v1(pidsRoot, name),
        set("pids.max", "5"),
        collect("pids.current"),
        collect("pids.max"),
        collect("no.such"),
      ],
    });
    const { output, all } = await launch(ops, { runner });
    expect(output(2)).toContain("Cannot fork");
    const collected = all("collected");
    expect(collected.map(({ op, data }) => [ops[op]?.op, text(data)])).toEqual([
      ["cgroup_collect", "0\n"],
      ["cgroup_collect", "5\n"],
    ]);
    const missing = ops.findIndex((op) => op.op === "cgroup_collect" && op.file === "no.such");
    expect(all("skipped").filter(({ op }) => op === missing)).toMatchObject([{ errno: 2 }]);
  });

  test("out of memory: the kernel's kill is the task's end, and the zone is cleaned up", async () => {
    const name = newName();
    const script = "head -c 200000000 /dev/zero | tail -c 150000000 | wc -c";
    const before = [v1(memoryRoot, name), set("memory.limit_in_bytes", `${32 << 20}`), collect("memory.oom_control")];
    const { one, all } = await run(`exec sh -c '${script}'`, before);
    expect(one("ended").cause).toBe(endCause.none);
    expect(text(all("collected")[0]?.data)).toMatch(/oom_kill [1-9]/);
    expect(existsSync(`${memoryRoot}/${name}`)).toBe(false);
  });

  test("a setting that can't be written stops the run, with the file's path, and leaves nothing", async () => {
    const name = newName();
    const missing = (await run("true", [v1(pidsRoot, name), set("no.such.file", "1")])).one("failed");
    expect(missing).toMatchObject({ errno: 2, detail: `${pidsRoot}/${name}/no.such.file` });
    expect(stages[missing.stage]).toBe("cgroup");
    const bad = (await run("true", [v1(pidsRoot, name), set("pids.max", "many")])).one("failed");
    expect(bad).toMatchObject({ errno: 22, step: "write", detail: `${pidsRoot}/${name}/pids.max` });
    expect(existsSync(`${pidsRoot}/${name}`)).toBe(false);
    const optional = await run("true", [v1(pidsRoot, name), set("no.such.file", "1", 1)]);
    expect(optional.one("ended").status).toBe(0);
    expect(optional.all("skipped").some(({ op }) => op === 2)).toBe(true);
  });

  test("a directory that exists already is somebody else's", async () => {
    const name = newName();
    mkdirSync(`${pidsRoot}/${name}`);
    const { one } = await run("true", [v1(memoryRoot, name), v1(pidsRoot, name)]);
    expect(one("failed")).toMatchObject({ errno: 17, step: "mkdir", detail: `${pidsRoot}/${name}` });
    expect(existsSync(`${pidsRoot}/${name}`)).toBe(true);
    expect(existsSync(`${memoryRoot}/${name}`)).toBe(false);
    rmdirSync(`${pidsRoot}/${name}`);
  });

  test("whatever ends the zone, its cgroups go", async () => {
    for (const script of ["exit 3", "kill -9 $$", "sleep 60 & (setsid sleep 60 &); exit 0"]) {
      const name = newName();
      expect((await run(script, [v1(memoryRoot, name), v1(pidsRoot, name)])).one("cleaned").errno).toBe(0);
      expect(existsSync(`${pidsRoot}/${name}`)).toBe(false);
    }
  });

  test("abandoned directories are swept as the zone ends: old, empty, and of that name", async () => {
    const prefix = `rauha-test-sweep-${process.pid}-`;
    const name = newName();
    mkdirSync(`${pidsRoot}/${prefix}old`);
    mkdirSync(`${pidsRoot}/${name}`);
    // A cgroup's time is that of its first look-up, which the launcher makes when it enters.
    expect(readdirSync(`${pidsRoot}/${prefix}old`)).toContain("tasks");
    await Bun.sleep(1100);
    const sweep: PlanOp = { op: "cgroup_sweep", path: pidsRoot, prefix, min_age_s: 0 };
    await run("true", [sweep, v1(pidsRoot, newName())]);
    expect(existsSync(`${pidsRoot}/${prefix}old`)).toBe(false);
    expect(existsSync(`${pidsRoot}/${name}`)).toBe(true);
    mkdirSync(`${pidsRoot}/${prefix}young`);
    await run("true", [{ ...sweep, min_age_s: 60 }, v1(pidsRoot, newName())]);
    expect(existsSync(`${pidsRoot}/${prefix}young`)).toBe(true);
    rmdirSync(`${pidsRoot}/${prefix}young`);
    rmdirSync(`${pidsRoot}/${name}`);
  });

  test("the sweep never follows a prefix that is empty", async () => {
    const name = newName();
    mkdirSync(`${pidsRoot}/${name}`);
    await run("true", [{ op: "cgroup_sweep", path: pidsRoot, prefix: "", min_age_s: 0 }]);
    expect(existsSync(`${pidsRoot}/${name}`)).toBe(true);
    rmdirSync(`${pidsRoot}/${name}`);
  });
});

describe.if(hasVersion2)("the unified hierarchy", () => {
  test("the zone is cloned into its cgroup, which is gone with it", async () => {
    const path = `${unified}/${newName()}`;
    const before: PlanOp[] = [{ op: "cgroup", path, kind: cgroupKind.v2 }, collect("cgroup.events")];
    const { output, all } = await run("grep ^0:: /proc/self/cgroup /proc/1/cgroup", before);
    expect(output(1)).toBe("/proc/self/cgroup:0::/\n/proc/1/cgroup:0::/\n");
    expect(text(all("collected")[0]?.data)).toContain("populated 0");
    expect(existsSync(path)).toBe(false);
  });
});

describe("without any cgroup", () => {
  const directory = mkdtempSync(join(tmpdir(), "rauha-test-cgroup-"));
  afterAll(() => rmSync(directory, { recursive: true }));

  test("a parent that is not there is an error of stage cgroup", async () => {
    const someone = isRoot ? runner : "user";
    const before: PlanOp[] = [{ op: "cgroup", path: `${directory}/none/x`, kind: cgroupKind.v2 }];
    const { one } = await launch(plan({ runner: someone, argv: ["true"], before }), { runner: someone });
    expect(stages[one("failed").stage]).toBe("cgroup");
    expect(one("failed")).toMatchObject({ errno: 2, step: "mkdir", detail: `${directory}/none/x`, op: 1 });
  });

  test("the sweep removes empty directories only, and nothing but directories", async () => {
    const someone = isRoot ? runner : "user";
    for (const name of ["x-empty", "x-full", "y-empty"]) mkdirSync(join(directory, name));
    writeFileSync(join(directory, "x-full/file"), "");
    writeFileSync(join(directory, "x-file"), "");
    const old = new Date(Date.now() - 3_600_000);
    for (const name of readdirSync(directory)) utimesSync(join(directory, name), old, old);
    const before: PlanOp[] = [{ op: "cgroup_sweep", path: directory, prefix: "x-", min_age_s: 60 }];
    await launch(plan({ runner: someone, argv: ["true"], before }), { runner: someone });
    expect(readdirSync(directory).sort()).toEqual(["x-file", "x-full", "y-empty"]);
    expect(readFileSync(join(directory, "x-file"), "utf8")).toBe("");
  });
});

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadPolicy } from "../../../src/cli/policy-source.ts";
import { linuxBackend } from "../../../src/linux/backend.ts";
import { consulting } from "../../../src/linux/start/consulting.ts";
import { Consulted } from "../../../src/run/start/consulted.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "rauha-consulted-"));
  mkdirSync(join(cwd, "lower"));
  writeFileSync(join(cwd, "mine.toml"), 'extends = "lower/base.toml"\n');
  writeFileSync(join(cwd, "lower/base.toml"), 'extends = "strict"\n');
  writeFileSync(join(cwd, "bare"), 'extends = "task"\n');
});
afterAll(() => rmSync(cwd, { recursive: true }));

test("a policy file is noted with all that it extends, whole", async () => {
  const consulted = new Consulted();
  expect(await loadPolicy("./mine.toml", { cwd, consulted })).toMatchObject({ ok: true });
  expect(consulted.isComplete).toBe(true);
  const read = consulted.all.map((asked) =>
    asked.kind === "read" && typeof asked.outcome === "object"
      ? [asked.path, asked.limit > asked.outcome.length, new TextDecoder().decode(asked.outcome)]
      : asked,
  );
  expect(read).toEqual([
    [join(cwd, "mine.toml"), true, 'extends = "lower/base.toml"\n'],
    [join(cwd, "lower/base.toml"), true, 'extends = "strict"\n'],
  ]);
});

test("a shipped policy asks nothing; a file by its bare name is asked for in a way that is not noted", async () => {
  const consulted = new Consulted();
  expect(await loadPolicy("task", { cwd, consulted })).toMatchObject({ ok: true });
  expect([consulted.all, consulted.isComplete]).toEqual([[], true]);
  expect(await loadPolicy("bare", { cwd, consulted })).toMatchObject({ ok: true });
  expect(consulted.isComplete).toBe(false);
});

test("the probes and the backend's reads are noted with the limit that was really used, until the plan is made", () => {
  const consulted = linuxBackend.starts.consult();
  try {
    linuxBackend.probe();
    const kinds = new Set(consulted.all.map(({ kind, path }) => `${kind} ${path}`));
    expect(kinds).toContain("read /proc/self/cgroup");
    expect(kinds).toContain("access /sys/fs/bpf/rauha");
    const before = consulted.all.length;
    linuxBackend.io.readText(join(cwd, "bare"), 4);
    linuxBackend.io.readText(join(cwd, "none"), 4);
    linuxBackend.io.readText(`${cwd}/bare/.`, 1);
    expect(consulted.all.slice(before)).toEqual([
      { kind: "read", path: join(cwd, "bare"), limit: 5, outcome: new TextEncoder().encode("exten") },
      { kind: "read", path: join(cwd, "none"), limit: 5, outcome: -2 },
      { kind: "read", path: `${cwd}/bare/.`, limit: 2, outcome: -20 },
    ]);
    consulted.close();
    linuxBackend.io.readText(join(cwd, "bare"), 4);
    expect(consulted.all.length).toBe(before + 3);
  } finally {
    consulting.noted = undefined;
  }
});

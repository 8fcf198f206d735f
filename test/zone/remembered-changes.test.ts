/** Whatever has changed since a start was remembered: the next one is as the planner makes it now. */
import { afterAll, describe, expect } from "bun:test";
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { canTrace, isRoot, needs } from "../support/identity.ts";
import { type Caller, callerEnvironment, RAUHA, rauha } from "../support/rauha.ts";
import {
  canTell,
  doerOf,
  doneBy,
  lasting,
  planned,
  type Through,
  warm,
  watched,
  watching,
  words,
} from "../support/starts.ts";
import { atTerminal } from "../support/terminal.ts";

const tells = needs("strace", canTell);

/** The runtime plans it, and the result is a planned start's; from then on it is remembered as it is now, if it can be. */
async function expectPlanned(flags: readonly string[], command: readonly string[], caller: Caller = {}) {
  const now = await watched(words(flags, command), caller);
  const reference = await rauha(words(flags, command), planned(caller));
  expect(now.by).toBe("planned");
  expect([now.exitCode, now.stderr]).toEqual([reference.exitCode, reference.stderr]);
  expect(lasting(now.stdout)).toBe(lasting(reference.stdout));
  return JSON.parse(now.stdout) as { stdout: string | null; exit_code: number | null; error: unknown };
}

describe("a policy file", () => {
  const limit = (pids: number) => `[resources]\npids_max = ${pids}\n`;
  const withPolicy = () => {
    const folder = writeFiles(makeFolder("policy"), {
      "base.toml": `extends = "task"\n${limit(40)}`,
      "mine.toml": 'extends = "base.toml"\n[filesystem]\nwritable_paths = ["/tmp"]\n',
    });
    return { folder, flags: ["--policy", join(folder, "mine.toml")] };
  };

  tells("is edited", async () => {
    const { folder, flags } = withPolicy();
    await warm(flags);
    writeFiles(folder, { "mine.toml": 'extends = "base.toml"\n[filesystem]\nwritable_paths = ["/opt"]\n' });
    expect((await expectPlanned(flags, ["sh", "-c", "echo > /opt/x && echo yes"])).stdout).toBe("yes\n");
    await warm(flags);
  });

  tells("that it extends is edited, by one byte", async () => {
    const { folder, flags } = withPolicy();
    await warm(flags);
    writeFiles(folder, { "base.toml": `extends = "task"\n${limit(41)}` });
    await expectPlanned(flags, ["true"]);
    await warm(flags);
    writeFiles(folder, { "base.toml": `extends = "task"\n${limit(41)} ` });
    await expectPlanned(flags, ["true"]);
  });

  tells("is removed, becomes another thing, or can't be read", async () => {
    for (const name of ["mine.toml", "base.toml"]) {
      const { folder, flags } = withPolicy();
      await warm(flags);
      const path = join(folder, name);
      const content = readFileSync(path, "utf8");
      if (!isRoot) {
        chmodSync(path, 0);
        expect((await expectPlanned(flags, ["true"])).error).not.toBeNull();
        chmodSync(path, 0o644);
        await warm(flags);
      }
      rmSync(path);
      expect((await expectPlanned(flags, ["true"])).error).not.toBeNull();
      mkdirSync(path);
      expect((await expectPlanned(flags, ["true"])).error).not.toBeNull();
      rmdirSync(path);
      writeFiles(folder, { [name]: content });
      await warm(flags);
    }
  });
});

describe("a variable that the policy hands in", () => {
  tells("changes, comes, goes", async () => {
    const command = ["sh", "-c", 'echo "$LANG"'];
    const env = (LANG: string | undefined) => ({ env: LANG === undefined ? {} : { LANG } });
    for (const [before, after, shown] of [
      ["C", "C.UTF-8", "C.UTF-8\n"],
      ["C", "", "\n"],
      ["", undefined, "\n"],
      [undefined, "C", "C\n"],
      ["CC", "C", "C\n"],
    ] as const) {
      await warm([], env(before));
      expect((await expectPlanned([], command, env(after))).stdout).toBe(shown);
      await warm([], env(after));
      const { by, stdout } = await doneBy("front", () => watched(words([], command), env(after)));
      expect([by, JSON.parse(stdout).stdout]).toEqual(["front", shown]);
    }
  });

  tells("and one that is not handed in is of no account", async () => {
    await warm([], { env: { SOMETHING: "1" } });
    const other = { env: { SOMETHING: "2" } };
    expect((await doneBy("front", () => watched(words([], ["true"]), other))).by).toBe("front");
  });
});

describe("where and how it is called", () => {
  tells("another directory", async () => {
    const [one, other] = [writeFiles(makeFolder("one"), { f: "1" }), writeFiles(makeFolder("other"), { f: "2" })];
    const flags = ["--repo-path", ".", "--repo-mode", "ro"];
    await warm(flags, { cwd: one });
    expect((await expectPlanned(flags, ["cat", "f"], { cwd: other })).stdout).toBe("2");
  });

  tells("a directory that was replaced by another of its name", async () => {
    const folder = writeFiles(makeFolder("replaced"), { "repo/f": "1" });
    const flags = ["--repo-path", join(folder, "repo"), "--repo-mode", "ro"];
    await warm(flags);
    rmSync(join(folder, "repo"), { recursive: true });
    const gone = await rauha(words(flags, ["cat", "f"]));
    const reference = await rauha(words(flags, ["cat", "f"]), planned());
    expect([gone.exitCode, lasting(gone.stdout)]).toEqual([reference.exitCode, lasting(reference.stdout)]);
    writeFiles(folder, { "repo/f": "2" });
    expect(JSON.parse((await rauha(words(flags, ["cat", "f"]))).stdout).stdout).toBe("2");
  });

  tells("a terminal as standard input, and none", async () => {
    const folder = makeFolder("terminal");
    const seen = async (start: string) => {
      const words_ = [...watching(join(folder, "log")), RAUHA, ...words([], ["readlink", "/proc/self/fd/0"])];
      await atTerminal([], ["sh", "-c", '"$@" > "$OUT"', "sh", ...words_], {
        env: { ...callerEnvironment(), OUT: join(folder, "out"), RAUHA_START: start },
      });
      return { by: doerOf(join(folder, "log")), text: readFileSync(join(folder, "out"), "utf8") };
    };
    await warm([], { env: { TERM: "xterm" } });
    const first = await seen("");
    const reference = await seen("planned");
    expect(first.by).toBe("planned");
    expect(lasting(first.text)).toBe(lasting(reference.text));
    for (let tries = 0; tries < 6; tries++) {
      const again = await seen("");
      expect(lasting(again.text)).toBe(lasting(reference.text));
      if (again.by === "front") return;
    }
    throw new Error("a start with a terminal as standard input is not remembered");
  });
});

const controllers = ["pids", "memory", ""].map((name) => join("/sys/fs/cgroup", name));
const hierarchy = controllers.find((path) => existsSync(join(path, "cgroup.procs")));
const cgroup = `${hierarchy}/rauha-test-${process.pid}-remembered`;
const inCgroup = ["sh", "-c", `echo $$ > ${cgroup}/cgroup.procs && exec "$@"`, "sh"];

describe("the caller's cgroup", () => {
  const can = needs("root and strace", canTrace);
  afterAll(() => {
    if (existsSync(cgroup)) rmdirSync(cgroup);
  });

  const same = async (through: Through, caller: Caller = {}) => {
    const now = await watched(words([], ["cat", "/proc/self/cgroup"]), caller, through);
    const reference = await watched(words([], ["cat", "/proc/self/cgroup"]), planned(caller), through);
    expect(lasting(now.stdout, false)).toBe(lasting(reference.stdout, false));
    return now.by;
  };

  can("is another one", async () => {
    mkdirSync(cgroup, { recursive: true });
    await warm([]);
    expect(await same({ prefix: inCgroup })).toBe("planned");
    await warm([], {}, { prefix: inCgroup });
    expect(await same({})).toBe("planned");
  });

  can("becomes an ordinary user's own, and is taken away again", async () => {
    mkdirSync(cgroup, { recursive: true });
    const program = join(makeFolder("program"), "rauha");
    copyFileSync(RAUHA, program);
    const ids = 12_398;
    const prefix = [...inCgroup, "setpriv", `--reuid=${ids}`, `--regid=${ids}`, "--clear-groups"];
    const through = { program, prefix };
    const caller = { env: { HOME: "/", XDG_RUNTIME_DIR: "" } };
    await warm([], caller, through);
    for (const owner of [ids, 0]) {
      chownSync(cgroup, owner, owner);
      for (const file of ["cgroup.procs", "cgroup.subtree_control", "tasks"]) {
        if (existsSync(join(cgroup, file))) chownSync(join(cgroup, file), owner, owner);
      }
      const by = await same(through, caller);
      // On the unified hierarchy a zone's cgroup is made above the caller's own (cgroups(7)), whose owner has no bearing on it.
      if (hierarchy !== "/sys/fs/cgroup") expect(by).toBe("planned");
      await watched(words([], ["true"]), caller, through);
      await same(through, caller);
    }
  });
});

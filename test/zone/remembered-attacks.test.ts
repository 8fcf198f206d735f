/** What is remembered of a start is its caller's alone: no task sees it, and what others put in its place is of no account. */
import { describe, expect } from "bun:test";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { startLimits } from "../../src/run/start/contract.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { canTrace, needs } from "../support/identity.ts";
import { RAUHA, rauha } from "../support/rauha.ts";
import { keyOfStart, plantSegment, readSegment, removeSegment, segmentOf, segments } from "../support/segments.ts";
import { canTell, lasting, planned, type Through, warm, watched, words } from "../support/starts.ts";

const tells = needs("strace", canTell);
const rootTells = needs("root and strace", canTrace);

/** Says `none` for each key that the zone does not have, and how many segments it lists. */
const looking = (keys: readonly number[], proc: string) => [
  "perl",
  "-e",
  `for (@ARGV) { print defined(shmget($_, 0, 0)) ? "there" : $!{ENOENT} ? "none" : "$!", " " }
  if (open F, "<", "${proc}/sysvipc/shm") { my @lines = <F>; print scalar @lines } else { print 1 }`,
  "--",
  ...keys.map(String),
];

describe("a task sees no record", () => {
  for (const policy of ["task", "strict", "standard", "build", "privileged"]) {
    tells(`under the policy ${policy}`, async () => {
      await warm([]);
      const keys = [keyOfStart([]), keyOfStart([], 0)];
      for (const flags of [
        ["--policy", policy],
        ["--policy", policy, "--ro-bind", "/proc:/opt"],
      ]) {
        const proc = flags.length > 2 ? "/opt" : "/proc";
        for (let time = 0; time < 2; time++) {
          const { stdout, exitCode } = await rauha(words(flags, looking(keys, proc)));
          const result = JSON.parse(stdout) as { stdout: string; error: unknown };
          // A policy that this caller can't have, or a view that is refused, shows nothing.
          if (result.error !== null) expect(exitCode).toBeOneOf([2, 125]);
          else expect(result.stdout).toBe("none none 1");
        }
      }
      const seen = JSON.parse((await rauha(words([], looking(keys, "/proc")))).stdout) as { stdout: string };
      expect(seen.stdout).toBe("none none 1");
      expect(segmentOf(keyOfStart([]))).toMatchObject({ mode: "600" });
    });
  }
});

describe("another user's segment in a record's place", () => {
  const other = 12_396;
  /** Made by perl as that user, so that the kernel has it as its maker too. */
  const plantAs = async (user: number, key: number, mode: string, content: Uint8Array): Promise<void> => {
    removeSegment(key);
    const folder = makeFolder("planted");
    await Bun.write(join(folder, "content"), content);
    const script = `my $c = do { local (@ARGV, $/) = "${folder}/content"; <> };
      my $id = shmget(${key}, length $c, 01000 | ${mode}) // die $!; shmwrite($id, $c, 0, length $c) or die $!`;
    const child = Bun.spawnSync([
      "setpriv",
      `--reuid=${user}`,
      `--regid=${user}`,
      "--clear-groups",
      "perl",
      "-e",
      script,
    ]);
    if (child.exitCode !== 0) throw new Error(child.stderr.toString());
  };

  const expectIgnored = async (victim: number, planter: number, through: Through): Promise<void> => {
    const key = keyOfStart([], victim);
    const caller = { env: { HOME: "/", XDG_RUNTIME_DIR: "" } };
    await warm([], caller, through);
    const own = segmentOf(key);
    if (own === undefined) throw new Error("no record");
    const genuine = readSegment(own);
    for (const mode of ["0600", "0666"]) {
      await plantAs(planter, key, mode, genuine);
      const before = segmentOf(key);
      const reference = await watched(words([], ["true"]), planned(caller), through);
      for (let time = 0; time < 3; time++) {
        const { by, stdout } = await watched(words([], ["true"]), caller, through);
        expect(by).toBe("planned");
        expect(lasting(stdout, false)).toBe(lasting(reference.stdout, false));
      }
      expect(segmentOf(key)).toEqual(before as never);
      expect(readSegment(before as never)).toEqual(genuine);
      removeSegment(key);
    }
    await warm([], caller, through);
  };

  rootTells("is ignored by root, and left alone", () => expectIgnored(0, other, {}));

  rootTells("is ignored by an ordinary user, whoever made it", async () => {
    const folder = makeFolder("program");
    copyFileSync(RAUHA, join(folder, "rauha"));
    chmodSync(join(folder, "rauha"), 0o755);
    const victim = 12_397;
    const prefix = ["setpriv", `--reuid=${victim}`, `--regid=${victim}`, "--clear-groups"];
    for (const planter of [other, 0]) await expectIgnored(victim, planter, { program: join(folder, "rauha"), prefix });
  });
});

describe("one's own segment that is no record", () => {
  const flags = ["--hostname", "planted"];
  const key = keyOfStart(flags);
  const changed = (bytes: Uint8Array, change: (view: DataView) => void) => {
    const copy = bytes.slice();
    change(new DataView(copy.buffer));
    return copy;
  };

  tells("is ignored, and gives way to one", async () => {
    await warm(flags);
    const own = segmentOf(key);
    if (own === undefined) throw new Error("no record");
    const genuine = readSegment(own);
    const cases: readonly [string, Uint8Array, number?][] = [
      ["readable for others", genuine, 0o644],
      ["writable for others", genuine, 0o666],
      ["read only", genuine, 0o400],
      ["too small", genuine.slice(0, 8)],
      ["cut", genuine.slice(0, genuine.length - 1)],
      ["too large", new Uint8Array([...genuine, ...new Uint8Array(startLimits.recordBytes)])],
      ["of nothing", new Uint8Array(4096)],
      ["half written", changed(genuine, (view) => view.setUint32(0, 0, true))],
      ["of another version", changed(genuine, (view) => view.setUint32(0, view.getUint32(0, true) + 1, true))],
      ["longer than it is", changed(genuine, (view) => view.setUint32(4, view.getUint32(4, true) + 1, true))],
      ["shorter than it is", changed(genuine, (view) => view.setUint32(4, view.getUint32(4, true) - 1, true))],
      ["without a length", changed(genuine, (view) => view.setUint32(4, 0, true))],
      ["of another build", changed(genuine, (view) => view.setUint8(8, view.getUint8(8) ^ 1))],
      ["full of ones", new Uint8Array(4096).fill(0xff)],
    ];
    for (const [what, content, mode] of cases) {
      plantSegment(key, content, mode);
      const first = await watched(words(flags, ["true"]));
      expect({ what, by: first.by, exitCode: first.exitCode }).toEqual({ what, by: "planned", exitCode: 0 });
      await warm(flags);
      expect([what, segmentOf(key)]).toMatchObject([what, { mode: "600", bytes: genuine.length }]);
    }
  });
});

describe("what is given for one zone", () => {
  tells("is in no segment: variables by name, the command, its output, its input", async () => {
    const secret = (what: string) => `secret${what}${crypto.randomUUID()}`;
    const [set, passed, word, outside, read, file] = ["a", "b", "c", "d", "e", "f"].map(secret) as [
      string,
      ...string[],
    ];
    const env = { MINE: passed ?? "", OUTSIDE: outside ?? "" };
    const folder = writeFiles(makeFolder("secret"), { "repo/file": file ?? "" });
    const repo = ["--repo-path", join(folder, "repo"), "--repo-mode", "ro"];
    for (let time = 0; time < 2; time++) {
      await rauha(words(["--env", `A=${set}`], ["sh", "-c", "echo $A"]), { env });
      await rauha(words(["--env-pass", "MINE"], ["sh", "-c", "echo $MINE"]), { env });
      await rauha(words([], ["echo", word ?? ""]), { env });
      await rauha(words(repo, ["cat", "file"]), { env });
      await rauha(words(["-i"], ["cat"]), { env, stdin: new TextEncoder().encode(read) });
    }
    const all = segments().filter(({ owner }) => owner === process.getuid?.());
    expect(all.length).toBeGreaterThan(0);
    for (const each of all) {
      const text = Buffer.from(readSegment(each)).toString("latin1");
      expect([set, passed, word, outside, read, file].filter((one) => text.includes(one ?? "secret"))).toEqual([]);
    }
  });
});

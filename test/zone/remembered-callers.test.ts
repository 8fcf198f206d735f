/** Callers that are unlike the one whose start is remembered, in what no option says: what they get is what a planned start gives them. */
import { describe, expect } from "bun:test";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { canTrace, hasProgram, needs } from "../support/identity.ts";
import { parseResult } from "../support/rauha.ts";
import { canTell, lasting, planned, warm, watched, words } from "../support/starts.ts";

const tells = needs("strace", canTell);
const task = [
  "sh",
  "-c",
  "cat /proc/self/limits; grep -E '^(Sig|Umask|Groups|Cpus_allowed:)' /proc/self/status; nice; cat; exit 3",
];

/** What is done before rauha is executed. */
const callers: readonly (readonly [string, readonly string[]])[] = [
  ["with fewer descriptors", ["sh", "-c", 'ulimit -n 500; exec "$@"', "sh"]],
  ["with a core size", ["sh", "-c", 'ulimit -c 0; exec "$@"', "sh"]],
  ["with little stack", ["sh", "-c", 'ulimit -s 1024; exec "$@"', "sh"]],
  ["with another mask for files", ["sh", "-c", 'umask 077; exec "$@"', "sh"]],
  ["who is nice", ["nice", "-n", "5"]],
  ["on one processor", ["taskset", "1"]],
  ["without standard input", ["sh", "-c", 'exec "$@" <&-', "sh"]],
  ["with a full disk as standard error", ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"]],
  ["who ignores signals", ["sh", "-c", "trap '' HUP INT TERM CHLD PIPE USR1; exec \"$@\"", "sh"]],
  ["with no variables", ["env", "-i"]],
  ["with a variable without a name", ["env", "-i", "=x"]],
  ["who reads a file", ["sh", "-c", 'exec "$@" </etc/hostname', "sh"]],
  ["who reads a directory", ["sh", "-c", 'exec "$@" </', "sh"]],
  ["with many open files", ["sh", "-c", 'for i in 3 4 5 6 7 8 9; do eval "exec $i</dev/null"; done; exec "$@"', "sh"]],
];

describe("a caller", () => {
  for (const [what, prefix] of callers) {
    tells(what, async () => {
      await warm([]);
      const [program = ""] = prefix;
      expect([program, hasProgram(program)]).toEqual([program, true]);
      const now = await watched(words([], task), {}, { prefix });
      const reference = await watched(words([], task), planned(), { prefix });
      expect([now.exitCode, now.stderr]).toEqual([reference.exitCode, reference.stderr]);
      if (reference.stdout === "") return expect(now.stdout).toBe("");
      expect(lasting(now.stdout)).toBe(lasting(reference.stdout));
    });
  }

  const roots = needs("root and strace", canTrace);

  for (const [what, prefix] of [
    ["with other groups", ["setpriv", "--groups", "5,6"]],
    ["with another group", ["setpriv", "--regid", "77", "--clear-groups"]],
    ["without some capabilities", ["setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-all"]],
    ["without the capability to mount", ["capsh", "--drop=cap_sys_admin", "--", "-c", 'exec "$@"', "sh"]],
    ["in a user namespace", ["unshare", "--user", "--map-root-user", "--"]],
    [
      "in a mount namespace with another /etc",
      ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /etc; exec "$@"', "sh"],
    ],
  ] as const) {
    roots(what, async () => {
      await warm([]);
      if (!hasProgram(prefix[0])) throw new Error(`${prefix[0]} is missing`);
      for (let time = 0; time < 3; time++) {
        const now = await watched(words([], task), {}, { prefix });
        const reference = await watched(words([], task), planned(), { prefix });
        expect([now.exitCode, now.stderr]).toEqual([reference.exitCode, reference.stderr]);
        expect(lasting(now.stdout, false)).toBe(lasting(reference.stdout, false));
      }
    });
  }

  tells("whose link leads elsewhere now", async () => {
    const folder = writeFiles(makeFolder("links"), { "one/f": "1", "two/f": "2" });
    const link = join(folder, "link");
    const point = (to: string) => Bun.spawnSync(["ln", "-sfn", join(folder, to), link]);
    const flags = ["--repo-path", link, "--repo-mode", "ro"];
    point("one");
    await warm(flags);
    point("two");
    for (let time = 0; time < 2; time++) {
      const now = await watched(words(flags, ["cat", "f"]));
      const reference = await watched(words(flags, ["cat", "f"]), planned());
      expect(parseResult(reference.stdout).stdout).toBe("2");
      expect(lasting(now.stdout)).toBe(lasting(reference.stdout));
    }
  });
});

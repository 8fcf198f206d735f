/** What bad input gets: refused with what, where, and the nearest valid name; never guessed, never run. SPEC section 7. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { rauha, sandbox } from "../support/rauha.ts";

/** Flags that are wrong, the exit code, what the message must name, and what the hint must offer. */
const wrongFlags: readonly (readonly [flags: string[], exitCode: number, names: string, offers: string])[] = [
  [["--netwrok", "none"], 2, "--netwrok", "--network"],
  [["--timout", "5"], 2, "--timout", "--timeout"],
  [["--ro-bnd", "/usr"], 2, "--ro-bnd", "--ro-bind"],
  [["--network=flase"], 2, "flase", "none"],
  [["--network=non"], 2, "non", "none"],
  [["--repo-mode=wr", "--repo-path", "/usr"], 2, "wr", "rw"],
  [["--timeout", "5", "--timeout", "6"], 2, "--timeout", "keep one"],
  [["--json", "--no-json"], 2, "--no-json", "--json"],
  [["--json=false"], 2, "--json", "--no-json"],
  [["--memory", "lots"], 2, "lots", "Gi"],
  [["--memory", "-1"], 2, "--memory", "BYTES"],
  [["--user", "nobody"], 2, "nobody", "id -u"],
  [["--env", "1 BAD=x"], 2, "1 BAD", "NAME=VALUE"],
  [["--pids", "0"], 2, "0", ""],
  [["--symlink", "only-one-half"], 2, "only-one-half", ""],
  [["--policy", "strcit"], 125, "strcit", "strict"],
];

describe("a wrong option is refused", () => {
  test.each(wrongFlags)("%p", async (flags, exitCode, names, offers) => {
    const run = await sandbox(flags, ["true"]);
    expect(run.exitCode).toBe(exitCode);
    expect(run.stderr).toContain(names);
    expect(run.stderr).toContain(offers);
    expect(run.result).toMatchObject({ status: "runtime_error", exit_code: null });
    const said = `${run.result.error?.message} ${run.result.error?.hint} ${run.result.error?.origin}`;
    expect(said).toContain(names);
    expect(said).toContain(offers);
  });

  test("all mistakes are reported at once", async () => {
    const { exitCode, stderr } = await sandbox(["--netwrok", "none", "--timeout", "soon", "--pids", "many"], ["true"]);
    expect(exitCode).toBe(2);
    for (const word of ["--netwrok", "soon", "many"]) expect(stderr).toContain(word);
  });

  test("words of the user can't steer the terminal", async () => {
    const { stderr } = await rauha(["sandbox", "--\u001b[31mred", "--", "true"]);
    expect(stderr).not.toContain("\u001b");
  });
});

describe("what comes after the command is the command's own", () => {
  test("`rauha sandbox -- ls --help` shows ls's help", async () => {
    const { exitCode, result } = await sandbox([], ["ls", "--help"]);
    expect(exitCode).toBe(0);
    expect(result.stdout).toContain("Usage: ls");
  });

  test("without -- as well", async () => {
    const { exitCode, stdout } = await rauha(["sandbox", "--json", "echo", "--json", "--timeout", "soon", "-h"]);
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ stdout: "--json --timeout soon -h\n" });
  });

  test("a second -- belongs to it", async () => {
    const { result } = await sandbox([], ["echo", "a", "--", "b"]);
    expect(result.stdout).toBe("a -- b\n");
  });
});

describe("a wrong policy file is refused", () => {
  const folder = makeFolder("policies");
  const policy = (name: string, text: string): string => join(writeFiles(folder, { [name]: text }), name);

  test("an unknown key, with file, line, column and the nearest name", async () => {
    const file = policy("key.toml", '[filesystem]\nwriteable_paths = ["/data"]\n');
    const { exitCode, stderr, result } = await sandbox(["--policy", file], ["true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain(`${file}:2:1`);
    expect(stderr).toContain("writable_paths");
    expect(result).toMatchObject({ cause: "policy", error: { code: "invalid_policy" } });
    expect(result.error?.origin).toContain("key.toml:2");
  });

  test("all of several mistakes", async () => {
    const text = '[resources]\nmemory_limit = "4 potatoes"\npids = 5\n[network]\nmode = "nonee"\n';
    const { exitCode, stderr } = await sandbox(["--policy", policy("many.toml", text)], ["true"]);
    expect(exitCode).toBe(125);
    for (const word of ["potatoes", "pids_max", "nonee"]) expect(stderr).toContain(word);
    for (const line of [2, 3, 5]) expect(stderr).toContain(`many.toml:${line}:`);
  });

  test("text that is no TOML", async () => {
    const { exitCode, stderr } = await sandbox(["--policy", policy("broken.toml", "[network\nmode = ")], ["true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("broken.toml:1");
  });

  test("before an image is looked for", async () => {
    const { exitCode, result } = await sandbox(["--image", "127.0.0.1:1/none:1", "--policy", "strcit"], ["true"]);
    expect(exitCode).toBe(125);
    expect(result.error).toMatchObject({ stage: "policy", hint: expect.stringContaining("strict") });
  });

  test("a policy that is too large to be one", async () => {
    const file = policy("large.toml", `# ${"x".repeat(70_000)}\n`);
    const { exitCode, stderr } = await sandbox(["--policy", file], ["true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/64 ?Ki/);
  });

  test("a policy that extends itself", async () => {
    const file = policy("loop.toml", 'extends = "./loop.toml"\n');
    const { exitCode, stderr } = await sandbox(["--policy", file], ["true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("loop.toml");
  });

  test("a denied path that does not exist is a typing error", async () => {
    const file = policy(
      "denied.toml",
      'extends = "task"\n[filesystem]\ndenied_paths = ["/usr/share/no-such-folder"]\n',
    );
    const { exitCode, stderr } = await sandbox(["--policy", file], ["true"]);
    expect(exitCode).toBe(125);
    expect(stderr).toContain("/usr/share/no-such-folder");
  });

  test.each([
    [`[filesystem]\nallowed_sockets = ["/etc/passwd"]`, /allowed_sockets\[0\]: .*not a socket/],
    [
      `[filesystem]\nwritable_paths = ["/usr/no/such"]`,
      /writable_paths\[0\]: .*\n {2}hint: nothing can be made in what/,
    ],
    [`[syscalls]\ndeny = ["read", "execve"]`, /syscalls\.deny\[1\]: without execve no task could start\n {2}hint: /],
  ])("what only shows when the zone is made points home as well: %s", async (key, words) => {
    const file = policy("late.toml", `extends = "task"\n${key}\n`);
    const { exitCode, stderr } = await sandbox(["--policy", file], ["true"]);
    expect([exitCode, stderr]).toEqual([125, expect.stringMatching(words)]);
  });

  test("a directory, a device, and a pipe that never ends", async () => {
    for (const file of ["/usr", "/dev/zero"]) {
      const { exitCode } = await sandbox(["--policy", file], ["true"], { patienceMs: 10_000 });
      expect(exitCode).toBe(125);
    }
  });

  test("a good policy file is used", async () => {
    const text = 'extends = "task"\n[zone]\nname = "mine"\n[limits]\nnofile = 77\n[env]\nset = { COLOUR = "green" }\n';
    const { exitCode, result } = await sandbox(
      ["--policy", policy("good.toml", text)],
      ["sh", "-c", "ulimit -n; echo $COLOUR"],
    );
    expect({ exitCode, stdout: result.stdout, name: result.policy?.name }).toEqual({
      exitCode: 0,
      stdout: "77\ngreen\n",
      name: "mine",
    });
  });
});

describe("an option that this build does not have is unsupported, never ignored", () => {
  test.each([[["--isolation", "vm"]], [["--name", "zone"]], [["--keep-zone"]]])("%p", async (flags) => {
    const { exitCode, result, stderr } = await sandbox(flags, ["true"]);
    expect(exitCode).toBe(125);
    expect(result).toMatchObject({ status: "runtime_error", exit_code: null, error: { code: "unsupported" } });
    expect(result.error?.hint).toMatch(/\w/);
    expect(stderr).toContain("not available in this build");
  });

  test("a policy that wants an image, and no --image, is a mistake", async () => {
    const folder = makeFolder("unavailable");
    writeFiles(folder, { "image.toml": '[filesystem]\nroot = "image"\n' });
    const { exitCode, result } = await sandbox(["--policy", join(folder, "image.toml")], ["true"]);
    expect({ exitCode, code: result.error?.code }).toEqual({ exitCode: 2, code: "invalid_argument" });
  });
});

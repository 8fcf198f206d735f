/** What is applied of a layer: chosen paths in any bytes, and hard links. */
import { describe, expect, test } from "bun:test";
import { existsSync, linkSync, lstatSync, readFileSync } from "node:fs";
import { snapshot } from "../support/byte-trees.ts";
import { paths, sweepWorlds, world } from "../support/cow-world.ts";

sweepWorlds();

describe("paths of the command line", () => {
  const program = process.env["RAUHA_BIN"] ?? new URL("../../dist/rauha", import.meta.url).pathname;

  test("may be names that are no UTF-8", async () => {
    const { repo, env, run, tasks } = world();
    const names = ["q\\377", "q\\376", "plain"];
    await run(names.map((name) => `printf ${name} > "$(printf '${name}')"`).join("; "));
    const shell = (script: string) => {
      const words = ["sh", "-c", script, program];
      const { stdout, stderr, exitCode } = Bun.spawnSync(words, { cwd: repo, env: { ...process.env, ...env } });
      return { out: stdout.toString("latin1"), err: stderr.toString(), exitCode };
    };
    expect(shell(`"$0" diff last --stat "$(printf 'q\\377')"`).out).toContain('"q\\377" | 1 +\n 1 file changed');
    expect(shell(`"$0" apply last "$(printf 'q\\377')" plain`)).toEqual({
      out: expect.stringMatching(/^wrote 2 changes; 1 kept as task_/),
      err: "",
      exitCode: 0,
    });
    expect(Object.keys(snapshot(repo)).sort()).toEqual(["a.txt", "dir", "dir/b.txt", "plain", "q\xff"]);
    expect(tasks()).toHaveLength(1);
  });

  test("where the task changed nothing are told, and nothing is written", async () => {
    const { repo, run, say } = world();
    await run("echo x > new");
    const { exitCode, stderr } = await say("apply", "last", "new", "nwe", "--force");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("nwe: the task changed nothing there");
    expect(stderr).toContain("rauha diff TASK --stat");
    expect(existsSync(`${repo}/new`)).toBe(false);
    expect((await say("apply", "last", "new")).exitCode).toBe(0);
  });
});

describe("hard links", () => {
  const inodes = (repo: string, ...names: string[]) => names.map((name) => lstatSync(`${repo}/${name}`).ino);
  const script = `set -e; echo new > a; mkdir sub; ln a sub/b; ln kept more; ln -f p q; ln changed again; echo x >> again`;
  const plant = () => world({ kept: "kept\n", p: "equal\n", q: "equal\n", changed: "c\n", "two/one": "1\n" });

  test.each(["apply", "keep"])("that a task made are made (--on-success %s)", async (wish) => {
    const { repo, run, say } = plant();
    const [kept] = inodes(repo, "kept");
    const { result, stderr } = await run(script, "--on-success", wish);
    expect({ status: result.status, stderr, error: result.error }).toEqual({
      status: "succeeded",
      stderr: "",
      error: null,
    });
    expect(paths(result)).toEqual([
      ["a", "added"],
      ["again", "added"],
      ["changed", "modified"],
      ["more", "added"],
      ["q", "modified"],
      ["sub", "added"],
      ["sub/b", "added"],
    ]);
    if (wish === "keep") expect(await say("apply", "last")).toMatchObject({ exitCode: 0, stderr: "" });
    const [a, b, keptNow, more, p, q, changed, again] = inodes(
      repo,
      ...["a", "sub/b", "kept", "more", "p", "q", "changed", "again"],
    );
    expect([b, keptNow, more, q, again]).toEqual([a, kept, kept, p, changed]);
    expect(readFileSync(`${repo}/changed`, "utf8")).toBe("c\nx\n");
    expect(JSON.parse((await say("changes", "--json")).stdout).tasks).toEqual([]);
  });

  test("of a file of yours stay its own, whatever is written to one of them", async () => {
    const { repo, run, say } = plant();
    linkSync(`${repo}/kept`, `${repo}/two/kept`);
    const [kept] = inodes(repo, "kept");
    const { result } = await run("echo more >> kept; cat two/kept");
    expect(result.stdout).toBe("kept\n");
    expect((await say("apply", "last")).exitCode).toBe(0);
    expect(inodes(repo, "two/kept")).toEqual([kept as number]);
    expect(["kept", "two/kept"].map((name) => readFileSync(`${repo}/${name}`, "utf8"))).toEqual([
      "kept\nmore\n",
      "kept\n",
    ]);
  });
});

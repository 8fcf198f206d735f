/** The task's streams: captured, capped, handed over, relayed. */
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LaunchOptions, launch, runners } from "./launch.ts";
import { type PlanParts, plan } from "./plans.ts";

const directory = mkdtempSync(join(tmpdir(), "rauha-test-streams-"));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = (content = ""): string => {
  const path = join(directory, `file${files++}`);
  writeFileSync(path, content);
  return path;
};

describe.each(runners)("as %s", (runner) => {
  const run = (script: string, io: PlanParts["io"] = {}, options: Partial<LaunchOptions> = {}) =>
    launch(plan({ runner, argv: ["sh", "-c", script], io }), { runner, ...options });

  test("both outputs are captured apart, bytes as they are", async () => {
    const { output, all, one } = await run("printf 'a\\377\\000b'; echo err >&2");
    const data = Buffer.concat(all("output").flatMap((record) => (record.stream === 1 ? [record.data] : [])));
    expect([...data]).toEqual([97, 255, 0, 98]);
    expect(output(2)).toBe("err\n");
    expect(one("ended")).toMatchObject({ stdout_bytes: 4, stderr_bytes: 4 });
  });

  test("over the cap bytes are counted, not kept, and the task is not held up", async () => {
    const { output, one } = await run("head -c 30000000 /dev/zero | tr '\\0' x", { maxOutput: 1000 });
    expect(output(1)).toBe("x".repeat(1000));
    expect(one("ended")).toMatchObject({ status: 0, stdout_bytes: 30_000_000 });
  });

  test("a cap of 0 keeps nothing", async () => {
    const { output, one } = await run("echo hi", { maxOutput: 0 });
    expect(output(1)).toBe("");
    expect(one("ended").stdout_bytes).toBe(3);
  });

  test("all that was written before the end comes through", async () => {
    const { output } = await run("seq 1 50000 & wait; exit 3");
    expect(output(1)).toBe(Array.from({ length: 50_000 }, (_, i) => `${i + 1}\n`).join(""));
  });

  test("a grandchild that holds the pipes can't hold up the end", async () => {
    const { output, one } = await run("sleep 60 & echo hi");
    expect(output(1)).toBe("hi\n");
    expect(one("ended").status).toBe(0);
  });

  test("a task that closes its streams is no end", async () => {
    const { one, output } = await run("exec >&- 2>&-; sleep 0.1; exit 5");
    expect(one("ended").status).toBe(5 << 8);
    expect(output(1)).toBe("");
  });

  test("no stdin: /dev/null", async () => {
    const { output } = await run("cat; readlink /proc/self/fd/0");
    expect(output(1)).toBe("/dev/null\n");
  });

  test("the task has three descriptors, and a clean set of signals", async () => {
    const { output } = await run("ls /proc/self/fd | tr '\\n' ' '; grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status");
    const lines = output(1).split("\n");
    // 3 is ls's own
    expect(lines[0]).toStartWith("0 1 2 3 ");
    expect(output(1)).toContain("SigBlk:\t0000000000000000");
    expect(output(1)).toContain("SigIgn:\t0000000000000000");
  });

  test("stdin from a regular file: relayed, and never the file itself", async () => {
    const fd = openSync(newFile("one\ntwo\n"), "r");
    const { output } = await run("cat; readlink /proc/self/fd/0", { stdin: true }, { stdin: fd });
    closeSync(fd);
    expect(output(1)).toMatch(/^one\ntwo\npipe:/);
  });

  test("a regular file's offset is put back to what the task has read", async () => {
    const fd = openSync(newFile(`first\n${"x".repeat(200_000)}\n`), "r");
    const { output } = await run("head -c 6 >/dev/null; dd bs=1 count=10 2>/dev/null", { stdin: true }, { stdin: fd });
    const rest = Buffer.alloc(20);
    const got = readSync(fd, rest, 0, 20, null);
    closeSync(fd);
    // head may read ahead of what it prints; it reads at most a block
    expect(output(1).length).toBeLessThanOrEqual(10);
    expect(got).toBe(20);

    const untouched = openSync(newFile("a\nb\n"), "r");
    await run("true", { stdin: true }, { stdin: untouched });
    expect(readSync(untouched, rest, 0, 20, null)).toBe(4);
    closeSync(untouched);

    const bytewise = openSync(newFile("line one\nline two\n"), "r");
    const { output: line } = await run("read line; echo $line", { stdin: true }, { stdin: bytewise });
    expect(line(1)).toBe("line one\n");
    expect(readSync(bytewise, rest, 0, 20, null)).toBe(9);
    expect(rest.subarray(0, 9).toString()).toBe("line two\n");
    closeSync(bytewise);
  });

  test("much stdin flows while the task reads it", async () => {
    const path = newFile("0123456789".repeat(500_000));
    const fd = openSync(path, "r");
    const { output } = await run("sleep 0.05; md5sum", { stdin: true }, { stdin: fd });
    closeSync(fd);
    const sum = Bun.spawnSync(["md5sum", path]).stdout.toString().slice(0, 32);
    expect(output(1)).toStartWith(sum);
  });

  test("a task that does not read stdin is not held up by it", async () => {
    const fd = openSync(newFile("x".repeat(1_000_000)), "r");
    const { one } = await run("exec <&-; sleep 0.05; exit 2", { stdin: true }, { stdin: fd });
    closeSync(fd);
    expect(one("ended").status).toBe(2 << 8);
  });

  test("stdin that is not there, or /dev/null, is the zone's /dev/null", async () => {
    const fd = openSync("/dev/null", "r");
    const { output } = await run("readlink /proc/self/fd/0", { stdin: true }, { stdin: fd });
    closeSync(fd);
    expect(output(1)).toBe("/dev/null\n");
  });

  test("stream: regular files take the output in order, and are not handed in", async () => {
    const path = newFile();
    const fd = openSync(path, "a");
    const { all } = await run(
      "for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; done; readlink /proc/self/fd/1 /proc/self/fd/2 | cut -c1-5",
      { mode: "stream" },
      { stdout: fd, stderr: fd },
    );
    closeSync(fd);
    expect(all("output")).toEqual([]);
    const lines = [1, 2, 3, 4, 5].map((i) => `out${i}\nerr${i}\n`).join("");
    expect(readFileSync(path, "utf8")).toBe(`${lines}pipe:\npipe:\n`);
  });

  test("stream: two files stay two", async () => {
    const [out, err] = [newFile(), newFile()];
    const [outFd, errFd] = [openSync(out, "w"), openSync(err, "w")];
    const { one } = await run("echo o; echo e >&2", { mode: "stream" }, { stdout: outFd, stderr: errFd });
    closeSync(outFd);
    closeSync(errFd);
    expect([readFileSync(out, "utf8"), readFileSync(err, "utf8")]).toEqual(["o\n", "e\n"]);
    expect(one("ended")).toMatchObject({ stdout_bytes: 2, stderr_bytes: 2 });
  });

  test("stream: a full disk ends the writer, not the launcher", async () => {
    const fd = openSync("/dev/full", "w");
    const { one } = await run("exec yes", { mode: "stream" }, { stdout: fd });
    closeSync(fd);
    expect(one("ended").status).toBe(13);
  });

  test("stream: pipes are the task's own, both ways", async () => {
    const child = Bun.spawn(["cat"], { stdio: ["pipe", "pipe", "inherit"] });
    const path = newFile();
    const shell = `printf 'a\\nb\\n' | { exec 3<&0; cat <&3; } | cat > ${path}`;
    expect(Bun.spawnSync(["sh", "-c", shell]).exitCode).toBe(0);
    child.stdin.end();
    await child.exited;
    expect(readFileSync(path, "utf8")).toBe("a\nb\n");
  });
});

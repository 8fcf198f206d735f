/** What a task can do to the caller by the streams it was given. */
import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, runners } from "./launch.ts";
import { plan } from "./plans.ts";

const directory = mkdtempSync(join(tmpdir(), "rauha-test-review-streams-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe.each(runners)("as %s", (runner) => {
  test("a task that writes into its own stdin does not make the shell read lines a second time", async () => {
    const path = join(directory, `lines-${runner}`);
    const done = "a command that was carried out\n".repeat(20);
    writeFileSync(path, `${done}for the task\nfor the shell\n`);
    const fd = openSync(path, "r");
    readSync(fd, Buffer.alloc(done.length));
    const script = "read line; printf '%0300d' 0 >/proc/self/fd/0; echo tried";
    const task = plan({ runner, argv: ["sh", "-c", script], io: { stdin: true } });
    const { output } = await launch(task, { runner, stdin: fd });
    const rest = Buffer.alloc(2000);
    const got = readSync(fd, rest, 0, rest.length, null);
    closeSync(fd);
    expect(output(1)).toBe("tried\n");
    expect(rest.subarray(0, got).toString()).not.toContain("carried out");
  });
});

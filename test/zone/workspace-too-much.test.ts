/** Changes of a task that are too large or too deep for what one does with changes: the others can still be had, and all be forgotten. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { sweepWorlds, world } from "../support/cow-world.ts";

sweepWorlds();

describe("what is too much for a diff", () => {
  test("a file of many gigabytes is named, and the others can still be shown and applied", async () => {
    const { repo, run, say } = world();
    await run("echo small > small; mkdir of; truncate -s 5T of/holes");
    const refused = await say("diff", "last");
    expect([refused.exitCode, refused.stderr]).toEqual([125, expect.stringContaining("of/holes: file too large")]);
    expect((await say("diff", "last", "small")).stdout).toContain("+small");
    expect((await say("apply", "last", "small")).exitCode).toBe(0);
    expect(readFileSync(`${repo}/small`, "utf8")).toBe("small\n");
    expect((await say("discard", "last")).exitCode).toBe(0);
  });

  test("a directory deeper than paths can be named is kept, and can be forgotten", async () => {
    const { run, say } = world();
    await run(
      "echo small > small; n=$(printf %0200d 0); for i in $(seq 25); do mkdir $n && cd -P $n 2>/dev/null || exit; done",
    );
    expect((await say("diff", "last", "small")).stdout).toContain("+small");
    expect((await say("discard", "last")).exitCode).toBe(0);
    expect((await say("changes")).stdout).toBe("no task is kept\n");
  });
});

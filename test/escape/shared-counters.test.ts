/**
 * What the kernel counts for a user as a whole, in every namespace: a task that takes all of it in its zone must leave some to the
 * caller's programs outside.
 */
import { expect, test } from "bun:test";
import { PROBE, probeBind, probeOnHost } from "../support/probe.ts";
import { start } from "../support/rauha.ts";

/** A zone in which the probe holds as much as it gets; `end` lets go and returns what it said. */
async function holding(attempt: string) {
  const words = [PROBE, ...attempt.split(" "), "hold"];
  const child = start(["sandbox", "--stream", ...probeBind, "--", ...words], { stdin: "pipe" });
  const reader = child.stdout.getReader();
  let text = "";
  while (!text.includes("holding")) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`the zone ended: ${text} ${await child.stderr.text()}`);
    text += new TextDecoder().decode(value);
  }
  const end = async () => {
    (child.stdin as unknown as Bun.FileSink).end();
    for (let part = await reader.read(); !part.done; part = await reader.read())
      text += new TextDecoder().decode(part.value);
    await child.exited;
    return text;
  };
  return { end };
}

function onHost(attempt: string): number {
  return Number.parseInt(probeOnHost(attempt)[0]?.items[0] ?? "", 10);
}

test("queued signals: a task may have its own, and the caller keeps most of them", async () => {
  const alone = onHost("queue-signals 20000");
  const zone = await holding("queue-signals 1000000");
  const meanwhile = onHost("queue-signals 20000");
  expect(await zone.end()).toMatch(/queue-signals 1000000 hold: EAGAIN (409[0-9]|[1-3]\d{3}|\d{1,3}) queued/);
  expect(meanwhile).toBeGreaterThan(alone / 2);
});

test("inotify: a task may watch files, and so may the caller meanwhile", async () => {
  const alone = onHost("inotify 1000");
  const zone = await holding("inotify 100000");
  const meanwhile = onHost("inotify 1000");
  expect(await zone.end()).toMatch(/inotify 100000 hold: EMFILE ([1-9]|[1-5]\d|6[0-4]) made/);
  expect(meanwhile).toBeGreaterThanOrEqual(Math.min(alone - 64, 1000));
});

/** Starts from images that are remembered: the image as it is now, or none. */
import { describe, expect } from "bun:test";
import { makeFolder } from "../support/folders.ts";
import { needs } from "../support/identity.ts";
import { both, canTell, doneBy, lasting, planned, warm, watched, words } from "../support/starts.ts";
import { buildImage } from "./image-builder.ts";
import { file, layers, smallImageStore } from "./small-image.ts";
import { tarOf } from "./tar-builder.ts";

const tells = needs("strace", canTell);
const store = await smallImageStore();
// Unpacked, so that nothing is said of it any more.
await store.run("base", ["true"]);
const caller = { env: { RAUHA_STORE: store.root } };
const flagsOf = (name: string) => ["--image", name, "--pull", "never"];

/** The planner's now, with the planner's result. */
async function expectPlanned(name: string, command: readonly string[]) {
  const now = await watched(words(flagsOf(name), command), caller);
  const reference = await watched(words(flagsOf(name), command), planned(caller));
  expect(now.by).toBe("planned");
  expect([now.exitCode, now.stderr]).toEqual([reference.exitCode, reference.stderr]);
  expect(lasting(now.stdout)).toBe(lasting(reference.stdout));
  return JSON.parse(now.stdout) as { stdout: string | null; error: { code: string } | null };
}

describe("a start from an image", () => {
  tells("is remembered, and its result is a planned one's", async () => {
    for (const command of [
      ["echo", 'ä "x"'],
      ["sh", "-c", "pwd; id -u; exit 3"],
      ["cat", "/opt/top"],
    ]) {
      const { remembered, planned: reference } = await both("front", flagsOf("base"), command, caller);
      expect(remembered.by).toBe("front");
      expect([remembered.exitCode, remembered.stderr]).toEqual([reference.exitCode, reference.stderr]);
      expect(lasting(remembered.stdout)).toBe(lasting(reference.stdout));
    }
  });

  tells("with an entrypoint, a directory and variables", async () => {
    const config = {
      Env: ["PATH=/bin", "FROM=image"],
      Entrypoint: ["/bin/sh", "-c", 'echo "$FROM $HOME $USER $0 $*"; pwd; id'],
      WorkingDir: "/srv/made",
    };
    await store.add("configured", { layers, config });
    await store.run("configured", ["unpack"]);
    for (const command of [
      ["zero", "one two", ""],
      ["x\n\u0001", "y"],
    ]) {
      const { remembered, planned: reference } = await both("front", flagsOf("configured"), command, caller);
      expect(remembered.by).toBe("front");
      expect(lasting(remembered.stdout)).toBe(lasting(reference.stdout));
      expect(JSON.parse(remembered.stdout).stdout).toStartWith(`image /root root ${command.join(" ")}\n/srv/made\n`);
    }
  });

  tells("is planned each time when it has a user of its own, whom its files tell more about", async () => {
    for (const [index, User] of ["app", "1000:1001"].entries()) {
      await store.add(`user${index}`, { layers, config: { User } });
      for (let time = 0; time < 3; time++) {
        const { by, exitCode } = await watched(words(flagsOf(`user${index}`), ["true"]), caller);
        expect([by, exitCode]).toEqual(["planned", 0]);
      }
    }
  });

  tells("sees the image that has its name now, and none when it is removed", async () => {
    const withFile = (content: string) => ({ layers: [...layers, { archive: tarOf([file("opt/which", content)]) }] });
    await store.add("changing", withFile("first"));
    await warm(flagsOf("changing"), caller);
    const layout = buildImage(makeFolder("layout"), "test", withFile("second")).replace(/:test$/, "");
    const again = await store.rauha(["image", "import", layout, "changing"]);
    expect([again.exitCode, again.stderr]).toEqual([0, expect.any(String)]);
    const now = await watched(words(flagsOf("changing"), ["cat", "/opt/which"]), caller);
    expect([now.by, JSON.parse(now.stdout).stdout]).toEqual(["planned", "second"]);
    await warm(flagsOf("changing"), caller);
    const run = () => watched(words(flagsOf("changing"), ["cat", "/opt/which"]), caller);
    expect(JSON.parse((await doneBy("front", run)).stdout).stdout).toBe("second");
    const removed = await store.rauha(["image", "rm", "changing"]);
    expect([removed.exitCode, removed.stderr]).toEqual([0, expect.any(String)]);
    expect((await expectPlanned("changing", ["true"])).error).not.toBeNull();
  });

  tells("keeps what it is made of, as long as it runs", async () => {
    await store.add("held", { layers: [...layers, { archive: tarOf([file("opt/held", "here")]) }] });
    await warm(flagsOf("held"), caller);
    const running = store.run("held", ["sh", "-c", "sleep 1; cat /opt/held"]);
    await Bun.sleep(300);
    await store.rauha(["image", "rm", "held"]);
    await store.rauha(["image", "prune"]);
    expect((await running).result).toMatchObject({ exit_code: 0, stdout: "here" });
    await store.rauha(["image", "rm", "held"]);
    expect((await expectPlanned("held", ["true"])).error).not.toBeNull();
  });
});

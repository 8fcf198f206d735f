/** Many starts, many kinds of them, at once, and killed at any moment. */
import { describe, expect, test } from "bun:test";
import { startLimits } from "../../src/run/start/contract.ts";
import { makeFolder } from "../support/folders.ts";
import { leftSince, takeSnapshot } from "../support/host-snapshot.ts";
import { needs, patient, uid } from "../support/identity.ts";
import { parseResult, rauha, sandbox, start } from "../support/rauha.ts";
import { segments } from "../support/segments.ts";
import { canTell, warm, words } from "../support/starts.ts";
import { makeRuntimeFolder } from "../support/zone-records.ts";

const tells = needs("strace", canTell);
const nameOf = ["cat", "/proc/sys/kernel/hostname"];

describe("many kinds of starts", () => {
  test(
    "take no more room than there is for one user, and no more memory each",
    async () => {
      for (let kind = 0; kind < 60; kind++) {
        const { result } = await sandbox(["--hostname", `kind${kind}`], nameOf);
        expect(result.stdout).toBe(`kind${kind}\n`);
      }
      const own = segments().filter(({ owner }) => owner === uid);
      expect(own.length).toBeWithin(1, startLimits.slots + 1);
      for (const { mode, bytes } of own) expect([mode, bytes <= startLimits.recordBytes]).toEqual(["600", true]);
    },
    patient(60_000),
  );

  tells("each of them again, if it is called often enough", async () => {
    for (const flags of [["--hostname", "kind1"], ["--hostname", "kind2"], []]) await warm(flags);
  });
});

describe("at once", () => {
  test(
    "each gets its own result",
    async () => {
      const folder = makeFolder("at-once");
      const loop = async (kind: number) => {
        for (let time = 0; time < 12; time++) {
          const flags = ["--hostname", `loop${kind}`];
          const command = ["sh", "-c", `cat /proc/sys/kernel/hostname; exit ${kind}`];
          const { result, exitCode, stderr } = await sandbox(flags, command, { cwd: folder });
          const seen = { stdout: result.stdout, exitCode, stderr, code: result.exit_code };
          expect(seen).toEqual({ stdout: `loop${kind}\n`, exitCode: kind, stderr: "", code: kind });
        }
      };
      const before = takeSnapshot([folder]);
      await Promise.all(Array.from({ length: 8 }, (_, kind) => loop(kind)));
      expect(await leftSince(before, [folder])).toEqual([]);
    },
    patient(60_000),
  );

  test("two zones of one kind have names of their own", async () => {
    const names = await Promise.all(
      Array.from({ length: 12 }, async () => (await sandbox([], ["sleep", "0.05"])).result.zone_id),
    );
    expect(new Set(names).size).toBe(12);
  });
});

describe("killed", () => {
  const MOMENTS = 40;
  const span = patient(6);

  tells(
    `at ${MOMENTS} random moments, a remembered start leaves nothing`,
    async () => {
      const { folder, env, comeBy } = makeRuntimeFolder();
      const commands = [["true"], ["sleep", "20"]];
      for (let moment = 0; moment < MOMENTS; moment++) {
        if (moment % 10 === 0) await warm([], { env });
        const before = takeSnapshot([folder]);
        const command = commands[moment % commands.length] ?? [];
        const after = Math.random() * span;
        const child = start(words([], command), { env });
        await Bun.sleep(after);
        child.kill("SIGKILL");
        await child.exited;
        await comeBy();
        const left = await leftSince(before, [folder]);
        expect({ command, after, left }).toEqual({ command, after, left: [] });
      }
    },
    patient(90_000),
  );

  tells(
    "with SIGTERM in the first moments, it is gone without a trace, or cancelled with a result",
    async () => {
      const { folder, env, comeBy } = makeRuntimeFolder();
      await warm([], { env });
      const before = takeSnapshot([folder]);
      for (let moment = 0; moment < 30; moment++) {
        const child = start(words([], ["sleep", "20"]), { env });
        await Bun.sleep(Math.random() * patient(15));
        child.kill("SIGTERM");
        const text = await child.stdout.text();
        await child.exited;
        if (text === "") expect(String(child.signalCode)).toBe("SIGTERM");
        else expect([parseResult(text).cause, child.exitCode]).toEqual(["cancelled", 143]);
      }
      await comeBy();
      expect(await leftSince(before, [folder])).toEqual([]);
    },
    patient(60_000),
  );

  tells("between two of them nothing is forgotten", async () => {
    await warm([]);
    const child = start(words([], ["sleep", "20"]));
    await Bun.sleep(patient(30));
    child.kill("SIGKILL");
    await child.exited;
    // The first one after it may have something to tidy up.
    await rauha(words([], ["true"]));
    await warm([]);
  });
});

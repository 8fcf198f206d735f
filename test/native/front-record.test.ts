/** Records as the native front reads them: what is not whole, or is another start's, is none. */
import { describe, expect, test } from "bun:test";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { needs } from "../support/identity.ts";
import { ownRecord } from "../support/own-record.ts";
import { type AskedStart, askFront, isSanitized } from "./front.ts";

const folder = writeFiles(makeFolder("record"), { "mine.toml": 'extends = "task"\n[resources]\npids_max = 50\n' });
const kinds = [[], ["--policy", "mine.toml", "--hostname", "zone"]];

describe.each(kinds.map((options) => [options.join(" ") || "no options", options] as const))(
  "a record of %s",
  (_, options) => {
    const ask = async (payload: Uint8Array, start: AskedStart) =>
      (await askFront([{ question: "record", payload }], start))[0];

    test("is found, and the plan that comes of it is the planner's, byte for byte", async () => {
      const { bytes, start, plan } = await ownRecord(folder, options);
      const made = await ask(bytes, start);
      expect(made?.length).toBe(plan.length);
      expect(Buffer.compare(made ?? Buffer.alloc(0), plan)).toBe(0);
      // A segment can be larger than what lies in it.
      expect((await ask(Buffer.concat([bytes, Buffer.alloc(100)]), start))?.length).toBe(plan.length);
    });

    test("is none of another build, of other options or of another directory", async () => {
      const { bytes, start } = await ownRecord(folder, options);
      const others: Partial<AskedStart>[] = [
        { build: "0123456789abcdef" },
        { options: [...options, "--stream"] },
        { options: [...options, ""] },
        { options: options.length > 0 ? options.slice(1) : ["--json"] },
        { options: options.length > 0 ? options.map((word) => word.slice(0, -1)) : ["x"] },
      ];
      for (const other of others) expect((await ask(bytes, { ...start, ...other }))?.length).toBe(0);
      const elsewhere = { ...start, cwd: makeFolder("elsewhere") };
      expect((await ask(bytes, elsewhere))?.length).toBe(0);
      expect((await ask(bytes, start))?.length).toBeGreaterThan(0);
    });

    needs("gcc's sanitizers", isSanitized)("is none where it is cut, and nothing beyond its end is read", async () => {
      const { bytes, start } = await ownRecord(folder, options);
      const [taken] = await askFront([{ question: "cuts", payload: bytes }], start);
      expect(taken?.readUInt32LE()).toBe(0);
    });
  },
);

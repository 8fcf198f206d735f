/** The patience of a download, without a network and without time: how often it asks, from where, and when it gives up. */
import { describe, expect, test } from "bun:test";
import { refuse } from "../../../src/image/image-error.ts";
import { type BlobClient, downloadBlob } from "../../../src/image/registry/blob-download.ts";
import { protocolFailure } from "../../../src/image/registry/failure.ts";
import type { BlobFile } from "../../../src/image/store/blob-file.ts";

/** A file in memory that is right when it has the wanted text. */
class MemoryFile implements BlobFile {
  text = "";
  committed = false;
  readonly #wanted: string;
  constructor(wanted: string) {
    this.#wanted = wanted;
  }
  get length(): number {
    return this.text.length;
  }
  write(bytes: Uint8Array): void {
    this.text += new TextDecoder().decode(bytes);
    if (this.text.length > this.#wanted.length) {
      this.text = "";
      refuse("digest_mismatch", "too long");
    }
  }
  restart(): void {
    this.text = "";
  }
  commit(): void {
    if (this.text !== this.#wanted) {
      this.text = "";
      refuse("digest_mismatch", "wrong");
    }
    this.committed = true;
  }
  close(): void {}
}

type Step = { readonly status?: number; readonly range?: string; readonly body: string; readonly breaks?: boolean };

/** Answers one step after the other (the last one again and again); records what was asked. */
function client(steps: readonly Step[]): BlobClient & { readonly asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  return {
    asked,
    request: async ({ headers, accepts }) => {
      asked.push(headers?.["range"]);
      const step = steps[Math.min(asked.length, steps.length) - 1];
      const { status = 200, range, body = "", breaks } = step ?? {};
      if (!accepts.includes(status)) throw protocolFailure("h", `HTTP ${status}`, status >= 500);
      return {
        status,
        headers: new Headers(range === undefined ? {} : { "content-range": range }),
        host: "h",
        async *pieces() {
          yield new TextEncoder().encode(body);
          if (breaks) throw protocolFailure("h", "broke off", true);
        },
        whole: async () => new Uint8Array(),
        drop: () => {},
      };
    },
  };
}

async function download(steps: readonly Step[], retries = 2, before = "") {
  const wanted = "abcdefghij".repeat(12);
  const file = new MemoryFile(wanted);
  file.text = before;
  const server = client(steps);
  const pauses: number[] = [];
  const patience = { retries, onRetry: () => {}, sleep: async (ms: number) => void pauses.push(ms) };
  const blob = { digest: "sha256:x", mediaType: "", size: wanted.length, what: "layer" };
  const failure = await downloadBlob(server, blob, file, patience, () => {}).then(
    () => undefined,
    (error: Error) => error.message,
  );
  return { failure, asked: server.asked, pauses, committed: file.committed };
}

const whole = "abcdefghij".repeat(12);
const part = (from: number, to: number, breaks = true): Step => ({
  status: from === 0 ? 200 : 206,
  range: `bytes ${from}-119/120`,
  body: whole.slice(from, to),
  breaks,
});

describe("a download", () => {
  test("goes on where it broke off, and each step forward renews its patience", async () => {
    const steps = [0, 20, 40, 60, 80, 100].map((from) => part(from, from + 20, from < 100));
    const { failure, asked, committed } = await download(steps, 1);
    expect([failure, committed]).toEqual([undefined, true]);
    expect(asked).toEqual([undefined, "bytes=20-", "bytes=40-", "bytes=60-", "bytes=80-", "bytes=100-"]);
  });

  test("without a step forward is given up after so many tries, with growing pauses", async () => {
    const { failure, asked, pauses } = await download([part(0, 0)], 3);
    expect(failure).toContain("broke off");
    expect(asked).toHaveLength(4);
    expect(Number(pauses[2])).toBeGreaterThan(Number(pauses[0]));
  });

  test("that brings a byte each time ends after a hundred requests", async () => {
    const steps = Array.from({ length: 120 }, (_, at) => part(at, at + 1));
    const { failure, asked } = await download(steps, 5);
    expect(failure).toContain("broke off");
    expect(asked).toHaveLength(100);
  });

  test("takes up what an earlier try left, and asks for nothing when that is all", async () => {
    expect((await download([part(50, 120, false)], 0, whole.slice(0, 50))).asked).toEqual(["bytes=50-"]);
    expect(await download([], 0, whole)).toMatchObject({ asked: [], committed: true });
  });

  test("whose beginning was bad begins anew, once", async () => {
    const good = await download([part(50, 120, false), part(0, 120, false)], 0, "?".repeat(50));
    expect(good).toMatchObject({ asked: ["bytes=50-", undefined], committed: true });
    const bad = await download([{ body: "?".repeat(120) }], 5);
    expect(bad).toMatchObject({ failure: "wrong", committed: false });
    expect(bad.asked).toHaveLength(2);
  });

  test("that fails for good is not tried again", async () => {
    expect((await download([{ status: 404, body: "" }], 5)).asked).toHaveLength(1);
    expect((await download([{ status: 503, body: "" }], 2)).asked).toHaveLength(3);
  });
});

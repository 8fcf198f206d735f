/**
 * What registries and archives say is hostile input: whatever it is, reading it gives checked data or a refusal in words, soon, and
 * throws nothing else.
 */
import { expect, test } from "bun:test";
import { decodeConfig } from "../../src/image/config.ts";
import { isDigest } from "../../src/image/digest.ts";
import { ImageError } from "../../src/image/image-error.ts";
import { ArchiveScan } from "../../src/image/import/archive-scan.ts";
import { decodeManifest } from "../../src/image/manifest.ts";
import { ociIndex, ociManifest } from "../../src/image/media-types.ts";
import { parseChallenges } from "../../src/image/registry/challenge.ts";
import { explanationOf } from "../../src/image/registry/failure.ts";
import { proxyFor } from "../../src/image/registry/proxy.ts";
import { parseRegistryConfig } from "../../src/image/registry/registry-config.ts";
import { Random } from "../unit/policy/random.ts";
import { fuzz, fuzzTimeoutMs } from "./seeds.ts";

const digest = `sha256:${"0123456789abcdef".repeat(4)}`;
const descriptor = { mediaType: ociManifest, digest, size: 7 };

const sound = [
  {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { ...descriptor, mediaType: "application/vnd.oci.image.config.v1+json" },
    layers: [{ ...descriptor, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }],
  },
  {
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: [{ ...descriptor, platform: { os: "linux", architecture: "amd64" } }],
  },
  {
    os: "linux",
    architecture: "amd64",
    config: {
      Env: ["A=b"],
      Cmd: ["sh"],
      Entrypoint: null,
      User: "a",
      WorkingDir: "/",
      StopSignal: "SIGTERM",
      Labels: { a: "b" },
    },
    rootfs: { type: "layers", diff_ids: [digest] },
  },
];

const odd: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e300, 2 ** 53, "", "x", "\0", "../..", digest, [], [null], {}, [[[]]]],
  ...[
    "sha256:",
    `sha512:${"a".repeat(128)}`,
    "x".repeat(70_000),
    { length: 3 },
    ociManifest,
    ociIndex,
    { toString: 1 },
  ],
];

/** A copy with some values replaced, removed, doubled or renamed. */
function spoil(random: Random, value: unknown, probability: number): unknown {
  if (random.chance(probability)) return random.pick(odd);
  if (Array.isArray(value)) {
    const items = value.map((item) => spoil(random, item, probability));
    return random.chance(probability) ? [...items, ...items, random.pick(odd)] : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).flatMap(([name, member]) => {
    if (random.chance(probability)) return [];
    const key = random.chance(probability)
      ? random.pick(["__proto__", "constructor", "mediaType", "size", "layers"])
      : name;
    return [[key, spoil(random, member, probability)] as const];
  });
  return Object.fromEntries(members);
}

/** Changes some bytes, cuts, repeats. */
function spoilBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let times = random.int(0, 6); times > 0 && copy.length > 0; times--)
    copy[random.int(0, copy.length - 1)] = random.int(0, 255);
  const cut = random.chance(0.2) ? copy.subarray(0, random.int(0, copy.length)) : copy;
  return random.chance(0.1) ? Buffer.concat([cut, cut]) : cut;
}

/** The value, or undefined for a refusal; anything else that is thrown is a mistake of ours. */
function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    expect(error.message.length).toBeLessThan(1000);
    return undefined;
  }
}

test(
  "documents",
  () => {
    let taken = 0;
    const done = fuzz(4000, (seed) => {
      const random = new Random(seed);
      const json = JSON.stringify(spoil(random, random.pick(sound), random.pick([0.01, 0.05, 0.2])));
      const text = new TextEncoder().encode(json);
      const bytes = random.chance(0.5) ? text : spoilBytes(random, text);
      const type = random.pick([ociManifest, ociIndex, "", "text/html"]);
      const document = orRefused(() => decodeManifest(bytes, type, "fuzz"));
      const config = orRefused(() => decodeConfig(bytes, "fuzz"));
      if (document !== undefined || config !== undefined) taken++;
      const named = document?.kind === "manifest" ? [document.config, ...document.layers] : (document?.entries ?? []);
      for (const one of named) {
        expect(isDigest(one.digest)).toBeTrue();
        expect(Number.isSafeInteger(one.size) && one.size >= 0).toBeTrue();
      }
      for (const id of config?.diffIds ?? []) expect(isDigest(id)).toBeTrue();
      for (const { name, value } of config?.env ?? []) expect(`${name}${value}`).not.toContain("\0");
    });
    // Neither everything nor nothing is taken: the fuzzer reaches what it is for.
    if (done > 1000) expect(taken / done).toBeWithin(0.05, 0.95);
  },
  fuzzTimeoutMs,
);

/** A header of a tar archive, with a right checksum. */
function header(name: string, size: number, type: string): Uint8Array {
  const block = new Uint8Array(512);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(124, `${size.toString(8).padStart(11, "0")}\0`);
  put(156, type);
  put(148, "        ");
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

test(
  "archives, in pieces of any size",
  () => {
    fuzz(1500, (seed) => {
      const random = new Random(seed);
      const hex = "ab".repeat(32);
      const name = () =>
        random.pick([
          "manifest.json",
          "index.json",
          "oci-layout",
          `blobs/sha256/${hex}`,
          `${hex}.tar`,
          "bin/sh",
          "",
          ".",
        ]);
      const parts = random.list(12, () => {
        const size = random.pick([0, 1, 511, 512, 513, 5000, 8 ** 11 - 1]);
        const content = new Uint8Array(Math.min(6000, Math.ceil(size / 512) * 512));
        return Buffer.concat([
          header(name(), size, random.pick(["0", "0", "0", "5", "2", "1", "x", "6", "\0"])),
          content,
        ]);
      });
      const whole = Buffer.concat([...parts, new Uint8Array(1024)]);
      const bytes = random.chance(0.5) ? whole : spoilBytes(random, whole);
      const read = (piece: number) =>
        orRefused(() => {
          const scan = new ArchiveScan();
          for (let at = 0; at < bytes.length; at += piece) if (!scan.feed(bytes.subarray(at, at + piece))) break;
          return { kind: scan.kind(), files: [...scan.files].sort(), links: [...scan.links].sort() };
        });
      const found = read(Math.max(1, bytes.length));
      // How the bytes come in pieces changes nothing.
      expect(read(random.int(1, 700))).toEqual(found as NonNullable<typeof found>);
      if (found?.kind === "rootfs") return;
      for (const [, { offset, size }] of found?.files ?? []) {
        expect(Number.isSafeInteger(offset + size)).toBeTrue();
      }
    });
  },
  fuzzTimeoutMs,
);

test(
  "headers, settings and variables",
  () => {
    const words = [
      "Bearer ",
      "Basic ",
      'realm="',
      '"',
      "=",
      ",",
      " ",
      "\\",
      "scope",
      "a",
      "https://h/",
      "\t",
      "é",
      "[",
      "]",
      "/",
      "*",
      ".",
      ":",
      "::1",
      "10.0.0.0/8",
    ];
    const toml = [
      "[registry.",
      '"docker.io"',
      "]",
      "\n",
      "mirrors",
      "=",
      "[",
      '"h:5000"',
      "true",
      "insecure",
      "ca",
      "timeout",
      '"5s"',
      "#",
      "retries",
      "3",
      "'",
    ];
    fuzz(3000, (seed) => {
      const random = new Random(seed);
      const text = random.list(30, () => random.pick(words)).join("");
      expect(parseChallenges(text).length).toBeLessThanOrEqual(text.length);
      expect(explanationOf(text).length).toBeLessThanOrEqual(200);
      const url = new URL(random.pick(["https://h.example/", "http://10.1.2.3:5000/", "http://[::2]/"]));
      const proxy = proxyFor(url, { HTTPS_PROXY: "http://p", HTTP_PROXY: "http://p", NO_PROXY: text });
      expect(proxy === undefined || proxy === "http://p").toBeTrue();
      const settings = new TextEncoder().encode(random.list(24, () => random.pick(toml)).join(random.pick(["", " "])));
      const { config, diagnostics } = parseRegistryConfig(settings, "fuzz.toml");
      expect(config.timeoutMs).toBeGreaterThan(0);
      for (const { origin } of diagnostics) expect(origin?.kind === "policy" && Number(origin.line) >= 1).toBeTrue();
    });
  },
  fuzzTimeoutMs,
);

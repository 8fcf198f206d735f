/**
 * The zone that layers are unpacked in, attacked from inside: the unpacking program is replaced by one that is the attacker's, as if a
 * layer had taken it over. It can write to its one directory; it can't leave, and can't pass for what it is not.
 */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ImageError } from "../../src/image/image-error.ts";
import type { LayerSpace } from "../../src/image/layers/layer-space.ts";
import { unpackLayer } from "../../src/image/layers/unpack-layer.ts";
import { openStore } from "../../src/image/open-store.ts";
import { linuxBackend } from "../../src/linux/backend.ts";
import { readOwnIds } from "../../src/linux/ids/own-ids.ts";
import { unpackInZone } from "../../src/linux/unpack/run.ts";
import { mapsFor } from "../../src/run/ids/zone-ids.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { withSubordinateIds } from "../support/subordinate-ids.ts";
import { fingerprint } from "../support/tree.ts";
import { sha256 } from "./image-builder.ts";
import { shippedTask } from "./store.ts";
import { tarOf } from "./tar-builder.ts";

/** More than fits into a pipe. */
const archive = tarOf([{ name: "f", content: "x".repeat(4_000_000) }]);
const good =
  '{"ok":true,"summary":{"entries":1,"bytes":1,"largestFile":1,"archiveBytes":1,"implied":[],"hidesAll":false}}';

/** A program of the attacker's, in place of rauha. */
function attacker(script: string): string {
  const path = join(writeFiles(makeFolder("attacker"), { rauha: `#!/bin/sh\n${script}\n` }), "rauha");
  chmodSync(path, 0o755);
  return path;
}

const { layerSizeBytes: fileBytes, layerEntries: entries } = shippedTask.image;

async function* once(bytes: Uint8Array) {
  yield bytes;
}

async function runIn(script: (target: string) => string, ids?: LayerSpace["ids"]) {
  const folder = makeFolder("target");
  const target = join(folder, "layer");
  mkdirSync(target);
  const report = await unpackInZone(attacker(script(target)))(once(archive), target, {
    limits: { fileBytes, entries },
    ids,
  });
  return { report, target, folder };
}

/** The same on the whole way into a store. */
async function unpackInto(script: string) {
  const root = makeFolder("store");
  mkdirSync(join(root, "blobs/sha256"), { recursive: true });
  const digest = sha256(archive);
  writeFileSync(join(root, "blobs/sha256", digest.slice(7)), archive);
  const layer = { digest, size: archive.length, mediaType: "tar", compression: "none", diffId: digest } as const;
  const store = openStore({ root, host: linuxBackend });
  const outcome = await unpackLayer(store, layer, {
    unpack: unpackInZone(attacker(script)),
    policy: shippedTask,
  }).catch((error) => error as unknown);
  return { outcome, root };
}

/** The maps of the caller's subordinate ids, with himself as root. */
function ownMaps(): LayerSpace["ids"] {
  const own = readOwnIds(process.env);
  return own.ok ? mapsFor(own.ids, 0, 0) : undefined;
}

describe("a program that is the attacker's", () => {
  const nowhereElse = async (ids?: LayerSpace["ids"]) => {
    const beside = writeFiles(makeFolder("beside"), { secret: "s3cret" });
    const before = fingerprint(beside);
    const { report, target, folder } = await runIn(
      (target) => `
      cd /unpack/layer; exec 2>/dev/null
      echo mine > mine
      for place in / /etc /usr /unpack /unpack/layer/.. ${beside} /root /home /proc/sys/kernel; do
        (echo x > $place/rauha-pwned) && echo "wrote $place" >> out
      done
      cat ${beside}/secret >> out; cat /etc/shadow >> out; ls /home /root /var/lib >> out
      ls ${target} ${target}/.. >> out
      (mknod dev c 1 3) && echo "made a device" >> out
      (mount -t tmpfs none /tmp) && echo mounted >> out
      (unshare -Ur true) && echo unshared >> out
      tail -n +3 /proc/net/dev | grep -v ' lo:' >> out
      ls /proc | grep -c '^[0-9]' > processes
      cat > /dev/null; echo '${good}'`,
      ids,
    );
    expect(report.ok).toBe(true);
    expect(readFileSync(join(target, "mine"), "utf8")).toBe("mine\n");
    expect(existsSync(join(target, "out")) ? readFileSync(join(target, "out"), "utf8") : "").toBe("");
    expect(Number(readFileSync(join(target, "processes"), "utf8"))).toBeLessThan(8);
    expect(readdirSync(folder)).toEqual(["layer"]);
    expect(fingerprint(beside)).toEqual(before);
    for (const place of ["/", "/etc", "/usr", "/tmp"]) expect(readdirSync(place)).not.toContain("rauha-pwned");
  };

  const everythingElse =
    "writes to its directory and nowhere else, sees no store, no home, no network, no other process";
  test(everythingElse, () => nowhereElse());
  withSubordinateIds(`${everythingElse}, as root of subordinate ids`, () => nowhereElse(ownMaps()));

  test("claims success without having read the archive: its content was not hashed, so it is no layer", async () => {
    const { outcome, root } = await unpackInto(`echo '${good}'`);
    expect(outcome).toBeInstanceOf(ImageError);
    expect((outcome as ImageError).diagnostic).toMatchObject({ code: "digest_mismatch" });
    expect((outcome as ImageError).message).toContain("not all of it was read");
    expect(readdirSync(join(root, "layers/sha256"))).toEqual([]);
    expect(readdirSync(join(root, "layers/work"))).toEqual([]);
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "echo done"],
    ["another shape", `echo '{"ok":true}'`],
    ["a directory outside", `echo '${good.replace("[]", '["../../etc"]')}'`],
    ["a name with a NUL", `printf '%s\\n' '${good.replace("[]", '["a\\u0000b"]')}'`],
    ["ten million bytes", "head -c 10000000 /dev/zero"],
    ["success, then a crash of the shell", "kill -9 $$"],
  ])("says %s: the layer is refused and nothing stays", async (_, words) => {
    const { outcome, root } = await unpackInto(`cat > /dev/null; ${words}`);
    expect(outcome).toBeInstanceOf(ImageError);
    expect((outcome as ImageError).diagnostic.code).toBe("setup_failed");
    expect((outcome as ImageError).message.length).toBeLessThan(2000);
    expect([readdirSync(join(root, "layers/sha256")), readdirSync(join(root, "layers/work"))]).toEqual([[], []]);
  });

  test("floods what it says while it reads nothing: neither side waits for the other for ever", async () => {
    const { report } = await runIn(() => "head -c 50000000 /dev/zero; exit 0");
    expect(report.ok).toBe(false);
  });

  test("fills its words with what steers a terminal: they are told, not obeyed", async () => {
    const { outcome } = await unpackInto(
      `cat > /dev/null; printf '{"ok":false,"kind":"invalid","entry":"\\\\u001b[2J","reason":"r"}\\n'`,
    );
    expect((outcome as ImageError).diagnostic).toMatchObject({ code: "invalid_image" });
    expect((outcome as ImageError).message).toContain('"\\u001b[2J"');
  });
});

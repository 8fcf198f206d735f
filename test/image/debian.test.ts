/** A Debian from debootstrap on its whole way: pushed to a registry by skopeo, pulled, inspected, run, compared, removed. */
import { afterAll, beforeAll, describe, expect } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { debianImage, debianTags } from "../../scripts/suites/debian-image.ts";
import { isRoot, needs, patient } from "../support/identity.ts";
import { parseResult, rauha } from "../support/rauha.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { tool } from "../support/tools.ts";
import { diffIdsOf, expectSame, listByUmoci, listLayers } from "./compare-trees.ts";
import { expectConsistent, imageCaller, leftovers } from "./store.ts";

const layout = await debianImage();
const withDebian = needs("a Debian that root's debootstrap made", layout !== undefined);
const caller = imageCaller();
const patience = patient(60_000);
let registry: Registry | undefined;
let pulled: Awaited<ReturnType<typeof caller.lines>> | undefined;
const reference = (tag: string) => `${registry?.host}/test/${tag}:1`;
const { sound, withDevices } = debianTags;

beforeAll(async () => {
  if (layout === undefined) return;
  registry = await startRegistry();
  for (const tag of [sound, withDevices]) {
    const to = `docker://${reference(tag)}`;
    await tool(["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false", `oci:${layout}:${tag}`, to]);
  }
  pulled = await caller.lines("pull", reference(sound));
  // The first run unpacks, and says so.
  await inDebian(["true"]);
}, patient(120_000));

afterAll(() => registry?.stop());

/** In a zone of the image; what went wrong is shown. */
async function inDebian(command: readonly string[], tag: string = sound) {
  const ended = await rauha(["sandbox", "--image", reference(tag), "--pull", "never", "--", ...command], {
    env: caller.env,
  });
  return parseResult(ended.stdout);
}

async function outputOf(command: readonly string[]): Promise<string | null> {
  const result = await inDebian(command);
  expect([result.error, result.exit_code, result.stderr]).toEqual([null, 0, ""]);
  return result.stdout;
}

describe("a Debian from debootstrap", () => {
  withDebian(
    "is pulled whole and tells what it brings",
    async () => {
      expect([pulled?.ended.exitCode, pulled?.ended.stderr, pulled?.events.at(-1)?.["event"]]).toEqual([0, "", "done"]);
      expect(expectConsistent(caller.root).references).toEqual([reference(sound)]);
      const image = JSON.parse((await caller.image("inspect", "--json", reference(sound))).stdout);
      expect(image.config).toMatchObject({ cmd: ["/bin/bash"], env: expect.arrayContaining(["LANG=C"]) });
      expect(image.layers).toHaveLength(1);
    },
    patience,
  );

  withDebian(
    "is what it says it is, and its own programs run",
    async () => {
      expect(await outputOf(["cat", "/etc/os-release"])).toContain("ID=debian\n");
      const packages = await outputOf(["dpkg", "-l"]);
      expect(packages?.match(/^ii {2}/gm)?.length).toBeGreaterThan(60);
      expect(packages).toMatch(/^ii {2}base-files /m);
      expect(await outputOf(["id"])).toMatch(/^uid=0\(root\) gid=0\(root\)/);
      expect(await outputOf(["stat", "-c", "%a %U:%G", "/etc/shadow"])).toBe(
        isRoot ? "640 root:shadow\n" : "640 root:root\n",
      );
      expect(await outputOf(["sh", "-c", "ls /dev/null /dev/urandom && echo x > /dev/null"])).toBe(
        "/dev/null\n/dev/urandom\n",
      );
    },
    patience,
  );

  withDebian(
    "every file of every package has the content that the package says",
    async () => expect(await outputOf(["dpkg", "--verify"])).toBe(""),
    patience,
  );

  withDebian(
    "a package is configured anew as it is outside, and the next zone knows nothing of it",
    async () => {
      const script = "echo Etc/GMT+5 > /etc/timezone && dpkg --force-all --purge tzdata >&2; dpkg -l tzdata | tail -1";
      const result = await inDebian(["sh", "-c", script]);
      expect(result.stdout ?? "").not.toMatch(/^ii/m);
      expect(await outputOf(["sh", "-c", "dpkg -l tzdata | tail -1"])).toMatch(/^ii {2}tzdata/);
    },
    patience,
  );

  withDebian(
    "is to the last bit what umoci unpacks",
    () => {
      const ours = listLayers(caller.root, diffIdsOf(`${layout}:${sound}`));
      expect(Object.keys(ours).length).toBeGreaterThan(5000);
      expectSame({ ours, theirs: listByUmoci(`${layout}:${sound}`) });
    },
    patience,
  );

  withDebian(
    "with debootstrap's devices in it is refused at the first of them, and the refusal says how to mend it",
    async () => {
      await caller.image("pull", reference(withDevices));
      const before = readdirSync(join(caller.root, "layers/sha256"));
      const result = await inDebian(["true"], withDevices);
      expect(result.error).toMatchObject({ code: "invalid_image", stage: "image" });
      expect(result.error?.message).toMatch(/^layer sha256:[0-9a-f]{64}: refused at "\.\/dev\/console": a device/);
      expect(result.error?.hint).toContain("tar --exclude='./dev/*'");
      expect(readdirSync(join(caller.root, "layers/sha256"))).toEqual(before);
    },
    patience,
  );

  withDebian(
    "leaves nothing when it is removed",
    async () => {
      const removed = await caller.image("rm", reference(sound), reference(withDevices));
      expect([removed.exitCode, removed.stderr]).toEqual([0, ""]);
      expect(expectConsistent(caller.root)).toEqual({ blobs: [], references: [] });
      expect(leftovers(caller.root)).toEqual([]);
      for (const folder of ["layers/sha256", "layers/work"].map((name) => join(caller.root, name)))
        expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
    },
    patience,
  );
});

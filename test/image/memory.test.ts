/** A layer passes through: how large it is makes no difference to the memory that a pull or an import takes. */
import { expect, test } from "bun:test";
import { closeSync, ftruncateSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { callerEnvironment, RAUHA } from "../support/rauha.ts";
import { startRegistry } from "../support/registry.ts";
import { tool } from "../support/tools.ts";
import { type ImageCaller, imageCaller } from "./store.ts";

const mebibyte = 1 << 20;

/**
 * Runs a command and says the most memory that it had, in KiB. Linux counts what the process that started it had as well, and the one that
 * runs the tests may have hundreds of megabytes: this one is small.
 */
const measuring = `
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)`;

/** The most memory that a command had, in bytes. */
async function peak(caller: ImageCaller, ...args: string[]): Promise<number> {
  const child = Bun.spawn(["python3", "-c", measuring, RAUHA, "image", ...args], {
    env: { ...callerEnvironment(), ...caller.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [said, words] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  expect([child.exitCode, words.replace(/^rauha: pulling.*\n/, "")]).toEqual([0, ""]);
  return Number(said) * 1024;
}

test(
  "sixteen times the layer, the same memory",
  async () => {
    const registry = await startRegistry();
    const folder = makeFolder("large");
    const peaks: { import: number; pull: number }[] = [];
    for (const size of [16, 256]) {
      const file = join(folder, "content");
      const fd = openSync(file, "w");
      ftruncateSync(fd, size * mebibyte);
      closeSync(fd);
      await tool(["tar", "-C", folder, "-cf", `${folder}.tar`, "content"]);
      const [importer, puller] = [imageCaller(), imageCaller()];
      const imported = await peak(importer, "import", `${folder}.tar`, "large:1");
      const source = `oci:${importer.root}:docker.io/library/large:1`;
      const name = `${registry.host}/large:${size}`;
      // Zeros, but sent as they are: packed, they would be no load.
      await tool([
        "skopeo",
        "copy",
        "-q",
        "--insecure-policy",
        "--preserve-digests",
        "--dest-tls-verify=false",
        source,
        `docker://${name}`,
      ]);
      peaks.push({ import: imported, pull: await peak(puller, "pull", name) });
      for (const path of [importer.root, puller.root, `${folder}.tar`]) rmSync(path, { recursive: true });
    }
    await registry.stop();
    const [small, large] = peaks;
    expect(Number(large?.import) - Number(small?.import)).toBeLessThan(64 * mebibyte);
    expect(Number(large?.pull) - Number(small?.pull)).toBeLessThan(64 * mebibyte);
    // The measure measures something: a runtime alone takes more than this.
    expect(Number(small?.pull)).toBeGreaterThan(10 * mebibyte);
    expect(Number(large?.pull)).toBeLessThan(200 * mebibyte);
  },
  patient(90_000),
);

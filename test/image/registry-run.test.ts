/** From a registry to a running task in one command, offline afterwards, and gone when it is removed. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { makeFolder } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { parseResult } from "../support/rauha.ts";
import { startRegistry } from "../support/registry.ts";
import { tool } from "../support/tools.ts";
import { buildImage } from "./image-builder.ts";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { testStore } from "./zone-store.ts";

const registry = await startRegistry();
afterAll(() => registry.stop());

const base: TarPart[] = [
  { name: "bin", type: "5", mode: 0o755 },
  { name: "bin/busybox", mode: 0o755, content: readFileSync("/bin/busybox") },
  ...["sh", "cat", "echo"].map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
  { name: "said", content: "first\n" },
];

/** Pushes an image of two layers whose second says this. */
async function push(said: string, docker = false): Promise<string> {
  const layers = [{ archive: tarOf(base) }, { archive: tarOf([{ name: "said", content: said }]) }];
  const layout = buildImage(makeFolder("layout"), "1", { layers, docker, config: { Cmd: ["cat", "/said"] } });
  const name = `${registry.host}/run${docker ? "-docker" : ""}:1`;
  await tool(["skopeo", "copy", "-q", "--dest-tls-verify=false", `oci:${layout}`, `docker://${name}`]);
  return name;
}

test(
  "pulled when missing, run, offline the second time, renewed when asked to, removed",
  async () => {
    const store = testStore();
    const run = (name: string, ...flags: string[]) => store.rauha(["sandbox", "--image", name, ...flags]);
    const name = await push("one\n");

    const never = await run(name, "--pull", "never");
    expect([never.exitCode, parseResult(never.stdout).error?.code]).toEqual([125, "not_found"]);

    const first = await run(name);
    expect(parseResult(first.stdout, first.stderr)).toMatchObject({
      status: "succeeded",
      stdout: "one\n",
      image: { reference: name, digest: expect.stringMatching(/^sha256:/) },
    });
    expect(first.stderr).toMatch(/pulling .*2 layers/);
    expect(first.stderr).toContain("unpacking layer 2 of 2");

    const asked = registry.requests().length;
    const second = await run(name);
    expect([parseResult(second.stdout).stdout, second.stderr]).toEqual(["one\n", ""]);
    expect(registry.requests().length).toBe(asked);

    // The tag moves on: what is stored is used until the registry is asked again.
    await push("two\n");
    expect(parseResult((await run(name)).stdout).stdout).toBe("one\n");
    const renewed = await run(name, "--pull", "always");
    expect(parseResult(renewed.stdout).stdout).toBe("two\n");
    expect(renewed.stderr).toContain("unpacking layer 2 of 2");
    expect(renewed.stderr).not.toContain("unpacking layer 1 of 2");

    expect((await store.rauha(["image", "rm", name])).exitCode).toBe(0);
    expect((await store.rauha(["image", "prune"])).exitCode).toBe(0);
    expect([store.layers(), store.work()]).toEqual([[], []]);
  },
  patient(60_000),
);

test(
  "a registry that is gone: what is here runs, what is not is unreachable, with the same result's shape",
  async () => {
    const store = testStore();
    const gone = await store.rauha(["sandbox", "--image", "127.0.0.1:9/none:1", "--", "true"]);
    const result = parseResult(gone.stdout);
    expect([gone.exitCode, result.status, result.error?.stage]).toEqual([125, "runtime_error", "image"]);
    expect(result.error?.code).toBe("unreachable");
  },
  patient(60_000),
);

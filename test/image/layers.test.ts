/** Layers on disk: made once, whole or not at all, kept while a zone has them, and removed with the last image that needs them. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { patient } from "../support/identity.ts";
import { parseResult, start } from "../support/rauha.ts";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { type TestStore, testStore } from "./zone-store.ts";

const shell: TarPart[] = [
  { name: "bin", type: "5", mode: 0o755 },
  { name: "bin/busybox", mode: 0o755, content: readFileSync("/bin/busybox") },
  ...["sh", "sleep", "true", "cat", "echo"].map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
];
const base = { archive: tarOf(shell) };
/** Takes long enough to unpack to be killed meanwhile. */
const slow = {
  archive: tarOf([
    ...Array.from({ length: 2000 }, (_, index) => ({ name: `many/${index % 40}/f${index}`, content: `${index}` })),
    { name: "sealed", type: "5", mode: 0o555 },
    { name: "sealed/in", content: "x", mode: 0o400 },
  ]),
};

const begin = (store: TestStore, name: string, ...command: string[]) =>
  start(["sandbox", "--image", name, "--pull", "never", "--", ...command], { env: { RAUHA_STORE: store.root } });

async function until(condition: () => boolean, ms = patient(30_000)): Promise<void> {
  for (const end = performance.now() + ms; !condition(); await Bun.sleep(2)) {
    if (performance.now() > end) throw new Error("it did not come to that");
  }
}

describe("killed while a layer is unpacked", () => {
  test.each([0, 15, 50])(
    "%d ms after it began: nothing counts as a layer, and the next run unpacks it",
    async (delay) => {
      const store = testStore();
      await store.add("slow", { layers: [base, slow] });
      const child = begin(store, "slow", "true");
      await until(() => store.work().some((name) => name.endsWith(".partial")));
      await Bun.sleep(delay);
      child.kill("SIGKILL");
      await child.exited;
      // Whatever was whole by then has its name; the rest has none.
      for (const name of store.layers())
        expect(statSync(join(store.root, "layers/sha256", name, "layer.json")).size).toBeGreaterThan(0);
      const { result } = await store.run("slow", ["cat", "/many/0/f0", "/sealed/in", "/many/39/f1999"]);
      expect(result.stdout).toBe("0x1999");
      expect(store.layers()).toHaveLength(2);
      expect(store.work()).toEqual([]);
    },
    patient(60_000),
  );

  test("what was left of one image is swept when another is unpacked; nothing under a lock is", async () => {
    const store = testStore();
    await store.add("base", { layers: [base] });
    const work = join(store.root, "layers/work");
    const dead = `sha256-${"d".repeat(64)}`;
    mkdirSync(join(work, `${dead}.partial/tree/deep`), { recursive: true });
    writeFileSync(join(work, dead), "");
    writeFileSync(join(work, `${dead}.partial/tree/deep/f`), "x", { mode: 0 });
    const alive = `sha256-${"a".repeat(64)}`;
    mkdirSync(join(work, `${alive}.partial`), { recursive: true });
    const holder = Bun.spawn(["flock", join(work, alive), "sleep", "30"], { stdin: "ignore" });
    try {
      await until(() => store.work().includes(alive));
      await Bun.sleep(patient(100));
      expect((await store.run("base", ["true"])).exitCode).toBe(0);
      expect(store.work().sort()).toEqual([alive, `${alive}.partial`]);
    } finally {
      holder.kill();
    }
  });
});

test(
  "several runs at once unpack a layer once",
  async () => {
    const store = testStore();
    await store.add("slow", { layers: [base, slow] });
    const children = Array.from({ length: 4 }, () => begin(store, "slow", "cat", "/many/0/f0"));
    const outputs = await Promise.all(
      children.map(async (child) => [await child.stdout.text(), await child.stderr.text()] as const),
    );
    for (const [stdout] of outputs) expect(parseResult(stdout).stdout).toBe("0");
    const words = outputs.map(([, stderr]) => stderr).join("");
    expect(words).toContain("waiting for another process");
    expect(store.layers()).toHaveLength(2);
    expect(store.work()).toEqual([]);
  },
  patient(60_000),
);

describe("removal", () => {
  test("layers go with the last image that needs them, shared ones stay", async () => {
    const store = testStore();
    await store.add("one", { layers: [base, slow] });
    await store.add("two", { layers: [base] });
    for (const name of ["one", "two"]) expect((await store.run(name, ["true"])).exitCode).toBe(0);
    expect(store.layers()).toHaveLength(2);
    expect((await store.rauha(["image", "rm", "one"])).exitCode).toBe(0);
    expect(store.layers()).toHaveLength(1);
    expect((await store.run("two", ["true"])).exitCode).toBe(0);
    expect((await store.rauha(["image", "prune", "--all"])).exitCode).toBe(0);
    expect([store.layers(), store.work()]).toEqual([[], []]);
  });

  test(
    "a layer that a zone is using stays until the zone has ended",
    async () => {
      const store = testStore();
      await store.add("used", { layers: [base] });
      expect((await store.run("used", ["true"])).exitCode).toBe(0);
      const child = begin(store, "used", "sh", "-c", "echo here; cat; exec /bin/sleep 3");
      await Bun.sleep(patient(500));
      expect((await store.rauha(["image", "rm", "used"])).exitCode).toBe(0);
      expect(store.layers()).toHaveLength(1);
      const result = parseResult(await child.stdout.text());
      expect([result.status, result.stdout]).toEqual(["succeeded", "here\n"]);
      expect((await store.rauha(["image", "prune"])).exitCode).toBe(0);
      expect(store.layers()).toEqual([]);
    },
    patient(30_000),
  );
});

test("only the owner of the store may look at layers", async () => {
  const store = testStore();
  await store.add("base", { layers: [base] });
  expect((await store.run("base", ["true"])).exitCode).toBe(0);
  expect((statSync(join(store.root, "layers")).mode & 0o777).toString(8)).toBe("700");
});

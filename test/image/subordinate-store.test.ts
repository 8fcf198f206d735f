/** An ordinary user's images with the subordinate ids that the administrator gave him: what the store keeps apart, when many are at it and some are killed. */
import { describe, expect } from "bun:test";
import { needs, patient } from "../support/identity.ts";
import { start } from "../support/rauha.ts";
import {
  asked,
  foreignFiles,
  mayChangeRanges,
  settings,
  subuids,
  withSubordinateIds,
} from "../support/subordinate-ids.ts";
import {
  base,
  dir,
  file,
  idsStore,
  mayChangeIds,
  other,
  pruneStores,
  spaces,
  unpacked,
  waitForEnd,
  withRanges,
} from "./ids-store.ts";
import { sha256 } from "./image-builder.ts";
import { tarOf } from "./tar-builder.ts";

pruneStores();

describe("the store", () => {
  withSubordinateIds(
    "rm and prune take away what belongs to other ids, whatever the settings say by then",
    async () => {
      for (const removal of [
        ["image", "rm", "base", "app"],
        ["image", "prune", "--all"],
      ]) {
        const store = await idsStore();
        for (const image of ["base", "app"]) expect((await store.run(image, ["true"])).exitCode).toBe(0);
        // For root, and for the user of the other one.
        expect(spaces(store)).toHaveLength(2);
        expect(unpacked(store)).toHaveLength(2);
        const { exitCode, stderr } = await store.rauha(removal, { env: settings("") });
        expect([stderr, exitCode]).toEqual(["", 0]);
        expect([unpacked(store), foreignFiles(store.root)]).toEqual([[], []]);
      }
    },
  );

  for (const delay of [0, 15, 50]) {
    withSubordinateIds(
      `killed ${delay} ms after unpacking began: the next run unpacks, and prune leaves nothing`,
      async () => {
        const store = await idsStore();
        const many = Array.from({ length: 2000 }, (_, index) =>
          file(`many/${index % 40}/f${index}`, String(index), { uid: index % 100, gid: index % 7, mode: 0o600 }),
        );
        const sealed = [dir("sealed", { ...other, mode: 0o500 }), file("sealed/in", "x", other)];
        const slow = { archive: tarOf([...sealed, ...many]) };
        await store.add("slow", { layers: [{ archive: base }, slow] });
        const child = start(["sandbox", "--image", "slow", "--pull", "never", "--", "true"], {
          env: { RAUHA_STORE: store.root, ...settings(asked) },
        });
        const end = performance.now() + patient(30_000);
        while (
          !unpacked(store).some((name) => name.includes(sha256(slow.archive).slice(7)) && name.endsWith(".partial"))
        ) {
          if (performance.now() > end) throw new Error("it did not come to that");
          await Bun.sleep(2);
        }
        await Bun.sleep(delay);
        child.kill("SIGKILL");
        await child.exited;
        if (delay === 15) {
          // Before any other run: whoever prunes sweeps it.
          await waitForEnd(store);
          expect((await store.rauha(["image", "prune", "--all"])).exitCode).toBe(0);
        } else {
          const { result } = await store.run("slow", ["cat", "/many/0/f0"], mayChangeIds);
          expect(result.stdout).toBe("0");
          expect(unpacked(store).filter((name) => name.startsWith("work/"))).toEqual([]);
          expect((await store.rauha(["image", "rm", "slow", "base", "app"])).exitCode).toBe(0);
        }
        expect([unpacked(store), foreignFiles(store.root)]).toEqual([[], []]);
      },
      patient(60_000),
    );
  }

  needs("ranges that the tests may change", mayChangeRanges)(
    "layers of another range are not taken for those of this one, and need their own ids to go",
    async () => {
      const store = await idsStore();
      const owner = async () => (await store.run("base", ["stat", "-c", "%u", "/data", "/secret"])).result.stdout;
      expect(await owner()).toBe("999\n33\n");
      const moved = subuids.first + 200_000;
      await withRanges(`${moved}:${subuids.count}`, async () => {
        expect(await owner()).toBe("999\n33\n");
        expect(spaces(store)).toHaveLength(2);
        const { exitCode, stderr } = await store.rauha(["image", "prune", "--all"]);
        expect(exitCode).toBe(125);
        expect(stderr).toContain("belongs to subordinate ids and can't be removed");
        expect(stderr).toMatch(/newgidmap: .*not allowed/);
        expect(stderr).toContain("sudo rm -rf");
      });
      // What could be removed then was; the rest goes with the ids that it belongs to.
      expect((await store.rauha(["image", "prune", "--all"])).exitCode).toBe(0);
      expect([unpacked(store), foreignFiles(store.root)]).toEqual([[], []]);
    },
    patient(60_000),
  );
});

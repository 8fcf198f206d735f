/** An ordinary user's images with the subordinate ids that the administrator gave him: where they can't be had. */
import { describe, expect } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../support/folders.ts";
import { needs, patient } from "../support/identity.ts";
import { parseResult } from "../support/rauha.ts";
import { asked, mayChangeRanges, settings, subgids, subuids, withSubordinateIds } from "../support/subordinate-ids.ts";
import { base, dir, file, idsStore, pruneStores, unpacked, withRanges } from "./ids-store.ts";
import { tarOf } from "./tar-builder.ts";
import { type TestStore, testStore } from "./zone-store.ts";

pruneStores();

describe("asked for and not to be had: said, and nothing runs", () => {
  const refused = async (store: TestStore, caller = {}) => {
    const { exitCode, result } = await store.run("base", ["true"], [], caller);
    expect([exitCode, result.status]).toEqual([125, "runtime_error"]);
    expect([store.layers(), unpacked(store)]).toEqual([[], []]);
    return result.error;
  };

  withSubordinateIds("an owner above the range, with the entry's name", async () => {
    const store = await idsStore();
    const last = Math.min(subuids.count, subgids.count);
    await store.add("base", { layers: [{ archive: tarOf([dir("d"), file("d/high", "x", { gid: last + 1 })]) }] });
    const error = await refused(store);
    expect(error?.code).toBe("unenforceable");
    expect(error?.message).toContain(
      `refused at "d/high": its owner 0:${last + 1} is none of a zone's ids, 0 to ${last}`,
    );
    expect(error?.hint).toContain("usermod --add-subuids");
  });

  withSubordinateIds("a mistake in the settings, with line and column", async () => {
    for (const [text, message] of [
      ["[ids]\nsubordinat = true\n", 'unknown key "subordinat"'],
      ["[ids]\nsubordinate = 1\n", "expected true or false"],
      ["ids = true\n", "expected a table"],
    ] as const) {
      const store = testStore(settings(text));
      await store.add("base", { layers: [{ archive: base }] });
      const error = await refused(store);
      expect([error?.code, error?.message]).toEqual(["invalid_config", message]);
      expect(error?.origin).toMatch(/registries\.toml:\d:\d/);
    }
  });

  withSubordinateIds("newuidmap that may not do it, where no_new_privs holds", async () => {
    const store = await idsStore();
    const flags = ["--image", "base", "--pull", "never", "--", "true"];
    const command = [
      "setpriv",
      "--no-new-privs",
      process.env["RAUHA_BIN"] ?? join(import.meta.dir, "../../dist/rauha"),
    ];
    const env = { ...process.env, RAUHA_STORE: store.root, ...settings(asked) };
    const { exitCode, stdout } = Bun.spawnSync([...command, "sandbox", ...flags], { env, stdin: "ignore" });
    const { error } = parseResult(stdout.toString());
    expect([exitCode, error?.code]).toEqual([125, "setup_failed"]);
    expect(error?.message).toContain("newgidmap: write to gid_map failed: Operation not permitted");
    expect(error?.hint).toContain("no_new_privs");
    expect(unpacked(store)).toEqual([]);
  });

  needs("ranges that the tests may change", mayChangeRanges)(
    "no range, a bad line, a range too short, one that was taken away since",
    async () => {
      const store = await idsStore();
      await withRanges("", async () => {
        const error = await refused(store);
        expect(error?.message).toMatch(
          /registries\.toml asks for subordinate ids: \/etc\/subuid has no range of ids for /,
        );
        expect(error?.hint).toMatch(/^sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 /);
      });
      await withRanges("many:5", async () => {
        const error = await refused(store);
        expect([error?.code, error?.message]).toEqual(["invalid_config", expect.stringContaining("/etc/subuid:1: ")]);
      });
      await withRanges(`${subuids.first}:20`, async () => {
        const error = await refused(store);
        expect(error?.message).toContain("its owner 999:998 is none of a zone's ids, 0 to 20");
      });
      expect((await store.run("base", ["true"])).exitCode).toBe(0);
    },
    patient(60_000),
  );

  withSubordinateIds(
    "a folder in PATH that is not a path is not looked at; one without the programs is no reason",
    async () => {
      const store = await idsStore();
      const folder = makeFolder("path");
      mkdirSync(join(folder, "newuidmap"));
      const { exitCode } = await store.run("base", ["true"], [], { env: { PATH: `.:${folder}-none:` } });
      expect(exitCode).toBe(0);
    },
  );

  withSubordinateIds("a group of the image's user that is none of the zone's", async () => {
    const store = await idsStore();
    const beyond = subgids.count + 1;
    const group = tarOf([dir("etc"), file("etc/group", `root:x:0:\nextra:x:${beyond}:app\n`)]);
    await store.add("grouped", { layers: [{ archive: base }, { archive: group }], config: { User: "app" } });
    const { exitCode, result } = await store.run("grouped", ["true"]);
    expect([exitCode, result.error?.code]).toEqual([125, "unenforceable"]);
    expect(result.error?.message).toContain(`in group ${beyond}`);
    await store.add("grouped", { layers: [{ archive: base }], config: { User: "lost" } });
    expect((await store.run("grouped", ["id"])).result.stdout).toBe("uid=5(lost) gid=5 groups=997(extra)\n");
  });
});

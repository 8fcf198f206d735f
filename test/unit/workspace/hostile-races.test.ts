/** Layers that no honest task leaves behind, on a host that changes while they are applied. */
import { describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { treeFs as fs } from "../../../src/linux/tree/tree-fs.ts";
import { TreeError } from "../../../src/run/tree-fs.ts";
import { LayerWriter } from "../../../src/workspace/apply/write.ts";
import { collectChanges } from "../../../src/workspace/changes.ts";
import { closeLayer, openLayer } from "../../../src/workspace/task-layers.ts";
import { snapshot } from "../../support/byte-trees.ts";
import { applyHandMade, handMadeTask, makeWhiteout } from "../../support/kept-task.ts";

describe("a host that changes while changes are applied", () => {
  /** The moment between check and write, made as long as it takes. */
  function between(fill: Parameters<typeof handMadeTask>[0], meanwhile: (repo: string, outside: string) => void) {
    const made = handMadeTask((paths) => {
      writeFileSync(`${paths.outside}/precious`, "precious\n");
      fill(paths);
    });
    const open = openLayer(fs, made.task.fd, made.record, 0);
    const changes = collectChanges(fs, open.layer, open.host);
    meanwhile(made.repo, `${made.folder}/outside`);
    const before = snapshot(`${made.folder}/outside`);
    const writer = new LayerWriter(fs, open.layer, open.host, changes);
    const errors: string[] = [];
    for (const change of changes) {
      try {
        writer.write(change);
      } catch (error) {
        errors.push(error instanceof TreeError ? `${error.path}: ${error.step}` : String(error));
      }
    }
    closeLayer(fs, open);
    expect(snapshot(`${made.folder}/outside`)).toEqual(before);
    return { ...made, errors };
  }

  test("a parent that became a link to elsewhere stops the write", () => {
    const { errors } = between(
      ({ repo, upper }) => {
        mkdirSync(`${repo}/dir`);
        mkdirSync(`${upper}/dir`);
        writeFileSync(`${upper}/dir/precious`, "stolen\n");
      },
      (repo, outside) => {
        rmSync(`${repo}/dir`, { recursive: true });
        symlinkSync(outside, `${repo}/dir`);
      },
    );
    expect(errors).toHaveLength(1);
  });

  test("a file that became a directory is left alone", () => {
    const { repo, errors } = between(
      ({ repo, upper }) => {
        writeFileSync(`${repo}/file`, "old\n");
        writeFileSync(`${upper}/file`, "new\n");
      },
      (repo) => {
        rmSync(`${repo}/file`);
        mkdirSync(`${repo}/file`);
        writeFileSync(`${repo}/file/kept`, "kept\n");
      },
    );
    expect(errors).toEqual(["file: changed while applying"]);
    expect(readFileSync(`${repo}/file/kept`, "utf8")).toBe("kept\n");
  });

  test("a file that was written meanwhile is left alone", () => {
    const { repo, errors } = between(
      ({ repo, upper }) => {
        writeFileSync(`${repo}/file`, "old\n");
        writeFileSync(`${upper}/file`, "new\n");
      },
      (repo) => writeFileSync(`${repo}/file`, "newer\n"),
    );
    expect(errors).toEqual(["file: changed while applying"]);
    expect(readFileSync(`${repo}/file`, "utf8")).toBe("newer\n");
  });

  test("no temporary file stays behind", () => {
    const { repo } = between(
      ({ repo, upper }) => {
        mkdirSync(`${repo}/a`);
        writeFileSync(`${upper}/a`, "new\n");
      },
      () => {},
    );
    expect(Object.keys(snapshot(repo))).toEqual(["a"]);
  });

  test("a directory swapped with a link all the time: nothing outside is ever touched", async () => {
    const made = handMadeTask(({ repo, upper, outside }) => {
      mkdirSync(`${repo}/dir`);
      writeFileSync(`${outside}/precious`, "precious\n");
      mkdirSync(`${upper}/dir`);
      for (let i = 0; i < 40; i++) writeFileSync(`${upper}/dir/file-${i}`, `${i}\n`);
      makeWhiteout(`${upper}/dir/precious`);
    });
    symlinkSync(`${made.folder}/outside`, `${made.folder}/link`);
    const before = snapshot(`${made.folder}/outside`, "identity");
    // Swaps repo/dir and the link, atomically, as fast as it can.
    const swapper = Bun.spawn(
      [process.execPath, `${import.meta.dir}/../../support/swap-forever.ts`, `${made.repo}/dir`, `${made.folder}/link`],
      {
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    await swapper.stdout.getReader().read();
    let refused = 0;
    try {
      // A busy machine may hold the swapper back for rounds on end: at least 60 rounds, and on until it got in the way of some.
      for (let round = 0; round < 60 || (refused < 10 && round < 20_000); round++) {
        // Where nothing came in between, the link was replaced by the directory, and what it hid has the layer's files already.
        if (!lstatSync(`${made.folder}/link`).isSymbolicLink() && !lstatSync(`${made.repo}/dir`).isSymbolicLink()) {
          // While one of the names is missing nothing is swapped.
          renameSync(`${made.folder}/link`, `${made.folder}/replaced-${round}`);
          symlinkSync(`${made.folder}/outside`, `${made.folder}/link`);
        }
        for (let i = 0; i < 40; i++) writeFileSync(`${made.upper}/dir/file-${i}`, `${i} of round ${round}\n`);
        try {
          if (!applyHandMade(made, { force: true }).done) refused++;
        } catch {
          refused++;
        }
        expect(snapshot(`${made.folder}/outside`, "identity")).toEqual(before);
      }
    } finally {
      swapper.kill();
      await swapper.exited;
    }
    expect(refused).toBeGreaterThanOrEqual(10);
  }, 60_000);
});

/** An ordinary user's images with the subordinate ids that the administrator gave him: owners as the image has them, and nothing of the host's. */
import { describe, expect } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { gid, hasProgram, needs, patient, uid } from "../support/identity.ts";
import { guarantee, start } from "../support/rauha.ts";
import {
  asked,
  foreignFiles,
  mappedNamespace,
  settings,
  subgids,
  subuids,
  withSubordinateIds,
} from "../support/subordinate-ids.ts";
import { expectSame, listByUmociIn, listLayersIn } from "./compare-trees.ts";
import { base, file, idsStore, mayChangeIds, other, pruneStores, spaces, stores, top, tried } from "./ids-store.ts";
import { buildImage, sha256 } from "./image-builder.ts";
import { tarOf } from "./tar-builder.ts";
import { testStore } from "./zone-store.ts";

pruneStores();

describe("owners", () => {
  const withUmoci = hasProgram("umoci") ? withSubordinateIds : needs("umoci", false);
  withUmoci(
    "the unpacked tree is what umoci unpacks as root of the same ids",
    async () => {
      const store = testStore(settings(asked));
      stores.push(store);
      const capability = new Uint8Array([1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      const odd = tarOf([
        file("cap", "x", { mode: 0o755, uid: 3, pax: { "SCHILY.xattr.security.capability": capability } }),
        file("noted", "x", { uid: 4, pax: { "SCHILY.xattr.user.note": "a\nb" } }),
        file("last", "x", { uid: Math.min(65_535, subuids.count), gid: Math.min(65_535, subgids.count) }),
        file("zero", "", { mode: 0, ...other }),
      ]);
      const layers = [base, top, odd].map((archive) => ({ archive }));
      await store.add("compared", { layers });
      const { result } = await store.run("compared", ["true"]);
      expect(result.error).toBeNull();
      const [space = ""] = spaces(store);
      const namespace = mappedNamespace();
      const diffIds = layers.map(({ archive }) => sha256(archive));
      const ours = listLayersIn(namespace, join(store.root, "layers", space), diffIds);
      const theirs = listByUmociIn(namespace, buildImage(makeFolder("umoci"), "test", { layers }));
      expect(Object.keys(ours)).toContain("own/set");
      // One is only implied: its time is when it was made. From the other something was removed, which touches it where nothing is stacked.
      for (const listed of [ours, theirs]) for (const name of ["data/deep", "data"]) delete listed[name]?.["mtime"];
      expectSame({ ours, theirs });
    },
    patient(60_000),
  );

  withSubordinateIds("each file has its owner inside, and a subordinate id outside", async () => {
    const store = await idsStore();
    const { result } = await store.run("base", ["stat", "-c", "%u:%g %a", "/data", "/secret", "/bin/busybox"]);
    expect(result.stdout).toBe("999:998 755\n33:33 700\n0:0 755\n");
    const tree = join(store.root, "layers", spaces(store)[0] ?? "", "sha256", sha256(base).slice(7), "tree");
    const { uid: owner, gid: group } = statSync(join(tree, "data"));
    expect([owner, group]).toEqual([subuids.first + 998, subgids.first + 997]);
    expect(statSync(join(tree, "bin/busybox")).uid).toBe(uid);
  });

  withSubordinateIds("whoever does not ask has one id, and pays with no other file in the store", async () => {
    for (const text of ["", "retries = 3\n", "[ids]\nsubordinate = false\n"]) {
      const store = testStore(settings(text));
      await store.add("base", { layers: [{ archive: base }] });
      const { result } = await store.run("base", ["sh", "-c", "cat /proc/self/uid_map; stat -c %u /secret/s"]);
      expect(result.stdout?.trim().split(/\s+/)).toEqual(["0", String(uid), "1", "0"]);
      expect(guarantee(result, "user_namespace").mechanism).toBe("user namespace");
      expect([spaces(store), foreignFiles(store.root)]).toEqual([[], []]);
    }
  });
});

describe("inside", () => {
  withSubordinateIds("a task with the capabilities changes owners, becomes others, and they have groups", async () => {
    const store = await idsStore();
    const script = `id; touch /tmp/x; chown 99:100 /tmp/x; stat -c %u:%g /tmp/x
      su app -c 'id; touch /data/new; stat -c %u:%g /data/new; cat /secret/s; touch /etc/new'; cat /secret/s`;
    const { result } = await store.run("base", ["sh", "-c", script], mayChangeIds);
    expect(result.stdout?.replaceAll(/ groups=\S+/g, "")).toBe(
      "uid=0(root) gid=0(root)\n99:100\nuid=999(app) gid=998(app)\n999:998\nhidden",
    );
    expect(result.stderr).toMatch(/secret\/s'?: Permission denied\n.*etc\/new: Permission denied\n$/);
  });

  withSubordinateIds("the image's user writes what is his and nothing else", async () => {
    const store = await idsStore();
    const script =
      "id -u; cat /data/mine; echo more >> /data/mine; touch /data/new; stat -c %u /data/new; touch /etc/new; cat /secret/s";
    const { result } = await store.run("app", ["sh", "-c", script]);
    expect(result.stdout).toBe("999\nmine999\n");
    expect(result.stderr).toMatch(/etc\/new: Permission denied\n.*secret\/s'?: Permission denied\n$/);
  });

  withSubordinateIds("no id outside of the range, none of the host's, no other map", async () => {
    const store = await idsStore();
    const beyond = Math.min(subuids.count, subgids.count) + 1;
    const flags = [...mayChangeIds, "--ro-bind", "/etc/shadow:/shadow", "--ro-bind", "/etc/passwd:/host-passwd"];
    const answers = await tried(
      store,
      [
        `setuid ${beyond}`,
        `setgid ${beyond}`,
        `setgroups ${beyond}`,
        "read /shadow",
        "write /host-passwd x",
        "unshare user",
      ],
      flags,
    );
    expect(answers).toMatchObject({
      [`setuid ${beyond}`]: "EINVAL",
      [`setgid ${beyond}`]: "EINVAL",
      [`setgroups ${beyond}`]: "EINVAL",
      "read /shadow": "EACCES",
      "write /host-passwd x": expect.stringMatching(/^E(ROFS|ACCES)$/),
      "unshare user": "EPERM",
    });
    const neighbour = await tried(store, ["setgroups 5", "setgid 998", "setuid 999", "read /host-passwd"], flags);
    expect(Object.values(neighbour)).not.toContain("EPERM");
    expect([neighbour["setgroups 5"], neighbour["setgid 998"], neighbour["setuid 999"]]).toEqual(["OK", "OK", "OK"]);
    const script = `touch /tmp/x; chown ${beyond} /tmp/x; echo '0 0 1' > /proc/self/uid_map; chown 0 /host-passwd; cat /proc/self/setgroups`;
    const { result } = await store.run("base", ["sh", "-c", script], flags);
    expect(result.stdout).toBe("allow\n");
    expect(result.stderr).toMatch(
      /Invalid argument\n.*write error: Operation not permitted\n.*host-passwd: (Read-only file system|Operation not permitted)\n/,
    );
  });

  withSubordinateIds("a writable file of the host's root stays root's", async () => {
    const store = await idsStore();
    const folder = makeFolder("bound");
    writeFileSync(join(folder, "f"), "mine");
    // /usr is root's: bound writable, it is still only there to be read.
    const flags = [...mayChangeIds, "-B", "/usr/share:/host-share", "-B", `${folder}:/bound`];
    const script =
      "chown 5 /host-share; touch /host-share/x; chmod 777 /host-share; chown 5 /bound/f && chown 0 /bound/f && echo own";
    const { result } = await store.run("base", ["sh", "-c", script], flags);
    expect(result.stdout).toBe("own\n");
    expect(result.stderr?.match(/Operation not permitted|Permission denied/g)).toHaveLength(3);
    expect(statSync(join(folder, "f")).uid).toBe(uid);
  });

  withSubordinateIds("--explain, guarantees and doctor name newuidmap", async () => {
    const store = await idsStore();
    const { result } = await store.run("base", ["true"]);
    expect(guarantee(result, "user_namespace").mechanism).toBe("user namespace, subordinate ids by newuidmap");
    const explained = await store.rauha(["sandbox", "--image", "base", "--explain", "--no-json", "--", "true"]);
    expect(explained.stdout).toMatch(/uid_map +uid 0 inside is \d+ on the host +host \(subordinate ids\)/);
    expect(explained.stdout).toMatch(/id_helpers +newuidmap and newgidmap write these maps/);
    expect(explained.stdout).toContain(`uids 1 to ${subuids.count} inside are ${subuids.first} and up on the host`);
    const doctor = JSON.parse((await store.rauha(["doctor", "--json"])).stdout);
    const finding = doctor.findings.find(({ check }: { check: string }) => check === "subordinate_ids");
    expect(finding).toMatchObject({ state: "enforced", needed: false, fix: null });
    expect(finding.summary).toContain("by newuidmap");
  });
});

/** A project that nobody but the caller may look into. */
function repo(): string {
  const folder = writeFiles(makeFolder("repo"), { "a.txt": "one\n" });
  Bun.spawnSync(["chmod", "-R", "go-rwx", folder]);
  return folder;
}

describe("files of the caller's", () => {
  for (const [image, id] of [
    ["base", "0:0"],
    ["app", "999:998"],
  ] as const) {
    withSubordinateIds(`are the task's own, whoever the image's user is: ${image}`, async () => {
      const store = await idsStore();
      const folder = repo();
      const bound = repo();
      const flags = ["--repo-path", folder, "--repo-mode", "rw", "-B", `${bound}:/bound`];
      const script = "stat -c %u:%g a.txt /bound/a.txt; echo two > a.txt; echo new > b.txt; echo three > /bound/a.txt";
      const { result } = await store.run(image, ["sh", "-c", script], flags);
      expect([result.stderr, result.stdout]).toEqual(["", `${id}\n${id}\n`]);
      expect(readFileSync(join(folder, "a.txt"), "utf8")).toBe("two\n");
      expect(readFileSync(join(bound, "a.txt"), "utf8")).toBe("three\n");
      expect([statSync(join(folder, "b.txt")).uid, statSync(join(folder, "b.txt")).gid]).toEqual([uid, gid]);
    });

    withSubordinateIds(`are changed copy-on-write and applied: ${image}`, async () => {
      const store = await idsStore();
      const folder = repo();
      const flags = ["--repo-path", folder, "--on-success", "apply"];
      const { result } = await store.run(image, ["sh", "-c", "echo two > a.txt; mkdir d; echo new > d/b"], flags);
      expect([result.error, result.workspace?.state as string]).toEqual([null, "applied"]);
      expect(readFileSync(join(folder, "a.txt"), "utf8") + readFileSync(join(folder, "d/b"), "utf8")).toBe(
        "two\nnew\n",
      );
      expect(foreignFiles(folder)).toEqual([]);
    });
  }

  withSubordinateIds("what a task gives away in a layer is read, applied and forgotten all the same", async () => {
    const store = await idsStore();
    const state = makeFolder("state");
    const env = { XDG_STATE_HOME: state };
    const script = `echo two > a.txt; mkdir -p d/e; echo new > d/e/b; chown 5:7 a.txt; chown -R 33:33 d; chmod 700 d d/e; chmod 600 d/e/b`;
    for (const [then, left] of [
      ["apply", "two\n"],
      ["discard", "one\n"],
    ] as const) {
      const folder = repo();
      const flags = [...mayChangeIds, "--repo-path", folder, "--on-success", then];
      const { result, stderr } = await store.run("base", ["sh", "-c", script], flags, { env });
      expect(stderr).not.toContain("warning");
      expect(result.changes.map(({ path }) => path)).toContain("d/e/b");
      expect([readFileSync(join(folder, "a.txt"), "utf8"), existsSync(join(folder, "d/e/b"))]).toEqual([
        left,
        then === "apply",
      ]);
      expect(foreignFiles(folder)).toEqual([]);
    }
    expect(readdirSync(join(state, "rauha/tasks"))).toEqual([]);
  });
});

describe("a run that was killed left files of other ids in its layer", () => {
  withSubordinateIds(
    "they are read and forgotten, and what a removal could not finish is swept",
    async () => {
      const store = await idsStore();
      expect((await store.run("base", ["true"])).exitCode).toBe(0);
      const env = { RAUHA_STORE: store.root, XDG_STATE_HOME: makeFolder("state"), ...settings(asked) };
      const tasks = join(env.XDG_STATE_HOME, "rauha/tasks");
      const marker = join(makeFolder("marker"), "ready");
      const script = `mkdir -p d/e; echo new > d/e/b; chown -R 33:33 d; chmod 700 d d/e; touch /marker/ready; sleep 60`;
      for (const command of [["discard"], ["changes", "prune"]]) {
        const flags = [...mayChangeIds, "--repo-path", repo(), "-B", `${join(marker, "..")}:/marker`];
        const child = start(["sandbox", "--image", "base", "--pull", "never", ...flags, "--", "sh", "-c", script], {
          env,
        });
        while (!existsSync(marker)) await Bun.sleep(5);
        child.kill("SIGKILL");
        await child.exited;
        rmSync(marker);
        const [task = ""] = readdirSync(tasks);
        if (command[0] === "discard") {
          const { stdout } = await store.rauha(["diff", task], { env });
          expect(stdout).toContain("+++ b/d/e/b\n");
        } else renameSync(join(tasks, task), join(tasks, `.gone-${task}`));
        const { exitCode, stderr } = await store.rauha([...command, ...(command[0] === "discard" ? [task] : [])], {
          env,
        });
        expect([stderr, exitCode, readdirSync(tasks)]).toEqual(["", 0, []]);
      }
    },
    patient(60_000),
  );
});

/** An ordinary user's images with the subordinate ids that the administrator gave him: owners as the image has them, and nothing of the host's. */
import { afterAll, describe, expect } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { gid, hasProgram, needs, patient, uid } from "../support/identity.ts";
import { type Attempt, attemptWords, PROBE, parseAnswers, probeBind } from "../support/probe.ts";
import { guarantee, parseResult, start } from "../support/rauha.ts";
import {
  asked,
  foreignFiles,
  mappedNamespace,
  mayChangeRanges,
  settings,
  subgids,
  subuids,
  withSubordinateIds,
} from "../support/subordinate-ids.ts";
import { expectSame, listByUmociIn, listLayersIn } from "./compare-trees.ts";
import { buildImage, sha256 } from "./image-builder.ts";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { type TestStore, testStore } from "./zone-store.ts";

const dir = (name: string, more: Partial<TarPart> = {}): TarPart => ({ name, type: "5", mode: 0o755, ...more });
const file = (name: string, content = "", more: Partial<TarPart> = {}): TarPart => ({ name, content, ...more });
const app = { uid: 999, gid: 998 };
const other = { uid: 33, gid: 33 };
const applets = [
  "sh",
  "ls",
  "cat",
  "id",
  "su",
  "chown",
  "touch",
  "stat",
  "mkdir",
  "rm",
  "chmod",
  "true",
  "sleep",
  "echo",
];
const base = tarOf([
  dir("bin"),
  file("bin/busybox", readFileSync("/bin/busybox").toString("latin1"), { mode: 0o755 }),
  ...applets.map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
  dir("etc"),
  file("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:999:998::/home/app:/bin/sh\nlost:x:5:5::/:/bin/sh\n"),
  file("etc/group", "root:x:0:\napp:x:998:\nextra:x:997:lost\n"),
  dir("data", app),
  file("data/mine", "mine", { ...app, mode: 0o600 }),
  dir("secret", { ...other, mode: 0o700 }),
  file("secret/s", "hidden", { ...other, mode: 0o600 }),
]);
/** Implies directories of others, takes things away, and adds owners. */
const top = tarOf([
  file("data/deep/implied", "x", { uid: 7, gid: 8 }),
  file("secret/more", "x", other),
  dir("own", { uid: 65_000, gid: 3, mode: 0o2750 }),
  file("own/set", "x", { uid: 65_000, gid: 65_001, mode: 0o4711 }),
  { name: "own/link", type: "2", link: "/nowhere", uid: 12, gid: 13 },
  file("data/.wh.mine"),
]);

const stores: TestStore[] = [];
/** A store of a user whose settings ask for subordinate ids, with images in it. */
async function idsStore(text = asked): Promise<TestStore> {
  const store = testStore(settings(text));
  stores.push(store);
  await store.add("base", { layers: [{ archive: base }] });
  await store.add("app", { layers: [{ archive: base }], config: { User: "app" } });
  return store;
}
// What belongs to other ids, nobody but Rauha takes away again.
afterAll(async () => {
  for (const store of stores) await store.rauha(["image", "prune", "--all"]);
});

const spaces = (store: TestStore): string[] =>
  existsSync(join(store.root, "layers"))
    ? readdirSync(join(store.root, "layers")).filter((name) => name.startsWith("ids-"))
    : [];
const unpacked = (store: TestStore): string[] =>
  spaces(store).flatMap((space) =>
    ["sha256", "joint", "work"].flatMap((kind) => {
      const folder = join(store.root, "layers", space, kind);
      return existsSync(folder) ? readdirSync(folder).map((name) => `${kind}/${name}`) : [];
    }),
  );

const capabilities = join(
  writeFiles(makeFolder("policy"), {
    "ids.toml":
      'extends = "task"\n[capabilities]\nallowed = ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]\n',
  }),
  "ids.toml",
);
const mayChangeIds = ["--policy", capabilities];

async function tried(store: TestStore, attempts: readonly Attempt[], flags: readonly string[] = []) {
  const { result } = await store.run("base", [PROBE, ...attemptWords(attempts)], [...probeBind, ...flags]);
  if (result.error !== null) throw new Error(`${result.error.message} (${result.error.hint})`);
  return Object.fromEntries(parseAnswers(result.stdout ?? "").map(({ attempt, outcome }) => [attempt, outcome]));
}

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

/** The zone of a killed invocation ends by itself, a moment later. */
async function waitForEnd(store: TestStore): Promise<void> {
  const work = join(store.root, "layers");
  for (const end = performance.now() + patient(10_000); performance.now() < end; await Bun.sleep(5)) {
    const { stdout } = Bun.spawnSync(["sh", "-c", 'grep -ls "$0" /proc/[0-9]*/mountinfo', work]);
    if (stdout.toString() === "") return;
  }
  throw new Error("the zone did not end");
}

/** Runs work while this user has other ranges, in the files that are the tests' own. */
async function withRanges(range: string, work: () => Promise<void>): Promise<void> {
  const files = ["/etc/subuid", "/etc/subgid"].map((path) => ({ path, text: readFileSync(path, "utf8") }));
  const [own] = (files[0]?.text ?? "")
    .split("\n")
    .filter((line) => line.endsWith(`:${subuids.first}:${subuids.count}`));
  const name = own?.split(":")[0] ?? "";
  try {
    for (const { path } of files) writeFileSync(path, range === "" ? "" : `${name}:${range}\n`);
    await work();
  } finally {
    for (const { path, text } of files) writeFileSync(path, text);
  }
}

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

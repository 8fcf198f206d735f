/** What Rauha unpacks, layer by layer, is to the last bit what `umoci unpack` makes of the same image. */
import { describe, expect } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { hasProgram, isRoot, needs } from "../support/identity.ts";
import { PROBE, probeBind } from "../support/probe.ts";
import { expectSame, type Listed, listByUmoci, listLayers, runTool } from "./compare-trees.ts";
import { type BuiltLayer, buildImage, sha256 } from "./image-builder.ts";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { testStore } from "./zone-store.ts";

const withUmoci = needs("umoci", hasProgram("umoci"));
/** Both unpack; for umoci, which knows neither zstd nor Docker's media types, the same archives are packed once more. */
async function compare(layers: readonly BuiltLayer[], docker = false): Promise<{ ours: Listed; theirs: Listed }> {
  const store = testStore();
  await store.add("compared", { layers, docker });
  const { result } = await store.run("compared", [PROBE, "getpid"], probeBind);
  if (result.error !== null) throw new Error(result.error.message);
  const gzipped = layers.map(({ archive }) => ({ archive }));
  const image = buildImage(makeFolder("umoci"), "test", { layers: gzipped });
  const diffIds = layers.map(({ archive }) => sha256(archive));
  return { ours: listLayers(store.root, diffIds), theirs: listByUmoci(image) };
}

const dir = (name: string, more: Partial<TarPart> = {}): TarPart => ({ name, type: "5", mode: 0o755, ...more });
const file = (name: string, content = "", more: Partial<TarPart> = {}): TarPart => ({ name, content, ...more });

/** An archive by GNU tar of what is on this machine. */
function tarOfHost(args: readonly string[]): Uint8Array {
  const { stdout, stderr, exitCode } = Bun.spawnSync(["tar", "-c", "--sort=name", ...args], { stdin: "ignore" });
  if (exitCode !== 0) throw new Error(stderr.toString());
  return stdout;
}

/** The files of some Debian packages, with all their owners and modes. */
function debianTree(): Uint8Array {
  const packages = [
    "base-files",
    "coreutils",
    "dash",
    "libc6",
    "login",
    "mount",
    "passwd",
    "perl-base",
    "tzdata",
    "util-linux",
  ];
  const { stdout } = Bun.spawnSync(["dpkg", "-L", ...packages], { stdin: "ignore" });
  const paths = [...new Set(stdout.toString().split("\n"))].filter((path) => /^\/(usr|etc|var|tmp|root)/.test(path));
  const there = paths.filter((path) => existsSync(path)).map((path) => path.slice(1));
  const folder = makeFolder("list");
  writeFiles(folder, { list: there.join("\n") });
  return tarOfHost([
    "-C",
    "/",
    "--no-recursion",
    "--format=pax",
    "--pax-option=delete=atime,delete=ctime",
    "--ignore-failed-read",
    "-T",
    join(folder, "list"),
  ]);
}

/** Twelve layers that take from and add to each other. */
function manyLayers(): BuiltLayer[] {
  const base = tarOf([
    dir("./", { mode: 0o755 }),
    dir("./a"),
    dir("./a/deep"),
    file("./a/deep/one", "1"),
    file("./a/deep/two", "2"),
    file("./a/linked", "together", { mode: 0o640 }),
    { name: "./a/again", type: "1", link: "./a/linked" },
    dir("./b"),
    file("./b/x", "bx"),
    dir("./replaced"),
    file("./replaced/in", "r"),
    { name: "./sym", type: "2", link: "a/deep" },
    dir("./tmp", { mode: 0o1777 }),
    file("./caf\xe9\xff", "latin"),
  ]);
  const more = [
    tarOf([dir("a"), file("a/.wh.linked")]),
    tarOf([dir("b"), file("b/.wh..wh..opq"), file("b/y", "by")]),
    tarOf([file(".wh.replaced"), file("replaced", "now a file")]),
    tarOf([dir("a"), dir("a/deep"), file("a/deep/.wh.one"), file("a/deep/three", "3", { mode: 0o4755 })]),
    tarOf([file("sym", "now a file")].map((part) => ({ ...part, mode: 0o600 }))),
    tarOf([file(".wh.b"), dir("b", { mode: 0o700 }), file("b/z", "bz")]),
    tarOf([
      dir("n"),
      file("n/1", "one"),
      { name: "n/2", type: "1", link: "n/1" },
      { name: "n/3", type: "1", link: "n/2" },
    ]),
    tarOf([dir("n"), file("n/.wh.1")]),
    tarOf([file(".wh.replaced"), dir("replaced"), file("replaced/back", "b")]),
    tarOf([dir("b", { mode: 0o711, mtime: 1_234_567_890 })]),
  ];
  return [base, ...more].map((archive) => ({ archive }));
}

describe("the unpacked tree is umoci's", () => {
  const patience = 60_000;

  withUmoci(
    "a static busybox with its links",
    async () => {
      const folder = writeFiles(makeFolder("busybox"), {
        "etc/passwd": "root:x:0:0::/:/bin/sh\n",
        "tmp/": "",
        "var/log/": "",
      });
      runTool(
        [
          "sh",
          "-c",
          "mkdir bin && cp /bin/busybox bin/ && for i in sh ls cat; do ln bin/busybox bin/$i; done; ln -s busybox bin/vi",
        ],
        folder,
      );
      expectSame(await compare([{ archive: tarOfHost(["-C", folder, "--format=gnu", "."]) }]));
    },
    patience,
  );

  withUmoci(
    "the files of Debian packages",
    async () => {
      const { ours, theirs } = await compare([
        { archive: tarOf([dir("usr"), dir("usr/bin")]) },
        { archive: debianTree() },
      ]);
      expect(Object.keys(ours).length).toBeGreaterThan(1000);
      expectSame({ ours, theirs });
    },
    patience,
  );

  withUmoci(
    "many layers with whiteouts, opaque directories and hard links",
    async () => {
      const { ours, theirs } = await compare(manyLayers());
      expect(Object.keys(ours)).toContain("replaced/back");
      expect(Object.keys(ours)).not.toContain("a/deep/one");
      expectSame({ ours, theirs });
    },
    patience,
  );

  withUmoci(
    "layers that imply directories which lower ones describe",
    async () => {
      const under = tarOf([
        dir("opt", { mode: 0o711, uid: 5, gid: 6, mtime: 1_400_000_000 }),
        dir("opt/deep", { mode: 0o1777, pax: { "SCHILY.xattr.user.note": "kept" } }),
        dir("opt/deep/er", { mode: 0o700, gid: 7 }),
        file("opt/deep/er/old", "old"),
        dir("gone", { mode: 0o700 }),
        file("gone/in", "x"),
      ]);
      const over = tarOf([file("opt/deep/er/new", "new"), file("opt/deep/also", "x")]);
      const again = tarOf([file(".wh.gone"), file("opt/deep/er/.wh.old")]);
      expectSame(await compare([under, over, again].map((archive) => ({ archive }))));
    },
    patience,
  );

  withUmoci(
    "zstd, gzip and plain layers in one image",
    async () => {
      const [base, ...more] = manyLayers();
      const compressions = ["zstd", "gzip", "none"] as const;
      const layers = [base, ...more].flatMap((layer, index) =>
        layer === undefined ? [] : [{ ...layer, compression: compressions[index % 3] ?? "none" }],
      );
      expectSame(await compare(layers));
    },
    patience,
  );

  withUmoci("an image with Docker's media types", async () => expectSame(await compare(manyLayers(), true)), patience);

  withUmoci(
    "owners, modes, attributes, capabilities, times to the nanosecond, holes, long names",
    async () => {
      const capability = new Uint8Array([1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      const odd = tarOf([
        dir("d", { uid: 1000, gid: 2000, mode: 0o2770 }),
        file("d/owned", "x", { uid: 65534, gid: 65534, mode: 0o4711, pax: { mtime: "1600000000.123456789" } }),
        file("cap", "x", isRoot ? { mode: 0o755, pax: { "SCHILY.xattr.security.capability": capability } } : {}),
        file("noted", "x", { pax: { "SCHILY.xattr.user.note": "a\nb" } }),
        { name: "link", type: "2", link: "/nowhere", uid: 5, gid: 6, mtime: 1_500_000_000 },
        file("zero", "", { mode: 0 }),
        dir("sealed", { mode: 0o555 }),
        file("sealed/in", "x", { mode: 0o400 }),
        file("l", "long", { longName: `${"p".repeat(150)}/${"q".repeat(200)}` }),
      ]);
      const folder = writeFiles(makeFolder("sparse"), {});
      runTool(
        ["sh", "-c", "truncate -s 3M holes && printf data | dd of=holes bs=1 seek=1000000 conv=notrunc status=none"],
        folder,
      );
      const sparse = tarOfHost([
        "-C",
        folder,
        "--format=pax",
        "--sparse",
        "--pax-option=delete=atime,delete=ctime",
        "holes",
      ]);
      const { ours, theirs } = await compare([{ archive: odd }, { archive: sparse }]);
      // The directory of the long name is only implied: its time is when it was made.
      for (const listed of [ours, theirs]) delete listed["p".repeat(150)]?.["mtime"];
      expectSame({ ours, theirs });
    },
    patience,
  );
});

/** The unpacking program without its zone: what it makes of an archive. */
import { describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { layerFs } from "../../src/linux/unpack/layer-fs.ts";
import { isRoot, needs } from "../support/identity.ts";
import { joinBytes, partBytes, paxOf, type TarPart, tarOf } from "./tar-builder.ts";
import { attributesOf, dir, file, unpack, unpackLimits } from "./unpacking.ts";

describe("an archive becomes what it says", () => {
  test("files, directories, modes, times", () => {
    const { tree, summary } = unpack(
      tarOf([
        dir("./", { mode: 0o750, mtime: 1000 }),
        dir("./d", { mode: 0o555, mtime: 2000 }),
        file("./d/f", "hello", { mode: 0o4711, pax: { mtime: "1234567890.123456789" } }),
        file("empty", "", { mode: 0 }),
        file("old/", "", { mode: 0o700, magic: "\0".repeat(8) }),
      ]),
    );
    expect(summary).toEqual({
      entries: 5,
      bytes: 5,
      largestFile: 5,
      archiveBytes: 8 * 512 + 1024,
      implied: [],
      hidesAll: false,
    });
    expect(readFileSync(join(tree, "d/f"), "utf8")).toBe("hello");
    const mode = (name: string) => (lstatSync(join(tree, name)).mode & 0o7777).toString(8);
    expect([".", "d", "d/f", "empty", "old"].map(mode)).toEqual(["750", "555", "4711", "0", "700"]);
    expect(statSync(join(tree, "d/f"), { bigint: true }).mtimeNs).toBe(1234567890123456789n);
    expect([".", "d"].map((name) => lstatSync(join(tree, name)).mtimeMs)).toEqual([1_000_000, 2_000_000]);
  });

  test("as umoci writes it: the root as a slash, no padding after the last file, and no end", () => {
    const parts = [dir("/", { mode: 0o711 }), file("f", "x".repeat(2000)), file("g", "y".repeat(1000))];
    const whole = joinBytes(parts.map(partBytes));
    for (const archive of [whole, whole.subarray(0, -3), whole.subarray(0, -24)]) {
      const { tree, summary } = unpack(archive, unpackLimits, 7);
      expect([summary.bytes, lstatSync(tree).mode & 0o7777]).toEqual([3000, 0o711]);
      expect(readFileSync(join(tree, "g"), "utf8")).toBe("y".repeat(1000));
    }
    expect(() => unpack(whole.subarray(0, -25))).toThrow(/cut off/);
  });

  test("names that are no UTF-8, long names of every kind", () => {
    const long = `${"l".repeat(200)}/${"m".repeat(250)}`;
    const { tree } = unpack(
      tarOf([
        file("caf\xe9 \xff", "1"),
        file("g", "2", { longName: long }),
        file("p", "3", { pax: { path: `pax/${"q".repeat(255)}` } }),
        file("short", "4", { prefix: "some/prefix" }),
        { name: "s", type: "2", longLink: "t".repeat(300) },
        file("new\nline", "5"),
      ]),
    );
    const names = readdirSync(tree, { encoding: "buffer" }).map((name) => name.toString("latin1"));
    expect(names.sort()).toEqual(["caf\xe9 \xff", "l".repeat(200), "new\nline", "pax", "s", "some"]);
    expect(readFileSync(join(tree, long), "utf8")).toBe("2");
    expect(readFileSync(join(tree, "pax", "q".repeat(255)), "utf8")).toBe("3");
    expect(readFileSync(join(tree, "some/prefix/short"), "utf8")).toBe("4");
    expect(readlinkSync(join(tree, "s"))).toBe("t".repeat(300));
  });

  test("hard links, also to a symlink, which is not followed", () => {
    const { tree } = unpack(
      tarOf([
        dir("a"),
        file("a/f", "one"),
        { name: "b", type: "1", link: "./a/f" },
        { name: "s", type: "2", link: "/etc/passwd" },
        { name: "t", type: "1", link: "s" },
      ]),
    );
    expect(lstatSync(join(tree, "b")).ino).toBe(lstatSync(join(tree, "a/f")).ino);
    expect(lstatSync(join(tree, "t")).ino).toBe(lstatSync(join(tree, "s")).ino);
    expect(readlinkSync(join(tree, "t"))).toBe("/etc/passwd");
  });

  test("the last word of an archive counts, within a kind", () => {
    const { tree } = unpack(
      tarOf([
        file("f", "first"),
        { name: "other", type: "1", link: "f" },
        file("f", "second"),
        dir("d", { mode: 0o700 }),
        file("d/in", "x"),
        dir("d", { mode: 0o711 }),
        { name: "s", type: "2", link: "one" },
        { name: "s", type: "2", link: "two" },
      ]),
    );
    expect(readFileSync(join(tree, "f"), "utf8")).toBe("second");
    expect(readFileSync(join(tree, "other"), "utf8")).toBe("first");
    expect(lstatSync(join(tree, "d")).mode & 0o777).toBe(0o711);
    expect(readlinkSync(join(tree, "s"))).toBe("two");
  });

  test("attributes of programs; labels of a security module are left out", () => {
    const { tree } = unpack(
      tarOf([
        dir("d", { pax: { "SCHILY.xattr.user.note": "a\nb\0c=\xff", "SCHILY.xattr.security.selinux": "system_u" } }),
        dir("e"),
      ]),
    );
    expect(attributesOf(join(tree, "d"))["user.note"]).toBe("a\nb\0c=\xff");
    expect(Object.keys(attributesOf(join(tree, "e"))).filter((key) => key.startsWith("user."))).toEqual([]);
  });

  test("whatever the size of the pieces it comes in", () => {
    const archive = tarOf([file("a", "x".repeat(1000)), dir("d"), file("d/b", "y".repeat(70_000)), file("c", "z")]);
    const trees = [1, 13, 511, 512, 513, 4096, 1 << 20].map((step) => unpack(archive, unpackLimits, step).tree);
    for (const tree of trees) {
      expect(readFileSync(join(tree, "d/b"), "utf8")).toBe("y".repeat(70_000));
      expect(readFileSync(join(tree, "c"), "utf8")).toBe("z");
    }
  });

  needs("root", isRoot)("owners and file capabilities, where they can be kept", () => {
    const capability = new Uint8Array([1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const part = file("f", "x", {
      uid: 1234,
      gid: 2345,
      mode: 0o4755,
      pax: { "SCHILY.xattr.security.capability": capability },
    });
    const { tree } = unpack(
      tarOf([part, { name: "s", type: "2", link: "f", uid: 7, gid: 8 }]),
      unpackLimits,
      4096,
      true,
    );
    const { uid, gid, mode } = lstatSync(join(tree, "f"));
    expect([uid, gid, mode & 0o7777]).toEqual([1234, 2345, 0o4755]);
    expect([lstatSync(join(tree, "s")).uid, lstatSync(join(tree, "s")).gid]).toEqual([7, 8]);
    const root = layerFs.root(tree);
    expect([...(layerFs.attributes(root, "f", () => true).get("security.capability") ?? [])]).toEqual([...capability]);
    layerFs.close(root);
    expect(() => unpack(tarOf([file("big", "", { uid: 65_536 })]), unpackLimits, 4096, true)).toThrow(
      /none of a zone's ids/,
    );
  });
});

describe("holes", () => {
  const body = "A".repeat(100) + "B".repeat(200);
  const expected = `${"\0".repeat(4096)}${"A".repeat(100)}${"\0".repeat(995_804)}${"B".repeat(200)}${"\0".repeat(700)}`;
  const size = String(expected.length);
  const old = (header: Uint8Array) => {
    const put = (at: number, value: number) => header.set(Buffer.from(`${value.toString(8).padStart(11, "0")}\0`), at);
    for (const [index, value] of [4096, 100, 1_000_000, 200].entries()) put(386 + index * 12, value);
    put(483, expected.length);
  };
  const forms: Record<string, TarPart> = {
    "GNU's old format": file("f", body, { type: "S", patch: old, magic: "ustar  \0" }),
    "format 0.0": file("f", body, { pax: { "GNU.sparse.size": size, "GNU.sparse.numblocks": "2" } }),
    "format 0.1": file("f", body, {
      pax: { "GNU.sparse.size": size, "GNU.sparse.numblocks": "2", "GNU.sparse.map": "4096,100,1000000,200" },
    }),
    "format 1.0": file("GNUSparseFile.1/f", `${"2\n4096\n100\n1000000\n200\n".padEnd(512, "\0")}${body}`, {
      pax: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "f", "GNU.sparse.realsize": size },
    }),
  };

  test.each(Object.entries(forms))("%s", (form, part) => {
    // Format 0.0 has records of the same key, which an object can't have.
    const numbers =
      "26 GNU.sparse.offset=4096\n27 GNU.sparse.numbytes=100\n29 GNU.sparse.offset=1000000\n27 GNU.sparse.numbytes=200\n";
    const first = new TextDecoder().decode(paxOf({ "GNU.sparse.size": size }));
    const repeated = [partBytes({ name: "x", type: "x", content: `${first}${numbers}` }), partBytes(file("f", body))];
    const end = file("after", "!");
    const archive = form === "format 0.0" ? joinBytes([...repeated, tarOf([end])]) : tarOf([part, end]);
    const { tree } = unpack(archive);
    expect(readFileSync(join(tree, "f"), "latin1") === expected).toBe(true);
    expect(lstatSync(join(tree, "f")).blocks * 512).toBeLessThan(100_000);
    expect(readFileSync(join(tree, "after"), "utf8")).toBe("!");
  });
});

describe("what a layer says about those below", () => {
  const opaque = (path: string) => attributesOf(path)["user.overlay.opaque"];

  test("a whiteout becomes a device 0:0, an opaque directory an attribute", () => {
    const { tree } = unpack(
      tarOf([dir("d"), file("d/.wh.gone"), dir("o"), file("o/.wh..wh..opq"), file("o/new", "x")]),
    );
    const gone = lstatSync(join(tree, "d/gone"));
    expect([gone.isCharacterDevice(), gone.rdev]).toEqual([true, 0]);
    expect([opaque(join(tree, "d")), opaque(join(tree, "o"))]).toEqual([undefined, "y"]);
    expect(readdirSync(join(tree, "o"))).toEqual(["new"]);
  });

  test("a directory that is gone and here is opaque, in either order", () => {
    const [one, two] = [
      unpack(tarOf([file(".wh.d"), dir("d"), file("d/f", "x")])).tree,
      unpack(tarOf([dir("d"), file("d/f", "x"), file(".wh.d")])).tree,
    ];
    for (const tree of [one, two]) {
      expect(opaque(join(tree, "d"))).toBe("y");
      expect(readdirSync(join(tree, "d"))).toEqual(["f"]);
    }
  });

  test("a file that is gone and here is here", () => {
    for (const parts of [
      [file(".wh.f"), file("f", "new")],
      [file("f", "new"), file(".wh.f")],
    ]) {
      expect(readFileSync(join(unpack(tarOf(parts)).tree, "f"), "utf8")).toBe("new");
    }
  });

  test("a layer that hides everything says so; notes of aufs mean nothing", () => {
    expect(unpack(tarOf([file(".wh..wh..opq"), file("f", "x")])).summary.hidesAll).toBe(true);
    const { tree, summary } = unpack(tarOf([file(".wh..wh.plnk"), file(".wh..wh.aufs"), file("f", "x")]));
    expect([readdirSync(tree), summary.hidesAll]).toEqual([["f"], false]);
  });

  test("directories that the archive does not mention are told", () => {
    const { summary } = unpack(tarOf([file("a/b/c", "x"), dir("a"), file("p/.wh.q")]));
    expect(summary.implied).toEqual(["a/b", "p"]);
  });
});

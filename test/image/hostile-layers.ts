/** Archives that no layer may be: each is refused, with its entry's name, and nothing of it stays. */
import { bytesOf, joinBytes, partBytes, type TarPart, tarOf } from "./tar-builder.ts";

export interface HostileLayer {
  readonly trick: string;
  readonly archive: Uint8Array;
  /** The entry that the refusal names; undefined where it is about the archive as a whole. */
  readonly entry: string | undefined;
  readonly reason: RegExp;
}

const victim = "rauha-victim";
const dir = (name: string, more: Partial<TarPart> = {}): TarPart => ({ name, type: "5", mode: 0o755, ...more });
const file = (name: string, content = "owned\n", more: Partial<TarPart> = {}): TarPart => ({ name, content, ...more });
const symlink = (name: string, link: string): TarPart => ({ name, type: "2", link });
const hardlink = (name: string, link: string): TarPart => ({ name, type: "1", link });

const hostile = (
  trick: string,
  parts: readonly TarPart[],
  entry: string | undefined,
  reason: RegExp,
): HostileLayer => ({
  trick,
  archive: tarOf(parts),
  entry,
  reason,
});

const raw = (trick: string, archive: Uint8Array, entry: string | undefined, reason: RegExp): HostileLayer => ({
  trick,
  archive,
  entry,
  reason,
});

const good = partBytes(file("good", "x".repeat(2000)));

export const hostileLayers: readonly HostileLayer[] = [
  hostile("a name that leads up", [file(`../${victim}`)], `../${victim}`, /leads up/),
  hostile("a name that leads up from inside", [dir("a"), file(`a/../../${victim}`)], `a/../../${victim}`, /leads up/),
  hostile(
    "a long name that leads up",
    [file("x", "y", { pax: { path: `${"a/".repeat(60)}${"../".repeat(70)}x` } })],
    undefined,
    /leads up/,
  ),
  hostile("a symlink in the place of the root", [symlink("/", "tmp")], "/", /the place of the layer's root/),
  hostile("a hard link to the root", [hardlink("h", "/")], "h", /./),
  hostile("an absolute name", [file(`/tmp/${victim}`)], `/tmp/${victim}`, /absolute/),
  hostile(
    "an absolute name in an extended header",
    [file("x", "y", { pax: { path: `/tmp/${victim}` } })],
    `/tmp/${victim}`,
    /absolute/,
  ),
  hostile(
    "a file through a symlink that leads out",
    [symlink("out", "/tmp"), file(`out/${victim}`)],
    `out/${victim}`,
    /symlink/,
  ),
  hostile(
    "a file through a relative symlink",
    [symlink("up", "../../.."), file(`up/${victim}`)],
    `up/${victim}`,
    /symlink/,
  ),
  hostile(
    "a file through two symlinks",
    [symlink("a", "b"), symlink("b", "/tmp"), file(`a/${victim}`)],
    `a/${victim}`,
    /symlink/,
  ),
  hostile(
    "a directory replaced by a symlink",
    [dir("d"), symlink("d", "/tmp"), file(`d/${victim}`)],
    "d",
    /in the place of a directory/,
  ),
  hostile(
    "a symlink replaced by a directory",
    [symlink("d", "/tmp"), dir("d"), file(`d/${victim}`)],
    "d",
    /in the place of a symlink/,
  ),
  hostile(
    "a file written through a symlink of its own name",
    [symlink("f", `/tmp/${victim}`), file("f")],
    "f",
    /in the place of a symlink/,
  ),
  hostile("a directory replaced by a file", [dir("d"), file("d")], "d", /in the place of a directory/),
  hostile("a file replaced by a directory", [file("d"), dir("d")], "d", /in the place of a file/),
  hostile("a directory made through a symlink", [symlink("s", "/tmp"), dir(`s/${victim}`)], `s/${victim}`, /symlink/),
  hostile(
    "a symlink made through a symlink",
    [symlink("s", "/tmp"), symlink(`s/${victim}`, "x")],
    `s/${victim}`,
    /symlink/,
  ),
  hostile("a hard link to outside", [hardlink("h", "../../../../etc/passwd")], "h", /leads up/),
  hostile("a hard link to an absolute name", [hardlink("h", "/etc/passwd")], "h", /absolute/),
  hostile("a hard link through a symlink", [symlink("e", "/etc"), hardlink("h", "e/passwd")], "h", /symlink/),
  hostile("a hard link to what is not there", [hardlink("h", "etc/passwd")], "h", /not in the layer/),
  hostile("a hard link to a directory", [dir("d"), hardlink("h", "d")], "h", /hard link to a directory/),
  hostile("a hard link to the root", [hardlink("h", ".")], "h", /hard link to a directory/),
  hostile("a hard link to itself", [file("h"), hardlink("h", "h")], "h", /itself/),
  hostile("a hard link to a whiteout", [file(".wh.w", ""), hardlink("h", "w")], "h", /hard link to a whiteout/),
  hostile(
    "a hard link with content",
    [file("f"), { ...hardlink("h", "f"), content: "more" }],
    "h",
    /no file and claims to have content/,
  ),
  hostile("a character device", [{ name: "dev/mem", type: "3" }], "dev/mem", /a device/),
  hostile("a block device", [{ name: "dev/sda", type: "4" }], "dev/sda", /a device/),
  hostile("a named pipe", [{ name: "pipe", type: "6" }], "pipe", /a named pipe/),
  hostile("a symlink in the place of /proc", [symlink("proc", "/etc")], "proc", /zone's own/),
  hostile("a file in the place of /dev", [file("./dev")], "./dev", /zone's own/),
  hostile("an unknown type", [{ name: "odd", type: "Z" }], "odd", /type "Z" is unknown/),
  hostile("a file in the root's place", [file(".")], ".", /place of the layer's root/),
  hostile("a NUL in a name", [file("x", "y", { pax: { path: "a\0b" } })], "a\0b", /NUL/),
  hostile(
    "a name of 256 bytes",
    [file("x", "y", { longName: "n".repeat(256) })],
    "n".repeat(256),
    /more than 255 bytes/,
  ),
  hostile(
    "a path of 5000 bytes",
    [file("x", "y", { pax: { path: `${"d/".repeat(2500)}f` } })],
    undefined,
    /more than 4095 bytes/,
  ),
  hostile(
    "a path of 300 directories",
    [file("x", "y", { pax: { path: `${"d/".repeat(300)}f` } })],
    undefined,
    /255 directories deep/,
  ),
  hostile("a whiteout of the directory above", [file(".wh...", "")], ".wh...", /whiteout of nothing/),
  hostile("a whiteout without a name", [file("d/.wh.", "")], "d/.wh.", /whiteout of nothing/),
  hostile("a whiteout that is a directory", [dir(".wh.d")], ".wh.d", /whiteout that is no file/),
  hostile("a file below a whiteout", [file(".wh.d/f")], ".wh.d/f", /below a whiteout/),
  hostile(
    "overlayfs' note of a redirect",
    [dir("d", { pax: { "SCHILY.xattr.user.overlay.redirect": "/etc" } })],
    "d",
    /user\.overlay\.redirect/,
  ),
  hostile(
    "overlayfs' note of a data file",
    [file("f", "", { pax: { "SCHILY.xattr.trusted.overlay.metacopy": "" } })],
    "f",
    /trusted\.overlay\.metacopy/,
  ),
  hostile("a negative size", [file("f", "", { sizeField: "\xff".repeat(12) })], "f", /size is negative/),
  hostile(
    "a size beyond all numbers",
    [file("f", "", { sizeField: `\x80${"\xff".repeat(11)}` })],
    "f",
    /size is out of range/,
  ),
  hostile("a size that is no number", [file("f", "", { sizeField: "7z7\0" })], "f", /size is no number/),
  hostile(
    "a size of an extended header beyond all numbers",
    [file("f", "", { pax: { size: "99999999999999999999" } })],
    "f",
    /size is no number or out of range/,
  ),
  hostile(
    "a file of eight exbibytes in holes",
    [
      file("f", "", {
        pax: {
          "GNU.sparse.major": "1",
          "GNU.sparse.minor": "0",
          "GNU.sparse.realsize": "9007199254740991",
          "GNU.sparse.name": "f",
        },
        content: "0\n".padEnd(512, "\0"),
      }),
    ],
    "f",
    /larger than/,
  ),
  hostile(
    "holes that run backwards",
    [
      file("f", "aabb", {
        pax: { "GNU.sparse.size": "100", "GNU.sparse.numblocks": "2", "GNU.sparse.map": "50,2,10,2" },
      }),
    ],
    "f",
    /runs backwards/,
  ),
  hostile(
    "holes that don't fit the data",
    [file("f", "aabb", { pax: { "GNU.sparse.size": "100", "GNU.sparse.numblocks": "1", "GNU.sparse.map": "0,90" } })],
    "f",
    /does not fit/,
  ),
  hostile(
    "an extended header of two mebibytes",
    [file("f", "", { pax: { comment: "c".repeat(2 << 20) } })],
    "pax",
    /extended header is larger/,
  ),
  hostile(
    "an extended header with a wrong length",
    [{ name: "pax", type: "x", content: "99 path=x\n" }, file("f")],
    "pax",
    /malformed/,
  ),
  hostile(
    "a global header that renames",
    [{ name: "g", type: "g", content: "13 path=/etc\n" }, file("f")],
    "g",
    /global header sets/,
  ),
  hostile(
    "an owner beyond all ids",
    [file("f", "", { pax: { uid: "18446744073709551616" } })],
    "f",
    /uid is no number/,
  ),
  hostile(
    "a checksum that is wrong",
    [file("f", "x", { patch: (header) => header.set([1], 200), patchAfterSum: true })],
    "f",
    /checksum/,
  ),
  raw("an archive cut off in a file", good.subarray(0, 1100), "good", /cut off/),
  raw("an archive cut off in a header", Buffer.concat([good, good.subarray(0, 511)]), undefined, /cut off/),
  raw(
    "an archive cut off after an extended header",
    Buffer.concat([good, partBytes(file("f", "", { pax: { path: "g" } })).subarray(0, 1024)]),
    undefined,
    /announces an entry|cut off/,
  ),
  raw("an archive without anything", new Uint8Array(0), undefined, /cut off/),
  raw(
    "something after the end",
    joinBytes([tarOf([file("f")]), bytesOf("#!/bin/sh\n".padEnd(512, "\0"))]),
    undefined,
    /after the archive's end/,
  ),
  raw(
    "a second archive after the first",
    joinBytes([tarOf([file("f")]), tarOf([file("g")])]),
    undefined,
    /after the archive's end/,
  ),
  raw(
    "one block of zeros between entries",
    joinBytes([good, new Uint8Array(512), good]),
    undefined,
    /zeros stands between/,
  ),
  raw(
    "an extended header before the end",
    joinBytes([partBytes({ name: "x", type: "x", content: "10 a=bbbb\n" }), new Uint8Array(1024)]),
    undefined,
    /announces an entry/,
  ),
  raw("no archive at all", bytesOf("#!/bin/sh\necho hello\n".padEnd(2048, "x")), undefined, /checksum/),
];

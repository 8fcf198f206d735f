import { describe, expect, test } from "bun:test";
import { ImageError } from "../../../src/image/image-error.ts";
import { ArchiveScan } from "../../../src/image/import/archive-scan.ts";

/** One entry of a tar archive: a header that ustar readers take, and the content. */
function entry(name: string, content = "", type = "0", link = ""): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
  put(0, name);
  put(100, "0000644\0");
  put(124, `${content.length.toString(8).padStart(11, "0")}\0`);
  header[156] = type.charCodeAt(0);
  put(157, link);
  put(257, "ustar\0" + "00");
  put(148, "        ");
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  const body = new Uint8Array(Math.ceil(content.length / 512) * 512);
  body.set(new TextEncoder().encode(content));
  return Buffer.concat([header, body]);
}

const end = new Uint8Array(1024);
const hex = "0123456789abcdef".repeat(4);

function scan(bytes: Uint8Array, piece = bytes.length): ArchiveScan {
  const found = new ArchiveScan();
  for (let at = 0; at < bytes.length; at += piece) if (!found.feed(bytes.subarray(at, at + piece))) break;
  return found;
}

const docker = Buffer.concat([
  entry("manifest.json", "[]"),
  entry(`${hex}/`, "", "5"),
  entry(`${hex}/layer.tar`, "x".repeat(1000)),
  entry(`${hex}.tar`, "", "2", `${hex}/layer.tar`),
  end,
]);

describe("an archive is", () => {
  test("docker's, with its files where they are, in pieces of any size", () => {
    for (const piece of [1, 7, 511, 512, 513, 1000, docker.length]) {
      const found = scan(docker, piece);
      expect(found.kind()).toBe("docker");
      expect(found.files.get(`${hex}/layer.tar`)).toEqual({ offset: 512 + 512 + 512 + 512, size: 1000 });
      expect(found.links.get(`${hex}.tar`)).toBe(`${hex}/layer.tar`);
    }
  });

  test("an OCI layout's", () => {
    const found = scan(
      Buffer.concat([entry("./oci-layout", "{}"), entry("index.json", "{}"), entry(`blobs/sha256/${hex}`, "z"), end]),
    );
    expect(found.kind()).toBe("oci");
    expect(found.files.has("oci-layout")).toBeTrue();
  });

  test("a root file system's, from the first entry that the others never have", () => {
    const found = new ArchiveScan();
    expect(found.feed(entry("./", "", "5"))).toBeTrue();
    expect(found.feed(entry("./bin/", "", "5"))).toBeFalse();
    expect(found.kind()).toBe("rootfs");
    expect(scan(Buffer.concat([entry("oci-layout", "{}"), end])).kind()).toBe("rootfs");
    expect(scan(Buffer.concat([entry("manifest.json", "", "6"), end])).kind()).toBe("rootfs");
  });

  test("links lead nowhere outside", () => {
    const found = scan(
      Buffer.concat([entry(`${hex}.json`, "", "2", "../../../etc/passwd"), entry("manifest.json", "[]"), end]),
    );
    expect(found.links.get(`${hex}.json`)).toBe("etc/passwd");
    expect(found.files.has("etc/passwd")).toBeFalse();
  });
});

describe("what is refused", () => {
  test.each<[string, Uint8Array]>([
    ["text", new TextEncoder().encode("hello, I am no archive. ".repeat(50))],
    ["nothing", new Uint8Array()],
    ["zeros", new Uint8Array(4096)],
    ["an archive cut in its content", docker.subarray(0, 2200)],
    ["an archive cut in a header", docker.subarray(0, 700)],
    ["a damaged second header", Buffer.concat([entry("manifest.json", "[]"), entry("repositories").fill(7, 0, 20)])],
  ])("%s", (_, bytes) => {
    expect(() => scan(bytes).kind()).toThrow(ImageError);
  });

  test("a size that is none", () => {
    const header = entry("manifest.json");
    header.set(new TextEncoder().encode("9999999999x"), 124);
    header.set(new TextEncoder().encode("        "), 148);
    const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
    header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    expect(() => scan(header)).toThrow(ImageError);
  });
});

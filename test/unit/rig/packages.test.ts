import { describe, expect, test } from "bun:test";
import { parseAptRecord } from "../../../scripts/rig/apt.ts";
import { versionedImage } from "../../../scripts/rig/kernel.ts";
import { closure, parseInstalled } from "../../../scripts/rig/packages.ts";

describe("a record of apt", () => {
  const debian = `Package: linux-image-cloud-amd64
Source: linux-signed-amd64 (6.1.192+2)
Version: 6.1.192-2
Depends: linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)
SHA256: ab12
Description-en: Linux for x86-64 cloud (meta-package)
 Depends: not this one
`;

  test("gives name, version, checksum and dependencies without their bounds", () => {
    expect(parseAptRecord(debian)).toEqual({
      name: "linux-image-cloud-amd64",
      version: "6.1.192-2",
      sha256: "ab12",
      depends: ["linux-image-6.1.0-56-cloud-amd64"],
    });
  });

  test("of several alternatives gives the first", () => {
    const record = parseAptRecord("Package: a\nVersion: 1\nDepends: kmod, linux-base (>= 4.3~) | other, x | y\n");
    expect(record?.depends).toEqual(["kmod", "linux-base", "x"]);
  });

  test("that is none is null", () => {
    expect(parseAptRecord("")).toBeNull();
    expect(parseAptRecord("N: Unable to locate package\n")).toBeNull();
  });

  test("of a flavour leads to the kernel of a fixed version", () => {
    expect(versionedImage(parseAptRecord(debian)?.depends ?? [])).toBe("linux-image-6.1.0-56-cloud-amd64");
    expect(versionedImage(["linux-image-6.8.0-60-generic", "linux-firmware"])).toBe("linux-image-6.8.0-60-generic");
    expect(versionedImage(["linux-image-unsigned-6.8.0-60-kvm"])).toBe("linux-image-unsigned-6.8.0-60-kvm");
    expect(versionedImage(["linux-image-generic", "linux-firmware"])).toBeNull();
  });
});

describe("the packages of the guest", () => {
  const line = (
    name: string,
    needs: string,
    extra: { essential?: string; provides?: string; status?: string; arch?: string } = {},
  ): string =>
    [
      name,
      "1",
      extra.arch ?? "amd64",
      extra.status ?? "installed",
      extra.essential ?? "no",
      needs,
      extra.provides ?? "",
    ].join("\t");
  const installed = (...lines: string[]) => parseInstalled(`${lines.join("\n")}\n`, "amd64");
  const names = (packages: ReturnType<typeof closure>): string[] => packages.map((item) => item.name);

  test("are the wished ones with all they need, once each and sorted", () => {
    const all = installed(
      line("strace", "libc6 (>= 2.34), libunwind8:any"),
      line("libunwind8", ", libc6"),
      line("libc6", ", "),
      line("unrelated", "libc6"),
    );
    expect(names(closure(all, ["strace"]))).toEqual(["libc6", "libunwind8", "strace"]);
  });

  test("include the essential ones unasked", () => {
    expect(names(closure(installed(line("dash", "", { essential: "yes" })), []))).toEqual(["dash"]);
  });

  test("meet a need by an alternative or by what provides it", () => {
    const all = installed(
      line("a", "gone | b, awk"),
      line("b", ""),
      line("mawk", "", { provides: "awk (= 1), other" }),
    );
    expect(names(closure(all, ["a"]))).toEqual(["a", "b", "mawk"]);
  });

  test("leave out what is removed, of another architecture, or not installed", () => {
    const all = installed(
      line("a", "b, c, d"),
      line("b", "", { status: "config-files" }),
      line("c", "", { arch: "i386" }),
      line("e", "", { arch: "all" }),
    );
    expect([...all.keys()]).toEqual(["a", "e"]);
    expect(names(closure(all, ["a"]))).toEqual(["a"]);
  });

  test("may need each other in a circle", () => {
    expect(names(closure(installed(line("a", "b"), line("b", "a")), ["b"]))).toEqual(["a", "b"]);
  });
});

import { describe, expect, test } from "bun:test";
import { ImageError } from "../../../src/image/image-error.ts";
import { hostPlatform, readPlatform, renderPlatform, selectPlatform } from "../../../src/image/platform.ts";

const of = (text: string) => ({ name: text, platform: parts(text) });

function parts(text: string) {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, variant };
}

describe("--platform", () => {
  test.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["amd64", "linux/amd64"],
    ["linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v3", "linux/amd64/v3"],
    ["aarch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64"],
    ["linux/arm", "linux/arm"],
    ["linux/arm/v7", "linux/arm"],
    ["linux/armel", "linux/arm/v6"],
    ["LINUX/ARM/V6", "linux/arm/v6"],
    ["linux/i386", "linux/386"],
    ["linux/riscv64", "linux/riscv64"],
  ])("%s is %s", (given, text) => expect(renderPlatform(readPlatform(given))).toBe(text));

  test.each(["", "linux/", "/amd64", "linux/amd64/v1/x", "linux/am d64", "windows/amd64", "linux/../x"])(
    "%j is refused",
    (text) => {
      expect(() => readPlatform(text)).toThrow(ImageError);
    },
  );

  test.each([
    ["x64", "linux/amd64"],
    ["arm64", "linux/arm64"],
    ["ia32", "linux/386"],
  ])("a machine of %s runs %s", (processor, text) => expect(renderPlatform(hostPlatform(processor))).toBe(text));
});

describe("the choice from an index", () => {
  const index = [
    "unknown/unknown",
    "linux/arm/v5",
    "linux/arm/v6",
    "linux/arm/v7",
    "windows/amd64",
    "linux/amd64",
    "linux/arm64/v8",
  ];
  test.each([
    ["linux/amd64", "linux/amd64"],
    ["linux/arm64", "linux/arm64/v8"],
    ["linux/arm", "linux/arm/v7"],
    ["linux/arm/v6", "linux/arm/v6"],
    ["linux/amd64/v3", "linux/amd64"],
    ["linux/s390x", undefined],
  ])("%s gets %s", (wanted, expected) => {
    expect(selectPlatform(index.map(of), readPlatform(wanted))?.name).toBe(expected);
  });

  test("nothing above the wanted variant is taken", () => {
    expect(selectPlatform([of("linux/arm/v7")], readPlatform("linux/arm/v6"))).toBeUndefined();
    expect(selectPlatform([of("linux/amd64/v3")], readPlatform("linux/amd64"))).toBeUndefined();
  });

  test("the highest below it is, wherever it stands; of equals the first", () => {
    const candidates = ["linux/amd64/v2", "linux/amd64", "linux/amd64/v3", "linux/amd64/v4"].map(of);
    expect(selectPlatform(candidates, readPlatform("linux/amd64/v3"))?.name).toBe("linux/amd64/v3");
    expect(selectPlatform([...candidates].reverse(), readPlatform("linux/amd64/v2"))?.name).toBe("linux/amd64/v2");
    const twice = [{ ...of("linux/amd64"), name: "first" }, of("linux/amd64")];
    expect(selectPlatform(twice, readPlatform("amd64"))?.name).toBe("first");
  });

  test("an entry that doesn't say what it is for is not taken", () => {
    expect(selectPlatform([{ platform: undefined }], readPlatform("amd64"))).toBeUndefined();
  });
});

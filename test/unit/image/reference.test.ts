import { describe, expect, test } from "bun:test";
import { parseReference, withDigest } from "../../../src/image/reference.ts";
import { Random } from "../policy/random.ts";

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}`;
const sha512 = `sha512:${"0123456789abcdef".repeat(8)}`;

function full(given: string): string {
  const parsed = parseReference(given);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.reference.text;
}

describe("names as docker reads them", () => {
  test.each(
    [
      ["python", "docker.io/library/python:latest"],
      ["python:3.12", "docker.io/library/python:3.12"],
      ["library/python", "docker.io/library/python:latest"],
      ["org/app", "docker.io/org/app:latest"],
      ["org/team/app:1", "docker.io/org/team/app:1"],
      ["docker.io/python", "docker.io/library/python:latest"],
      ["index.docker.io/python:3", "docker.io/library/python:3"],
      ["index.docker.io/org/app", "docker.io/org/app:latest"],
      ["localhost/app", "localhost/app:latest"],
      ["localhost:5000/app", "localhost:5000/app:latest"],
      ["127.0.0.1:5000/a/b:x", "127.0.0.1:5000/a/b:x"],
      ["[::1]:5000/app:1", "[::1]:5000/app:1"],
      ["[2001:db8::1]/app", "[2001:db8::1]/app:latest"],
      ["quay.io/org/app:v1.2.3-rc.1_x", "quay.io/org/app:v1.2.3-rc.1_x"],
      ["Registry.Example/app", "Registry.Example/app:latest"],
      ["MYHOST/app", "MYHOST/app:latest"],
      ["host.example:443/app", "host.example:443/app:latest"],
      ["a__b/c--d/e.f_g", "docker.io/a__b/c--d/e.f_g:latest"],
      ["app:_x", "docker.io/library/app:_x"],
      [`app:${"t".repeat(128)}`, `docker.io/library/app:${"t".repeat(128)}`],
      [`app@${sha256}`, `docker.io/library/app@${sha256}`],
      [`app:1@${sha256}`, `docker.io/library/app@${sha256}`],
      [`h.example:1/app@${sha512}`, `h.example:1/app@${sha512}`],
      ["foo:5000", "docker.io/library/foo:5000"],
      [`${"a".repeat(63)}z`, `docker.io/library/${"a".repeat(63)}z:latest`],
    ].filter(([given]) => !/^[0-9a-f]{64}$/.test(given ?? "")) as [string, string][],
  )("%s is %s", (given, text) => {
    expect(full(given)).toBe(text);
  });

  test("a tag and a port are told apart by the slash", () => {
    const parsed = parseReference("localhost:5000/app:7");
    expect(parsed).toMatchObject({ ok: true, reference: { registry: "localhost:5000", repository: "app", tag: "7" } });
  });

  test("a digest makes the tag meaningless", () => {
    const parsed = parseReference(`app:1@${sha256}`);
    expect(parsed).toMatchObject({ ok: true, reference: { tag: undefined, digest: sha256 } });
    if (parsed.ok) expect(withDigest(parsed.reference, sha512).text).toBe(`docker.io/library/app@${sha512}`);
  });
});

describe("what is no name is refused, and says why", () => {
  test.each([
    ["", "empty"],
    [" ", "parts"],
    ["App", "capital"],
    ["org/App:1", "capital"],
    ["a//b", "parts"],
    ["/a", "parts"],
    ["a/", "parts"],
    ["h.example/", "missing"],
    ["h.example/:1", "missing"],
    ["a..b", "parts"],
    ["a___b", "parts"],
    ["-a", "parts"],
    ["a-", "parts"],
    ["../../etc/passwd", "host"],
    ["a/../b", "parts"],
    ["h.example/../../x", "parts"],
    ["a b", "parts"],
    ["a\nb", "parts"],
    ["a:b c", "tag"],
    ["a:", "tag"],
    ["a:.x", "tag"],
    [`a:${"t".repeat(129)}`, "tag"],
    ["a@", "digest"],
    ["a@sha256:12", "digest"],
    [`a@${sha256.toUpperCase()}`, "digest"],
    [`a@md5:${"0".repeat(32)}`, "digest"],
    [`a@${sha256}@${sha256}`, "digest"],
    ["0123456789abcdef".repeat(4), "id"],
    ["docker://busybox", "docker://"],
    ["https://h.example/app", "https://"],
    ["h.example:99999999/app", "host"],
    ["-h.example/app", "host"],
    ["h_x.example/app", "host"],
    ["[::g]/app", "host"],
    [`h.example/${"a".repeat(250)}`, "longer"],
    ["a".repeat(2000), "longer"],
    ["ä", "parts"],
    ["a\0b", "parts"],
  ])("%j: %s", (given, why) => {
    const parsed = parseReference(given);
    expect(parsed).toMatchObject({ ok: false });
    if (!parsed.ok) expect(parsed.message).toContain(why);
  });
});

describe("properties", () => {
  const random = new Random(20240607);
  const roll = (bound: number) => random.int(0, bound - 1);
  const pick = <T>(list: readonly T[]): T => random.pick(list);
  const word = () => Array.from({ length: 1 + roll(6) }, () => pick([..."abcz019"])).join("");
  const component = () =>
    [word(), ...Array.from({ length: roll(3) }, () => pick([".", "_", "__", "-", "--"]) + word())].join("");
  const host = () =>
    pick(["", "localhost/", "localhost:5000/", "h.example/", "10.0.0.1:80/", "[::1]:9/", "docker.io/", "UP/"]);
  const rest = () => pick(["", `:${word()}`, `:${word()}.${word()}`, `@${sha256}`, `:${word()}@${sha512}`]);

  test("the full name of a full name is itself, and its parts make it up", () => {
    for (let round = 0; round < 2000; round++) {
      const first = host();
      // Without a host before it, a first part with a dot would be one.
      const name = Array.from({ length: 1 + roll(3) }, component).join("/");
      const given = (first === "" ? name.replaceAll(".", "_1") : first + name) + rest();
      const parsed = parseReference(given);
      if (!parsed.ok) throw new Error(`${given}: ${parsed.message}`);
      const { text, registry, repository, tag, digest } = parsed.reference;
      expect(full(text)).toBe(text);
      expect(text).toBe(`${registry}/${repository}${digest === undefined ? `:${tag}` : `@${digest}`}`);
    }
  });

  test("hostile text is refused or becomes a name that can't lead out of a path, never an exception", () => {
    const alphabet = [..."ab/:.@-_%\\ \0\n~#?&[]Aé", "..", "sha256:", "//"];
    for (let round = 0; round < 5000; round++) {
      const given = Array.from({ length: roll(14) }, () => pick(alphabet)).join("");
      const parsed = parseReference(given);
      if (!parsed.ok) continue;
      expect(parsed.reference.repository.split("/")).not.toContain("..");
      expect(parsed.reference.text).toMatch(/^[\w.:[\]-]+(\/[a-z0-9._-]+)+[:@][\w.:-]+$/);
    }
  });
});

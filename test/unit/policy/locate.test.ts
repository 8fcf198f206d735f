import { describe, expect, test } from "bun:test";
import { formatKeyPath } from "../../../src/run/policy/key-path.ts";
import { locateKeys, positionsOf } from "../../../src/run/policy/locate.ts";

/** Every key of a text as `path line:column key, line:column value`. */
function places(text: string): Record<string, string> {
  const position = positionsOf(text);
  const words = (offset: number) => Object.values(position(offset)).join(":");
  return Object.fromEntries(
    [...locateKeys(text)].map(([path, { keyAt, valueAt }]) => [path, `${words(keyAt)} ${words(valueAt)}`]),
  );
}

describe("keys and values", () => {
  test("on lines of their own", () => {
    expect(places('a = 1\nbc="x"\n\n  d\t=\ttrue # e = 2\n')).toEqual({ a: "1:1 1:5", bc: "2:1 2:4", d: "4:3 4:7" });
  });

  test("below a header, which is a key itself", () => {
    expect(places("[net]\nmode = 1\n[ fs ] # [no]\nx = 2\n")).toEqual({
      net: "1:2 1:2",
      "net.mode": "2:1 2:8",
      fs: "3:3 3:3",
      "fs.x": "4:1 4:5",
    });
  });

  test("dotted keys and headers", () => {
    expect(places("a . b.c = 1\n[x.y]\nz.w = 2")).toEqual({
      a: "1:1 1:11",
      "a.b": "1:5 1:11",
      "a.b.c": "1:7 1:11",
      x: "2:2 2:2",
      "x.y": "2:4 2:4",
      "x.y.z": "3:1 3:7",
      "x.y.z.w": "3:3 3:7",
    });
  });

  test("quoted keys, with what looks like syntax inside", () => {
    expect(places(`"a.b" = 1\n'c = "d' = 2\n"e\\"]" = 3\n["f#[g"]\nh = 4\n"" = 5`)).toEqual({
      '"a.b"': "1:1 1:9",
      '"c = \\"d"': "2:1 2:12",
      '"e\\"]"': "3:1 3:10",
      '"f#[g"': "4:2 4:2",
      '"f#[g".h': "5:1 5:5",
      '"f#[g".""': "6:1 6:6",
    });
  });

  test("a quoted key that needs no quotes is the bare key", () => {
    expect(places('"network".\'mode\' = "x"\n["\\u0061\\x62\\U00000063"]')).toEqual({
      network: "1:1 1:20",
      "network.mode": "1:11 1:20",
      abc: "2:2 2:2",
    });
  });

  test("elements of arrays, on one line or many", () => {
    expect(places('a = ["x", "y",]\nb = [ # [ "no"\n  "]", # ]\n\n  \'[\'\n  , 3 ]\nc = []')).toEqual({
      "a[0]": "1:6 1:6",
      "a[1]": "1:11 1:11",
      a: "1:1 1:5",
      "b[0]": "3:3 3:3",
      "b[1]": "5:3 5:3",
      "b[2]": "6:5 6:5",
      b: "2:1 2:5",
      c: "7:1 7:5",
    });
  });

  test("arrays of arrays", () => {
    expect(places("a = [[1], [2, [3]]]")).toEqual({
      "a[0][0]": "1:7 1:7",
      "a[0]": "1:6 1:6",
      "a[1][0]": "1:12 1:12",
      "a[1][1][0]": "1:16 1:16",
      "a[1][1]": "1:15 1:15",
      "a[1]": "1:11 1:11",
      a: "1:1 1:5",
    });
  });

  test("inline tables, also over several lines", () => {
    expect(places('a = { b = 1, "c" = { d.e = 2 } }\nf = {\n  g = [1], # }\n  h = "}",\n}')).toEqual({
      "a.b": "1:7 1:11",
      "a.c.d": "1:22 1:28",
      "a.c.d.e": "1:24 1:28",
      "a.c": "1:14 1:20",
      a: "1:1 1:5",
      "f.g[0]": "3:8 3:8",
      "f.g": "3:3 3:7",
      "f.h": "4:3 4:7",
      f: "2:1 2:5",
    });
  });

  test("tables in an array", () => {
    expect(places("a = [{ b = 1 }, { b = 2 }]")).toMatchObject({ "a[0].b": "1:8 1:12", "a[1].b": "1:19 1:23" });
  });

  test("arrays of tables, and tables below them", () => {
    const text = "[[a]]\nb = 1\n[a.c]\nd = 2\n[[a]]\nb = 3\n[[a.e]]\nf = 4\n[[a.e]]\nf = 5";
    expect(places(text)).toMatchObject({
      a: "1:3 1:3",
      "a[0].b": "2:1 2:5",
      "a[0].c.d": "4:1 4:5",
      "a[1]": "5:3 5:3",
      "a[1].b": "6:1 6:5",
      "a[1].e[0].f": "8:1 8:5",
      "a[1].e[1].f": "10:1 10:5",
    });
  });

  test("a table is where it is first named", () => {
    expect(places("[a.b]\nc = 1\n[a]\nd = 2")).toMatchObject({ a: "1:2 1:2", "a.d": "4:1 4:5" });
  });
});

describe("strings", () => {
  test("of four kinds end where they end", () => {
    const text = [
      `a = "q \\" # ] \\\\"`,
      `b = 'q \\'`,
      `c = """x " "" \\""" y`,
      `d = 1`,
      `"""`,
      `e = '''x ' '' \\`,
      `f = 1`,
      `'''`,
      `g = 1`,
    ].join("\n");
    expect(places(text)).toEqual({ a: "1:1 1:5", b: "2:1 2:5", c: "3:1 3:5", e: "6:1 6:5", g: "9:1 9:5" });
  });

  test("with quotes right before the closing ones", () => {
    expect(places(`a = """x""" # 1\nb = """x""""\nc = '''x'''''\nd = ""\ne = ''\nf = """"""\ng = 1`)).toEqual({
      a: "1:1 1:5",
      b: "2:1 2:5",
      c: "3:1 3:5",
      d: "4:1 4:5",
      e: "5:1 5:5",
      f: "6:1 6:5",
      g: "7:1 7:5",
    });
  });
});

describe("line ends and marks", () => {
  test("CRLF", () => {
    expect(places("a = [\r\n 1,\r\n 2]\r\nb = 3\r\n[c]\r\nd = 4")).toMatchObject({
      "a[1]": "3:2 3:2",
      b: "4:1 4:5",
      c: "5:2 5:2",
      "c.d": "6:1 6:5",
    });
  });

  test("a byte order mark is no part of the first key", () => {
    expect(places("\ufeffa = 1")).toEqual({ a: "1:2 1:6" });
  });

  test("a column is a UTF-16 unit, as the parser counts", () => {
    expect(places('"é" = ["😀", 1]')).toMatchObject({ '"é"[1]': "1:14 1:14" });
  });
});

describe("what is no TOML", () => {
  test.each([
    "[",
    "[[",
    "]",
    "=",
    "a",
    "a =",
    "a = [",
    "a = [1",
    "a = [1 2]",
    "a = {",
    "a = { b",
    "a = { b = }",
    'a = "',
    'a = """x',
    "a = ''' '",
    "[a\nb = 1",
    '"',
    '"a',
    '"\\',
    "a..b = 1",
    ".",
    "\0",
    "a = ]",
    "a = }",
    "a = [}",
    "[a]]]\n",
    "\\",
    "{}",
  ])("%p ends without a word", (text) => {
    expect(locateKeys(text)).toBeInstanceOf(Map);
  });

  test("a broken line does not hide the next", () => {
    expect(places("a = [1 2\n]\nb = 1\n[c\n?\nd = 2\n")).toMatchObject({ b: "3:1 3:5" });
  });

  test("depth without end is passed over, fast", () => {
    const start = performance.now();
    for (const text of [`a = ${"[".repeat(60_000)}`, `a = ${"{b=".repeat(20_000)}`, `${"a.".repeat(30_000)}b = 1`]) {
      expect(locateKeys(text).size).toBeLessThan(20);
    }
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("paths together stay within reason, whatever the text", () => {
    const text = `[${"k".repeat(30_000)}]\n${Array.from({ length: 5000 }, (_, i) => `a${i}=1`).join("\n")}`;
    const length = [...locateKeys(text).keys()].reduce((sum, path) => sum + path.length, 0);
    expect(length).toBeLessThan(100_000);
  });
});

describe("positions", () => {
  test("of offsets at the ends of lines", () => {
    const position = positionsOf("ab\n\nc");
    expect([0, 2, 3, 4, 5].map((offset) => position(offset))).toEqual([
      { line: 1, column: 1 },
      { line: 1, column: 3 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
      { line: 3, column: 2 },
    ]);
  });
});

describe("key paths", () => {
  test("are written as people write them", () => {
    expect(formatKeyPath([])).toBe("");
    expect(formatKeyPath(["filesystem", "writable_paths", 2])).toBe("filesystem.writable_paths[2]");
    expect(formatKeyPath(["env", "set", "a b", "c.d", ""])).toBe('env.set."a b"."c.d".""');
  });
});

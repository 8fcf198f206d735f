import { describe, expect, test } from "bun:test";
import { parseSandboxArgs } from "../../../src/cli/flags/sandbox.ts";
import { sandboxFlags } from "../../../src/cli/flags/sandbox-table.ts";
import { accepted, cwd, mistake, refused } from "./sandbox-args.ts";

describe("unknown options", () => {
  test.each([
    ["--netwrok", "--network"],
    ["--netwrok=none", "--network"],
    ["--timeut", "--timeout"],
    ["--memroy", "--memory"],
    ["--ro-bnd", "--ro-bind"],
    ["--repo_path", "--repo-path"],
    ["--jsno", "--json"],
    ["--no-jsn", "--no-json"],
    ["--hostnam", "--hostname"],
    ["--time", "--timeout"],
    ["--max", "--max-output"],
    ["--TIMEOUT", "--timeout"],
    ["-timeout", "--timeout"],
    ["-json", "--json"],
    ["-env=A=1", "--env"],
  ])("%s is answered with %s", (spelled, meant) => {
    const found = mistake(spelled);
    expect(found).toMatchObject({
      code: "usage",
      message: `unknown option ${spelled.split("=")[0]}`,
      hint: `did you mean ${meant}?`,
    });
    expect(found.origin).toEqual({ kind: "flag", flag: spelled.split("=")[0] ?? "" });
  });

  test("the value of a misspelled option does not become the command", () => {
    expect(refused("--timeut", "5", "--workdr", "/x")).toHaveLength(2);
  });

  test.each([
    ["--xyzzy", "--help lists the options"],
    ["-z", "--help lists the options"],
    ["--no-stream", undefined],
    ["--volume", "--rw-bind"],
    ["-v", "--rw-bind"],
    ["--rm", "temporary"],
    ["--cap-add", "[capabilities]"],
    ["--bind", "--rw-bind"],
    ["--setenv", "--env NAME=VALUE"],
    ["--kill-after", "grace"],
    ["--unshare-all", "leave it out"],
  ])("%s is refused and the hint helps", (spelled, hint) => {
    const found = mistake(spelled);
    expect(found.message).toBe(`unknown option ${spelled}`);
    if (hint !== undefined) expect(found.hint).toContain(hint);
  });

  test("names of every object's own are unknown options too", () => {
    for (const name of ["--constructor", "--__proto__", "--toString", "--hasOwnProperty=1"]) {
      expect(mistake(name).message).toStartWith("unknown option");
    }
  });

  test("a very long one is cut", () => {
    expect(mistake(`--${"x".repeat(100_000)}`).message.length).toBeLessThan(100);
  });

  test("one unknown letter in a bundle is found", () => {
    expect(mistake("-iz")).toMatchObject({ message: "unknown option -z", origin: { flag: "-z" } });
  });
});

describe("values", () => {
  test("--network=flase is not true, not false, but refused", () => {
    expect(mistake("--network=flase")).toEqual({
      code: "invalid_argument",
      message: '--network: "flase" is not one of none, isolated, filtered, bridged or host',
      hint: "did you mean --network none?",
      origin: { kind: "flag", flag: "--network" },
    });
  });

  test.each([
    ["--network=non", "did you mean --network none?"],
    ["--network=isolate", "did you mean --network isolated?"],
    ["--network=bridge", "did you mean --network bridged?"],
    ["--network=NONE", "did you mean --network none?"],
    ["--network=qqqqqqqq", "write --network none|isolated|filtered|bridged|host"],
    ["--repo-mode=readonly", "did you mean --repo-mode ro?"],
    ["--repo-mode=overly", "did you mean --repo-mode overlay?"],
    ["--isolation=zon", "did you mean --isolation zone?"],
  ])("%s: %s", (argument, hint) => {
    expect(refused("--repo", ".", argument).find(({ code }) => code === "invalid_argument")?.hint).toBe(hint);
  });

  test.each([
    "--json=false",
    "--json=true",
    "--stream=yes",
    "--explain=0",
    "--tty=1",
    "-i=true",
    "-t=false",
    "--no-json=1",
  ])("%s: a boolean takes no value", (argument) => {
    expect(mistake(argument)).toMatchObject({ code: "usage", message: expect.stringContaining("takes no value") });
  });

  test("--json=false is told how to say it", () => {
    expect(mistake("--json=false").hint).toBe("write --no-json");
    expect(mistake("--stream=false").hint).toBe("leave --stream out");
    expect(mistake("--stream=yes").hint).toBe("write --stream");
  });

  test.each([
    ["--timeout", "abc"],
    ["--timeout", ""],
    ["--timeout", "5 minutes"],
    ["--timeout", "1e3"],
    ["--timeout", "30x"],
    ["--memory", "lots"],
    ["--memory", "4GiGi"],
    ["--memory", "0"],
    ["--cpus", "two"],
    ["--cpus", "0"],
    ["--cpus", "1,5"],
    ["--cpus", "1e9"],
    ["--cpus", "."],
    ["--pids", "0"],
    ["--pids", "1.5"],
    ["--pids", "99999999999"],
    ["--limit-cpu", "500ms"],
    ["--limit-cpu", "0"],
    ["--limit-nofile", "31"],
    ["--limit-nofile", "0x10"],
    ["--max-output", "1Ti"],
    ["--result-fd", "0"],
    ["--result-fd", "stdout"],
    ["--user", "root"],
    ["--user", "1000:staff"],
    ["--user", "4294967295"],
    ["--user", ":5"],
    ["--hostname", "a-"],
    ["--hostname", "a_b"],
    ["--hostname", "a".repeat(65)],
    ["--env", "=x"],
    ["--env", "A B=x"],
    ["--env", "NAME"],
    ["--env", "'A'=x"],
    ["--env-pass", "A=b"],
    ["--env-pass", ""],
    ["--policy", ""],
    ["--workdir", "relative"],
    ["--workdir", ""],
    ["--tmpfs", "tmp"],
    ["--tmpfs", "/"],
    ["--dir", "/x/.."],
    ["--ro-bind", "/"],
    ["--rw-bind", "/a:/"],
    ["--overlay-bind", "/a:/."],
    ["--symlink", "a:/"],
    ["--dir", "x/y"],
    ["--ro-bind", ""],
    ["--ro-bind", ":/x"],
    ["--ro-bind", "/a:b"],
    ["--ro-bind", "/a:"],
    ["--ro-bind", "/a:/b:/c"],
    ["--ro-bind", "~/x"],
    ["--symlink", "/a"],
    ["--symlink", ":/a"],
    ["--symlink", "a:b"],
    ["--symlink", "a:/b:/c"],
    ["--result", ""],
    ["--result", "dir/"],
    ["--repo-mode", "RW "],
  ])("%s %j is refused", (option, value) => {
    const found = refused(option, value);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ code: "invalid_argument", origin: { kind: "flag", flag: option } });
  });

  test.each([
    ["--ro-bind", "/a:/b:ro", "write --ro-bind /a:/b"],
    ["--ro-bind", "/a:/b:rw", "write --rw-bind /a:/b"],
    ["--rw-bind", "/a:/b:ro", "write --ro-bind /a:/b"],
    ["--rw-bind", "/a:ro", "write --ro-bind /a"],
  ])("docker's suffix: %s %s", (option, value, hint) => {
    expect(mistake(option, value).hint).toBe(hint);
  });

  test("a relative place in the zone is shown as the absolute one", () => {
    expect(mistake("-w", "src").hint).toContain(`${cwd}/src`);
  });

  test("the third of an option is named as the third", () => {
    expect(mistake("-e", "A=1", "-e", "B=2", "-e", "C").origin).toEqual({ kind: "flag", flag: "--env", index: 3 });
  });

  test("control characters of a value are not written out", () => {
    expect(mistake("--timeout", "\u001b[2J\u0007").message).toBe('--timeout: "\\u001b[2J\\u0007" is not a duration');
  });

  test("a very long value is cut", () => {
    expect(mistake("--timeout", "x".repeat(10_000)).message.length).toBeLessThan(200);
  });
});

describe("missing values", () => {
  const valued = Object.entries(sandboxFlags).filter(([, flag]) => flag.kind !== "boolean");

  test.each(valued.map(([name]) => name))("--%s at the end", (name) => {
    const found = refused(`--${name}`).filter(({ message }) => message.includes("no value"));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ code: "usage", origin: { flag: `--${name}` } });
  });

  test("-- is no value", () => {
    expect(mistake("--workdir", "--", "true").message).toBe("--workdir has no value");
  });

  test("an option is no value, and is itself still read", () => {
    const found = refused("--workdir", "--jsn");
    expect(found.map(({ message }) => message)).toEqual(["--workdir has no value", "unknown option --jsn"]);
    expect(found[0]?.hint).toContain('--workdir="--jsn"');
  });

  test("a value may begin with - after =", () => {
    expect(accepted("--env=A=-1").request.env).toEqual([{ name: "A", value: "-1" }]);
    expect(mistake("--timeout=-1").code).toBe("invalid_argument");
  });
});

describe("repeats", () => {
  test.each<string[]>([
    ["--timeout", "1", "--timeout", "2"],
    ["--policy", "task", "--policy", "task"],
    ["--network", "none", "--network=none"],
    ["-w", "/a", "--workdir", "/b"],
    ["--result-fd", "3", "--result-fd", "4"],
    ["--json", "--no-json"],
  ])("%s %s … is refused", (...argv) => {
    expect(mistake(...argv)).toMatchObject({
      code: "usage",
      message: expect.stringContaining("was given already and may be given once"),
    });
  });

  test("--repo repeats --repo-path", () => {
    expect(refused("--repo", "a", "--repo-path", "b", "--repo-mode", "ro")).toHaveLength(1);
  });

  test("a switch said twice the same way is no contradiction", () => {
    expect(accepted("-i", "-it", "--json", "--json").request.io).toMatchObject({ mode: "pty", stdin: true });
  });
});

describe("options that exclude or need each other", () => {
  test("--repo-mode without a workspace", () => {
    expect(mistake("--repo-mode", "ro")).toMatchObject({ code: "usage", hint: "add --repo-path DIR" });
  });

  test("one that was refused is there nevertheless: one slip, one diagnostic", () => {
    expect(refused("--repo", "", "--repo-mode", "ro")).toHaveLength(1);
    expect(refused("--repo", ".", "--repo-mode", "or")).toHaveLength(1);
    expect(refused("--repo", ".", "--repo-mode")).toHaveLength(1);
  });

  test("--tty and --stream", () => {
    expect(mistake("--tty", "--stream").message).toContain("excludes");
  });

  test("--patch and --result can't be one file, however it is written", () => {
    const [found] = refused("--repo", "/r", "--patch", "/a/b/../out", "--result", "/a/out", "--", "true");
    expect(found).toMatchObject({ code: "usage", origin: { flag: "--patch" } });
    expect(accepted("--repo", "/r", "--patch", "/a/out", "--result", "/a/result", "--", "true")).toBeDefined();
  });
});

describe("all mistakes at once", () => {
  test("in the order of the command line", () => {
    const parsed = parseSandboxArgs(["--netwrok", "none", "--timeout=soon", "--json=1", "-e", "X", "--pids"], { cwd });
    expect(
      parsed.ok
        ? []
        : parsed.diagnostics.map(({ origin, message }) => [origin?.kind === "flag" ? origin.flag : "", message]),
    ).toEqual([
      ["--netwrok", "unknown option --netwrok"],
      ["--timeout", '--timeout: "soon" is not a duration'],
      ["--json", '--json takes no value, and was given "1"'],
      ["--env", '--env: "X" is not NAME=VALUE'],
      ["--pids", "--pids has no value"],
      ["", "no command was given"],
    ]);
  });

  test("and where the result goes is known nevertheless", () => {
    const parsed = parseSandboxArgs(["--json", "--result=r.json", "--result-fd", "5", "--nonsense"], { cwd });
    expect(parsed).toMatchObject({ ok: false, command: [], json: true, resultFile: `${cwd}/r.json`, resultFd: 5 });
  });
});

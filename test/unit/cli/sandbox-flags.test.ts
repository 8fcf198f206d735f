import { describe, expect, test } from "bun:test";
import { sandboxFlags } from "../../../src/cli/flags/sandbox-table.ts";
import { accepted, cwd } from "./sandbox-args.ts";

describe("the request of a bare command", () => {
  test("has the defaults and nothing else", () => {
    const { request, ...rest } = accepted("--", "true");
    expect<unknown>(request).toEqual({
      command: ["true"],
      env: [],
      envPass: [],
      view: [],
      limits: {},
      io: { mode: "capture", stdin: false, maxOutputBytes: 8 << 20 },
    });
    expect<unknown>(rest).toMatchObject({ policyName: "task", explain: false, help: false });
  });
});

describe("every option of this build", () => {
  test("--policy takes a name or a file as written", () => {
    expect(accepted("--policy", "strict").policyName).toBe("strict");
    expect(accepted("--policy=./p.toml").policyName).toBe("./p.toml");
  });

  test("--repo-path and --repo are one option, made absolute", () => {
    const origin = { kind: "flag", flag: "--repo-path" } as const;
    for (const name of ["--repo-path", "--repo"]) {
      expect(accepted(name, ".", "--repo-mode", "rw").request.repo).toEqual({ path: cwd, mode: "rw", origin });
    }
    expect(accepted("--repo", "../other/", "--repo-mode=ro").request.repo).toEqual({
      path: "/home/me/other",
      mode: "ro",
      origin,
    });
  });

  test("--workdir and -w take an absolute path of the zone", () => {
    expect(accepted("--workdir", "/a/./b/../c/").request.workdir).toBe("/a/c");
    expect(accepted("-w", "/").request.workdir).toBe("/");
    expect(accepted("-w/x").request.workdir).toBe("/x");
    expect(accepted("-w=/x").request.workdir).toBe("/x");
  });

  test.each([
    ["30", 30_000],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["0", 0],
  ])("--timeout %s is %d ms", (text, ms) => {
    expect(accepted("--timeout", text).request.timeoutMs).toBe(ms);
  });

  test("--env and -e keep order, repeats and whatever is after the first =", () => {
    expect(accepted("--env", "A=1", "-e", "B=", "-eC=x=y", "--env=A=2", "-e=D= ").request.env).toEqual([
      { name: "A", value: "1" },
      { name: "B", value: "" },
      { name: "C", value: "x=y" },
      { name: "A", value: "2" },
      { name: "D", value: " " },
    ]);
  });

  test("--env takes names that shells can't say but programs use", () => {
    expect(
      accepted("-e", "npm_config_//registry.npmjs.org/:_authToken=t", "-e", "spring.profiles=x").request.env,
    ).toHaveLength(2);
  });

  test("--env-pass names variables of the caller's", () => {
    expect(accepted("--env-pass", "LANG", "--env-pass=TERM").request.envPass).toEqual(["LANG", "TERM"]);
  });

  test("the view keeps the order of the command line and counts each option's place", () => {
    const { view } = accepted(
      "--tmpfs=/t",
      "-b",
      "/usr/share:/s",
      "--symlink",
      "usr/bin:/bin",
      "--rw-bind",
      "out",
      "-Bsub:/d",
      "--dir",
      "/empty",
      "--ro-bind=/etc/hosts",
    ).request;
    expect(view).toEqual([
      { kind: "tmpfs", target: "/t", origin: { kind: "flag", flag: "--tmpfs", index: 1 } },
      { kind: "ro-bind", source: "/usr/share", target: "/s", origin: { kind: "flag", flag: "--ro-bind", index: 1 } },
      { kind: "symlink", value: "usr/bin", target: "/bin", origin: { kind: "flag", flag: "--symlink", index: 1 } },
      {
        kind: "rw-bind",
        source: `${cwd}/out`,
        target: `${cwd}/out`,
        origin: { kind: "flag", flag: "--rw-bind", index: 1 },
      },
      { kind: "rw-bind", source: `${cwd}/sub`, target: "/d", origin: { kind: "flag", flag: "--rw-bind", index: 2 } },
      { kind: "dir", target: "/empty", origin: { kind: "flag", flag: "--dir", index: 1 } },
      {
        kind: "ro-bind",
        source: "/etc/hosts",
        target: "/etc/hosts",
        origin: { kind: "flag", flag: "--ro-bind", index: 2 },
      },
    ]);
  });

  test("a colon of a path is written \\:, a backslash \\\\", () => {
    expect(accepted("-b", "/a\\:b:/c\\\\d").request.view[0]).toMatchObject({ source: "/a:b", target: "/c\\d" });
    expect(accepted("-b", "/a\\b").request.view[0]).toMatchObject({ source: "/a\\b", target: "/a\\b" });
    expect(accepted("--symlink", "a\\:b:/c").request.view[0]).toMatchObject({ value: "a:b", target: "/c" });
  });

  test("--network none and isolated are the same", () => {
    expect(accepted("--network", "none").request.network).toBe("none");
    expect(accepted("--network=isolated").request.network).toBe("none");
  });

  test("--user takes numbers", () => {
    expect(accepted("--user", "0").request.user).toEqual({ uid: 0 });
    expect(accepted("--user", "1000:100").request.user).toEqual({ uid: 1000, gid: 100 });
    expect(accepted("--user", "4294967294").request.user).toEqual({ uid: 4294967294 });
  });

  test("--hostname", () => {
    expect(accepted("--hostname", "a-1.example").request.hostname).toBe("a-1.example");
  });

  test("limits, each in its own unit", () => {
    const { limits } = accepted(
      ...["--memory", "512Mi", "--cpus", "1.5", "--pids", "64", "--limit-cpu", "2m", "--limit-as", "1Gi"],
      ...["--limit-fsize", "0", "--limit-nofile", "256", "--limit-core", "0"],
    ).request;
    expect(limits).toEqual({
      memoryBytes: 512 << 20,
      cpus: 1.5,
      pids: 64,
      cpuSeconds: 120,
      asBytes: 1 << 30,
      fsizeBytes: 0,
      nofile: 256,
      coreBytes: 0,
    });
  });

  test.each([
    ["1", 1],
    ["0.25", 0.25],
    [".5", 0.5],
    ["2.", 2],
  ])("--cpus %s", (text, cpus) => {
    expect(accepted("--cpus", text).request.limits.cpus).toBe(cpus);
  });

  test("streams: captured, the caller's own, or a terminal", () => {
    expect(accepted("-i").request.io).toMatchObject({ mode: "capture", stdin: true });
    expect(accepted("--interactive").request.io).toMatchObject({ mode: "capture", stdin: true });
    expect(accepted("--stream").request.io).toMatchObject({ mode: "stream", stdin: true });
    expect(accepted("-t").request.io).toMatchObject({ mode: "pty", stdin: false });
    for (const both of [["-it"], ["-ti"], ["-i", "-t"], ["--tty", "--interactive"]]) {
      expect(accepted(...both).request.io).toMatchObject({ mode: "pty", stdin: true });
    }
  });

  test("--max-output", () => {
    expect(accepted("--max-output", "64Ki").request.io.maxOutputBytes).toBe(65_536);
    expect(accepted("--max-output=0").request.io.maxOutputBytes).toBe(0);
  });

  test("where the result goes", () => {
    expect(accepted("--json").json).toBe(true);
    expect(accepted("--no-json").json).toBe(false);
    expect(accepted().json).toBeUndefined();
    expect(accepted("--result", "r.json").resultFile).toBe(`${cwd}/r.json`);
    expect(accepted("--result-fd=3").resultFd).toBe(3);
  });

  test("--explain", () => {
    expect(accepted("--explain").explain).toBe(true);
  });

  test("--isolation zone is what there is", () => {
    expect(accepted("--isolation", "zone").request.command).toEqual(["true"]);
  });

  test("--help wins over every mistake", () => {
    for (const argv of [["--help"], ["-h"], ["--netwrok", "--help"], ["--timeout", "--help"], ["-ih"]]) {
      expect(accepted(...argv).help).toBe(true);
    }
  });
});

describe("the table", () => {
  test("gives no short name twice", () => {
    const shorts = Object.values(sandboxFlags).flatMap((flag) => ("short" in flag ? [flag.short] : []));
    expect(new Set<string>(shorts).size).toBe(shorts.length);
  });

  test("has no name that another's --no- form would take", () => {
    expect(Object.keys(sandboxFlags).filter((name) => name.startsWith("no-"))).toEqual([]);
  });

  test("describes every option without a full stop", () => {
    for (const [name, flag] of Object.entries(sandboxFlags)) {
      expect([name, flag.description]).toEqual([name, expect.stringMatching(/^[A-Z].*[^.]$/)]);
    }
  });
});

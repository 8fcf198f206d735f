/** Zones from images: what the image's configuration says holds, as docker has it. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { isRoot, patient } from "../support/identity.ts";
import { dir, file, layers, link, smallImageStore } from "./small-image.ts";
import { tarOf } from "./tar-builder.ts";

const store = await smallImageStore();
const sh = (script: string, flags: readonly string[] = [], image = "base") =>
  store.run(image, ["sh", "-c", script], flags);

describe("the image's configuration", () => {
  const config = {
    Env: ["PATH=/bin", "FROM=image", "TWICE=1", "TWICE=2"],
    Entrypoint: ["/bin/sh", "-c", 'echo "$FROM $TWICE $HOME $USER $0 $*"; pwd; id'],
    Cmd: ["zero", "one two"],
    WorkingDir: "/srv/made",
    User: "app",
  };

  test("entrypoint, command, variables, directory and user; what follows -- replaces the command alone", async () => {
    await store.add("configured", { layers, config });
    const plain = await store.run("configured", []);
    // Whoever logged in has their own group twice: as theirs, and in the list. Only root can give other groups.
    const once = (text: string | null) => (isRoot ? text : text?.replace(/gid=(\S+) groups=\1$/m, "gid=$1"));
    const groups = isRoot ? " groups=1002(extra)" : "";
    const identity = `uid=1000(app) gid=1001(app)${groups}`;
    expect(once(plain.result.stdout)).toBe(`image 2 /home/app app zero one two\n/srv/made\n${identity}\n`);
    expect(plain.result.command).toEqual([...config.Entrypoint, ...config.Cmd]);
    const flags = ["-e", "FROM=flag", "-w", "/var", "--user", "0:0"];
    const given = await store.run("configured", ["mine"], flags);
    expect(once(given.result.stdout)).toBe("flag 2 /root root mine \n/var\nuid=0(root) gid=0(root)\n");
  });

  test("--entrypoint takes the place of the image's entrypoint and command, '' of both with nothing", async () => {
    await store.add("with-entrypoint", { layers, config: { ...config, User: "", WorkingDir: "" } });
    const run = (command: readonly string[], ...flags: string[]) => store.run("with-entrypoint", command, flags);
    expect((await run(["a", "b"], "--entrypoint", "echo")).result.stdout).toBe("a b\n");
    expect((await run([], "--entrypoint", "pwd")).result).toMatchObject({ stdout: "/\n", command: ["pwd"] });
    expect((await run(["echo", "own"], "--entrypoint", "")).result.stdout).toBe("own\n");
    expect((await run(["mine"])).result.stdout).toBe("image 2 /root root mine \n/\nuid=0(root) gid=0(root)\n");
    const none = await run([], "--entrypoint=");
    expect([none.exitCode, none.result.error?.message]).toEqual([2, expect.stringContaining("and none was given")]);
    const alone = await store.rauha(["sandbox", "--entrypoint", "x", "--", "true"]);
    expect([alone.exitCode, alone.stderr]).toEqual([2, expect.stringContaining("has no image to apply to")]);
  });

  test("--user takes the names of the image's accounts", async () => {
    const who = async (user: string) => (await sh("id; echo $HOME", ["--user", user])).result;
    expect((await who("app")).stdout).toMatch(/^uid=1000\(app\) gid=1001\(app\).*\n\/home\/app\n$/);
    expect((await who("app:extra")).stdout).toMatch(/^uid=1000\(app\) gid=1002\(extra\)/);
    const ghost = await who("ghost");
    expect(ghost.error).toMatchObject({ code: "invalid_image", stage: "image" });
    expect(ghost.error?.message).toContain('"ghost" is not in its /etc/passwd');
    const host = await store.rauha(["sandbox", "--user", "root", "--", "true"]);
    expect([host.exitCode, host.stderr]).toEqual([2, expect.stringContaining("names are looked up in an image only")]);
  });

  test("what it has where the policy lets the task write stays, and is written to; what it lacks is made, for everyone", async () => {
    const more = tarOf([
      dir("tmp", { mode: 0o1777 }),
      file("tmp/kept", "kept\n"),
      dir("var"),
      dir("var/log"),
      dir("var/log/app", { uid: 1000, gid: 1001 }),
    ]);
    await store.add("scratch", { layers: [...layers, { archive: more }], config: { User: "app" } });
    const policy = join(
      writeFiles(makeFolder("policy"), {
        "p.toml": 'extends = "task"\n[filesystem]\nwritable_paths = ["/tmp", "/var/log", "/data"]\n',
      }),
      "p.toml",
    );
    const script =
      "set -e; cat /tmp/kept; echo t > /tmp/t; echo l > /var/log/app/l; echo d > /data/d; cat /tmp/t /data/d";
    const { result } = await sh(script, ["--policy", policy], "scratch");
    expect([result.stderr, result.stdout]).toEqual(["", "kept\nt\nd\n"]);
    expect((await sh("stat -c %a /tmp /data; ls /tmp", ["--policy", policy], "scratch")).result.stdout).toBe(
      "1777\n1777\nkept\n",
    );
    // Of an image without one, and of a flag's scratch space.
    expect((await sh("stat -c %a /tmp; echo x > /tmp/x; ls /tmp")).result.stdout).toBe("1777\nx\n");
    expect((await sh("ls /tmp; stat -c %a /tmp", ["--tmpfs", "/tmp"], "scratch")).result.stdout).toBe("755\n");
  });

  test("its variables come before what the policy passes on, and after what the caller asks for", async () => {
    await store.add("localized", { layers, config: { Env: ["PATH=/bin", "LANG=C.UTF-8"] } });
    const caller = { env: { LANG: "fi_FI", TZ: "EET" } };
    const said = async (...flags: string[]) =>
      (await store.run("localized", ["sh", "-c", "echo $LANG $TZ"], flags, caller)).result.stdout;
    expect(await said()).toBe("C.UTF-8 EET\n");
    expect(await said("--env-pass", "LANG")).toBe("fi_FI EET\n");
    expect(await said("-e", "LANG=sv_SE")).toBe("sv_SE EET\n");
  });

  test("what it says to be there is there, and can be written to below: volumes, and --workdir", async () => {
    await store.add("volumes", { layers, config: { Volumes: { "/data": {}, "/var/lib/db": {}, "/opt": {} } } });
    const script =
      "set -e; echo x > /data/x; echo y > /var/lib/db/y; cat /data/x /var/lib/db/y /opt/top; pwd; echo z > z";
    const { result } = await sh(script, ["-w", "/app/deep"], "volumes");
    expect([result.stderr, result.stdout]).toEqual(["", "x\ny\ntop/app/deep\n"]);
    const link = tarOf([{ name: "data", type: "2", link: "/var/kept-data" }, dir("var"), dir("var/kept-data")]);
    await store.add("volume-link", { layers: [...layers, { archive: link }], config: { Volumes: { "/data": {} } } });
    expect((await sh("echo x > /data/x; cat /var/kept-data/x", [], "volume-link")).result.stdout).toBe("x\n");
  });

  test.each([
    ["1000", "uid=1000(app) gid=1001(app)"],
    ["1234", "uid=77(1234) gid=78"],
    ["4321", "uid=4321 gid=0(root)"],
    ["app:extra", "uid=1000(app) gid=1002(extra)"],
    ["4321:99", "uid=4321 gid=99"],
    ["root", "uid=0(root) gid=0(root)"],
    ["", "uid=0(root) gid=0(root)"],
  ])("user %p", async (user, expected) => {
    const name = `user-${user.replace(":", "-") || "none"}`;
    await store.add(name, { layers, config: { User: user } });
    expect((await sh("id", [], name)).result.stdout?.replace(/ groups=.*/, "").trim()).toBe(expected);
  });

  test("a user that the image does not have", async () => {
    await store.add("nobody-there", { layers, config: { User: "ghost" } });
    const { result, exitCode } = await sh("id", [], "nobody-there");
    expect([exitCode, result.error?.code]).toEqual([125, "invalid_image"]);
    expect(result.error?.message).toContain('the image\'s user "ghost" is not in its /etc/passwd');
  });

  test("accounts are read in the image alone, wherever its symlinks lead", async () => {
    const redirect = tarOf([dir("etc"), file("etc/.wh.passwd"), link("etc/passwd", "/../../../../../../etc/hostname")]);
    await store.add("redirected", { layers: [...layers, { archive: redirect }], config: { User: "app" } });
    expect((await sh("id", [], "redirected")).result.error?.message).toContain('"app" is not in its /etc/passwd');
    const within = tarOf([
      dir("etc"),
      link("etc/passwd", "../opt/accounts"),
      dir("opt"),
      file("opt/accounts", "app:x:5:6::/:/bin/sh\n"),
    ]);
    await store.add("within", { layers: [...layers, { archive: within }], config: { User: "app" } });
    expect((await sh("id -u", [], "within")).result.stdout).toBe("5\n");
  });

  test(
    "the stop signal is the first that a time-out sends",
    async () => {
      await store.add("stops", { layers, config: { StopSignal: "SIGUSR1" } });
      const script =
        "trap 'echo usr1; exit 7' USR1; trap 'echo term; exit 8' TERM; echo ready; while :; do sleep 0.1; done";
      const { result } = await sh(script, ["--timeout", "2s"], "stops");
      expect([result.status, result.stdout]).toEqual(["timed_out", "ready\nusr1\n"]);
    },
    patient(30_000),
  );

  test("no command anywhere is a usage error", async () => {
    const { result, exitCode } = await store.run("base", []);
    expect([exitCode, result.error?.code]).toEqual([2, "usage"]);
    expect(result.error?.message).toContain("brings no command");
  });
});

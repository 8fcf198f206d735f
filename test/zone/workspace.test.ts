/** The workspace: a real project is built in it; read-only it stays as it was; what runs later outside the zone can't be planted. */
import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { hasProgram, needs } from "../support/identity.ts";
import { outcomes, sandbox, tryInZone } from "../support/rauha.ts";
import { fingerprint } from "../support/tree.ts";

const rw = (folder: string) => ["--repo-path", folder, "--repo-mode", "rw"];
const ro = (folder: string) => ["--repo-path", folder, "--repo-mode", "ro"];

/** A project with a Makefile: two C files, a generated header, a test that runs what was built. */
function cProject(): string {
  return writeFiles(makeFolder("project"), {
    Makefile: `CC ?= cc
all: bin/sum
gen/limits.h: tools/gen.sh
\tmkdir -p gen && ./tools/gen.sh > $@
obj/%.o: src/%.c gen/limits.h
\tmkdir -p obj && $(CC) -O1 -Igen -c -o $@ $<
bin/sum: obj/main.o obj/sum.o
\tmkdir -p bin && $(CC) -o $@ $^
test: bin/sum
\t@test "$$(./bin/sum 1 2 39)" = 42 && echo all tests passed
clean:
\trm -rf bin obj gen
`,
    "tools/gen.sh": "#!/bin/sh\necho '#define MOST 100'\n",
    "src/main.c":
      '#include <stdio.h>\n#include <stdlib.h>\n#include "limits.h"\nint sum(int n, char **v);\nint main(int c, char **v) { int s = sum(c - 1, v + 1); printf("%d\\n", s); return s > MOST; }\n',
    "src/sum.c":
      "#include <stdlib.h>\nint sum(int n, char **v) { int s = 0; for (int i = 0; i < n; i++) s += atoi(v[i]); return s; }\n",
  });
}

describe("a project in a writable workspace", () => {
  needs("a C compiler", hasProgram("cc"))(
    "is built and tested by `make test`, and what was built is the caller's",
    async () => {
      const folder = cProject();
      const { exitCode, result } = await sandbox(rw(folder), ["make", "test"]);
      expect(result.stderr).toBe("");
      expect({ exitCode, last: result.stdout?.trim().split("\n").at(-1) }).toEqual({
        exitCode: 0,
        last: "all tests passed",
      });
      expect(Bun.spawnSync([join(folder, "bin/sum"), "1", "2"]).stdout.toString()).toBe("3\n");
      expect((await sandbox(rw(folder), ["make", "clean"])).exitCode).toBe(0);
      expect(readdirSync(folder).sort()).toEqual(["Makefile", "src", "tools"]);
    },
    60_000,
  );

  needs("git", hasProgram("git"))("lets git do its everyday work", async () => {
    const folder = makeFolder("git");
    const script = `set -e; git init -q -b main .; git config --global user.name T; git config --global user.email t@example.org
      echo one >file; git add file; git commit -qm first; git checkout -qb side; echo two >>file; git commit -qam second
      git checkout -q main; git merge -q side; git log --format=%s; git status --short`;
    const { result } = await sandbox(rw(folder), ["sh", "-c", script]);
    expect(result).toMatchObject({ stdout: "second\nfirst\n", stderr: "" });
  });

  test("can be one with blanks, quotes and other letters in its path", async () => {
    const folder = join(makeFolder("odd"), "a b'c\"d$e ä\n;f");
    mkdirSync(folder);
    const { result, exitCode } = await sandbox(rw(folder), ["sh", "-c", "pwd; echo made >file"]);
    expect({ exitCode, stdout: result.stdout }).toEqual({ exitCode: 0, stdout: `${folder}\n` });
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("made\n");
  });

  test("is found relative to where the caller stands, and by a symlink", async () => {
    const folder = makeFolder("relative");
    writeFiles(folder, { "sub/file": "here\n" });
    symlinkSync("sub", join(folder, "link"));
    for (const path of ["sub", "./sub/../sub", "link"]) {
      const { result } = await sandbox(["--repo-path", path, "--repo-mode", "ro"], ["cat", "file"], { cwd: folder });
      expect(result.stdout).toBe("here\n");
    }
  });

  test("shows no more than itself: its neighbours and parents are empty", async () => {
    const parent = writeFiles(makeFolder("parent"), { "secret.txt": "s", "other/secret.txt": "s", "repo/file": "f" });
    const tried = await tryInZone(
      [
        ["list", parent],
        ["stat", join(parent, "secret.txt")],
        ["list", "/tmp"],
        ["create", join(parent, "new")],
      ],
      rw(join(parent, "repo")),
    );
    expect(tried.answers[0]?.items).toEqual(["repo"]);
    expect(outcomes(tried)[`stat ${join(parent, "secret.txt")}`]).toBe("ENOENT");
    expect(readdirSync(parent).sort()).toEqual(["other", "repo", "secret.txt"]);
  });
});

describe("a read-only workspace", () => {
  test("stays as it was, byte for byte and to the last time stamp", async () => {
    const folder = cProject();
    symlinkSync("src/main.c", join(folder, "link"));
    chmodSync(join(folder, "src/sum.c"), 0o600);
    const before = fingerprint(folder);
    const path = (name: string) => join(folder, name);
    const attempts = [
      ["create", path("new")],
      ["mkdir", path("dir")],
      ["write", path("Makefile"), "x"],
      ["truncate", path("Makefile"), "0"],
      ["unlink", path("Makefile")],
      ["rename", path("src"), path("crs")],
      ["symlink", "x", path("dangling")],
      ["link", path("Makefile"), path("hard")],
      ["chmod", "0777", path("Makefile")],
      ["utimes", path("Makefile")],
      ["write", path("link"), "x"],
    ];
    for (const user of [[], ["--user", "0"]]) {
      const tried = await tryInZone([["read", path("Makefile")], ...attempts], [...ro(folder), ...user]);
      expect(tried.answers[0]?.outcome).toBe("OK");
      for (const { attempt, outcome } of tried.answers.slice(1))
        expect(`${attempt}: ${outcome}`).toMatch(/EROFS|EACCES|EXDEV/);
    }
    expect(fingerprint(folder)).toEqual(before);
  });

  test("makes make fail as it would on a read-only disk", async () => {
    const folder = cProject();
    const before = fingerprint(folder);
    const { exitCode, result } = await sandbox(ro(folder), ["make", "gen/limits.h"]);
    expect(exitCode).toBe(2);
    expect(result.stderr).toMatch(/Read-only file system|Permission denied/);
    expect(fingerprint(folder)).toEqual(before);
  });

  test("read by a task of another id is still the caller's own", async () => {
    const folder = cProject();
    const before = fingerprint(folder);
    await sandbox([...ro(folder), "--user", "0"], ["sh", "-c", "cat src/*.c >/dev/null; ls -lR >/dev/null"]);
    expect(fingerprint(folder)).toEqual(before);
  });
});

describe("files that run later, outside the zone", () => {
  const later = {
    ".git/config": "[core]\n",
    ".git/hooks/pre-commit.sample": "#!/bin/sh\n",
    ".git/HEAD": "ref: refs/heads/main\n",
    ".bashrc": "#\n",
    ".profile": "#\n",
    ".zshrc": "#\n",
    ".mcp.json": "{}\n",
    ".vscode/tasks.json": "{}\n",
    ".idea/workspace.xml": "<x/>\n",
    ".claude/commands/x.md": "x\n",
    ".claude/agents/y.md": "y\n",
    ".claude/notes.md": "z\n",
    "README.md": "free\n",
  };

  test("can't be changed, planted, removed or moved aside in a writable workspace", async () => {
    const folder = writeFiles(makeFolder("later"), later);
    const path = (name: string) => join(folder, name);
    const denied = [
      ["write", path(".git/config"), "x"],
      ["unlink", path(".git/config")],
      ["rename", path(".git/HEAD"), path(".git/config")],
      ["create", path(".git/hooks/post-checkout")],
      ["write", path(".git/hooks/pre-commit.sample"), "x"],
      ["rename", path(".git/hooks"), path(".git/skooh")],
      ["rename", path(".git"), path("x")],
      ["rmdir", path(".git/hooks")],
      ["write", path(".bashrc"), "x"],
      ["unlink", path(".bashrc")],
      ["rename", path("README.md"), path(".bashrc")],
      ["write", path(".profile"), "x"],
      ["write", path(".zshrc"), "x"],
      ["write", path(".mcp.json"), "x"],
      ["create", path(".vscode/settings.json")],
      ["write", path(".vscode/tasks.json"), "x"],
      ["rename", path(".vscode"), path("v")],
      ["create", path(".idea/x")],
      ["create", path(".claude/commands/z.md")],
      ["write", path(".claude/agents/y.md"), "x"],
      ["rename", path(".claude"), path("c")],
      ["chmod", "0777", path(".git/hooks/pre-commit.sample")],
      ["link", path("README.md"), path(".git/hooks/post-merge")],
    ];
    const allowed = [
      ["write", path("README.md"), "changed"],
      ["create", path(".git/index.lock")],
      ["rename", path(".git/index.lock"), path(".git/index")],
      ["write", path(".claude/notes.md"), "changed"],
      ["read", path(".git/config")],
    ];
    const before = fingerprint(folder);
    const tried = await tryInZone([...denied, ...allowed], rw(folder));
    const seen = outcomes(tried);
    for (const words of denied)
      expect(`${words.join(" ")}: ${seen[words.join(" ")]}`).toMatch(/: (EROFS|EBUSY|EXDEV|EACCES)$/);
    for (const words of allowed) expect(`${words.join(" ")}: ${seen[words.join(" ")]}`).toEndWith(": OK");
    const after = fingerprint(folder);
    for (const name of Object.keys(later)) {
      if (!["README.md", ".claude/notes.md"].includes(name)) expect(after[name], name).toBe(before[name] ?? "");
    }
  });

  test("are free where the policy lists them, and that is said", async () => {
    const folder = writeFiles(makeFolder("listed"), later);
    const text = `extends = "task"\n[filesystem]\nwritable_paths = ["${folder}/.git/hooks"]\n`;
    const policy = join(writeFiles(makeFolder("policy"), { "hooks.toml": text }), "hooks.toml");
    const hook = join(folder, ".git/hooks/post-merge");
    const tried = await tryInZone(
      [
        ["create", hook],
        ["write", join(folder, ".git/config"), "x"],
      ],
      ["--policy", policy, ...rw(folder)],
    );
    expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", expect.stringMatching(/EROFS|EACCES/)]);
    expect(tried.stderr).toContain(".git/hooks");
    expect(existsSync(hook)).toBe(true);
  });

  test("that don't exist leave no trace: nothing is littered for their sake", async () => {
    const folder = writeFiles(makeFolder("clean"), { "file.txt": "x\n" });
    const before = fingerprint(folder);
    expect((await sandbox(rw(folder), ["true"])).exitCode).toBe(0);
    expect(fingerprint(folder)).toEqual(before);
  });
});

test("a private workspace of the caller's is usable inside", async () => {
  const folder = makeFolder("private");
  chmodSync(folder, 0o700);
  const tried = await tryInZone(
    [
      ["create", join(folder, "file")],
      ["list", folder],
    ],
    rw(folder),
  );
  expect(tried.answers.map(({ outcome }) => outcome)).toEqual(["OK", "OK"]);
});

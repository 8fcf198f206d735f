/**
 * Ordinary work is not over-blocked: real packages of several ecosystems are built and tested outside and inside of a zone, with the same
 * outcome, and nothing that they do is denied.
 */
import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { hasProgram, needs, patient, uid } from "../support/identity.ts";
import { callerEnvironment, sandbox } from "../support/rauha.ts";

const MINUTE = 60_000;
const modules = realpathSync(join(import.meta.dir, "../../node_modules"));

interface Work {
  readonly command: readonly string[];
  /** Files of the project, made anew for each of the two runs. */
  readonly files?: Readonly<Record<string, string>>;
  /** Folders of the host that the work reads, besides its own. */
  readonly reads?: readonly string[];
  readonly writes?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The lines of the output that don't differ from run to run. */
  readonly keep: RegExp;
}

interface Outcome {
  readonly exitCode: number | null;
  readonly lines: readonly string[];
}

async function outside({ command, files = {}, env = {}, keep }: Work): Promise<Outcome> {
  const cwd = writeFiles(makeFolder("outside"), files);
  const child = Bun.spawn([...command], {
    cwd,
    env: { ...callerEnvironment(), HOME: cwd, LANG: "C.UTF-8", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, lines: linesOf(stdout + stderr, keep) };
}

async function inside({ command, files = {}, reads = [], writes = [], env = {}, keep }: Work): Promise<Outcome> {
  const folder = writeFiles(makeFolder("inside"), files);
  const flags = [
    ...["--repo-path", folder, "--repo-mode", "rw"],
    ...reads.flatMap((path) => ["--ro-bind", path]),
    ...writes.flatMap((path) => ["--rw-bind", path]),
    ...Object.entries({ HOME: folder, LANG: "C.UTF-8", ...env }).flatMap(([name, value]) => ["-e", `${name}=${value}`]),
  ];
  const { exitCode, result } = await sandbox(flags, command, { patienceMs: patient(MINUTE) });
  expect(result.error).toBeNull();
  expect(result.enforcement_events).toEqual([]);
  return { exitCode, lines: linesOf(`${result.stdout}${result.stderr}`, keep) };
}

function linesOf(output: string, keep: RegExp): string[] {
  return output.split("\n").flatMap((line) => keep.exec(line)?.[0] ?? []);
}

/** Both runs end well and say the same. */
async function expectSame(work: Work): Promise<Outcome> {
  const host = await outside(work);
  const zone = await inside(work);
  expect(host).toMatchObject({ exitCode: 0 });
  expect(zone).toEqual(host);
  return zone;
}

const zlib = "/usr/share/doc/zlib1g-dev/examples/example.c";
const png = "/usr/share/doc/libpng-dev/examples/pngtest.c";

describe("C with make", () => {
  const hasC = hasProgram("cc") && hasProgram("make");

  needs("zlib's and libpng's own tests (zlib1g-dev, libpng-dev)", hasC && existsSync(zlib) && existsSync(png))(
    "zlib's and libpng's own test programs are compiled and pass",
    async () => {
      const Makefile = `examples = /usr/share/doc
all: example minigzip pngtest
example minigzip: %: $(examples)/zlib1g-dev/examples/%.c
\t$(CC) -O1 -w -o $@ $< -lz
pngtest: $(examples)/libpng-dev/examples/pngtest.c
\t$(CC) -O1 -w -o $@ $< -lpng -lz -lm
check: all
\t./example
\techo hello | ./minigzip | ./minigzip -d
\tcp $(examples)/libpng-dev/examples/pngtest.png . && ./pngtest pngtest.png
`;
      const command = ["make", "-j2", "check"];
      const reads = ["zlib1g-dev", "libpng-dev"].map((name) => `/usr/share/doc/${name}`);
      const { lines } = await expectSame({ command, files: { Makefile }, reads, keep: /^(\w+\(\).*|hello|.*PASS.*)$/ });
      expect(lines.length).toBe(7);
    },
    patient(MINUTE),
  );
});

describe("Python", () => {
  needs("Debian's python3 with test.test_support", existsSync("/usr/lib/python3.11/test/test_support.py"))(
    "tests of the standard library's own test support pass: processes, sockets, files, threads",
    async () => {
      // All but test_forget, which unlinks in /usr/lib.
      const names =
        "temp fd reap parse options bind find match python HOST captured import ignore change check sort gc";
      const only = names.split(" ").flatMap((name) => ["-k", `test_${name}`]);
      const command = ["/usr/bin/python3", "-m", "unittest", "test.test_support", ...only];
      const { lines } = await expectSame({ command, keep: /^(Ran \d+ tests|OK.*|FAILED.*)/ });
      expect(lines.at(-1)).toStartWith("OK");
    },
    patient(MINUTE),
  );

  needs("Debian's python3", existsSync("/usr/bin/python3"))(
    "threads, processes, pools, sockets, pipes, signals and temporary files work",
    async () => {
      const program = `
import asyncio, concurrent.futures as c, ctypes, mmap, multiprocessing as m, os, select, signal, socket, sqlite3, subprocess, tempfile, threading, venv
def square(n): return n * n
if __name__ == "__main__":
    with m.Pool(2) as pool: print("pool", pool.map(square, range(5)))
    with c.ThreadPoolExecutor(4) as pool: print("threads", sum(pool.map(square, range(9))))
    server = socket.create_server(("127.0.0.1", 0)); client = socket.create_connection(server.getsockname()); client.sendall(b"x"); print("tcp", server.accept()[0].recv(1))
    v6 = socket.create_server(("::1", 0), family=socket.AF_INET6); print("tcp6", v6.getsockname()[0])
    a, b = socket.socketpair(); socket.send_fds(a, [b"f"], [0]); print("fds", len(socket.recv_fds(b, 1, 1)[1]))
    print("run", subprocess.run(["sh", "-c", "echo out; exit 3"], capture_output=True).returncode)
    async def late(): await asyncio.sleep(0.01); return "slept"
    print("async", asyncio.run(late()))
    signal.signal(signal.SIGUSR1, lambda *_: print("signal")); os.kill(os.getpid(), signal.SIGUSR1)
    with tempfile.TemporaryDirectory() as t: db = sqlite3.connect(t + "/db"); db.execute("create table t(x)"); db.commit(); print("sqlite", os.listdir(t))
    lock = m.Lock(); print("sem", lock.acquire()); print("mmap", len(mmap.mmap(-1, 4096))); print("epoll", select.epoll().fileno() > 2)
    print("memfd", os.fdopen(os.memfd_create("x"), "w").write("abc")); print("pidfd", os.pidfd_open(os.getpid()) > 2)
`;
      const { lines } = await expectSame({
        command: ["/usr/bin/python3", "work.py"],
        files: { "work.py": program },
        keep: /.+/,
      });
      expect(lines.length).toBe(14);
    },
    patient(MINUTE),
  );
});

describe("JavaScript", () => {
  const bun = realpathSync(process.execPath);

  needs("zod's own tests", existsSync(`${modules}/zod/src/v3/tests`))(
    "tests of zod's pass with Bun",
    async () => {
      const names = ["string", "number", "object", "promise", "date", "async-parsing"];
      const tests = names.map((name) => `${modules}/zod/src/v3/tests/${name}.test.ts`);
      const command = [bun, "test", ...tests];
      const reads = [`${modules}/zod`, dirname(bun)];
      const { lines } = await expectSame({ command, reads, keep: /^ *\d+ (pass|fail)$/ });
      expect(lines.at(0)).toMatch(/\d\d+ pass/);
    },
    patient(MINUTE),
  );

  needs("npm", hasProgram("npm") && existsSync("/usr/bin/node"))(
    "npm runs scripts, packs and installs what was packed; node's own test runner runs",
    async () => {
      const files = {
        "lib/package.json": '{"name":"lib","version":"1.2.3","main":"index.js","scripts":{"test":"node --test"}}',
        "lib/index.js": "module.exports = (a, b) => a + b;\n",
        "lib/lib.test.js": `const test = require("node:test"); const assert = require("node:assert");
test("adds", () => assert.equal(require("./index.js")(1, 2), 3));
test("works", async () => { const { Worker } = require("node:worker_threads"); await new Promise((done) => new Worker("1", { eval: true }).on("exit", done)); });
test("spawns", () => assert.equal(String(require("node:child_process").execFileSync("echo", ["x"])), "x\\n"));
`,
        "app/package.json": '{"name":"app","version":"1.0.0"}',
      };
      const script =
        "cd lib && npm test && npm pack && cd ../app && npm install --offline --no-audit ../lib/lib-1.2.3.tgz && node -p 'require(\"lib\")(40, 2)'";
      const { lines } = await expectSame({
        command: ["sh", "-c", script],
        files,
        keep: /^(.*\b(pass|fail) \d+|lib-1\.2\.3\.tgz|added 1 package|42)/,
      });
      expect(lines.at(-1)).toBe("42");
    },
    patient(MINUTE),
  );
});

describe("Go", () => {
  const go = "/usr/local/go/bin/go";

  needs("Go in /usr/local/go", existsSync(`${go}`) && existsSync("/usr/local/go/src/container/list"))(
    "tests of the standard library's packages are compiled and pass",
    async () => {
      // Kept from run to run: compiling Go's own library takes longer than the tests.
      const cache = join(tmpdir(), `rauha-test-gocache-${uid}`);
      mkdirSync(cache, { recursive: true });
      const env = { GOCACHE: cache, GOTOOLCHAIN: "local", GOFLAGS: "-p=2", GOTELEMETRY: "off", CGO_ENABLED: "0" };
      const command = [go, "test", "container/list", "text/tabwriter", "net/textproto"];
      const { lines } = await expectSame({ command, writes: [cache], env, keep: /^(ok|FAIL|---)\s+\S+/ });
      expect(lines).toHaveLength(3);
    },
    patient(2 * MINUTE),
  );
});

describe("git", () => {
  needs("git", hasProgram("git"))(
    "commits, branches, rebases, clones, adds worktrees, stashes, bisects, collects garbage",
    async () => {
      const script = `set -e
        export GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1
        git config --global user.name T; git config --global user.email t@example.org; git config --global init.defaultBranch main
        git config --global protocol.file.allow always; git config --global advice.detachedHead false
        git init -q one; cd one
        for n in 1 2 3 4 5; do echo $n >>file; git add file; git commit -qm "commit $n"; done
        git checkout -q -b side HEAD~2; echo side >other; git add other; git commit -qm side
        git rebase -q main; git log --format=%s | head -2
        git worktree add -q ../tree main; git -C ../tree status --short --branch
        echo dirty >>file; git stash -q; git stash pop -q; git diff --stat; git checkout -q file
        git tag -a v1 -m v1; git gc -q; git fsck
        cd ..; git clone -q one two; git clone -q --bare one three.git; git -C two push -q ../three.git HEAD:refs/heads/pushed
        git -C three.git branch; git -C two format-patch -1 --stdout | git -C two apply --check -R
        git -C two bisect start -q HEAD HEAD~3; git -C two bisect run sh -c 'test "$(tail -1 file)" -lt 5' | tail -1; git -C two submodule add -q ../one sub; git -C two submodule status | cut -c1-41`;
      const { lines } = await expectSame({ command: ["sh", "-c", script], keep: /.+/ });
      expect(lines.length).toBeGreaterThan(6);
    },
    patient(MINUTE),
  );
});

/** Programs of every day, as they are: no proxy variable, no help. Each reaches its own site, and not another. */
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { hasProgram, needs } from "../support/identity.ts";
import { worldForTests } from "./world.ts";

const files = makeFolder("files");

function must(cwd: string, ...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { cwd, stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

function serveGit(): void {
  const source = makeFolder("source");
  writeFiles(source, { "readme.txt": "cloned\n" });
  const author = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
  must(source, "git", "init", "-q");
  must(source, "git", "add", ".");
  must(source, "git", ...author, "commit", "-qm", "first");
  must(files, "git", "clone", "-q", "--bare", source, "project.git");
  must(`${files}/project.git`, "git", "update-server-info");
}

function serveNpm(): void {
  const folder = writeFiles(makeFolder("npm"), {
    "package/package.json": '{"name":"tiny","version":"1.0.0","main":"main.js"}',
    "package/main.js": "module.exports = 'installed';\n",
  });
  mkdirSync(`${files}/npm`);
  must(folder, "tar", "czf", `${files}/npm/tiny-1.0.0.tgz`, "package");
  const dist = { tarball: "https://registry.npmjs.org/files/npm/tiny-1.0.0.tgz" };
  const versions = { "1.0.0": { name: "tiny", version: "1.0.0", dist } };
  writeFiles(files, { "npm/tiny": JSON.stringify({ name: "tiny", "dist-tags": { latest: "1.0.0" }, versions }) });
}

function servePip(): void {
  const folder = writeFiles(makeFolder("wheel"), {
    "tiny.py": "word = 'installed'\n",
    "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "tiny-1.0.dist-info/RECORD":
      "tiny.py,,\ntiny-1.0.dist-info/METADATA,,\ntiny-1.0.dist-info/WHEEL,,\ntiny-1.0.dist-info/RECORD,,\n",
  });
  mkdirSync(`${files}/simple/tiny`, { recursive: true });
  must(
    folder,
    "python3",
    "-m",
    "zipfile",
    "-c",
    `${files}/simple/tiny/tiny-1.0-py3-none-any.whl`,
    "tiny.py",
    "tiny-1.0.dist-info/",
  );
  writeFiles(files, {
    "simple/tiny/index.html": '<!DOCTYPE html><a href="tiny-1.0-py3-none-any.whl">tiny-1.0-py3-none-any.whl</a>',
  });
}

serveGit();
serveNpm();
servePip();
const world = await worldForTests(files);
const ca = ["--ro-bind", `${world.authority}:/ca.pem`];
const env = (...assignments: string[]) => assignments.flatMap((assignment) => ["-e", assignment]);

/** The names that a run was denied. */
const denied = (run: Awaited<ReturnType<typeof world.sandbox>>) =>
  run.result.enforcement_events.filter(({ hook }) => hook === "network_gateway").map(({ object }) => object);

test("git over HTTPS clones, and not from another host", async () => {
  const flags = [...ca, "--allow-domain", "www.good.example", ...env("GIT_SSL_CAINFO=/ca.pem", "HOME=/tmp")];
  const script = (host: string) =>
    `cd /tmp && git clone -q https://${host}/files/project.git && cat project/readme.txt`;
  const run = await world.sandbox(flags, ["sh", "-c", script("www.good.example")]);
  expect(run.result.stderr).toBe("");
  expect(run.result.stdout).toBe("cloned\n");
  const other = await world.sandbox(flags, ["sh", "-c", script("evil.example")]);
  expect(other.exitCode).toBe(128);
  expect(denied(other)).toContain("evil.example");
});

const node = Bun.which("node", { PATH: "/usr/bin:/bin" }) !== null;
const npm = Bun.which("npm", { PATH: "/usr/bin:/bin" }) !== null;

needs("node in /usr/bin", node)("Node's fetch reaches an allowed domain, and not another", async () => {
  const script = `
    for (const host of ["www.good.example", "evil.example"])
      await fetch("https://" + host + "/").then(async (r) => console.log((await r.text()).trim()), (e) => console.log(e.cause?.code ?? String(e)));`;
  const flags = [...ca, "--allow-domain", "www.good.example", ...env("NODE_EXTRA_CA_CERTS=/ca.pem")];
  const run = await world.sandbox(flags, ["node", "--input-type=module", "-e", script]);
  expect(run.result.stdout).toBe("hello from www.good.example\nENOTFOUND\n");
  expect(denied(run)).toContain("evil.example");
});

needs("npm in /usr/bin", node && npm)("npm installs under the policy build", async () => {
  const npmrc = env(
    "npm_config_registry=https://registry.npmjs.org/files/npm/",
    "npm_config_cafile=/ca.pem",
    "HOME=/tmp",
  );
  const script =
    "cd /tmp && npm install --no-audit --no-fund --no-update-notifier tiny >&2 && node -p 'require(\"tiny\")'";
  const run = await world.sandbox(["--policy", "build", ...ca, ...npmrc], ["sh", "-c", script]);
  expect(run.result.stdout).toBe("installed\n");
});

test("a client of pip's kind downloads and installs under the policy build", async () => {
  const config = env(
    "PIP_INDEX_URL=https://pypi.org/files/simple/",
    "PIP_CERT=/ca.pem",
    "HOME=/tmp",
    "PIP_DISABLE_PIP_VERSION_CHECK=1",
  );
  const hasPip = Bun.spawnSync(["/usr/bin/python3", "-m", "pip", "--version"]).exitCode === 0;
  const byHand = `
import ssl, urllib.request as u, zipfile, io, re
c = ssl.create_default_context(cafile="/ca.pem")
get = lambda url: u.urlopen(url, context=c).read()
index = "https://pypi.org/files/simple/tiny/"
link = re.search(r'href="([^"]+)"', get(index).decode())[1]
zipfile.ZipFile(io.BytesIO(get(index + link))).extractall("/tmp/site")`;
  const install = hasPip
    ? "/usr/bin/python3 -m pip install -q --target /tmp/site tiny"
    : `/usr/bin/python3 -c '${byHand}'`;
  const script = `${install} >&2 && PYTHONPATH=/tmp/site /usr/bin/python3 -c 'import tiny; print(tiny.word)'`;
  const run = await world.sandbox(["--policy", "build", ...ca, ...config], ["bash", "-c", script]);
  expect({ stdout: run.result.stdout, stderr: run.result.stdout === "installed\n" ? "" : run.result.stderr }).toEqual({
    stdout: "installed\n",
    stderr: "",
  });
});

test("wget, curl and openssl reach an allowed domain", async () => {
  const flags = [...ca, "--allow-domain", "www.good.example"];
  const tools = [
    ...(hasProgram("wget") ? ["wget -q --ca-certificate=/ca.pem -O - https://www.good.example/"] : []),
    "curl -sS --cacert /ca.pem https://www.good.example/",
    "printf 'GET / HTTP/1.0\\r\\nHost: www.good.example\\r\\n\\r\\n' | openssl s_client -quiet -CAfile /ca.pem -connect www.good.example:443 2>/dev/null | tail -1",
  ];
  const run = await world.sandbox(flags, ["sh", "-c", tools.join("; ")]);
  expect(run.result.stdout).toBe("hello from www.good.example\n".repeat(tools.length));
});

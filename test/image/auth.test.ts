/** Registries that want to know who asks: real ones, with passwords and with tokens. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { type Registry, startRegistry } from "../support/registry.ts";
import { fillRegistry } from "../support/test-images.ts";
import { startTokenServer, type TokenServer } from "../support/token-server.ts";
import { tool } from "../support/tools.ts";
import { codeOf, expectConsistent, imageCaller } from "./store.ts";

let basic: Registry;
let bearer: Registry;
let open: Registry;
let tokens: TokenServer;
let openTokens: TokenServer;

beforeAll(async () => {
  const filled = await startRegistry();
  await fillRegistry(filled.host, ["plain"]);
  const htpasswd = join(makeFolder("htpasswd"), "users");
  writeFileSync(htpasswd, `user:${Bun.password.hashSync("secret", { algorithm: "bcrypt", cost: 4 })}\n`);
  const { storage } = filled;
  basic = await startRegistry({ storage, auth: `{htpasswd: {realm: test, path: ${htpasswd}}}` });
  tokens = await startTokenServer(false);
  openTokens = await startTokenServer(true);
  bearer = await startRegistry({ storage, auth: tokens.auth });
  open = await startRegistry({ storage, auth: openTokens.auth });
  await filled.stop();
}, patient(60_000));

afterAll(async () => {
  await Promise.all([basic.stop(), bearer.stop(), open.stop()]);
  tokens.stop();
  openTokens.stop();
});

const encoded = (text: string) => Buffer.from(text).toString("base64");
const ref = ({ host }: Registry) => `${host}/test/plain:1`;

async function expectPulled(registry: Registry, more: Parameters<typeof imageCaller>[0]) {
  const caller = imageCaller(more);
  const { ended } = await caller.lines("pull", ref(registry));
  expect([ended.exitCode, ended.stderr]).toEqual([0, ""]);
  expect(expectConsistent(caller.root).references).toEqual([ref(registry)]);
}

async function expectUnauthorized(registry: Registry, more: Parameters<typeof imageCaller>[0], words: string) {
  const { ended, events } = await imageCaller(more).lines("pull", ref(registry));
  expect([codeOf(events), ended.exitCode]).toEqual(["unauthorized", 125]);
  expect(ended.stderr).toContain(words);
  expect(ended.stderr).not.toContain("secret");
}

const config = (value: object) => ({ ".docker/config.json": JSON.stringify(value) });

describe.each([
  ["a password", () => basic],
  ["a token", () => bearer],
] as const)("a registry that wants %s", (_, registry) => {
  const auths = (text: string) => ({ auths: { [registry().host]: { auth: encoded(text) } } });

  test("gives it to who has one in docker's configuration", () =>
    expectPulled(registry(), { home: config(auths("user:secret")) }));

  test("wherever DOCKER_CONFIG or REGISTRY_AUTH_FILE says that it is", async () => {
    const folder = writeFiles(makeFolder("auth"), { "config.json": JSON.stringify(auths("user:secret")) });
    await expectPulled(registry(), { env: { DOCKER_CONFIG: folder } });
    await expectPulled(registry(), { env: { REGISTRY_AUTH_FILE: join(folder, "config.json") } });
    // podman's is asked first, docker's only for what it lacks.
    const wrong = config(auths("user:wrong"));
    await expectPulled(registry(), { home: wrong, env: { REGISTRY_AUTH_FILE: join(folder, "config.json") } });
    const empty = writeFiles(makeFolder("auth"), { "auth.json": "{}" });
    await expectPulled(registry(), {
      home: config(auths("user:secret")),
      env: { REGISTRY_AUTH_FILE: join(empty, "auth.json") },
    });
  });

  test("gives it to who logged in with skopeo, wherever that writes it", async () => {
    const run = makeFolder("run");
    const login = ["skopeo", "login", "--tls-verify=false", "-u", "user", "-p", "secret", registry().host];
    await tool(login, { env: { XDG_RUNTIME_DIR: run, REGISTRY_AUTH_FILE: "" } });
    await expectPulled(registry(), { env: { XDG_RUNTIME_DIR: run } });
  });

  test("keyed by the repository, as podman does", () =>
    expectPulled(registry(), {
      home: config({ auths: { [`${registry().host}/test/plain`]: { auth: encoded("user:secret") } } }),
    }));

  test("refuses nobody's and wrong credentials, and says whose they were", async () => {
    await expectUnauthorized(registry(), {}, "docker login");
    await expectUnauthorized(registry(), { home: config(auths("user:wrong")) }, ".docker/config.json");
    await expectUnauthorized(
      registry(),
      { home: config({ auths: { "other.example": { auth: encoded("user:secret") } } }) },
      "docker login",
    );
  });

  test("asks a credential helper of its own, or the one for all", async () => {
    const { host } = registry();
    const path = helper(`read server; [ "$server" = ${host} ] && echo '{"Username":"user","Secret":"secret"}'`);
    await expectPulled(registry(), { home: config({ credHelpers: { [host]: "test" } }), env: path });
    await expectPulled(registry(), { home: config({ credsStore: "test" }), env: path });
  });

  test("a helper that has nothing leaves it to the file", async () => {
    const path = helper("echo 'credentials not found in native keychain'; exit 1");
    await expectPulled(registry(), { home: config({ credsStore: "test", ...auths("user:secret") }), env: path });
  });
});

/** A folder for PATH with `docker-credential-test` in it. */
function helper(script: string): Record<string, string> {
  const folder = makeFolder("helper");
  const program = join(folder, "docker-credential-test");
  writeFileSync(program, `#!/bin/sh\n[ "$1" = get ] || exit 9\n${script}\n`);
  chmodSync(program, 0o755);
  return { PATH: `${folder}:${process.env["PATH"]}` };
}

describe("what is wrong with credentials is said, not passed over", () => {
  test.each<[string, Parameters<typeof imageCaller>[0], string]>([
    ["a helper that isn't there", { home: config({ credsStore: "nowhere" }) }, "not_found"],
    ["a helper whose name is a path", { home: config({ credsStore: "../../bin/sh" }) }, "invalid_config"],
    ["a configuration that is no JSON", { home: { ".docker/config.json": "{" } }, "invalid_config"],
    [
      "a file that the environment names and that isn't there",
      { env: { REGISTRY_AUTH_FILE: "/nowhere/auth.json" } },
      "invalid_config",
    ],
  ])("%s", async (_, more, code) => {
    const { ended, events } = await imageCaller(more).lines("pull", ref(basic));
    expect([codeOf(events), ended.exitCode]).toEqual([code, 125]);
  });

  test("a helper that fails", async () => {
    const { host } = basic;
    const env = helper("echo broken >&2; exit 3");
    await expectUnauthorized(basic, { home: config({ credHelpers: { [host]: "test" } }), env }, "broken");
    await expectUnauthorized(
      basic,
      { home: config({ credHelpers: { [host]: "test" } }), env: helper("echo no json") },
      "JSON",
    );
  });

  test("auth that is not base64 of a name and a password", async () => {
    const home = config({ auths: { [basic.host]: { auth: "!!!" } } });
    const { events } = await imageCaller({ home }).lines("pull", ref(basic));
    expect(codeOf(events)).toBe("invalid_config");
  });

  test("a registry that asks nobody needs none of it", async () => {
    const home = { ".docker/config.json": "{" };
    const anonymous = await startRegistry();
    await fillRegistry(anonymous.host, ["plain"]);
    expect((await imageCaller({ home }).image("pull", ref(anonymous))).exitCode).toBe(0);
    await anonymous.stop();
  });
});

describe("tokens", () => {
  test("are fetched by nobody where that is enough", async () => {
    await expectPulled(open, {});
    expect(openTokens.asked.at(-1)).toEqual({ user: "", scope: "repository:test/plain:pull", method: "GET" });
  });

  test("are one for all requests of a pull", async () => {
    const before = openTokens.asked.length;
    await expectPulled(open, {});
    expect(openTokens.asked.length).toBe(before + 1);
  });

  test("are bought with an identity token, of the file or of a helper", async () => {
    await expectPulled(bearer, { home: config({ auths: { [bearer.host]: { identitytoken: "identity" } } }) });
    expect(tokens.asked.at(-1)).toMatchObject({ user: "identity", method: "POST" });
    const env = helper(`echo '{"Username":"<token>","Secret":"identity"}'`);
    await expectPulled(bearer, { home: config({ credHelpers: { [bearer.host]: "test" } }), env });
    await expectUnauthorized(
      bearer,
      { home: config({ auths: { [bearer.host]: { identitytoken: "other" } } }) },
      "token for",
    );
  });
});

/**
 * The view is enforced twice, by mounts and by Landlock, and either alone still holds. Each test takes a layer away that the product always
 * has; the errno shows which one denied: EROFS and ENOENT are the mounts', EACCES is Landlock's.
 */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { mountFlag, type PlanOp, verifyCheck } from "../../src/run/plan/contract.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { kernelIsAtLeast, needs } from "../support/identity.ts";
import { guarantee, tryInZone } from "../support/rauha.ts";
import {
  type Change,
  inOrder,
  tryWith,
  untested,
  withChecks,
  withLeak,
  withoutLandlock,
  withoutMountRules,
  withoutSeccomp,
} from "./hand-made-plan.ts";

const asPlanned: Change = (ops) => ops;
const neither = inOrder(withoutLandlock, withoutMountRules);

/** A folder that everybody may write, as far as modes go. */
function openFolder(files: Readonly<Record<string, string>>): string {
  const folder = writeFiles(makeFolder("layers"), files);
  chmodSync(folder, 0o777);
  for (const name of Object.keys(files)) chmodSync(`${folder}/${name}`, name.endsWith("/") ? 0o777 : 0o666);
  return folder;
}

describe("a read-only bind", () => {
  const changes = ["open w /shown/file", "create /shown/new", "mkdir /shown/made", "symlink x /shown/link"];
  const attempts = [...changes, "rename /shown/file /shown/sub/file", "unlink /shown/file"];
  const zone = () => ({ view: [["ro-bind", openFolder({ file: "text", "sub/": "" }), "/shown"]] }) as const;

  test("can't be written by mounts alone, by Landlock alone, and by both", async () => {
    expect((await tryWith(withoutLandlock, attempts, zone())).outcomes).toEqual(attempts.map(() => "EROFS"));
    expect((await tryWith(withoutMountRules, attempts, zone())).outcomes).toEqual(attempts.map(() => "EACCES"));
    const both = await tryWith(asPlanned, attempts, zone());
    for (const outcome of both.outcomes) expect(outcome).toMatch(/EROFS|EACCES/);
  });

  test("can be read with both", async () => {
    expect((await tryWith(asPlanned, ["open r /shown/file", "list /shown"], zone())).outcomes).toEqual(["OK", "OK"]);
  });

  test("without either is written: it is the layers that hold", async () => {
    expect((await tryWith(neither, changes, zone())).outcomes).toEqual(changes.map(() => "OK"));
  });
});

/** The rule for `/` that would let a task make names there: as for any tree that can be written to. */
const withRuleForRoot: Change = (ops) => {
  const scratch = ops.find((op) => op.op === "landlock_path" && op.path === "/tmp");
  if (scratch?.op !== "landlock_path") throw new Error("no scratch directory has a rule");
  return withChecks([...ops, { ...scratch, path: "/" }], ~verifyCheck.landlock);
};

describe("a rule for /", () => {
  const attempts = ["create /new", "create /shown/new", "open w /shown/file", "open r /leaked/file"];
  const zone = () => ({ view: [["ro-bind", openFolder({ file: "text" }), "/shown"]] }) as const;
  const leaking = withLeak(openFolder({ file: "text" }), "/leaked");

  test("would let what is mounted below be written to, and what leaks be read: so an image zone has none (docs/adr/0063)", async () => {
    const change = inOrder(withRuleForRoot, leaking, withoutMountRules);
    expect((await tryWith(change, attempts, zone())).outcomes).toEqual(attempts.map(() => "OK"));
    const without = inOrder(leaking, withoutMountRules);
    expect((await tryWith(without, attempts, zone())).outcomes).toEqual(attempts.map(() => "EACCES"));
  });
});

describe("a denied path in a readable tree", () => {
  const folder = openFolder({ "secret/key": "key", plain: "plain", "deep/er/secret": "x", "deep/er/other": "y" });
  const zone = {
    view: [["ro-bind", folder, "/shown"]],
    filesystem: { deniedPaths: ["/shown/secret", "/shown/deep/er/secret"] },
  } as const;
  const secrets = ["open r /shown/secret/key", "list /shown/secret", "open r /shown/deep/er/secret"];
  const others = ["open r /shown/plain", "open r /shown/deep/er/other"];

  test("is hidden by mounts alone", async () => {
    const { answers, outcomes } = await tryWith(withoutLandlock, [...secrets, ...others], zone);
    // An empty directory, and /dev/null in the place of a file.
    expect(outcomes).toEqual(["ENOENT", "OK", expect.stringMatching(/OK|EACCES/), "OK", "OK"]);
    expect(answers[1]?.items).toEqual([]);
  });

  test("is denied by Landlock alone, and its neighbours are not", async () => {
    const { outcomes } = await tryWith(withoutMountRules, [...secrets, ...others], zone);
    // What Landlock can't do: the root's rule to list directories holds below it too, so names of a denied directory are seen.
    expect(outcomes).toEqual(["EACCES", "OK", "EACCES", "OK", "OK"]);
  });

  test("is read without either", async () => {
    expect(new Set((await tryWith(neither, secrets, zone)).outcomes)).toEqual(new Set(["OK"]));
  });
});

describe("what is in no view", () => {
  const folder = openFolder({ file: "text" });

  test("is denied by Landlock should a mount show it", async () => {
    const attempts = ["open r /leaked/file", "open w /leaked/file", "create /leaked/new"];
    const leaking = withLeak(folder, "/leaked");
    expect((await tryWith(leaking, attempts)).outcomes).toEqual(["EACCES", "EACCES", "EACCES"]);
    expect((await tryWith(inOrder(leaking, withoutLandlock), attempts)).outcomes).toEqual(["OK", "OK", "OK"]);
    expect((await tryWith(withoutLandlock, attempts)).outcomes).toEqual(["ENOENT", "ENOENT", "ENOENT"]);
  });

  test("is not executed either", async () => {
    const leaking = withLeak("/usr/bin/true", "/leaked");
    expect((await tryWith(leaking, ["exec /leaked", "exec /usr/bin/true"])).outcomes).toEqual(["EACCES", "OK"]);
  });

  test("a device that is not listed is not opened; one that is listed is", async () => {
    // A rule is about the file itself, wherever it shows: so this must be a device of which no rule speaks.
    const attempts = ["open path /leaked", "open rw /leaked", "open rw /dev/null"];
    const leaking = withLeak("/dev/ptmx", "/leaked", mountFlag.dev | mountFlag.expectFile);
    expect((await tryWith(leaking, attempts)).outcomes).toEqual(["OK", "EACCES", "OK"]);
    // Here the driver itself is asked, and misses its directory of terminals.
    const { outcomes } = await tryWith(inOrder(leaking, withoutLandlock), attempts);
    expect(outcomes).toEqual(["OK", "ENOENT", "OK"]);
    expect((await tryWith(withoutLandlock, attempts)).outcomes).toEqual(["ENOENT", "ENOENT", "OK"]);
  });
});

test("POSIX message queues are denied by Landlock, whose rules can't name their file system; System V's work", async () => {
  const msgget = process.arch === "x64" ? 68 : 186;
  const attempts = ["mq-open rauha-test", `syscall ${msgget} 0 0x380`];
  expect((await tryWith(inOrder(), attempts)).outcomes).toEqual(["EACCES", "OK"]);
  expect((await tryWith(withoutLandlock, attempts)).outcomes).toEqual(["OK", "OK"]);
});

describe("writable places", () => {
  test("writable_paths are written by either layer's leave, and the place beside them by none", async () => {
    const zone = { filesystem: { writablePaths: ["/data"] } };
    const attempts = ["create /data/new", "mkdir /data/made", "rename /data/new /data/made/new", "create /beside"];
    const good = ["OK", "OK", "OK"];
    expect((await tryWith(withoutLandlock, attempts, zone)).outcomes).toEqual([...good, "EROFS"]);
    expect((await tryWith(withoutMountRules, attempts, zone)).outcomes).toEqual([...good, "EACCES"]);
  });
});

const needsScopes = needs("Landlock's scopes, Linux 6.12", kernelIsAtLeast(6, 12));

describe("unix sockets", () => {
  const folder = openFolder({});
  const listen = (path: string) => Bun.listen({ unix: path, socket: { data() {} } });
  const servers = [listen(`${folder}/open.sock`), listen(`${folder}/hidden.sock`)];
  for (const name of ["open", "hidden"]) chmodSync(`${folder}/${name}.sock`, 0o777);
  afterAll(() => {
    for (const server of servers) server.stop(true);
  });

  test("allowed_sockets are reached by path, the one beside them is not there", async () => {
    const zone = { filesystem: { allowedSockets: [`${folder}/open.sock`] } };
    const attempts = [`connect unix ${folder}/open.sock`, `connect unix ${folder}/hidden.sock`];
    expect((await tryWith(asPlanned, attempts, zone)).outcomes).toEqual(["OK", "ENOENT"]);
  });

  needsScopes("abstract ones of the host: by the network namespace alone, by Landlock alone", async () => {
    const name = `rauha-test-${process.pid}`;
    const server = listen(`\0${name}`);
    const attempts = [`connect abstract ${name}`];
    try {
      expect((await tryWith(asPlanned, attempts)).outcomes[0]).toMatch(/EPERM|ECONNREFUSED/);
      expect((await tryWith(withoutLandlock, attempts)).outcomes).toEqual(["ECONNREFUSED"]);
      expect((await tryWith(inHostNetwork, attempts)).outcomes).toEqual(["EPERM"]);
      expect((await tryWith(inOrder(inHostNetwork, withoutLandlock), attempts)).outcomes).toEqual(["OK"]);
    } finally {
      server.stop(true);
    }
  });
});

const CLONE_NEWNET = 0x4000_0000;

function inHostNetwork(ops: readonly PlanOp[]): PlanOp[] {
  return ops
    .filter(({ op }) => op !== "loopback" && op !== "sysfs")
    .map((op) => (op.op === "namespaces" ? { ...op, flags: op.flags & ~CLONE_NEWNET } : op));
}

describe("signals", () => {
  needsScopes("of the task do not reach the zone's init: Landlock's scope, and only that", async () => {
    const attempts = ["kill 1 0", "kill 0 0"];
    expect((await tryWith(asPlanned, attempts)).outcomes).toEqual(["EPERM", "OK"]);
    expect((await tryWith(withoutLandlock, attempts)).outcomes).toEqual(["OK", "OK"]);
    expect(guarantee((await tryInZone(["kill 0 0"])).result, "scope").state).toBe("enforced");
  });
});

describe("the self-test refuses the zone", () => {
  test("when Landlock does not decide", async () => {
    const noRules: Change = (ops) => ops.filter(({ op }) => !op.startsWith("landlock"));
    const { run, answers } = await tryWith(noRules, ["create /tmp/ran"]);
    expect(run.one("failed")).toMatchObject({ step: "verify", detail: expect.stringContaining("Landlock") });
    expect(run.all("started")).toEqual([]);
    expect(answers).toEqual([]);
  });

  test("when a user namespace can be made", async () => {
    const { run } = await tryWith(withoutSeccomp, ["create /tmp/ran"]);
    expect(run.one("failed")).toMatchObject({ step: "verify", detail: "a new user namespace could be made" });
    expect(run.all("started")).toEqual([]);
  });

  test("and reports what it tried", async () => {
    const { run } = await tryWith(asPlanned, ["create /tmp/ran"]);
    expect(run.one("verified").checks).toBe(63);
    const { run: fewer } = await tryWith((ops) => withChecks(ops, 3), ["create /tmp/ran"]);
    expect(fewer.one("verified").checks).toBe(3);
  });

  test("is no denial of the task's, and without it the first call is told of", async () => {
    const { run } = await tryWith(asPlanned, ["create /tmp/ran"]);
    expect(run.all("denied")).toEqual([]);
    for (const change of [asPlanned, untested]) {
      const { run: denied } = await tryWith(change, ["unshare user"]);
      expect(denied.all("denied")).toHaveLength(1);
    }
  });
});

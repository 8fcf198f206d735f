/** Subordinate ids on a kernel and with an account of their own: images of an ordinary user's in a delegated cgroup. */
import { expect } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tarOf } from "../image/tar-builder.ts";
import { testStore } from "../image/zone-store.ts";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { guarantee } from "../support/rauha.ts";
import { asked, foreignFiles, settings, withSubordinateIds } from "../support/subordinate-ids.ts";

const image = tarOf([
  { name: "bin", type: "5", mode: 0o755 },
  { name: "bin/busybox", mode: 0o755, content: readFileSync("/bin/busybox") },
  ...["sh", "id", "su", "chown", "cat", "stat"].map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
  { name: "etc", type: "5", mode: 0o755 },
  { name: "etc/passwd", content: "root:x:0:0::/:/bin/sh\napp:x:999:998::/:/bin/sh\n" },
  { name: "etc/group", content: "root:x:0:\napp:x:998:\n" },
  { name: "data", type: "5", mode: 0o700, uid: 999, gid: 998 },
  { name: "data/f", content: "f", mode: 0o600, uid: 999, gid: 998 },
]);

withSubordinateIds(
  "owners of an image, a change of ids, a workspace, and nothing left",
  async () => {
    const store = testStore(settings(asked));
    await store.add("image", { layers: [{ archive: image }] });
    const policy = writeFiles(makeFolder("policy"), {
      "p.toml": 'extends = "task"\n[capabilities]\nallowed = ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID"]\n',
    });
    const script =
      "stat -c %u:%g /data; su app -c 'id -u; cat /data/f'; echo x > /tmp/x; chown 5:6 /tmp/x && stat -c %u:%g /tmp/x";
    const first = await store.run("image", ["sh", "-c", script], ["--policy", join(policy, "p.toml")]);
    expect([first.result.error, first.result.stdout]).toEqual([null, "999:998\n999\nf5:6\n"]);
    expect(guarantee(first.result, "pids_limit").mechanism).toBe("cgroup2 pids.max");
    const repo = writeFiles(makeFolder("repo"), { a: "one\n" });
    const flags = ["--repo-path", repo, "--on-success", "apply", "--user", "999:998"];
    const second = await store.run("image", ["sh", "-c", "cat /data/f; echo two > a; stat -c %u:%g a"], flags);
    expect([second.result.error, second.result.stdout]).toEqual([null, "f999:998\n"]);
    expect(readFileSync(join(repo, "a"), "utf8")).toBe("two\n");
    expect((await store.rauha(["image", "rm", "image"])).exitCode).toBe(0);
    expect([foreignFiles(store.root), foreignFiles(repo)]).toEqual([[], []]);
    for (const space of readdirSync(join(store.root, "layers")).map((name) =>
      join(store.root, "layers", name, "sha256"),
    ))
      if (existsSync(space)) expect(readdirSync(space)).toEqual([]);
  },
  patient(60_000),
);

/** Images on a kernel of its own: layers with whiteouts, id maps on them, an upper directory on a tmpfs without attributes (before Linux 6.6). */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TarPart, tarOf } from "../image/tar-builder.ts";
import { testStore } from "../image/zone-store.ts";
import { kernelIsAtLeast, patient } from "../support/identity.ts";
import { fingerprint } from "../support/tree.ts";

const applets = ["sh", "ls", "cat", "id", "rm", "mkdir", "echo", "stat", "touch"];
const base: TarPart[] = [
  { name: "bin", type: "5", mode: 0o755 },
  { name: "bin/busybox", mode: 0o755, content: readFileSync("/bin/busybox") },
  ...applets.map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
  { name: "etc", type: "5", mode: 0o755 },
  { name: "etc/passwd", content: "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/:/bin/sh\n" },
  { name: "d", type: "5", mode: 0o755 },
  { name: "d/gone", content: "x" },
  { name: "d/kept", content: "kept", uid: 1000, gid: 1001, mode: 0o600 },
  { name: "o", type: "5", mode: 0o755 },
  { name: "o/old", content: "x" },
];
const top: TarPart[] = [
  { name: "d", type: "5", mode: 0o755 },
  { name: "d/.wh.gone", content: "" },
  { name: "o", type: "5", mode: 0o755 },
  { name: "o/.wh..wh..opq", content: "" },
  { name: "o/new", content: "x" },
];

test(
  "layers, whiteouts, owners, and an image that is never written to",
  async () => {
    const store = testStore();
    await store.add("small", {
      layers: [{ archive: tarOf(base) }, { archive: tarOf(top), compression: "zstd" }],
      config: { User: "app" },
    });
    const first = await store.run("small", ["sh", "-c", "id; ls /d /o; cat /d/kept; stat -c '%u:%g %a' /d/kept"]);
    expect([first.result.error, first.result.stderr]).toEqual([null, ""]);
    expect(first.result.stdout).toMatch(/^uid=1000\(app\) gid=1001/);
    expect(first.result.stdout).toContain("/d:\nkept\n\n/o:\nnew\nkept1000:1001 600\n");
    const before = fingerprint(join(store.root, "layers"));
    const script = "rm -r /o; echo new > /d/kept; touch /bin/busybox; mkdir /o/again 2>/dev/null; echo done; ls /d";
    const second = await store.run("small", ["sh", "-c", script], ["--user", "0:0"]);
    expect(second.result.stdout).toBe("done\nkept\n");
    expect(fingerprint(join(store.root, "layers"))).toEqual(before);
  },
  patient(30_000),
);

test(
  "before Linux 6.6 a removed directory of the image can't be made again, and the run says so beforehand",
  async () => {
    const store = testStore();
    const nested = [
      { archive: tarOf([...base, { name: "d/sub", type: "5", mode: 0o755 }, { name: "d/sub/f", content: "x" }]) },
    ];
    await store.add("nested", { layers: nested });
    const script =
      "mkdir /d/own && rm -r /d/own && mkdir /d/own && echo own; rm -r /d/sub && mkdir /d/sub && echo again";
    const { result, stderr } = await store.run("nested", ["sh", "-c", script], ["--user", "0:0"]);
    expect(result.stdout).toBe(kernelIsAtLeast(6, 6) ? "own\nagain\n" : "own\n");
    if (kernelIsAtLeast(6, 6)) expect(stderr).not.toContain("keeps no attributes");
    else expect(stderr).toContain("keeps no attributes on a tmpfs");
  },
  patient(30_000),
);

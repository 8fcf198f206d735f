/** An image of two layers with a shell, accounts and a whiteout, in a store of a test's own. */
import { readFileSync } from "node:fs";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { type TestStore, testStore } from "./zone-store.ts";

export const dir = (name: string, more: Partial<TarPart> = {}): TarPart => ({ name, type: "5", mode: 0o755, ...more });
export const file = (name: string, content = "", more: Partial<TarPart> = {}): TarPart => ({ name, content, ...more });
export const link = (name: string, value: string): TarPart => ({ name, type: "2", link: value });

const busybox = readFileSync("/bin/busybox");
const applets = [
  "sh",
  "ls",
  "cat",
  "id",
  "echo",
  "mkdir",
  "rm",
  "touch",
  "env",
  "stat",
  "sleep",
  "mount",
  "true",
  "pwd",
  "mv",
  "ln",
];
const base = tarOf([
  dir("bin"),
  file("bin/busybox", busybox.toString("latin1"), { mode: 0o755 }),
  ...applets.map((name) => link(`bin/${name}`, "busybox")),
  dir("etc"),
  file(
    "etc/passwd",
    "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/home/app:/bin/sh\n1234:x:77:78::/odd:/bin/sh\n",
  ),
  file("etc/group", "root:x:0:\napp:x:1001:\nextra:x:1002:other,app\n"),
  file("etc/hosts", "6.6.6.6 evil\n"),
  link("etc/resolv.conf", "../run/resolve/stub"),
  dir("root", { mode: 0o700 }),
  dir("home"),
  dir("home/app", { uid: 1000, gid: 1001 }),
  dir("var"),
  dir("var/old"),
  file("var/old/gone", "x"),
  file("var/kept", "kept"),
  file("bin/setuid", "#!/bin/sh\n", { mode: 0o4755 }),
]);
const top = tarOf([dir("var"), dir("var/old"), file("var/old/.wh.gone"), dir("opt"), file("opt/top", "top")]);
export const layers = [{ archive: base }, { archive: top }];

/** A store that has it as "base". */
export async function smallImageStore(): Promise<TestStore> {
  const store = testStore();
  await store.add("base", { layers });
  return store;
}

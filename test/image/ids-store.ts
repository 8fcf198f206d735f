/** Images with files of many owners, in stores of a user whose settings ask for subordinate ids. */
import { afterAll } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "../support/folders.ts";
import { patient } from "../support/identity.ts";
import { type Attempt, attemptWords, PROBE, parseAnswers, probeBind } from "../support/probe.ts";
import { asked, settings, subuids } from "../support/subordinate-ids.ts";
import { type TarPart, tarOf } from "./tar-builder.ts";
import { type TestStore, testStore } from "./zone-store.ts";

export const dir = (name: string, more: Partial<TarPart> = {}): TarPart => ({ name, type: "5", mode: 0o755, ...more });
export const file = (name: string, content = "", more: Partial<TarPart> = {}): TarPart => ({ name, content, ...more });
export const app = { uid: 999, gid: 998 };
export const other = { uid: 33, gid: 33 };
export const applets = [
  "sh",
  "ls",
  "cat",
  "id",
  "su",
  "chown",
  "touch",
  "stat",
  "mkdir",
  "rm",
  "chmod",
  "true",
  "sleep",
  "echo",
];
export const base = tarOf([
  dir("bin"),
  file("bin/busybox", readFileSync("/bin/busybox").toString("latin1"), { mode: 0o755 }),
  ...applets.map((name) => ({ name: `bin/${name}`, type: "2", link: "busybox" })),
  dir("etc"),
  file("etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:999:998::/home/app:/bin/sh\nlost:x:5:5::/:/bin/sh\n"),
  file("etc/group", "root:x:0:\napp:x:998:\nextra:x:997:lost\n"),
  dir("data", app),
  file("data/mine", "mine", { ...app, mode: 0o600 }),
  dir("secret", { ...other, mode: 0o700 }),
  file("secret/s", "hidden", { ...other, mode: 0o600 }),
]);
/** Implies directories of others, takes things away, and adds owners. */
export const top = tarOf([
  file("data/deep/implied", "x", { uid: 7, gid: 8 }),
  file("secret/more", "x", other),
  dir("own", { uid: 65_000, gid: 3, mode: 0o2750 }),
  file("own/set", "x", { uid: 65_000, gid: 65_001, mode: 0o4711 }),
  { name: "own/link", type: "2", link: "/nowhere", uid: 12, gid: 13 },
  file("data/.wh.mine"),
]);

export const stores: TestStore[] = [];
/** A store of a user whose settings ask for subordinate ids, with images in it. */
export async function idsStore(text = asked): Promise<TestStore> {
  const store = testStore(settings(text));
  stores.push(store);
  await store.add("base", { layers: [{ archive: base }] });
  await store.add("app", { layers: [{ archive: base }], config: { User: "app" } });
  return store;
}
/** What belongs to other ids, nobody but Rauha takes away again: each file of tests says this once. */
export function pruneStores(): void {
  afterAll(async () => {
    for (const store of stores.splice(0)) await store.rauha(["image", "prune", "--all"]);
  });
}

export const spaces = (store: TestStore): string[] =>
  existsSync(join(store.root, "layers"))
    ? readdirSync(join(store.root, "layers")).filter((name) => name.startsWith("ids-"))
    : [];
export const unpacked = (store: TestStore): string[] =>
  spaces(store).flatMap((space) =>
    ["sha256", "joint", "work"].flatMap((kind) => {
      const folder = join(store.root, "layers", space, kind);
      return existsSync(folder) ? readdirSync(folder).map((name) => `${kind}/${name}`) : [];
    }),
  );

export const capabilities = join(
  writeFiles(makeFolder("policy"), {
    "ids.toml":
      'extends = "task"\n[capabilities]\nallowed = ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]\n',
  }),
  "ids.toml",
);
export const mayChangeIds = ["--policy", capabilities];

export async function tried(store: TestStore, attempts: readonly Attempt[], flags: readonly string[] = []) {
  const { result } = await store.run("base", [PROBE, ...attemptWords(attempts)], [...probeBind, ...flags]);
  if (result.error !== null) throw new Error(`${result.error.message} (${result.error.hint})`);
  return Object.fromEntries(parseAnswers(result.stdout ?? "").map(({ attempt, outcome }) => [attempt, outcome]));
}

/** The zone of a killed invocation ends by itself, a moment later. */
export async function waitForEnd(store: TestStore): Promise<void> {
  const work = join(store.root, "layers");
  for (const end = performance.now() + patient(10_000); performance.now() < end; await Bun.sleep(5)) {
    const { stdout } = Bun.spawnSync(["sh", "-c", 'grep -ls "$0" /proc/[0-9]*/mountinfo', work]);
    if (stdout.toString() === "") return;
  }
  throw new Error("the zone did not end");
}

/** Runs work while this user has other ranges, in the files that are the tests' own. */
export async function withRanges(range: string, work: () => Promise<void>): Promise<void> {
  const files = ["/etc/subuid", "/etc/subgid"].map((path) => ({ path, text: readFileSync(path, "utf8") }));
  const [own] = (files[0]?.text ?? "")
    .split("\n")
    .filter((line) => line.endsWith(`:${subuids.first}:${subuids.count}`));
  const name = own?.split(":")[0] ?? "";
  try {
    for (const { path } of files) writeFileSync(path, range === "" ? "" : `${name}:${range}\n`);
    await work();
  } finally {
    for (const { path, text } of files) writeFileSync(path, text);
  }
}

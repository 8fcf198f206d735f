/**
 * Subordinate ids for the ordinary user of the tests: newuidmap(1) wants an account and ranges in /etc. The system's files stay as they
 * are; in a mount namespace of the suite's own, others lie over them, and the ranges are the user's to change.
 */
import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { OrdinaryUser } from "./ordinary-user.ts";

const NAME = "tester";
/** Where no distribution's useradd(8) gives ranges to anyone else. */
const RANGE = "1500000000:65536";

const enter =
  'for file in passwd group subuid subgid; do mount --bind "$0/$file" "/etc/$file" || exit; done; exec "$@"';

/** What stands before the user's command so that it has them; nothing where the machine lacks the programs. */
export function subordinateIdsPrefix({ uid, root }: OrdinaryUser): string[] {
  const files = ["passwd", "group", "subuid", "subgid"].map((name) => `/etc/${name}`);
  if (Bun.which("newuidmap") === null || !files.every((file) => existsSync(file))) return [];
  const folder = join(root, "etc");
  mkdirSync(folder, { recursive: true });
  const add = (name: string, line: string) =>
    writeFileSync(join(folder, name), `${readFileSync(`/etc/${name}`, "utf8")}${line}\n`);
  add("passwd", `${NAME}:x:${uid}:${uid}::/nonexistent:/bin/sh`);
  add("group", `${NAME}:x:${uid}:`);
  for (const name of ["subuid", "subgid"]) {
    writeFileSync(join(folder, name), `${NAME}:${RANGE}\n`);
    chownSync(join(folder, name), uid, uid);
  }
  return ["unshare", "--mount", "sh", "-c", enter, folder];
}

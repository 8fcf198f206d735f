/** The subordinate ids of whoever runs the tests, as newuidmap(1) and newgidmap(1) will see them. */
import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, writeFiles } from "./folders.ts";
import { gid, hasProgram, isRoot, needs, uid } from "./identity.ts";

export interface Range {
  readonly first: number;
  readonly count: number;
}

const read = (file: string): string[][] => {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
};

const name = read("/etc/passwd").find((fields) => fields[2] === String(uid))?.[0];

function rangeIn(file: string): Range | undefined {
  const line = read(file).find(([who]) => name !== undefined && who === name);
  return line === undefined ? undefined : { first: Number(line[1]), count: Number(line[2]) };
}

const [uids, gids] = [rangeIn("/etc/subuid"), rangeIn("/etc/subgid")];
const usable = !isRoot && hasProgram("newuidmap") && uids !== undefined && gids !== undefined;

/** `test`, for an ordinary user who may map more ids than his own. */
export const withSubordinateIds = needs("subordinate ids", usable);

export const subuids: Range = uids ?? { first: 0, count: 0 };
export const subgids: Range = gids ?? { first: 0, count: 0 };

/** Where this user's /etc/subuid and /etc/subgid are files that the tests may change: in a mount namespace that is theirs. */
export const mayChangeRanges = usable && ["/etc/subuid", "/etc/subgid"].every(isWritable);

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The environment of a caller whose settings are this text. */
export function settings(text: string): Record<string, string> {
  const folder = writeFiles(makeFolder("config"), { "rauha/registries.toml": text });
  return { XDG_CONFIG_HOME: folder };
}

export const asked = "[ids]\nsubordinate = true\n";

/** A command as root of a user namespace in which the caller's id is root's, and the others follow: by the system's own tools. */
export function mappedNamespace(): string[] {
  const block = ({ first, count }: Range) => `${first},1,${count}`;
  return [
    "unshare",
    "-m",
    "--map-user=0",
    "--map-group=0",
    `--map-users=${block(subuids)}`,
    `--map-groups=${block(subgids)}`,
  ];
}

/** All files below a folder that another than the caller owns, as the host sees them; what can't be looked into is one. */
export function foreignFiles(folder: string): string[] {
  const { stdout, stderr } = Bun.spawnSync([
    "find",
    join(folder),
    "!",
    "-uid",
    String(uid),
    "-o",
    "!",
    "-gid",
    String(gid),
  ]);
  return [...stdout.toString().split("\n"), ...stderr.toString().split("\n")].filter((line) => line !== "");
}

import type { ImageUser } from "../../run/request.ts";
import { refuse } from "../image-error.ts";

/** The text of a file of the image, undefined where there is none. */
export type ReadImageFile = (path: "/etc/passwd" | "/etc/group") => string | undefined;

const root: ImageUser = { uid: 0, gid: 0, groups: [], name: "root", home: "/root" };
const maximumId = 0xffff_fffe;

/**
 * Who `USER` of an image means, by docker's rules: a name or a number, with `:` and a group or without; names from the image's own
 * /etc/passwd and /etc/group. A number need not be in them. Without a group, the user's groups are those the files say.
 */
export function findUser(user: string | undefined, read: ReadImageFile): ImageUser {
  if (user === undefined || user === "" || user === "0" || user === "root") return root;
  const colon = user.indexOf(":");
  const [name, group] = colon < 0 ? [user, undefined] : [user.slice(0, colon), user.slice(colon + 1)];
  const account = lookUp(passwd(read("/etc/passwd") ?? ""), name === "" ? "0" : name);
  if (account === undefined) {
    refuse(
      "invalid_image",
      `the image's user ${JSON.stringify(name)} is not in its /etc/passwd`,
      "name another one: --user UID:GID",
    );
  }
  if (group !== undefined && group !== "") return { ...account, gid: groupId(group, read), groups: [] };
  const groups = parse(read("/etc/group") ?? "", 4)
    .filter((fields) => account.name !== undefined && (fields[3] ?? "").split(",").includes(account.name))
    .flatMap((fields) => idOf(fields[2]) ?? []);
  return { ...account, groups: [...new Set(groups)].filter((gid) => gid !== account.gid).slice(0, 1024) };
}

function passwd(text: string): ImageUser[] {
  return parse(text, 6).flatMap((fields) => {
    const [uid, gid] = [idOf(fields[2]), idOf(fields[3])];
    if (uid === undefined || gid === undefined) return [];
    const home = fields[5] ?? "";
    return [{ uid, gid, groups: [], name: fields[0], home: home.startsWith("/") ? home : undefined }];
  });
}

/** By name first: a user may be called 1000. */
function lookUp(accounts: readonly ImageUser[], name: string): ImageUser | undefined {
  const named = accounts.find((account) => account.name === name);
  const uid = idOf(name);
  if (named !== undefined || uid === undefined) return named;
  const numbered = accounts.find((account) => account.uid === uid);
  return numbered ?? { uid, gid: 0, groups: [], name: undefined, home: undefined };
}

function groupId(group: string, read: ReadImageFile): number {
  const named = parse(read("/etc/group") ?? "", 3).find((fields) => fields[0] === group);
  const gid = idOf(named?.[2]) ?? idOf(group);
  if (gid !== undefined) return gid;
  return refuse(
    "invalid_image",
    `the image's group ${JSON.stringify(group)} is not in its /etc/group`,
    "name another one: --user UID:GID",
  );
}

/** Lines of colon-separated fields; those with too few are no accounts. */
function parse(text: string, fields: number): string[][] {
  return text
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.split(":"))
    .filter((found) => found.length >= fields && found[0] !== "");
}

function idOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= maximumId ? id : undefined;
}

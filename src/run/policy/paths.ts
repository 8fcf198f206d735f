import { isBelow, normalPath } from "../absolute-path.ts";
import { quoteShort, type Read, read, textForm, wrong } from "./form.ts";

/** Forms of paths. A path of a policy is absolute and normal, so that it means one place whoever reads it. */

/** The kernel's PATH_MAX without its NUL. */
const maxPathBytes = 4095;

export const pathPattern = "^/";

function readPath(path: string): Read<string> {
  if (!path.startsWith("/")) {
    const hint = path.startsWith("~") ? "~ is not expanded: write the directory out" : undefined;
    return wrong(`${quoteShort(path)} is not an absolute path`, hint ?? "a path of a policy begins with /");
  }
  if (path.includes("\0")) return wrong(`${quoteShort(path)} has a NUL byte`);
  if (new TextEncoder().encode(path).length > maxPathBytes)
    return wrong(`the path is longer than ${maxPathBytes} bytes`);
  const normal = normalPath(path);
  if (path !== normal && path !== `${normal}/`) {
    const what = path.split("/").includes("..") ? 'a ".." in it' : 'an empty or "." part';
    return wrong(`${quoteShort(path)} has ${what}`, `write ${quoteShort(normal)}`);
  }
  return read(normal);
}

export const pathForm = textForm("an absolute path", readPath);

/** A path that can be shown, hidden or made by itself: not the root, which `filesystem.root` chooses. */
export const placeForm = textForm("an absolute path below /", (path) => {
  const outcome = readPath(path);
  if (!outcome.ok || outcome.value !== "/") return outcome;
  return wrong("/ is the zone's own root", "filesystem.root chooses what it shows; list directories below it here");
});

export const deviceForm = textForm("the path of a device below /dev", (path) => {
  const outcome = readPath(path);
  if (!outcome.ok || (isBelow(outcome.value, "/dev") && outcome.value !== "/dev")) return outcome;
  return wrong(`${quoteShort(path)} is not a device below /dev`, 'for example "/dev/fuse"');
});

/** `default`, or a file: relative to the policy's own until `resolveProfile` has made it absolute. */
export const profileForm = textForm('"default" or the path of a seccomp profile', (text) => {
  if (text === "default") return read(text);
  if (text.startsWith("/")) return readPath(text);
  if (text.includes("/") || text.endsWith(".json")) {
    return wrong(
      `the profile ${quoteShort(text)} is relative to a policy without a directory`,
      "write an absolute path",
    );
  }
  return wrong(`${quoteShort(text)} is not "default" or the path of a seccomp profile`, `for a file write "./${text}"`);
});

/** The profile's path made absolute, where it is one that is relative to the policy file's directory. */
export function resolveProfile(profile: string, directory: string | undefined): string {
  const isRelative = !profile.startsWith("/") && (profile.includes("/") || profile.endsWith(".json"));
  return isRelative && directory !== undefined ? normalPath(`${directory}/${profile}`) : profile;
}

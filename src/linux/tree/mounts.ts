import { TreeError } from "../../run/tree-fs.ts";
import { readWholeFile } from "../small-file.ts";

const mountInfo = "/proc/self/mountinfo";
const mostBytes = 16 << 20;

/** See `TreeFs.mountBelow`: proc_pid_mountinfo(5). What can't be read is an error: overlayfs would hide a mount without a word. */
export function mountBelow(path: string): string | undefined {
  const bytes = readWholeFile(mountInfo, mostBytes);
  if (typeof bytes === "number") throw new TreeError("read", mountInfo, -bytes);
  const text = new TextDecoder().decode(bytes);
  // Mostly there is none, and one search says so. Blanks and the like are written in octal: such a path is looked for line by line.
  const plain = path !== "/" && !path.includes(" ") && !path.includes("\\") && !path.includes("\t");
  if (plain && !path.includes("\n") && !path.includes("#") && !text.includes(` ${path}/`)) return undefined;
  const below = path === "/" ? path : `${path}/`;
  return mountPoints(text).find((point) => point.startsWith(below) && point !== path);
}

/** The fifth field of each line. */
function mountPoints(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const field = line.split(" ", 5)[4];
    if (field === undefined) return [];
    return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  });
}

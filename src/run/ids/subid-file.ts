import type { Diagnostic } from "../diagnostic.ts";
import { type IdRange, idOf } from "./zone-ids.ts";

/** Whose lines are looked for: by name, where the user has one, and by number. */
export interface SubidOwner {
  readonly name: string | undefined;
  readonly uid: number;
  /** The id that the user has anyway: uid or gid. */
  readonly own: number;
}

/** uid_map takes 340 lines, and the user's own id may take two more than its range. */
const maximumRanges = 330;

/**
 * The ranges that a file of subid(5) gives a user, in its order. Lines of others are none of his business, whatever is wrong with them;
 * a mistake in one of his own is said.
 */
export function parseSubids(
  text: string,
  file: string,
  owner: SubidOwner,
): { readonly ranges: readonly IdRange[]; readonly diagnostics: readonly Diagnostic[] } {
  const ranges: (IdRange & { readonly line: number })[] = [];
  const diagnostics: Diagnostic[] = [];
  const complain = (message: string, hint: string) => diagnostics.push({ code: "invalid_config", message, hint });
  for (const [index, line] of text.split("\n").entries()) {
    const [who, ...fields] = line.trim().split(":");
    if (who !== owner.name && who !== String(owner.uid)) continue;
    const [first = Number.NaN, count = Number.NaN] = fields.map(idOf);
    const where = `${file}:${index + 1}`;
    if (fields.length !== 2 || Number.isNaN(first) || Number.isNaN(count) || count === 0) {
      complain(
        `${where}: ${JSON.stringify(line.slice(0, 80))} is no range of ids`,
        "NAME:FIRST:COUNT, as subid(5) says",
      );
      continue;
    }
    // 2^32 - 1 is no id.
    if (first + count > 0xffff_ffff)
      complain(`${where}: the range ends above 4294967294, the last id`, "a smaller range");
    const other = ranges.find((range) => first < range.first + range.count && range.first < first + count);
    if (other !== undefined)
      complain(`${where}: the range overlaps that of line ${other.line}`, "ranges without overlap");
    if (owner.own >= first && owner.own < first + count)
      complain(`${where}: the range has the user's own id ${owner.own} in it`, "a range of ids that nobody has");
    ranges.push({ first, count, line: index + 1 });
  }
  if (ranges.length > maximumRanges)
    complain(`${file} has ${ranges.length} ranges for one user`, `at most ${maximumRanges} can be mapped`);
  if (ranges.length === 0 && diagnostics.length === 0) {
    const who = owner.name === undefined ? `the uid ${owner.uid}` : `${owner.name} (uid ${owner.uid})`;
    diagnostics.push({
      code: "unenforceable",
      message: `${file} has no range of ids for ${who}`,
      hint: grant(text, owner),
    });
  }
  return { ranges: ranges.map(({ first, count }) => ({ first, count })), diagnostics };
}

/** A block that no line of the file has, as useradd(8) gives it. */
function grant(text: string, { name, uid }: SubidOwner): string {
  const ends = text.split("\n").map((line) => {
    const [, first = Number.NaN, count = Number.NaN] = line.trim().split(":").map(idOf);
    return Number.isNaN(first + count) ? 0 : first + count;
  });
  const first = Math.max(100_000, ...ends);
  if (name === undefined) return `echo ${uid}:${first}:65536 | sudo tee -a /etc/subuid /etc/subgid`;
  const block = `${first}-${first + 65_535}`;
  return `sudo usermod --add-subuids ${block} --add-subgids ${block} ${name}`;
}

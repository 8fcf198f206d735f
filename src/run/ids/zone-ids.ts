/** Ids that somebody may map, as a line of /etc/subuid names them. */
export interface IdRange {
  readonly first: number;
  readonly count: number;
}

/** One line of uid_map or gid_map, user_namespaces(7). */
export interface IdLine {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** What an ordinary user's zone maps besides his own id, and the programs that map it for him. */
export interface ZoneIds {
  readonly uid: readonly IdLine[];
  readonly gid: readonly IdLine[];
  readonly newuidmap: string;
  readonly newgidmap: string;
}

/** What an ordinary user may map: his own ids, and those that /etc/subuid and /etc/subgid give him. */
export interface OwnIds {
  readonly uid: number;
  readonly gid: number;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  readonly newuidmap: string;
  readonly newgidmap: string;
}

/** The maps of a zone whose task is `uid:gid`: that one is the caller, all others are subordinate ids. */
export function mapsFor(own: OwnIds, uid: number, gid: number): ZoneIds {
  const { newuidmap, newgidmap } = own;
  return { uid: mapAround(own.uid, uid, own.uids), gid: mapAround(own.gid, gid, own.gids), newuidmap, newgidmap };
}

/** The ranges in their order from 0 up, with the caller's own id in its place `at` among them. */
export function mapAround(own: number, at: number, ranges: readonly IdRange[]): IdLine[] {
  const lines: IdLine[] = [];
  let next = 0;
  const add = (outside: number, count: number) => {
    if (count > 0) lines.push({ inside: next, outside, count });
    next += count;
  };
  let placed = false;
  for (const { first, count } of ranges) {
    const before = !placed && at >= next && at < next + count ? at - next : undefined;
    add(first, before ?? count);
    if (before === undefined) continue;
    add(own, 1);
    add(first + before, count - before);
    placed = true;
  }
  // The task may be called anything: what lies between is mapped to nothing.
  if (!placed) lines.push({ inside: at, outside: own, count: 1 });
  return lines;
}

/** Whether an id of the zone's is mapped. */
export function hasId(lines: readonly IdLine[], id: number): boolean {
  return lines.some(({ inside, count }) => id >= inside && id < inside + count);
}

/** The last id up to which all are mapped, for words. */
export function lastId(lines: readonly IdLine[]): number {
  let last = -1;
  for (const { inside, count } of lines) if (inside === last + 1) last = inside + count - 1;
  return last;
}

/** A text that two maps share only if they are the same. */
export function mapKey({ uid, gid }: Pick<ZoneIds, "uid" | "gid">): string {
  const words = (lines: readonly IdLine[]) =>
    lines.map(({ inside, outside, count }) => `${inside}:${outside}:${count}`).join(",");
  return `${words(uid)};${words(gid)}`;
}

/** The maps of a key; undefined for a text that is none. */
export function parseMapKey(text: string): Pick<ZoneIds, "uid" | "gid"> | undefined {
  const [uid, gid, more] = text.trim().split(";").map(parseLines);
  return uid === undefined || gid === undefined || more !== undefined ? undefined : { uid, gid };
}

function parseLines(text: string): IdLine[] | undefined {
  const lines = text.split(",").map((line) => {
    const [inside = Number.NaN, outside = Number.NaN, count = 0, more] = line.split(":").map(idOf);
    return more !== undefined || count === 0 ? { inside: Number.NaN, outside, count } : { inside, outside, count };
  });
  return lines.every(({ inside, outside, count }) => Number.isInteger(inside + outside + count)) ? lines : undefined;
}

/** A decimal number of an id, or NaN. */
export function idOf(text: string): number {
  const id = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return id <= 0xffff_ffff ? id : Number.NaN;
}

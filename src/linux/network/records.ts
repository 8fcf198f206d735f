import { placeOfText, type ZonePlace, zoneNumbers, zonePlace } from "../../run/bridge/names.ts";
import { decodeRecord, encodeRecord, type ZoneRecord } from "../../run/bridge/record.ts";
import { addressOf, closeFd, errno, flag, openFile, pollFds, systemCall, unlinkFile, writeAll } from "../ffi.ts";
import { readWholeFile } from "../small-file.ts";
import { at, call, failure, open } from "../system-calls.ts";
import { list } from "../tree/read.ts";
import { NetworkFailure } from "./failure.ts";

/**
 * Who has which address: a file for each below /run, which an invocation makes before anything else of its zone's network and holds
 * locked as long as it lives. A file that is not locked is of an invocation that was killed: whoever comes next undoes what it names.
 * Nothing here is done but under the one lock of the network.
 */

const directory = "/run/rauha";
const addresses = `${directory}/addresses`;
const lockFile = `${directory}/network.lock`;
const lock = { exclusive: 2, withoutWaiting: 4 } as const;
const recordBytes = 1 << 18;

/** How long to wait for the lock, which everyone holds for milliseconds, and how long between two tries. */
const lockPatienceMs = 60_000;
const lockTryMs = 3;

/** Holds the lock of the network while `act` runs. Its file knows the number given last. */
export function withNetworkLock<T>(act: (numbers: LastNumber) => T): T {
  makeDirectory(directory);
  makeDirectory(addresses);
  const fd = openFile(lockFile, flag.O_RDWR | flag.O_CREAT | open.noFollow, 0o600);
  if (fd < 0) throw new NetworkFailure("open", -fd, lockFile);
  try {
    waitForLock(fd);
    return act(new LastNumber(fd));
  } finally {
    closeFd(fd);
  }
}

/** The number that a zone was given last: the next one gets the next, so that an address rests as long as it can. */
class LastNumber {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get(): number {
    const text = readWholeFile(lockFile, 16);
    const number = typeof text === "number" ? 0 : Number(new TextDecoder().decode(text));
    return Number.isInteger(number) && number >= zoneNumbers.first && number <= zoneNumbers.last
      ? number
      : zoneNumbers.last;
  }

  set(number: number): void {
    // As long as any: whatever is read while it is written is a number, or none.
    const bytes = new TextEncoder().encode(`${number}`.padStart(8));
    systemCall(call.lseek, this.#fd, 0, 0);
    writeAll(this.#fd, bytes);
  }
}

/** A record that this invocation holds. */
export interface HeldRecord {
  readonly place: ZonePlace;
  readonly fd: number;
}

/** Claims the next free address and writes what must be known to undo the zone's network. */
export function claimAddress(numbers: LastNumber, record: ZoneRecord): HeldRecord {
  const count = zoneNumbers.last - zoneNumbers.first + 1;
  const last = numbers.get() - zoneNumbers.first;
  for (let step = 1; step <= count; step++) {
    const place = zonePlace(zoneNumbers.first + ((last + step) % count));
    const path = `${addresses}/${place.text}`;
    const fd = openFile(path, flag.O_RDWR | flag.O_CREAT | open.exclusive, 0o600);
    if (fd === -17) continue;
    if (fd < 0) throw new NetworkFailure("open", -fd, path);
    if (!tryLock(fd, path)) throw new NetworkFailure("flock", failure.EAGAIN, path);
    const written = writeAll(fd, encodeRecord(record));
    if (written < 0) {
      unlinkFile(path);
      closeFd(fd);
      throw new NetworkFailure("write", -written, path);
    }
    numbers.set(place.number);
    return { place, fd };
  }
  throw new NetworkFailure("claim an address", 0, "all 65,533 addresses of 10.89.0.0/16 are taken");
}

/** Gives an address back. */
export function releaseAddress({ place, fd }: HeldRecord): void {
  unlinkFile(`${addresses}/${place.text}`);
  closeFd(fd);
}

/** A zone's record as it was found. `record` is undefined if its invocation was killed before it was written. */
export interface FoundRecord {
  readonly place: ZonePlace;
  readonly record: ZoneRecord | undefined;
}

/** Every record there is, and which of them nobody holds: those come open and locked, to be given back. */
export function findRecords(): { readonly living: FoundRecord[]; readonly dead: (FoundRecord & HeldRecord)[] } {
  const living: FoundRecord[] = [];
  const dead: (FoundRecord & HeldRecord)[] = [];
  for (const name of namesIn(addresses)) {
    const place = placeOfText(name);
    if (place === undefined) continue;
    const path = `${addresses}/${name}`;
    const bytes = readWholeFile(path, recordBytes);
    const record = typeof bytes === "number" ? undefined : decodeRecord(bytes);
    const fd = openFile(path, flag.O_RDWR | open.noFollow);
    if (fd < 0) continue;
    if (tryLock(fd, path)) dead.push({ place, record, fd });
    else {
      closeFd(fd);
      living.push({ place, record });
    }
  }
  return { living, dead };
}

function namesIn(path: string): string[] {
  const fd = openFile(path, flag.O_RDONLY | open.directory | open.noFollow);
  if (fd < 0) throw new NetworkFailure("open", -fd, path);
  try {
    return list(fd);
  } finally {
    closeFd(fd);
  }
}

/** Not flock(2) that waits: a stopped invocation would stop all others for good, and nobody would say why. */
function waitForLock(fd: number): void {
  const deadline = Date.now() + lockPatienceMs;
  while (!tryLock(fd, lockFile)) {
    if (Date.now() > deadline) {
      const what = `another invocation has held ${lockFile} for ${lockPatienceMs / 1000} s: is one stopped?`;
      throw new NetworkFailure("lock the network", 0, what);
    }
    // Nothing is waited for: a plain file without events.
    pollFds([{ fd, events: 0 }], lockTryMs);
  }
}

/** Locks a file, or says that someone else has it. */
function tryLock(fd: number, path: string): boolean {
  for (;;) {
    const result = systemCall(call.flock, fd, lock.exclusive | lock.withoutWaiting);
    if (result >= 0) return true;
    if (result === -failure.EAGAIN) return false;
    if (result !== -errno.EINTR) throw new NetworkFailure("flock", -result, path);
  }
}

function makeDirectory(path: string): void {
  const name = new TextEncoder().encode(`${path}\0`);
  const result = systemCall(call.mkdirat, at.current, addressOf(name), 0o700);
  if (result < 0 && result !== -17) throw new NetworkFailure("mkdir", -result, path);
}

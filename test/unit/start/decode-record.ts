/** Reads a record by what the head of src/run/start/contract.ts says of it, and shares nothing with what writes it. */

export type DecodedCheck =
  | {
      readonly kind: 1;
      readonly path: string;
      readonly limit: number;
      readonly errno: number;
      readonly content: string;
    }
  | { readonly kind: 2; readonly path: string; readonly mode: number; readonly allowed: number }
  | { readonly kind: 3; readonly name: string; readonly present: number; readonly value: string }
  | { readonly kind: 4; readonly path: string };

/** All of a record; bytes as hexadecimal digits. Throws where it is not one. */
export function decodeRecord(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const take = (size: number) => {
    at += size;
    return at - size;
  };
  const u32 = () => view.getUint32(take(4), true);
  const u64 = () => view.getBigUint64(take(8), true);
  const blob = (): Uint8Array => {
    const size = u32();
    if (size > bytes.length - at) throw new Error(`${size} bytes at ${at} of ${bytes.length}`);
    const from = take(size);
    return bytes.slice(from, at);
  };
  const str = () => {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(blob());
    if (bytes[at++] !== 0) throw new Error(`no NUL at ${at - 1}`);
    return text;
  };
  const list = <T>(read: () => T): T[] => Array.from({ length: u32() }, read);
  const check = (): DecodedCheck => {
    const kind = u32();
    if (kind === 1) return { kind, path: str(), limit: u32(), errno: u32(), content: blob().toHex() };
    if (kind === 2) return { kind, path: str(), mode: u32(), allowed: u32() };
    if (kind === 3) return { kind, name: str(), present: u32(), value: blob().toHex() };
    if (kind === 4) return { kind, path: str() };
    throw new Error(`check ${kind}`);
  };
  const template = () => ({
    text: blob(),
    holes: list(() => ({ place: u32(), hole: u32() })),
  });
  const record = {
    magic: u32(),
    size: u32(),
    build: u64(),
    options: list(str),
    uid: u32(),
    gid: u32(),
    capabilities: u64(),
    userNamespace: u64(),
    landlockAbi: u32(),
    seccomp: u32(),
    stdinIsTerminal: u32(),
    cwd: str(),
    checks: list(check),
    ops: u32(),
    before: blob(),
    zoneIds: list(u32),
    firstIds: list(u32),
    entrypoint: list(str),
    environment: blob(),
    reported: list(blob),
    collected: list(() => ({ op: u32(), as: u32() })),
    succeeded: template(),
    failed: template(),
  };
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes too many`);
  return record;
}

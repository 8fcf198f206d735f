/** ClientHellos made by hand. */

const u16 = (value: number): number[] => [value >> 8, value & 255];
const u24 = (value: number): number[] => [value >> 16, ...u16(value & 0xffff)];
const text = (value: string): number[] => [...new TextEncoder().encode(value)];

export const extension = (kind: number, data: readonly number[]): number[] => [
  ...u16(kind),
  ...u16(data.length),
  ...data,
];

export function serverName(name: string): number[] {
  const bytes = text(name);
  return extension(0, [...u16(bytes.length + 3), 0, ...u16(bytes.length), ...bytes]);
}

/** A handshake message; `extensions` undefined leaves them out altogether. */
export function clientHello(extensions: readonly number[] | undefined): number[] {
  const fixed = [3, 3, ...new Array<number>(32).fill(7), 0, ...u16(2), 0x13, 0x01, 1, 0];
  const body = [...fixed, ...(extensions === undefined ? [] : [...u16(extensions.length), ...extensions])];
  return [1, ...u24(body.length), ...body];
}

/** The message as TLS records of at most `size` bytes. */
export function records(message: readonly number[], size = 16_384): Uint8Array {
  const all: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    const piece = message.slice(at, at + size);
    all.push(22, 3, 1, ...u16(piece.length), ...piece);
  }
  return new Uint8Array(all);
}

export const helloFor = (name: string): Uint8Array => records(clientHello(serverName(name)));

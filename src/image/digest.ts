/** Digests of the OCI image specification (descriptor.md): the two registered algorithms, and no other. */

/** A digest by its parts. */
export interface Digest {
  readonly algorithm: "sha256" | "sha512";
  /** Lower case. */
  readonly hex: string;
}

const pattern = /^(?:(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128}))$/;

/** `sha256:…` or `sha512:…` with the right number of lower-case digits; undefined for anything else. */
export function parseDigest(text: string): Digest | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  if (match[1] !== undefined) return { algorithm: "sha256", hex: match[2] ?? "" };
  return { algorithm: "sha512", hex: match[4] ?? "" };
}

/** Whether `parseDigest` takes it. */
export function isDigest(text: string): boolean {
  return pattern.test(text);
}

/** The digest of some bytes as text. */
export function digestOf(bytes: Uint8Array, algorithm: Digest["algorithm"] = "sha256"): string {
  return `${algorithm}:${new Bun.CryptoHasher(algorithm).update(bytes).digest("hex")}`;
}

/** The first twelve digits, as people compare them. */
export function shortDigest(digest: string): string {
  return digest.replace(/^\w+:/, "").slice(0, 12);
}

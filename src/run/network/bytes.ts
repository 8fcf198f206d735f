/** Two pieces as one; what is beyond `limit` bytes is left out. */
export function concatenate(a: Uint8Array, b: Uint8Array, limit = Number.POSITIVE_INFINITY): Uint8Array {
  const all = new Uint8Array(Math.min(a.length + b.length, limit));
  all.set(a);
  all.set(b.subarray(0, all.length - a.length), a.length);
  return all;
}

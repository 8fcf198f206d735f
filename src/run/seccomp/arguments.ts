import { pathArgumentPairs } from "./path-arguments.gen.ts";
import type { Arch } from "./profile.ts";

/**
 * Which argument of a system call is a path worth naming when the call is denied, as the launcher takes it: pairs of u32, the number
 * of the call and its argument. The numbers are looked up at build time: the hot path has no use for the whole table.
 */
export function pathArguments(arch: Arch): Uint8Array {
  return new Uint8Array(new Uint32Array(pathArgumentPairs[arch]).buffer);
}

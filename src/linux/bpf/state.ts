import type { MapName } from "../../bpf/contract.ts";
import { bpfContractHash } from "../../bpf/contract-hash.gen.ts";
import { pinDirectory } from "../../bpf/pin-directory.ts";
import { closeFd } from "../ffi.ts";
import { lookup, openMap } from "./map-calls.ts";

/** The pinned maps, each opened when it is first used. */
export interface BpfState {
  /** A descriptor of the map, or `-errno`. */
  map(name: MapName): number;
  /** The record `config`, as bytes. */
  readonly config: Uint8Array;
  close(): void;
}

/** Why the pinned state can't be used. */
export interface StateProblem {
  readonly errno: number;
  /** The maps are of another version of Rauha. */
  readonly foreign: boolean;
}

/** Opens what is pinned in this directory, if it is of this very contract. */
export function openState(directory: string = pinDirectory): BpfState | StateProblem {
  const opened = new Map<MapName, number>();
  const map = (name: MapName): number => {
    let fd = opened.get(name);
    if (fd !== undefined) return fd;
    fd = openMap(`${directory}/maps/${name}`);
    if (fd >= 0) opened.set(name, fd);
    return fd;
  };
  const close = () => {
    for (const fd of opened.values()) closeFd(fd);
    opened.clear();
  };
  const configMap = map("rauha_config");
  if (configMap < 0) return { errno: -configMap, foreign: false };
  // Room for a record of another version, which may be longer. The contract's hash is its first field in all of them.
  const config = new Uint8Array(256);
  const failure = lookup(configMap, new Uint8Array(4), config);
  if (failure < 0 || new BigUint64Array(config.buffer)[0] !== bpfContractHash) {
    close();
    return { errno: -failure, foreign: true };
  }
  return { map, config, close };
}

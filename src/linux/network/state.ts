import { closeFd, errno, flag, openFile, renameFile, unlinkFile, writeAll } from "../ffi.ts";
import { readWholeFile } from "../small-file.ts";
import { open } from "../system-calls.ts";
import { NetworkFailure } from "./failure.ts";

/** What was changed on the host for all zones together, to be put back when the last one goes. Under the lock of the network. */
export interface NetworkState {
  /** The bridge is ours: it was not there before the first zone. */
  readonly bridge: boolean;
  /** Devices whose forwarding was off. */
  readonly switched: readonly string[];
  /** Whether forwarding was on for the host as a whole when the first of them was switched. */
  readonly hostForwarded: boolean;
}

const file = "/run/rauha/network.json";
const fresh = "/run/rauha/network.json.new";
const nothing: NetworkState = { bridge: false, switched: [], hostForwarded: false };

/** What earlier invocations wrote down of the host's settings; throws a NetworkFailure where it can't be read. */
export function readState(): NetworkState {
  const bytes = readWholeFile(file, 65536);
  if (bytes === -errno.ENOENT) return nothing;
  if (typeof bytes === "number") throw new NetworkFailure("read", -bytes, file);
  const data = JSON.parse(new TextDecoder().decode(bytes)) as Partial<NetworkState>;
  const switched = Array.isArray(data.switched) ? data.switched.filter((name) => typeof name === "string") : [];
  return { bridge: data.bridge === true, switched, hostForwarded: data.hostForwarded === true };
}

/** Written whole or not at all. */
export function writeState(state: NetworkState): void {
  const fd = openFile(fresh, flag.O_WRONLY | flag.O_CREAT | flag.O_TRUNC | open.noFollow, 0o600);
  if (fd < 0) throw new NetworkFailure("open", -fd, fresh);
  const written = writeAll(fd, new TextEncoder().encode(`${JSON.stringify(state)}\n`));
  closeFd(fd);
  const result = written < 0 ? written : renameFile(fresh, file);
  if (result < 0) throw new NetworkFailure("write", -result, file);
}

/** Forgets it: the host is as it was. */
export function removeState(): void {
  unlinkFile(file);
  unlinkFile(fresh);
}

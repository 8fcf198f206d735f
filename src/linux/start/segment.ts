import { addressOf, mappedBytes, systemCall } from "../ffi.ts";
import { call } from "../system-calls.ts";

/** Of the headers ipc.h and shm.h. */
const IPC_CREAT = 0o1000;
const IPC_EXCL = 0o2000;
const IPC_RMID = 0;
const IPC_STAT = 2;
const EEXIST = 17;
/** Where `struct shmid64_ds` has the owner and the maker, among fields of four bytes; it is smaller than this. */
const statusBytes = 256;
const [ownerAt, makerAt] = [1, 3];
const ownMode = 0o600;

/**
 * Puts bytes into a shared memory segment of the caller's with this key, in the place of the caller's own that has it: whoever looks finds
 * the old one, or the new one whole, or one whose first word is 0. False where it can't be: another user's is left alone.
 */
export function writeSegment(key: number, bytes: Uint8Array, uid: number): boolean {
  const make = () => systemCall(call.shmget, key, bytes.length, IPC_CREAT | IPC_EXCL | ownMode);
  let id = make();
  if (id === -EEXIST && removeOwn(key, uid)) id = make();
  if (id < 0) return false;
  const address = systemCall(call.shmat, id);
  if (address < 0) {
    systemCall(call.shmctl, id, IPC_RMID);
    return false;
  }
  const memory = mappedBytes(address, bytes.length);
  const rest = bytes.subarray(Int32Array.BYTES_PER_ELEMENT);
  memory.set(rest, Int32Array.BYTES_PER_ELEMENT);
  // No machine may see this one before the others.
  const first = new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
  Atomics.store(new Int32Array(memory.buffer, 0, 1), 0, first);
  systemCall(call.shmdt, address);
  return true;
}

function removeOwn(key: number, uid: number): boolean {
  const id = systemCall(call.shmget, key);
  if (id < 0) return false;
  const status = new Uint32Array(statusBytes / Uint32Array.BYTES_PER_ELEMENT);
  if (systemCall(call.shmctl, id, IPC_STAT, addressOf(status)) < 0) return false;
  return status[ownerAt] === uid && status[makerAt] === uid && systemCall(call.shmctl, id, IPC_RMID) === 0;
}

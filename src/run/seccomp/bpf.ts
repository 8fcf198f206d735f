/** Classic BPF as seccomp(2) takes it: instructions, return values, and the bytes of a `struct sock_filter` array. */

/** The opcodes that a filter of ours is made of, linux/bpf_common.h. All operands are immediate. */
export const opcode = {
  /** A = 32-bit word of `struct seccomp_data` at offset k. */
  load: 0x20,
  /** A = A & k. */
  and: 0x54,
  /** Jumps by k, without condition: the only jump that reaches further than 255. */
  goto: 0x05,
  /** A == k, A > k, A >= k, A & k. */
  equal: 0x15,
  greater: 0x25,
  atLeast: 0x35,
  anyBit: 0x45,
  /** Ends the filter with k. */
  return: 0x06,
} as const;

/** One instruction of classic BPF, `struct sock_filter` of seccomp(2). */
export interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly k: number;
}

/** SECCOMP_RET_*: what a filter answers; of several filters the strictest answer counts. */
export const verdict = {
  killProcess: 0x8000_0000,
  killThread: 0x0000_0000,
  trap: 0x0003_0000,
  errno: 0x0005_0000,
  notify: 0x7fc0_0000,
  log: 0x7ffc_0000,
  allow: 0x7fff_0000,
} as const;

/** Offsets in `struct seccomp_data`; an argument's low half comes first on both architectures. */
export const dataOffset = {
  number: 0,
  arch: 4,
  argLow: (index: number): number => 16 + 8 * index,
  argHigh: (index: number): number => 20 + 8 * index,
} as const;

/** BPF_MAXINSNS: the kernel takes no longer filter. */
export const MAX_INSTRUCTIONS = 4096;

const EPERM = 1;
export const DENIED = verdict.errno | EPERM;

/** The bytes of `struct sock_filter[]`, little endian: u16 code, u8 jt, u8 jf, u32 k. */
export function encodeFilter(instructions: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(instructions.length * 8);
  const view = new DataView(bytes.buffer);
  instructions.forEach(({ code, jumpTrue, jumpFalse, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jumpTrue);
    view.setUint8(index * 8 + 3, jumpFalse);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
}

/**
 * The same filter with every question to the listener (SECCOMP_RET_USER_NOTIF) turned into EPERM, for a zone that has no listener:
 * the kernel would answer ENOSYS. Other errnos are no questions, with a listener or without.
 */
export function answerDenials(filter: Uint8Array): Uint8Array {
  const bytes = filter.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 8) {
    if (view.getUint16(at, true) === opcode.return && view.getUint32(at + 4, true) === verdict.notify) {
      view.setUint32(at + 4, DENIED, true);
    }
  }
  return bytes;
}

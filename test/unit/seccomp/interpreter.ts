/**
 * Runs seccomp filters without a kernel: classic BPF over `struct seccomp_data`, as strict as the kernel's own check. What the
 * kernel would refuse to load throws here.
 */
export interface SyscallData {
  readonly number: number;
  readonly arch: number;
  /** Six at most; missing ones are 0. */
  readonly args?: readonly bigint[];
}

export interface Run {
  readonly verdict: number;
  /** How many instructions it took. */
  readonly steps: number;
  /** Whether an argument or the instruction pointer was looked at. */
  readonly looked: boolean;
}

export const auditArch = { x86_64: 0xc000_003e, aarch64: 0xc000_00b7, i386: 0x4000_0003, arm: 0x4000_0028 } as const;

export function runFilter(filter: Uint8Array, { number, arch, args = [] }: SyscallData): Run {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, number, true);
  data.setUint32(4, arch, true);
  args.forEach((arg, index) => {
    data.setBigUint64(16 + 8 * index, BigInt.asUintN(64, arg), true);
  });
  const code = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  let a = 0;
  let steps = 0;
  let looked = false;
  for (let at = 0; ; ) {
    steps += 1;
    const opcode = code.getUint16(at * 8, true);
    const k = code.getUint32(at * 8 + 4, true);
    const branch = (condition: boolean): number => code.getUint8(at * 8 + (condition ? 2 : 3));
    let jump = 0;
    switch (opcode) {
      case 0x20:
        a = data.getUint32(k, true);
        looked ||= k >= 8;
        break;
      case 0x54:
        a = (a & k) >>> 0;
        break;
      case 0x05:
        jump = k;
        break;
      case 0x15:
        jump = branch(a === k);
        break;
      case 0x25:
        jump = branch(a > k);
        break;
      case 0x35:
        jump = branch(a >= k);
        break;
      case 0x45:
        jump = branch((a & k) !== 0);
        break;
      case 0x06:
        return { verdict: k, steps, looked };
      default:
        throw new Error(`instruction ${at}: opcode 0x${opcode.toString(16)}`);
    }
    at += 1 + jump;
  }
}

/** What bpf_check_classic and seccomp_check_filter of the kernel would say: every problem found. */
export function checkFilter(filter: Uint8Array): string[] {
  const code = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const length = filter.byteLength / 8;
  const problems: string[] = [];
  if (!Number.isInteger(length) || length < 1 || length > 4096) problems.push(`length ${length}`);
  for (let at = 0; at < Math.floor(length); at++) {
    const opcode = code.getUint16(at * 8, true);
    const k = code.getUint32(at * 8 + 4, true);
    const reach = Math.max(code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3));
    const jumps = [0x15, 0x25, 0x35, 0x45].includes(opcode);
    if (![0x20, 0x54, 0x05, 0x06].includes(opcode) && !jumps) problems.push(`${at}: opcode ${opcode}`);
    if (jumps && at + 1 + reach >= length) problems.push(`${at}: jumps out of the program`);
    if (opcode === 0x05 && at + 1 + k >= length) problems.push(`${at}: jumps out of the program`);
    if (opcode === 0x20 && (k % 4 !== 0 || k >= 64)) problems.push(`${at}: loads from ${k}`);
    if (!jumps && reach > 0) problems.push(`${at}: a jump offset where there is no jump`);
  }
  if (code.getUint16((length - 1) * 8, true) !== 0x06) problems.push("the last instruction returns nothing");
  return problems;
}

/** A filter as bpf_dbg and seccomp-tools would print it, for failing tests. */
export function disassemble(filter: Uint8Array): string {
  const code = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  const names: Record<number, string> = {
    32: "ld",
    84: "and",
    5: "ja",
    21: "jeq",
    37: "jgt",
    53: "jge",
    69: "jset",
    6: "ret",
  };
  return Array.from({ length: filter.byteLength / 8 }, (_, at) => {
    const opcode = code.getUint16(at * 8, true);
    const [yes, no, k] = [code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3), code.getUint32(at * 8 + 4, true)];
    const jumps = [21, 37, 53, 69].includes(opcode) ? ` ${at + 1 + yes} ${at + 1 + no}` : "";
    return `${at}: ${names[opcode] ?? opcode} 0x${k.toString(16)}${jumps}`;
  }).join("\n");
}

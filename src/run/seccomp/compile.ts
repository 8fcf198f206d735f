import type { Diagnostic } from "../diagnostic.ts";
import type { DeniedAction } from "./action.ts";
import { Assembler, FilterTooLarge } from "./assembler.ts";
import { dataOffset, encodeFilter, type Instruction, MAX_INSTRUCTIONS, opcode, verdict } from "./bpf.ts";
import { checkLists, checkProfileNames, type PolicyLists } from "./check.ts";
import { emitDispatch, type Range } from "./dispatch.ts";
import type { Arch, SeccompProfile } from "./profile.ts";
import { resolveRanges } from "./resolve.ts";
import type { Surroundings } from "./scope.ts";
import { syscallTable } from "./syscalls.ts";

/** What a filter is compiled for. */
export interface CompileOptions extends Surroundings, PolicyLists {
  readonly deniedAction: DeniedAction;
  /** See `ResolveOptions`. */
  readonly watch?: readonly string[] | undefined;
}

/** A filter as `struct sock_filter[]`, or why there is none. */
export type CompileOutcome =
  | { readonly ok: true; readonly filter: Uint8Array; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** AUDIT_ARCH_*: the kernel's word for the architecture that a system call was entered by. */
const auditArch: Readonly<Record<Arch, number>> = { x86_64: 0xc000_003e, aarch64: 0xc000_00b7 };

/** What the launcher does after the filter is on: without these no task would ever start, nor would that be told. */
const neededToStart = ["execve", "write", "exit_group"];

/** Compiles a profile and a policy's lists to the bytes of a filter for one architecture; every other one is killed. */
export function compileSeccomp(profile: SeccompProfile, options: CompileOptions): CompileOutcome {
  const { errors, warnings } = checkProfileNames(profile);
  const diagnostics = [...errors, ...checkLists(options), ...checkArchitecture(profile, options.arch)];
  if (diagnostics.length > 0) return { ok: false, diagnostics };

  const ranges = resolveRanges(profile, options);
  const blocked = checkStart(ranges, options);
  if (blocked.length > 0) return { ok: false, diagnostics: blocked };
  try {
    return { ok: true, filter: encodeFilter(assemble(ranges, options.arch)), warnings };
  } catch (error) {
    if (!(error instanceof FilterTooLarge)) throw error;
    const message = `the profile needs more than the ${MAX_INSTRUCTIONS} instructions that the kernel takes`;
    const hint = "fewer rules on arguments make a smaller filter";
    return { ok: false, diagnostics: [{ code: "invalid_policy", message, hint }] };
  }
}

/** Architecture first: a number means another call on another one. Then the number, then arguments where a rule needs them. */
function assemble(ranges: readonly Range[], arch: Arch): Instruction[] {
  const assembler = new Assembler();
  assembler.continueAt(emitDispatch(assembler, ranges));
  const native = assembler.load(dataOffset.number);
  assembler.jump(opcode.equal, auditArch[arch], native, assembler.return(verdict.killProcess));
  assembler.load(dataOffset.arch);
  return assembler.finish();
}

function checkArchitecture({ architectures }: SeccompProfile, arch: Arch): Diagnostic[] {
  if (architectures === null || architectures.includes(arch)) return [];
  const message = `the seccomp profile says nothing about ${arch}`;
  const hint = `add SCMP_ARCH_${arch.toUpperCase()} to its archMap`;
  return [{ code: "invalid_policy", message, hint }];
}

function checkStart(ranges: readonly Range[], { arch, watch = [], deny = [], origin }: CompileOptions): Diagnostic[] {
  const { numbers } = syscallTable(arch);
  return neededToStart.flatMap((name): Diagnostic[] => {
    const decision = ranges.find(({ first }) => first === numbers.get(name))?.decision;
    const passing: number[] = [verdict.allow, verdict.log, ...(watch.includes(name) ? [verdict.notify] : [])];
    if (decision?.branches.length === 0 && passing.includes(decision.otherwise)) return [];
    const denied = deny.indexOf(name);
    if (denied >= 0) {
      const message = `without ${name} no task could start`;
      const hint = `leave "${name}" out of syscalls.deny`;
      return [{ code: "invalid_policy", message, hint, origin: origin?.(`syscalls.deny[${denied}]`) }];
    }
    const message = `the seccomp profile does not allow ${name} without condition: no task could start`;
    return [{ code: "invalid_policy", message, hint: `allow "${name}"` }];
  });
}

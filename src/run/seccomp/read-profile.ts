import { errnoName } from "../report/errno.ts";
import type {
  Arch,
  ArgCondition,
  RulePlace,
  RuleScope,
  SeccompAction,
  SeccompProfile,
  SeccompRule,
} from "./profile.ts";
import {
  actionNames,
  type ConditionForm,
  operatorNames,
  type ProfileForm,
  type RuleForm,
  type ScopeForm,
} from "./schema.ts";

/** What the schema can't say is wrong. */
export interface ProfileProblem {
  readonly place: RulePlace;
  readonly message: string;
  readonly hint?: string;
}

type Report = (pointer: string, message: string, hint?: string) => void;

/** Turns the JSON format into our terms, refusing what is ambiguous or can't be meant. */
export function readProfile(
  form: ProfileForm,
  place: (pointer: string) => RulePlace,
): { profile: SeccompProfile; problems: readonly ProfileProblem[] } {
  const problems: ProfileProblem[] = [];
  const report: Report = (pointer, message, hint) =>
    problems.push({ place: place(pointer), message, ...(hint === undefined ? {} : { hint }) });
  if (form.architectures?.length && form.archMap?.length) {
    report("/architectures", "both architectures and archMap are there: one of the two is enough");
  }
  const profile = {
    defaultAction: readAction(form.defaultAction, form.defaultErrnoRet, form.defaultErrno, "/defaultErrnoRet", report),
    rules: (form.syscalls ?? []).map((rule, index) => readRule(rule, `/syscalls/${index}`, place, report)),
    architectures: readArchitectures(form),
  };
  return { profile, problems };
}

/** 32-bit partners (`subArchitectures`) are left out: programs for them are always killed. */
function readArchitectures({ architectures, archMap }: ProfileForm): readonly Arch[] | null {
  const named = [...(architectures ?? []), ...(archMap ?? []).map(({ architecture }) => architecture)];
  if (named.length === 0) return null;
  return (["x86_64", "aarch64"] as const).filter((arch) => named.includes(`SCMP_ARCH_${arch.toUpperCase()}`));
}

function readRule(form: RuleForm, pointer: string, place: (at: string) => RulePlace, report: Report): SeccompRule {
  const names = [...(form.names ?? []), ...(form.name === undefined ? [] : [form.name])];
  if (names.length === 0) report(pointer, "the rule names no system call", "names is a list of system calls");
  const conditions = (form.args ?? []).map((one, index) => readCondition(one, `${pointer}/args/${index}`, report));
  const seen = new Set<number>();
  conditions.forEach(({ index }, at) => {
    if (seen.has(index)) {
      const hint = "make it two rules for either, one masked condition for both";
      report(
        `${pointer}/args/${at}`,
        `a second condition on argument ${index}: runtimes differ on what it means`,
        hint,
      );
    }
    seen.add(index);
  });
  return {
    names,
    action: readAction(form.action, form.errnoRet, form.errno, `${pointer}/errnoRet`, report),
    conditions,
    ...(form.includes ? { includes: readScope(form.includes) } : {}),
    ...(form.excludes ? { excludes: readScope(form.excludes) } : {}),
    place: place(pointer),
  };
}

function readAction(
  name: keyof typeof actionNames,
  errnoRet: number | null | undefined,
  errno: string | undefined,
  pointer: string,
  report: Report,
): SeccompAction {
  const kind = actionNames[name];
  const named = errno === undefined ? undefined : errnoNumber(errno);
  if (kind !== "errno") {
    if (errnoRet || errno) report(pointer, `${name} has no errno: only SCMP_ACT_ERRNO returns one`);
    return { kind };
  }
  if (errno !== undefined && named === undefined && typeof errnoRet !== "number") {
    report(pointer, `"${errno}" is not an errno known here`, "give its number as errnoRet");
  }
  if (named !== undefined && typeof errnoRet === "number" && named !== errnoRet) {
    report(pointer, `the errno is said twice and differently: ${errnoRet} and ${errno}`);
  }
  return { kind, errno: errnoRet ?? named ?? 1 };
}

function readCondition(form: ConditionForm, pointer: string, report: Report): ArgCondition {
  const { index } = form;
  const op = operatorNames[form.op];
  const value = BigInt(form.value);
  const second = BigInt(form.valueTwo ?? 0);
  if (op === "masked_eq") {
    if ((second & ~value) !== 0n) {
      report(pointer, "valueTwo has bits outside the mask in value: this can never hold");
    }
    return { index, op, mask: value, value: second };
  }
  if (second !== 0n) report(pointer, `valueTwo means nothing with ${form.op}`, "SCMP_CMP_MASKED_EQ takes two values");
  return { index, op, value };
}

function readScope({ caps, arches, minKernel }: ScopeForm): RuleScope {
  return {
    ...(caps?.length ? { caps } : {}),
    ...(arches?.length ? { arches } : {}),
    ...(minKernel ? { minKernel } : {}),
  };
}

function errnoNumber(name: string): number | undefined {
  for (let number = 1; number < 134; number++) if (errnoName(number) === name) return number;
  return undefined;
}

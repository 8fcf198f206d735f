/**
 * Variables of the caller's environment that the plan of a start may depend on, besides those that the policy hands in: who the caller is,
 * what the terminal is, and where images and settings lie.
 */
export const startVariables = ["USER", "HOME", "TERM", "RAUHA_STORE", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] as const;

/** Each of them once, and each that the policy hands in, with its value. */
export function variablesOf(
  passed: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): [name: string, value: string | undefined][] {
  const names = new Set<string>([...startVariables, ...passed]);
  // `toString` is none of the caller's only because objects have it.
  return [...names].map((name) => [name, Object.hasOwn(env, name) ? env[name] : undefined]);
}

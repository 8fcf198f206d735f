import { Consulted } from "../../run/start/consulted.ts";
import { canAccess } from "../ffi.ts";

/** Who notes what this process asks the host; nobody, but for a start that may be remembered. */
export const consulting: { noted: Consulted | undefined } = { noted: undefined };

/** Notes from here on what this process asks. */
export function consult(): Consulted {
  consulting.noted = new Consulted();
  return consulting.noted;
}

/** Whether access(2) with the real ids allows it, for what a plan depends on. */
export function mayAccess(path: string, mode: number): boolean {
  const allowed = canAccess(path, mode);
  consulting.noted?.access(path, mode, allowed);
  return allowed;
}

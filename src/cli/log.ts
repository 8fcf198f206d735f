import { createConsola } from "consola/core";
import type { Ports } from "./ports.ts";
import { oneLine, paint, styleFor } from "./words.ts";

/** Words beside a command's answer, for people: on stderr, each one written, none folded. */
export interface Log {
  success(message: string): void;
  fail(message: string): void;
}

/** Never on the hot path: consola writes info to stdout and folds repeats unless told otherwise. */
export function openLog(ports: Ports): Log {
  const style = styleFor(ports.isTerminal(2), ports.env);
  const consola = createConsola({
    throttle: 0,
    reporters: [
      {
        log: ({ type, args }) => {
          const prefix = paint("rauha:", type === "fail" ? "31" : "32", style);
          ports.write(2, `${prefix} ${oneLine(args.map(String).join(" "))}\n`);
        },
      },
    ],
  });
  return { success: (message) => consola.success(message), fail: (message) => consola.fail(message) };
}

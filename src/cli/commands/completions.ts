import { shippedPolicies } from "../../run/policy/shipped.gen.ts";
import { renderBash } from "../completions/bash.ts";
import { renderFish } from "../completions/fish.ts";
import { completionNodes } from "../completions/model.ts";
import { renderZsh } from "../completions/zsh.ts";
import { answer } from "./answer.ts";
import { command } from "./command.ts";

const renderers = { bash: renderBash, zsh: renderZsh, fish: renderFish } as const;

/** `rauha completions SHELL`: a script made from the tables that the parser and the help go by. */
export const completions = command(({ operands, ports }) => {
  const shell = operands[0] as keyof typeof renderers;
  return answer(ports, renderers[shell](completionNodes(), Object.keys(shippedPolicies)));
});

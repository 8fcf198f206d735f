import { answerJson } from "./answer.ts";
import { command } from "./command.ts";

/** `rauha schema result|event|policy`: JSON Schema from the zod source, with --json or without. */
export const schema = command(async ({ operands, ports }) => {
  switch (operands[0]) {
    case "result":
      return answerJson(ports, (await import("../../run/result/json-schema.ts")).resultJsonSchema());
    case "event":
      return answerJson(ports, (await import("../../run/result/json-schema.ts")).eventJsonSchema());
    default:
      return answerJson(ports, (await import("../../run/policy/json-schema.ts")).policyJsonSchema());
  }
});

import { refuse } from "./answer.ts";
import { command } from "./command.ts";

export const doctor = command(({ ports, json }) => {
  return refuse(ports, [{ code: "unsupported", message: "rauha doctor is not available in this build" }], json);
});

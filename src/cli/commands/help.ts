import { renderHelp } from "../help/render.ts";
import { styleFor } from "../words.ts";
import { answer, refuse } from "./answer.ts";
import { command } from "./command.ts";
import { routeCommand } from "./route.ts";
import { rootSpec } from "./table.ts";

/** `rauha help policy show` is `rauha policy show --help`. */
export const help = command(({ operands, ports, json }) => {
  const route = routeCommand(rootSpec, operands);
  if (route.kind === "wrong") return refuse(ports, [route.diagnostic], json);
  const extra = route.rest[0];
  if (extra !== undefined) {
    const name = ["rauha", ...route.path].join(" ");
    return refuse(ports, [{ code: "usage", message: `${name} has no subcommands`, hint: `${name} --help` }], json);
  }
  return answer(
    ports,
    renderHelp(["rauha", ...route.path].join(" "), route.spec, styleFor(ports.isTerminal(1), ports.env)),
  );
});

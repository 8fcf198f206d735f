import { resolve } from "node:path";
import { importImage } from "../../image/import/import-image.ts";
import { renderPlatform } from "../../image/platform.ts";
import { platformOf, policyOf, withImages } from "../image-store.ts";
import { oneLine } from "../words.ts";
import { answer, answerJson, refuse } from "./answer.ts";
import { command } from "./command.ts";

/** `rauha image import FILE [REF]`: an image from an archive, a layout or a pipe. */
export const imageImport = command((input) =>
  withImages(input, async (store) => {
    const { operands, ports, json } = input;
    const [file = "", reference] = operands;
    if (file === "-" && ports.isTerminal(0)) {
      const hint = "docker save NAME | rauha image import -";
      return refuse(ports, [{ code: "usage", message: "- is standard input, and that is a terminal", hint }], json);
    }
    const path = file === "-" ? file : resolve(ports.cwd, file);
    const images = await importImage(store, path, {
      reference,
      platform: platformOf(input),
      policy: await policyOf(input),
    });
    const told = images.map(({ platform, ...image }) => ({ ...image, platform: renderPlatform(platform) }));
    if (json) return answerJson(ports, { schema: "rauha.image.import/v1", images: told });
    return answer(ports, told.map((image) => `${oneLine(image.reference)} ${image.digest}\n`).join(""));
  }),
);

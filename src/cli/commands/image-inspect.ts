import { refuse as refuseImage } from "../../image/image-error.ts";
import { renderPlatform } from "../../image/platform.ts";
import { readReference } from "../../image/reference.ts";
import type { StoredImage } from "../../image/types.ts";
import { platformOf, withImages } from "../image-store.ts";
import { sizeWords } from "../image-words.ts";
import { oneLine } from "../words.ts";
import { answer, answerJson } from "./answer.ts";
import { command } from "./command.ts";

/** `rauha image inspect REF`: an image's configuration and layers. */
export const imageInspect = command((input) =>
  withImages(input, async (store) => {
    const [name = ""] = input.operands;
    const image = await store.resolve(name, platformOf(input));
    if (image === undefined) {
      const { text } = readReference(name);
      refuseImage("not_found", `there is no image ${text} here for that platform`, `rauha image pull ${text}`);
    }
    return input.json ? answerJson(input.ports, describe(image)) : answer(input.ports, words(image));
  }),
);

function describe({ reference, digest, config, layers }: StoredImage) {
  return {
    schema: "rauha.image/v1",
    reference,
    digest,
    platform: renderPlatform(config),
    created: config.created ?? null,
    size: layers.reduce((sum, layer) => sum + layer.size, 0),
    config: {
      env: config.env.map((variable) => `${variable.name}=${variable.value}`),
      entrypoint: config.entrypoint,
      cmd: config.cmd,
      working_dir: config.workingDir ?? null,
      volumes: config.volumes,
      user: config.user ?? null,
      stop_signal: config.stopSignal ?? null,
      labels: config.labels,
    },
    layers: layers.map((layer) => ({
      digest: layer.digest,
      size: layer.size,
      media_type: layer.mediaType,
      compression: layer.compression,
      diff_id: layer.diffId,
    })),
  };
}

function words(image: StoredImage): string {
  const { reference, digest, platform, created, size, config, layers } = describe(image);
  const list = (items: readonly string[]) => items.map((item) => JSON.stringify(item)).join(" ");
  const rows: [string, string | null][] = [
    ["reference", reference],
    ["digest", digest],
    ["platform", platform],
    ["created", created],
    ["size", sizeWords(size)],
    ["entrypoint", list(config.entrypoint)],
    ["command", list(config.cmd)],
    ["directory", config.working_dir],
    ["volumes", list(config.volumes)],
    ["user", config.user],
    ["stop signal", config.stop_signal],
    ...config.env.map((variable): [string, string] => ["variable", variable]),
    ...Object.entries(config.labels).map(([name, value]): [string, string] => ["label", `${name}=${value}`]),
    ...layers.map((layer): [string, string] => [
      "layer",
      `${layer.digest} ${sizeWords(layer.size)} ${layer.compression}`,
    ]),
  ];
  const told = rows.filter(([, value]) => value !== null && value !== "");
  return told.map(([name, value]) => `${`${name}:`.padEnd(13)}${oneLine(value ?? "")}\n`).join("");
}

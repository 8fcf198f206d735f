import { ImageError } from "../../image/image-error.ts";
import { pullImage } from "../../image/pull.ts";
import { loadRegistryConfig } from "../../image/registry/registry-files.ts";
import { failPull, pullReport } from "../image-progress.ts";
import { openImageStore, platformOf, policyOf } from "../image-store.ts";
import { command } from "./command.ts";

/** `rauha image pull REF`: fetches what is missing, and says how far it is. */
export const imagePull = command(async (input) => {
  const { ports, json } = input;
  const report = pullReport(ports, json);
  try {
    const policy = await policyOf(input);
    const store = await openImageStore(ports);
    const config = loadRegistryConfig(store.host.io, ports.env);
    const [name = ""] = input.operands;
    const options = { platform: platformOf(input), policy, config, env: ports.env, progress: report.tell };
    const image = await pullImage(store, name, options);
    report.end();
    if (!json) ports.write(1, `${image.reference} ${image.digest}\n`);
    return 0;
  } catch (error) {
    report.end();
    if (error instanceof ImageError) return failPull(ports, error.diagnostics, json);
    throw error;
  }
});

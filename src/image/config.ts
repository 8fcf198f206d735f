/** An image's configuration (config.md of the OCI image specification; Docker's has the same fields). */
import { isDigest } from "./digest.ts";
import { JsonField } from "./json-field.ts";
import { maxLayers } from "./manifest.ts";
import type { ImageConfig } from "./types.ts";

const maxWords = 4096;
const maxVolumes = 128;
const maxWordLength = 128 * 1024;

/** Reads a configuration and checks every field that is used. Throws an `invalid_image`. */
export function decodeConfig(bytes: Uint8Array, name: string): ImageConfig {
  const document = JsonField.parse(`configuration ${name}`, bytes);
  const run = document.get("config").absent ? new JsonField(`configuration ${name}`, {}) : document.get("config");
  const rootfs = document.get("rootfs");
  if (rootfs.get("type").value !== "layers") rootfs.get("type").fail('"layers"');
  const diffIds = rootfs
    .get("diff_ids")
    .list(maxLayers)
    .map((field) => (isDigest(field.text(256)) ? field.text(256) : field.fail("a digest")));
  return {
    os: document.get("os").optionalText(64) ?? "linux",
    architecture: document.get("architecture").optionalText(64) ?? "",
    variant: document.get("variant").optionalText(64),
    env: run.get("Env").list(maxWords).map(decodeVariable),
    entrypoint: words(run.get("Entrypoint")),
    cmd: words(run.get("Cmd")),
    workingDir: decodeWorkingDir(run.get("WorkingDir")),
    volumes: decodeVolumes(run.get("Volumes")),
    user: plainText(run.get("User"), 256),
    stopSignal: plainText(run.get("StopSignal"), 32),
    diffIds,
    labels: run.get("Labels").textRecord(maxWords),
    created: document.get("created").optionalText(64),
  };
}

function words(field: JsonField): string[] {
  return field.list(maxWords).map((word) => withoutNul(word));
}

function withoutNul(field: JsonField, most = maxWordLength): string {
  const text = field.text(most);
  return text.includes("\0") ? field.fail("a text without NUL") : text;
}

function plainText(field: JsonField, most: number): string | undefined {
  if (field.absent || field.value === "") return undefined;
  const text = withoutNul(field, most);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return /[\u0000-\u001f\u007f]/.test(text) ? field.fail("a text without control characters") : text;
}

function decodeVariable(field: JsonField): { name: string; value: string } {
  const text = withoutNul(field);
  const equals = text.indexOf("=");
  if (equals < 1) return field.fail("NAME=VALUE");
  return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** Directories that docker would mount volumes at. Their values mean nothing. */
function decodeVolumes(field: JsonField): string[] {
  if (field.absent) return [];
  const names = Object.keys(field.object());
  if (names.length > maxVolumes) return field.fail(`at most ${maxVolumes} members`, `${names.length}`);
  return names.flatMap((name) => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (name.length > 4000 || /[\u0000-\u001f\u007f]/.test(name))
      return field.fail("paths", "one of control characters");
    const parts: string[] = [];
    for (const part of name.split("/")) {
      if (part === "..") parts.pop();
      else if (part !== "" && part !== ".") parts.push(part);
    }
    return parts.length === 0 ? [] : [`/${parts.join("/")}`];
  });
}

function decodeWorkingDir(field: JsonField): string | undefined {
  const text = plainText(field, 4096);
  // Docker takes a relative one from /, and so do we.
  return text === undefined || text.startsWith("/") ? text : `/${text}`;
}

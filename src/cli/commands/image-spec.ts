import { everyFlags, everyGroups, helpOnly } from "./every-command.ts";
import type { CommandSpec, Operand } from "./spec.ts";

/** `rauha image` in words; see docs/images.md. */

const platform = {
  group: "options",
  kind: "text",
  metavar: "OS/ARCH[/VARIANT]",
  description: "Of the platforms of an image, this one",
} as const;

const policy = {
  group: "options",
  kind: "policy",
  metavar: "NAME|FILE",
  description: "What an image may hold: section [image] of a shipped policy or a TOML file",
  default: "task",
} as const;

const reference: Operand = { metavar: "REF", kind: "image", required: true };
const references: Operand = { metavar: "REF…", kind: "image", required: true, repeatable: true };
const about =
  "REF is a name as docker writes it: python:3.12, localhost:5000/tool, quay.io/org/app@sha256:… Without a tag it is `latest`.";
const failures = [
  ["0", "done"],
  ["2", "the command line must be written differently"],
  ["125", "not found, not permitted, or the registry failed; error.code tells which"],
] as const;

export const imageSpec: CommandSpec = {
  summary: "Pull, list, inspect, import and remove images",
  flags: helpOnly,
  groups: everyGroups,
  examples: [
    { line: "rauha image pull python:3.12", says: "fetch an image, verified" },
    { line: "rauha image ls", says: "what is here" },
  ],
  subcommands: {
    pull: {
      summary: "Fetch an image from its registry",
      about: [
        about,
        "Every byte is verified against its digest. What is here already is not fetched again, several pulls of one image fetch it " +
          "once, and a pull that was interrupted goes on where it was. With --json: one JSON object a line, the last one is `done` " +
          "or `failed`.",
      ],
      operands: [reference],
      flags: { platform: { ...platform, default: "this machine's" }, policy, ...everyFlags },
      groups: everyGroups,
      exitCodes: failures,
      examples: [
        { line: "rauha image pull debian:12", says: "from Docker Hub, or its mirrors in registries.toml" },
        { line: "rauha image pull --platform linux/arm64 alpine", says: "for another machine" },
      ],
    },
    ls: {
      summary: "List the images that are here",
      flags: everyFlags,
      groups: everyGroups,
      examples: [{ line: "rauha image ls --json | jq -r '.images[].reference'", says: "their names" }],
    },
    inspect: {
      summary: "Show an image's configuration and layers",
      about: [about],
      operands: [reference],
      flags: { platform, ...everyFlags },
      groups: everyGroups,
      exitCodes: failures,
      examples: [{ line: "rauha image inspect --json python:3.12 | jq .config.env", says: "its variables" }],
    },
    import: {
      summary: "Bring in an image from a file",
      about: [
        "FILE is what `docker save` or `podman save` wrote, an OCI image layout (a directory or an archive), or a tar archive of a " +
          "root file system; each plain or packed with gzip or zstd. - is standard input. REF is the image's name where FILE says none.",
      ],
      operands: [
        { metavar: "FILE", kind: "image-file", required: true },
        { metavar: "REF", kind: "image", required: false },
      ],
      flags: { platform: { ...platform, default: "this machine's" }, policy, ...everyFlags },
      groups: everyGroups,
      exitCodes: failures,
      examples: [
        { line: "docker save tool:1 | rauha image import -", says: "from docker, without a registry" },
        { line: "rauha image import rootfs.tar.zst tool:1", says: "a root file system, from debootstrap for example" },
      ],
    },
    rm: {
      summary: "Remove images, and what then no image needs",
      about: [about, "A digest (sha256:…) removes every image that has it."],
      operands: [references],
      flags: { platform: { ...platform, default: "all of them" }, ...everyFlags },
      groups: everyGroups,
      exitCodes: failures,
      examples: [{ line: "rauha image rm python:3.12", says: "layers that other images have stay" }],
    },
    prune: {
      summary: "Remove what no image needs",
      about: ["That is: what interrupted pulls left, and layers of images that a newer one of the same name replaced."],
      flags: {
        all: { group: "options", kind: "boolean", short: "a", description: "Remove the images, too" },
        ...everyFlags,
      },
      groups: everyGroups,
      examples: [{ line: "rauha image prune --all", says: "an empty store" }],
    },
  },
};

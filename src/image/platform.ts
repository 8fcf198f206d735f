/** Platforms of the OCI image index: how they are written, and which of an index's images fits one. */
import { refuse } from "./image-error.ts";
import type { Platform } from "./types.ts";

/** Other names of an architecture, and the variant that one of them implies. */
const architectures: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  x64: ["amd64"],
  i386: ["386"],
  i686: ["386"],
  ia32: ["386"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
};

/** The variant that is meant where none is written. */
const plainVariant: Readonly<Record<string, string>> = { arm: "v7", arm64: "v8", amd64: "v1" };

/** Reads `OS/ARCH[/VARIANT]`, or an architecture alone; throws an `invalid_argument`. */
export function readPlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  const [os = "", architecture = "", variant] = parts.length === 1 ? ["linux", ...parts] : parts;
  const sound = parts.length <= 3 && parts.every((part) => /^[a-z0-9][a-z0-9_.-]{0,63}$/.test(part));
  if (!sound) {
    refuse("invalid_argument", `${JSON.stringify(text)} is no platform`, "linux/amd64, linux/arm64 or linux/arm/v7");
  }
  if (os !== "linux") {
    refuse("invalid_argument", `a zone runs images for linux, not for ${os}`, `write linux/${architecture}`);
  }
  return normalPlatform({ os, architecture, variant });
}

/** This machine's, by what Node calls its processor: images are for Linux, wherever the zone's kernel runs. */
export function hostPlatform(processor: string = process.arch): Platform {
  return normalPlatform({ os: "linux", architecture: processor });
}

/** The usual names; a variant is left out where it is the plain one. */
export function normalPlatform({ os, architecture, variant }: Platform): Platform {
  const spelled = architecture.toLowerCase();
  const [name, implied] = (Object.hasOwn(architectures, spelled) ? architectures[spelled] : undefined) ?? [spelled];
  const said = variant === undefined || variant === "" ? implied : variant.toLowerCase();
  return { os: os.toLowerCase(), architecture: name, variant: said === plainVariant[name] ? undefined : said };
}

/** `linux/amd64`, `linux/arm/v6`. */
export function renderPlatform(platform: Platform): string {
  const { os, architecture, variant } = normalPlatform(platform);
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}

/** Whether two platforms are one, variant included. */
export function samePlatform(a: Platform, b: Platform): boolean {
  return renderPlatform(a) === renderPlatform(b);
}

/**
 * The candidate that fits best, the first of equals: the wanted variant, else the highest below it (`v7` of arm runs what is for
 * `v6`). Undefined where nothing fits.
 */
export function selectPlatform<T extends { readonly platform: Platform | undefined }>(
  candidates: readonly T[],
  wanted: Platform,
): T | undefined {
  const goal = normalPlatform(wanted);
  let best: { readonly candidate: T; readonly level: number } | undefined;
  for (const candidate of candidates) {
    if (candidate.platform === undefined) continue;
    const { os, architecture, variant } = normalPlatform(candidate.platform);
    if (os !== goal.os || architecture !== goal.architecture) continue;
    const level = variantLevel(architecture, variant);
    const most = variantLevel(architecture, goal.variant);
    const fits = variant === goal.variant || (level !== undefined && most !== undefined && level <= most);
    if (fits && (best === undefined || (level ?? 0) > best.level)) best = { candidate, level: level ?? 0 };
  }
  return best?.candidate;
}

/** 7 for `v7`; undefined for a variant that is no number and so has no order. */
function variantLevel(architecture: string, variant: string | undefined): number | undefined {
  const match = /^v([0-9]{1,2})$/.exec(variant ?? plainVariant[architecture] ?? "v0");
  return match === null ? undefined : Number(match[1]);
}

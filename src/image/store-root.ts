import { refuse } from "./image-error.ts";

/**
 * Where the images are: `$RAUHA_STORE`, else /var/lib/rauha/images for root and `$XDG_DATA_HOME/rauha/images` (by default below
 * ~/.local/share) for anyone else. Throws an ImageError where none of them is set.
 */
export function storeRoot(env: Readonly<Record<string, string | undefined>>, uid: number): string {
  const { RAUHA_STORE: given = "", XDG_DATA_HOME: data = "", HOME: home = "" } = env;
  if (given !== "") return given.startsWith("/") ? trimmed(given) : badStore(given);
  if (uid === 0) return "/var/lib/rauha/images";
  if (data.startsWith("/")) return `${trimmed(data)}/rauha/images`;
  if (home.startsWith("/")) return `${trimmed(home)}/.local/share/rauha/images`;
  return refuse("invalid_argument", "there is no place for images: HOME is not set", "set HOME, or RAUHA_STORE=/DIR");
}

function badStore(given: string): never {
  refuse("invalid_argument", `RAUHA_STORE is ${JSON.stringify(given)}; expected an absolute path`, "RAUHA_STORE=/DIR");
}

function trimmed(path: string): string {
  return path === "/" ? path : path.replace(/\/+$/, "");
}

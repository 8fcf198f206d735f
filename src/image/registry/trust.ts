/** Which certificates are trusted: the system's, as for every other program here, and a registry's own. */
import { readFileSync } from "node:fs";
import { refuse } from "../image-error.ts";
import { errnoOf } from "../store/layout.ts";

/** Where Debian, Fedora, Alpine and openSUSE keep them. */
const bundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
  "/etc/ssl/ca-bundle.pem",
];

const known = new Map<string, string | undefined>();

/**
 * The certificates in PEM: of `$SSL_CERT_FILE`, else of the system's bundle, and of a file that the settings name. Undefined where
 * there is neither: then the runtime's own list holds. Throws when a file that was named can't be read.
 */
export function trustedCertificates(
  ca: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string[] | undefined {
  const named = env["SSL_CERT_FILE"] ?? "";
  const system = named !== "" ? required(named, "SSL_CERT_FILE") : bundles.map(read).find((text) => text !== undefined);
  const own = ca === undefined ? undefined : required(ca, "ca in registries.toml");
  const all = [system, own].filter((text) => text !== undefined);
  return all.length === 0 ? undefined : all;
}

function required(path: string, who: string): string {
  return read(path) ?? refuse("not_found", `${who} names ${path}, which can't be read`);
}

function read(path: string): string | undefined {
  if (!known.has(path)) known.set(path, readOrNothing(path));
  return known.get(path);
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

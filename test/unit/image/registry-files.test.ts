import { describe, expect, test } from "bun:test";
import { ImageError } from "../../../src/image/image-error.ts";
import { loadRegistryConfig } from "../../../src/image/registry/registry-files.ts";
import { registryFiles } from "../../../src/image/registry/registry-paths.ts";

/** Files by path; a value that begins with ! is why one can't be read. */
function files(content: Readonly<Record<string, string>>) {
  return {
    readText: (path: string) => {
      const found = content[path];
      if (found === undefined) return { problem: "ENOENT" };
      return found.startsWith("!") ? { problem: found.slice(1) } : { text: found };
    },
  };
}

const system = "/etc/rauha/registries.toml";
const own = "/h/.config/rauha/registries.toml";
const env = { HOME: "/h" };

describe("registries.toml of the system and of the user", () => {
  test("are where they should be", () => {
    expect(registryFiles(env)).toEqual([system, own]);
    expect(registryFiles({ HOME: "/h", XDG_CONFIG_HOME: "/c" })).toEqual([system, "/c/rauha/registries.toml"]);
    // A relative path is nobody's: it would depend on where rauha is started.
    expect(registryFiles({ HOME: "h", XDG_CONFIG_HOME: "c" })).toEqual([system]);
  });

  test("need not be there", () => {
    expect(loadRegistryConfig(files({}), env)).toMatchObject({ timeoutMs: 30_000, retries: 5, parallel: 4 });
  });

  test("hold together, the user's over the system's, a registry as a whole", () => {
    const sound = files({
      [system]:
        'retries = 1\ntimeout = "9s"\n[registry."a.example"]\ninsecure = true\n[registry."b.example"]\ninsecure = true\n',
      [own]: 'retries = 2\n[registry."b.example"]\nca = "/u.pem"\n',
    });
    const config = loadRegistryConfig(sound, env);
    expect(config).toMatchObject({ retries: 2, timeoutMs: 9000 });
    expect(config.registries.get("a.example")).toMatchObject({ insecure: true });
    expect(config.registries.get("b.example")).toEqual({ mirrors: [], insecure: false, ca: "/u.pem" });
  });

  test("with mistakes in both are refused with all of them", () => {
    const io = files({ [system]: "x = 1\n", [own]: "retries = -1\nparallel = 99\n" });
    try {
      loadRegistryConfig(io, env);
      throw new Error("taken");
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      const places = error.diagnostics.map(({ origin }) =>
        origin?.kind === "policy" ? `${origin.file}:${origin.line}` : "",
      );
      expect(places).toEqual([`${system}:1`, `${own}:1`, `${own}:2`]);
    }
  });

  test.each([
    ["!EACCES", "permission"],
    ["!larger than 65536 bytes", "invalid_config"],
    ["!EISDIR", "invalid_config"],
  ])("that can't be read (%s) are %s, not passed over", (problem, code) => {
    try {
      loadRegistryConfig(files({ [own]: problem }), env);
      throw new Error("taken");
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      expect(error.diagnostic.code).toBe(code as never);
    }
  });
});

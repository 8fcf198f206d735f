/**
 * Lists of domains that `allowed_domains` and `denied_domains` name as `@npm` and the like: what the package manager of
 * that name contacts with its default configuration to fetch packages, or a client of that forge to fetch and push.
 */
export const domainPresets: Readonly<Record<string, readonly string[]>> = {
  npm: ["registry.npmjs.org"],
  pypi: ["pypi.org", "files.pythonhosted.org"],
  crates: ["crates.io", "index.crates.io", "static.crates.io"],
  go: ["proxy.golang.org", "sum.golang.org"],
  debian: ["deb.debian.org", "security.debian.org"],
  ubuntu: ["archive.ubuntu.com", "security.ubuntu.com", "ports.ubuntu.com"],
  alpine: ["dl-cdn.alpinelinux.org"],
  github: [
    "github.com",
    "api.github.com",
    "codeload.github.com",
    "raw.githubusercontent.com",
    "objects.githubusercontent.com",
    "release-assets.githubusercontent.com",
  ],
  gitlab: ["gitlab.com"],
  rubygems: ["rubygems.org", "index.rubygems.org"],
  maven: ["repo.maven.apache.org", "repo1.maven.org"],
};

export const domainPresetNames: readonly string[] = Object.keys(domainPresets);

/** The patterns with every `@name` replaced by its domains. */
export function expandDomains(patterns: readonly string[]): string[] {
  return patterns.flatMap((pattern) => (pattern.startsWith("@") ? (domainPresets[pattern.slice(1)] ?? []) : [pattern]));
}

/** /etc/rauha/registries.toml, and registries.toml in `$XDG_CONFIG_HOME/rauha` (by default ~/.config/rauha). */
export function registryFiles(env: Readonly<Record<string, string | undefined>>): string[] {
  const { XDG_CONFIG_HOME: config, HOME: home } = env;
  const own = config?.startsWith("/") ? config : home?.startsWith("/") ? `${home}/.config` : undefined;
  return ["/etc/rauha/registries.toml", ...(own === undefined ? [] : [`${own}/rauha/registries.toml`])];
}

/** A file of settings is read up to this size. */
export const registryFileBytes = 64 << 10;

/** Made by scripts/build.ts: types hold without a build. */
declare module "*/build-info.json" {
  export const version: string;
  export const commit: string;
  export const launcherSha256: string;
}

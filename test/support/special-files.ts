/** Files of other kinds than node:fs can make. */

export function mkfifoSync(path: string): void {
  const { exitCode, stderr } = Bun.spawnSync(["mkfifo", path]);
  if (exitCode !== 0) throw new Error(`mkfifo ${path}: ${stderr.toString()}`);
}

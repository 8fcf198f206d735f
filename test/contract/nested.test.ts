import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { RAUHA } from "../support/rauha.ts";

/** Runs a shell script in namespaces of its own, as root there. */
async function inNamespaces(flags: readonly string[], script: string): Promise<{ exitCode: number; stderr: string }> {
  const command = ["unshare", ...flags, "--pid", "--fork", "--mount", "--mount-proc", "sh", "-c", script];
  const child = Bun.spawn(command, { env: { ...process.env, RAUHA }, stdio: ["ignore", "ignore", "pipe"] });
  const stderr = await child.stderr.text();
  return { exitCode: await child.exited, stderr };
}

const canForbidMemfds = process.getuid?.() === 0 && existsSync("/proc/sys/vm/memfd_noexec");

test("root of a user namespace, as in a rootless container, gets a zone like any other user", async () => {
  const { exitCode, stderr } = await inNamespaces(["--user", "--map-root-user"], '"$RAUHA" sandbox -- sh -c "exit 9"');
  expect(stderr).toContain("root here may not map other ids");
  expect(exitCode).toBe(9);
});

// Of an op that was encoded when Rauha was built, a start knows nothing but the bytes.
test("what fails within the part of the plan that was ready is still told by its purpose and its origin", async () => {
  const script = 'mount -t tmpfs none /dev && : >/dev/null && "$RAUHA" sandbox -- true';
  const { exitCode, stderr } = await inNamespaces(["--user", "--map-root-user"], script);
  expect(exitCode).toBe(125);
  expect(stderr).toContain("zone (devices): device /dev/zero: openat2: no such file or directory (ENOENT)");
});

// vm.memfd_noexec belongs to the pid namespace: nothing outside of it changes.
test.skipIf(!canForbidMemfds)(
  "a host that forbids executable memfds runs the launcher from an unlinked file",
  async () => {
    const script =
      'echo 2 >/proc/sys/vm/memfd_noexec && "$RAUHA" sandbox -- sh -c "exit 9"; code=$?; ls -A /dev/shm >&2; exit $code';
    const { exitCode, stderr } = await inNamespaces([], script);
    expect(exitCode).toBe(9);
    expect(stderr).not.toContain("launcher");
  },
);

test.skipIf(!canForbidMemfds)(
  "a host that forbids executable memfds and mounts /dev/shm noexec runs it from elsewhere",
  async () => {
    const script =
      'unset XDG_RUNTIME_DIR; echo 2 >/proc/sys/vm/memfd_noexec && mount -t tmpfs -o noexec none /dev/shm && "$RAUHA" sandbox -- sh -c "exit 9"';
    expect(await inNamespaces([], script)).toMatchObject({ exitCode: 9 });
  },
);

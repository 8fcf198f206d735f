/** The stage of the demonstration: things on the host that are worth attacking, and ways to see from outside what became of them. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "bun";

export interface Stage {
  /** A home with an ssh key in it. */
  readonly home: string;
  readonly key: string;
  /** A value that stands in the caller's environment. */
  readonly secret: string;
  /** A file that the caller has open, as a number to pass on. */
  readonly openFile: number;
  /** Where the task will try to plant a program. */
  readonly planted: string;
  /** A project, and whether its files are what they were. */
  readonly project: string;
  readonly isProjectWhole: () => boolean;
  /** A process that the task will try to kill, and a word in its command line. */
  readonly victim: number;
  readonly victimMarker: string;
  readonly port: number;
  readonly isVictimAlive: () => boolean;
  readonly connections: () => number;
  readonly close: () => void;
}

/** Sets everything up; `close` takes it away. */
export function openStage(): Stage {
  const home = mkdtempSync(join(tmpdir(), "rauha-demo-"));
  const word = (): string => crypto.randomUUID().slice(0, 13);
  const [key, secret, victimMarker] = [`key-${word()}`, `secret-${word()}`, `demo-victim-${word()}`];
  mkdirSync(join(home, ".ssh"), { mode: 0o700 });
  writeFileSync(join(home, ".ssh", "id_demo"), `${key}\n`, { mode: 0o600 });
  writeFileSync(join(home, "open-file"), "read from the caller's open file\n");

  const project = join(home, "project");
  mkdirSync(join(project, "src"), { recursive: true });
  writeFileSync(join(project, "notes.txt"), `${key}\n`);
  writeFileSync(join(project, "src", "main.c"), "int main(void) { return 0; }\n");
  const isProjectWhole = (): boolean =>
    readdirSync(project).sort().join(" ") === "notes.txt src" &&
    existsSync(join(project, "src", "main.c")) &&
    readFileSync(join(project, "notes.txt"), "utf8") === `${key}\n`;

  const victim = spawn(["bash", "-c", `exec -a ${victimMarker} sleep 600`], { stdio: ["ignore", "ignore", "ignore"] });
  let connections = 0;
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: () => void connections++, data: () => undefined },
  });
  const openFile = openSync(join(home, "open-file"), "r");
  const planted = `/usr/demo-planted-${process.pid}`;
  return {
    home,
    key,
    secret,
    openFile,
    planted,
    project,
    isProjectWhole,
    victim: victim.pid,
    victimMarker,
    port: server.port,
    isVictimAlive: () => victim.exitCode === null && victim.signalCode === null && existsSync(`/proc/${victim.pid}`),
    connections: () => connections,
    close: () => {
      server.stop(true);
      victim.kill("SIGKILL");
      closeSync(openFile);
      rmSync(home, { recursive: true, force: true });
      rmSync(planted, { force: true });
    },
  };
}

/** How many processes of this machine have this text in their command line. */
export function countProcesses(text: string): number {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => commandLine(pid).includes(text)).length;
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

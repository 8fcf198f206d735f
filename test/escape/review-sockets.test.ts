/** A socket stays in the network it was made in, whoever holds it: one of the host's would lead a task out of its own network. */
import { describe, expect } from "bun:test";
import { hasProgram, needs } from "../support/identity.ts";
import { callerEnvironment, parseResult, RAUHA } from "../support/rauha.ts";

describe("a caller whose streams are a TCP connection", () => {
  /** Runs rauha with the connection as descriptor 3; bash alone among shells can make one. */
  async function connected(script: string): Promise<{ stdout: string; received: string }> {
    let received = "";
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => void socket.write("word\n"),
        data: (_, bytes) => {
          received += bytes.toString();
        },
      },
    });
    try {
      const words = `exec 3<>/dev/tcp/127.0.0.1/${server.port} && exec "$0" sandbox ${script}`;
      const child = Bun.spawn(["bash", "-c", words, RAUHA], {
        cwd: "/",
        env: callerEnvironment(),
        stdio: ["ignore", "pipe", "pipe"],
      });
      const stdout = await child.stdout.text();
      await child.exited;
      await Bun.sleep(50);
      return { stdout, received };
    } finally {
      server.stop(true);
    }
  }

  const look = `sh -c 'read line; echo "$line"; readlink /proc/self/fd/0 /proc/self/fd/1'`;

  needs("bash", hasProgram("bash"))("gives the task what comes from it, and not the socket", async () => {
    const { stdout } = await connected(`--json -- ${look} <&3`);
    expect(parseResult(stdout).stdout).toMatch(/^word\npipe:/);
  });

  needs("bash", hasProgram("bash"))("gets the task's output, and the task not the socket", async () => {
    const { received } = await connected(`--stream -- ${look} <&3 >&3`);
    expect(received).toMatch(/^word\npipe:\S+\npipe:\S+\n$/);
  });
});

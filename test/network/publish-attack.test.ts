/** --publish in network mode filtered gives the task nothing, takes nobody's port, and is refused where it can't be as asked. */
import { describe, expect, test } from "bun:test";
import { makeFolder } from "../support/folders.ts";
import { sandbox } from "../support/rauha.ts";
import { converse, counting, filtered, freePort, publishing } from "./publishing.ts";

describe("a published port is no way out", () => {
  test("the task has none of the sockets, and the host's port is not in its network", async () => {
    const port = await freePort();
    const script = `
import os, socket
print([fd for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd) and os.readlink("/proc/self/fd/" + fd).startswith("socket")])
print(len(open("/proc/net/tcp").readlines()))
for place in (("127.0.0.1", ${port}), ("192.0.2.1", 80)):
  try:
    s = socket.create_connection(place, 20); s.sendall(b"x" * 20000); print(s.recv(1))
  except OSError as e: print(type(e).__name__)`;
    const run = await sandbox([...filtered, "--publish", `${port}:7000`], ["python3", "-c", script]);
    // One line of headings, and the gateway's listener.
    expect(run.result.stdout).toBe("[]\n2\nConnectionRefusedError\nConnectionResetError\n");
  });

  test("a port of another's is refused before the task starts", async () => {
    const zone = await publishing(counting);
    const folder = makeFolder("marks");
    const flags = [...filtered, "--rw-bind", `${folder}:/marks`, "--publish", `${await freePort()}:80`];
    const run = await sandbox([...flags, "--publish", `${zone.port}:80`], ["touch", "/marks/ran"]);
    expect(run.exitCode).toBe(125);
    expect(run.result.error).toMatchObject({
      code: "setup_failed",
      origin: "--publish",
      message: expect.stringContaining(`--publish 127.0.0.1:${zone.port}:80: the port is in use on the host`),
    });
    expect(await Bun.file(`${folder}/ran`).exists()).toBe(false);
    expect((await sandbox(flags, ["touch", "/marks/ran"])).exitCode).toBe(0);
    expect(await Bun.file(`${folder}/ran`).exists()).toBe(true);
    // The neighbour goes on.
    expect(await converse(zone.port, "still")).toEqual({ text: "5 still" });
    await zone.end();
  });

  test.each([
    [["--publish", "80"], "is not [IP:]PORT:PORT"],
    [["--publish", "0:80"], "is not [IP:]PORT:PORT"],
    [["--publish", "8080:65536"], "a port is from 1 to 65535"],
    [["--publish", "localhost:8080:80"], "is not an IPv4 address"],
    [["--publish", "8080:53"], "that of Rauha's name service"],
    [["--publish", "8080:5432", "--allow-egress", "127.0.0.0/8:5000-6000"], "127.0.0.1:5432 is the host's"],
    [Array.from({ length: 17 }, (_, index) => ["--publish", `${18000 + index}:80`]).flat(), "given 17 times"],
  ])("%p is refused with a hint", async (flags, message) => {
    const run = await sandbox([...filtered, ...flags], ["true"]);
    expect(run.exitCode).toBe(2);
    expect(run.result.error).toMatchObject({ message: expect.stringContaining(message), hint: expect.any(String) });
  });
});

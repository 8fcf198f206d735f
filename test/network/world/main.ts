/**
 * The world of the tests: an internet of its own, in network and mount namespaces of its own, and in it the host on which Rauha runs. Started
 * by `world.ts` through unshare(1); talks with it over a unix socket.
 */
import { writeFileSync } from "node:fs";
import { asked, serveDns } from "./dns-server.ts";
import { addresses } from "./names.ts";
import { seen, serveAll } from "./servers.ts";

const [folder = "", nested = ""] = process.argv.slice(2);

function must(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

must("ip", "link", "set", "lo", "up");
for (const address of addresses)
  must("ip", "address", "add", address, "dev", "lo", ...(address.includes(":") ? ["nodad"] : []));
must("ip", "route", "add", "default", "dev", "lo");
must("ip", "-6", "route", "add", "unreachable", "2001:db8:dead::/48");
writeFileSync(`${folder}/resolv.conf`, "nameserver 127.0.0.1\n");
must("mount", "--bind", `${folder}/resolv.conf`, "/etc/resolv.conf");
await serveDns();
await serveAll(`${folder}/certificates`);

interface Order {
  readonly argv: readonly string[];
  readonly env?: Record<string, string>;
  readonly stdin?: string;
}

async function run({ argv, env, stdin }: Order): Promise<Response> {
  const child = Bun.spawn([...nested.split(" ").filter(Boolean), ...argv], {
    cwd: "/",
    env: env ?? {},
    stdin: stdin === undefined ? "ignore" : new TextEncoder().encode(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return Response.json({ exitCode: await child.exited, stdout, stderr });
}

Bun.serve({
  unix: `${folder}/control`,
  fetch: async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/run") return run((await request.json()) as Order);
    if (pathname === "/seen") return Response.json({ seen, asked });
    if (pathname === "/forget") {
      seen.length = 0;
      asked.length = 0;
    }
    return new Response("ok");
  },
});
console.log("ready");
// Ends with the test that holds the other end of stdin.
for await (const _ of Bun.stdin.stream());
process.exit(0);

/**
 * What a filtered zone's way out costs: a bulk transfer through the gateway beside one over loopback without it, and what the gateway's
 * memory does meanwhile. The server, its client and the gateway share the machine's processors, as they do in use.
 *
 *   bun bench/network.ts [GIBIBYTES]     (default 2)
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCCompiler } from "../scripts/build/c-compiler.ts";

const SOURCE = `
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
static char buffer[1 << 18];
static double now(void) { struct timeval t; gettimeofday(&t, 0); return (double)t.tv_sec + (double)t.tv_usec / 1e6; }
/* serve PORT: sends what the first eight bytes ask for. fetch ADDRESS PORT BYTES: takes it, and says MB/s. */
int main(int argc, char **argv)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	if (argc > 2 && strcmp(argv[1], "serve") == 0) {
		at.sin_port = htons((unsigned short)atoi(argv[2]));
		at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(fd, (void *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0) return 1;
		socklen_t size = sizeof(at);
		getsockname(fd, (void *)&at, &size);
		printf("%d\\n", ntohs(at.sin_port));
		fflush(stdout);
		for (;;) {
			long long left = 0;
			int client = accept(fd, 0, 0);
			if (read(client, &left, 8) == 8)
				while (left > 0) {
					ssize_t sent = write(client, buffer, left < (long long)sizeof(buffer) ? (size_t)left : sizeof(buffer));
					if (sent <= 0) break;
					left -= sent;
				}
			close(client);
		}
	}
	if (argc < 5) return 2;
	long long bytes = atoll(argv[4]), total = 0;
	at.sin_port = htons((unsigned short)atoi(argv[3]));
	inet_pton(AF_INET, argv[2], &at.sin_addr);
	if (connect(fd, (void *)&at, sizeof(at)) < 0 || write(fd, &bytes, 8) != 8) return 1;
	double start = now();
	for (ssize_t got; (got = read(fd, buffer, sizeof(buffer))) > 0;) total += got;
	printf("%.0f %d\\n", (double)total / 1e6 / (now() - start), total == bytes);
	return total == bytes ? 0 : 1;
}
`;

const bytes = Math.round(Number(process.argv[2] ?? 2) * 1024 ** 3);
const rauha = new URL("../dist/rauha", import.meta.url).pathname;
if (!existsSync(rauha)) throw new Error("dist/rauha is missing: make build");
const folder = mkdtempSync(join(tmpdir(), "rauha-bench-net-"));
const program = join(folder, "bulk");

function compile(): void {
  writeFileSync(join(folder, "bulk.c"), SOURCE);
  const { command, flags, before, after } = findCCompiler();
  const words = [command, "-O2", ...flags, ...before, join(folder, "bulk.c"), ...after, "-o", program];
  const { exitCode, stderr } = Bun.spawnSync(words, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(stderr.toString());
}

/** The gateway among the children of a process. */
function gatewayOf(parent: number): number | undefined {
  const children = read(`/proc/${parent}/task/${parent}/children`).split(" ").filter(Boolean).map(Number);
  return children.find((pid) => read(`/proc/${pid}/comm`).trim() === "rauha-gateway");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Processor time of a process so far, in seconds. */
function processorTime(pid: number): number {
  const [user = "0", system = "0"] = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ")
    .slice(11, 13);
  return (Number(user) + Number(system)) / 100;
}

interface Fetched {
  readonly rate: number;
  readonly resident: readonly number[];
  readonly gatewaySeconds: number;
}

async function fetchOnce(command: readonly string[]): Promise<Fetched> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "ignore" });
  const resident: number[] = [];
  let gatewaySeconds = 0;
  const watch = setInterval(() => {
    const gateway = gatewayOf(child.pid);
    if (gateway === undefined) return;
    resident.push(Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${gateway}/status`))?.[1] ?? 0));
    gatewaySeconds = Math.max(gatewaySeconds, processorTime(gateway));
  }, 20);
  const output = await child.stdout.text();
  clearInterval(watch);
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${output}`);
  return { rate: Number(output.trim().split(" ")[0]), resident: resident.filter((size) => size > 0), gatewaySeconds };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

compile();
const server = Bun.spawn([program, "serve", "0"], { stdout: "pipe" });
try {
  const reader = server.stdout.getReader();
  const port = new TextDecoder().decode((await reader.read()).value).trim();
  // Loopback of the host, listed: the same server for both.
  const flags = [
    "--network",
    "filtered",
    "--allow-egress",
    `127.0.0.1:${port}`,
    "--ro-bind",
    `${program}:/bulk`,
    "--no-json",
  ];
  const direct: number[] = [];
  const filtered: number[] = [];
  const resident: number[] = [];
  const serving: number[] = [];
  const passing: number[] = [];
  for (let round = 0; round < 5; round++) {
    const before = processorTime(server.pid);
    direct.push((await fetchOnce([program, "fetch", "127.0.0.1", port, String(bytes)])).rate);
    serving.push(processorTime(server.pid) - before);
    const fetching = ["/bulk", "fetch", "127.0.0.1", port, String(bytes)];
    const through = await fetchOnce([rauha, "sandbox", ...flags, "--", ...fetching]);
    filtered.push(through.rate);
    resident.push(...through.resident);
    passing.push(through.gatewaySeconds);
  }
  const size = bytes / 1024 ** 3;
  const ratio = median(filtered) / median(direct);
  console.log(
    `bulk transfer of ${size.toFixed(1)} GiB, medians of 5, MB/s: direct ${median(direct)}, filtered ${median(filtered)}`,
  );
  console.log(`filtered / direct: ${ratio.toFixed(2)} (budget 0.5)`);
  const each = (seconds: readonly number[]): string => (median(seconds) / size).toFixed(3);
  console.log(`processor time for each GiB, s: the server alone ${each(serving)}, the gateway ${each(passing)}`);
  console.log(`gateway, resident: ${Math.min(...resident)} to ${Math.max(...resident)} KiB while it ran`);
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}

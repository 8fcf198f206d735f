import { expect, test } from "bun:test";
import { mistakesIn, placesIn } from "./reading.ts";

const everything = `# Nothing is right here.
extends = "tsk"
nam = 1

[zone]
type = "nonglobal"
[resource]
memory_limit = "4Gi"
[resources]
memory_limit = "4 GB"
pids_max = "512"
walltime = "1h"
[network]
mode = "bridged"
allowed_domains = ["example.com"]
allowed_egress = [
  "0.0.0.0/0:443", # [
  "10.0.0.5/8:443",
]
[filesystem]
readable_paths = ["/etc/ssl/../shadow", "/home/me"]
denied_paths = ["/home"]
[capabilities]
allowed = ["chown", "CAP_NET_BIND", "ALL"]
[env]
set = { "A B" = "x", C = 1 }
pass = ["LC_*"]
[syscalls]
deny = ["ptrace"]
allow = ["ptrace"]
`;

test("all mistakes of a file are told at once, in the order of the file, each with its place", () => {
  expect(placesIn(everything)).toEqual([
    "p.toml:2:11 extends",
    "p.toml:3:1 nam",
    "p.toml:6:8 zone.type",
    "p.toml:7:2 resource",
    "p.toml:10:16 resources.memory_limit",
    "p.toml:11:12 resources.pids_max",
    "p.toml:12:1 resources.walltime",
    "p.toml:15:19 network.allowed_domains",
    "p.toml:18:3 network.allowed_egress[1]",
    "p.toml:21:19 filesystem.readable_paths[0]",
    "p.toml:21:41 filesystem.readable_paths[1]",
    "p.toml:24:12 capabilities.allowed[0]",
    "p.toml:24:21 capabilities.allowed[1]",
    "p.toml:24:37 capabilities.allowed[2]",
    'p.toml:26:9 env.set."A B"',
    "p.toml:26:26 env.set.C",
    "p.toml:27:9 env.pass[0]",
    "p.toml:30:10 syscalls.allow[0]",
  ]);
});

test("every element of a list has its say", () => {
  const names = Array.from({ length: 500 }, (_, i) => `  "${i}-x",`).join("\n");
  const mistakes = mistakesIn(`[env]\npass = [\n${names}\n]`);
  expect(mistakes).toHaveLength(500);
  expect(mistakes[499]).toStartWith('p.toml:502:3 env.pass[499]: "499-x" is not');
});

test("thousands of unknown keys are all told, in a moment", () => {
  const text = Array.from({ length: 8000 }, (_, i) => `k${i}=1`).join("\n");
  const start = performance.now();
  expect(mistakesIn(text)).toHaveLength(8000);
  expect(performance.now() - start).toBeLessThan(5000);
});

test("mistakes in every file of a chain are told, the asked one's first", () => {
  const files = { "./a.toml": 'extends = "./b.toml"\nx = 1', "./b.toml": 'extends = "nothing"\n[zone]\ntype = 1' };
  expect(placesIn('y = 1\nextends = "./a.toml"', files)).toEqual([
    "p.toml:1:1 y",
    "./a.toml:2:1 x",
    "./b.toml:1:11 extends",
    "./b.toml:3:8 zone.type",
  ]);
});

test("a file that is no TOML does not hide the mistakes of the others", () => {
  expect(placesIn('y = 1\nextends = "./a.toml"', { "./a.toml": "?" })).toEqual(["p.toml:1:1 y", "./a.toml:1:1"]);
});

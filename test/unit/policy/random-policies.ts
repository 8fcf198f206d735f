import { capabilityNames } from "../../../src/run/capabilities.ts";
import type { Random } from "./random.ts";

/** Random policies without mistakes, as TOML. */
export function randomPolicy(random: Random): string {
  const mode = random.pick(["none", "isolated", "filtered", "bridged"] as const);
  const maybe = (key: string, value: () => string): string[] => (random.chance(0.5) ? [`${key} = ${value()}`] : []);
  const list = (make: () => string) =>
    `[${random.list(4, () => JSON.stringify(make())).join(random.pick([", ", ",\n  "]))}]`;
  const number = (min: number, max: number) => () => String(random.int(min, max));
  const size = (minMi: number) => () => {
    const mebibytes = random.int(minMi, 4096);
    return random.pick([
      `"${mebibytes}Mi"`,
      `"${mebibytes}m"`,
      String(mebibytes * 1024 ** 2 + random.int(0, 5)),
      `"1.${random.int(0, 9)}Gi"`,
    ]);
  };
  const duration = () =>
    random.pick([`"${random.int(1, 90)}m"`, `"1h${random.int(1, 59)}m"`, String(random.int(1, 9999)), `"2d"`]);
  const path = (root: string) => () =>
    `/${root}/${random.pick(["a", "b c", "é", "'q'", '"', "\\x", "#"])}${random.int(0, 9)}`;
  const name = () => random.pick(["db", "web-1", "A.b_c"]);
  const variable = () => `${random.pick(["LANG", "_x", "HTTP"])}${random.int(0, 99)}`;
  const cidr = () => random.pick(["0.0.0.0/0:443", "10.1.2.3:*", "[::/0]:80-90", "[2001:db8::1]:22"]);
  const domain = () => random.pick(["example.org", "*.A.example", "@npm", "*"]);
  const sections: [string, string[]][] = [
    ["zone", [...maybe("name", () => `"${name()}"`), ...maybe("type", () => '"non-global"')]],
    ["capabilities", maybe("allowed", () => list(() => random.pick(capabilityNames)))],
    [
      "resources",
      [
        ...maybe("cpu_shares", number(2, 262_144)),
        ...maybe("cpus", () => random.pick(["2", "0.5", "1.25"])),
        ...maybe("memory_limit", size(6)),
        ...maybe("io_weight", number(1, 10_000)),
        ...maybe("pids_max", number(2, 4_194_304)),
      ],
    ],
    [
      "limits",
      [
        ...maybe("walltime", () => random.pick([duration(), "0", '"1500ms"', "0.75", `"${random.int(1, 99_999)}ms"`])),
        ...maybe("cpu", duration),
        ...maybe("as", size(16)),
        ...maybe("fsize", size(0)),
        ...maybe("nofile", number(32, 1 << 20)),
        ...maybe("core", () => random.pick(["0", '"unlimited"', '"1K"'])),
      ],
    ],
    [
      "network",
      [
        `mode = "${mode}"`,
        ...maybe("allowed_zones", () => list(name)),
        ...(mode === "filtered"
          ? [...maybe("allowed_domains", () => list(domain)), ...maybe("allowed_egress", () => list(cidr))]
          : []),
        ...(mode === "bridged"
          ? [...maybe("allowed_ingress", () => list(cidr)), ...maybe("allowed_egress", () => list(cidr))]
          : []),
      ],
    ],
    [
      "filesystem",
      [
        ...maybe("root", () => random.pick(['"host"', '"empty"', '"image"'])),
        ...maybe("readable_paths", () => list(path("r"))),
        ...maybe("writable_paths", () => list(path("w"))),
        ...maybe("denied_paths", () => list(path("d"))),
        ...maybe("allowed_sockets", () => list(path("s"))),
        ...maybe("shared_layers", () => random.pick(["true", "false"])),
        ...maybe("tmp_size", size(1)),
        ...maybe("tmp_inodes", number(1024, 1 << 20)),
      ],
    ],
    [
      "image",
      [
        ...maybe("layer_size", size(1)),
        ...maybe("layer_entries", number(1, 1 << 20)),
        ...maybe("layer_ratio", number(1, 1000)),
      ],
    ],
    ["devices", maybe("allowed", () => list(() => `/dev/${random.pick(["null", "dri/card0", "fuse"])}`))],
    [
      "syscalls",
      [
        ...maybe("profile", () => random.pick(['"default"', '"/opt/p.json"', '"./p.json"'])),
        ...maybe("deny", () => list(() => random.pick(["ptrace", "mount"]))),
        ...maybe("allow", () => list(() => random.pick(["clone3", "bpf"]))),
      ],
    ],
    [
      "env",
      [
        ...maybe("pass", () => list(variable)),
        ...random
          .list(3, () => random.int(0, 1e9))
          .map((id) => `set.V${id} = ${JSON.stringify(random.pick(["", "x y", "é\n\t\"'\\", "\u2028😀", "a=b"]))}`),
      ],
    ],
    ["enforcement", maybe("require", () => random.pick(['"any"', '"landlock"', '"bpf-lsm"']))],
  ];
  const base = random.chance(0.4) ? `extends = "${random.pick(["task", "strict", "standard", "build"])}"\n` : "";
  return (
    base +
    random
      .some(sections, 0.8)
      .map(([section, keys]) => `[${section}]\n${keys.join("\n")}\n`)
      .join("\n")
  );
}

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { domainPresetNames } from "../../../src/run/policy/domain-presets.ts";
import { policyKeys } from "../../../src/run/policy/key-table.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import { formatSize } from "../../../src/run/units.ts";
import { mistakesIn, policyOf } from "./reading.ts";

const page = readFileSync(join(import.meta.dir, "../../../docs/policy.md"), "utf8");
/** What stands in the page's section of this heading. */
const chapter = (heading: string): string => page.split(`\n### \`[${heading}]\`\n`)[1]?.split(/\n##/)[0] ?? "";

describe("the page about policies", () => {
  test.each([...policyKeys])("has a line for each key of [%s], and for nothing else", (section, keys) => {
    const rows = [...chapter(section).matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, key]) => key ?? "");
    const modes = ["none", "filtered", "bridged", "host"];
    expect(rows.filter((key) => !modes.includes(key)).toSorted()).toEqual([...keys].toSorted());
  });

  test("has examples that are right", () => {
    const examples = [...page.matchAll(/```toml\n(.*?)```/gs)].map(([, text]) => text ?? "");
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(mistakesIn(example)).toEqual([]);
  });

  test("tells the defaults as they are", () => {
    const { filesystem, image, zone, network, enforcement, syscalls } = policyOf("");
    for (const [section, key, value] of [
      ["zone", "type", zone.type],
      ["network", "mode", network.mode],
      ["filesystem", "root", filesystem.root],
      ["filesystem", "tmp_size", formatSize(filesystem.tmpSizeBytes)],
      ["filesystem", "tmp_inodes", String(filesystem.tmpInodes)],
      ["image", "layer_size", formatSize(image.layerSizeBytes)],
      ["image", "layer_entries", String(image.layerEntries)],
      ["image", "layer_ratio", String(image.layerRatio)],
      ["syscalls", "profile", syscalls.profile],
      ["enforcement", "require", enforcement.require],
    ] as const) {
      const row = new RegExp(`^\\| \`${key}\` \\|.*$`, "m").exec(chapter(section))?.[0] ?? "";
      expect(row.split(" | ")[2]?.replaceAll(/["`]/g, "")).toBe(value);
    }
  });

  test("tells of each shipped policy what it is", () => {
    for (const { name, resources, limits, filesystem } of Object.values(shippedPolicies)) {
      const row = new RegExp(`^\\| \`${name}\` \\|.*$`, "m").exec(page)?.[0] ?? "";
      const columns = row.split("|").map((column) => column.trim());
      const time = limits.walltimeMs === 0 ? "–" : `${limits.walltimeMs / 3_600_000}h`;
      expect(columns.slice(5, 10)).toEqual([
        formatSize(resources.memoryLimitBytes ?? 0),
        String(resources.pidsMax),
        String(limits.nofile),
        formatSize(filesystem.tmpSizeBytes),
        time,
      ]);
    }
  });

  test("shows mistakes as they are told", () => {
    const text = [
      "[resources]\nmemmory_limit = 1\n",
      '[capabilities]\nallowed = ["chown"]\n[network]\nmode = "bridged"',
      'allowed_domains = ["a"]',
    ].join("\n");
    const shown = [...page.matchAll(/^rauha: ci\.toml:(.*)\n {2}hint: (.*)$/gm)].map(
      ([, what, hint]) => `${what} (${hint})`,
    );
    expect(mistakesIn(text).map((line) => line.replace("p.toml:", ""))).toEqual(shown);
  });

  test("names every list of domains", () => {
    for (const name of domainPresetNames) expect(page).toContain(`\`"@${name}"\``);
  });

  test("points to what is there", () => {
    for (const [, target] of page.matchAll(/\]\(([^)#]+)\)/g)) {
      // Written with the mechanisms it describes.
      if (target === "enforcement.md") continue;
      expect(existsSync(join(import.meta.dir, "../../../docs", target ?? ""))).toBe(true);
    }
  });
});

/**
 * Writes the files that are derived from a source of truth elsewhere in the repository, or with --check says which of them
 * are not up to date. A generator is one entry of the list below.
 *
 *   bun scripts/generate.ts [--check]
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { generateBpfContract } from "./generate/bpf-contract.ts";
import { generateCliDocs } from "./generate/cli-docs.ts";
import { generateContract } from "./generate/contract.ts";
import { generateEnforcementDocs } from "./generate/enforcement-docs.ts";
import { generateFrontContract } from "./generate/front-contract.ts";
import { generateGatewayContract } from "./generate/gateway-contract.ts";
import type { Generator } from "./generate/generator.ts";
import { generateMechanismWords } from "./generate/mechanism-words.ts";
import { generatePathArguments } from "./generate/path-arguments.ts";
import { generatePlanWires } from "./generate/plan-wires.ts";
import { generatePolicies } from "./generate/policies.ts";
import { generateReadyZones } from "./generate/ready-zones.ts";
import {
  generateCapabilityCalls,
  generateDefaultProfile,
  generateFilters,
  generateSyscalls,
} from "./generate/seccomp.ts";

const generators: readonly Generator[] = [
  generateContract,
  generateMechanismWords,
  generatePlanWires,
  generateBpfContract,
  generateFrontContract,
  generateGatewayContract,
  generatePolicies,
  generateSyscalls,
  generatePathArguments,
  generateDefaultProfile,
  generateCapabilityCalls,
  generateFilters,
  generateReadyZones,
  generateCliDocs,
  generateEnforcementDocs,
];

async function main(check: boolean): Promise<number> {
  process.chdir(`${import.meta.dir}/..`);
  const stale: string[] = [];
  for (const generate of generators) {
    for (const { path, content } of await generate()) {
      if (existsSync(path) && readFileSync(path, "utf8") === content) continue;
      stale.push(path);
      if (check) continue;
      const temporary = `${path}.${process.pid}.tmp`;
      writeFileSync(temporary, content);
      renameSync(temporary, path);
      console.log(`generate: ${path}`);
    }
    // What comes next may be made by code that is generated itself (the plans that are ready, by the encoder): by what there is now.
    if (stale.length > 0) break;
  }
  if (stale.length === 0) return 0;
  if (!check)
    return Bun.spawnSync([process.execPath, import.meta.path], { stdout: "inherit", stderr: "inherit" }).exitCode;
  console.error(`generate: not up to date: ${stale.join(", ")}; run \`make generate\``);
  return 1;
}

process.exit(await main(process.argv.includes("--check")));

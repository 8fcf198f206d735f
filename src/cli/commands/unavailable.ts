import type { CommandSpec, CommandTable } from "./spec.ts";

function later(summary: string): CommandSpec {
  return { summary, flags: {}, groups: {}, examples: [], unavailable: true };
}

/** Commands of later builds: known by name, so that nobody looks for a spelling mistake. A later build takes them out of here. */
export const unavailableCommands: CommandTable = {
  batch: later("Run many tasks, one JSON result a line"),
  zone: later("Create, list, show, verify, delete zones"),
  run: later("Run a container in a zone"),
  ps: later("List containers"),
  stop: later("Stop a container"),
  delete: later("Delete a container"),
  exec: later("Run a command in a container"),
  attach: later("Attach to a container"),
  logs: later("Show a container's output"),
  events: later("Show events of zones"),
  trace: later("Trace a zone"),
  top: later("Show what zones use"),
  mcp: later("Serve the Model Context Protocol"),
  oci: later("Be an OCI runtime"),
  workload: later("Run workloads"),
};

/** Parts of `rauha policy` of later builds. */
export const unavailablePolicyCommands: CommandTable = {
  apply: later("Replace a live zone's policy"),
};

/** What the run of the suites with the BPF programs set up rests on: the programs are there, and zones are guarded. */
import { expect, test } from "bun:test";
import { isPinned } from "../support/identity.ts";
import { sandbox } from "../support/rauha.ts";

if (isPinned)
  test("zones of this run are guarded by the programs", async () => {
    const { result } = await sandbox([], ["true"]);
    expect(result.error).toBeNull();
    expect(result.enforcement.lsm).toContain("bpf-lsm");
  });

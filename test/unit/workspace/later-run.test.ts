import { expect, test } from "bun:test";
import { laterRunFiles, laterRunReached } from "../../../src/run/later-run-files.ts";

test("every file that runs later begins with a dot, by which other paths are passed over", () => {
  for (const file of laterRunFiles) expect(file[0], file).toBe(".");
});

test("a file that runs later is reached by itself, from above and from below", () => {
  for (const file of laterRunFiles) {
    expect(laterRunReached(file), file).toContain(file);
    expect(laterRunReached(`${file}/below`), file).toContain(file);
    const [top] = file.split("/");
    expect(laterRunReached(`${top}`), file).toContain(file);
  }
});

test("neighbours reach none", () => {
  for (const path of ["git/hooks", "src/.git/hooks", "bashrc", ".bashrcs", "a.mcp.json", ".vscod", ".gitignore", ""])
    expect(laterRunReached(path), path).toEqual([]);
});

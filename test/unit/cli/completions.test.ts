import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { completionNodes } from "../../../src/cli/completions/model.ts";
import { sandboxFlags } from "../../../src/cli/flags/sandbox-table.ts";
import { run } from "./ports.ts";

/** A directory to complete files in, with the scripts in it under the names that the shells want. */
let home = "";

const scripts = { bash: "rauha.bash", zsh: "_rauha", fish: "rauha.fish" } as const;
type Shell = keyof typeof scripts;

beforeAll(async () => {
  home = mkdtempSync(`${tmpdir()}/rauha-completions-`);
  mkdirSync(`${home}/subdir`);
  writeFileSync(`${home}/strange.toml`, "");
  for (const [shell, name] of Object.entries(scripts)) {
    writeFileSync(`${home}/${name}`, (await run(["completions", shell])).stdout);
  }
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

function shell(command: readonly string[]): string {
  const env = { PATH: Bun.env["PATH"] ?? "/usr/bin:/bin", HOME: home, TERM: "dumb", RAUHA_TEST_VARIABLE: "1" };
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command], { cwd: home, env, timeout: 20_000 });
  if (exitCode !== 0) throw new Error(`${command[0]}: exit code ${exitCode}: ${stderr}${stdout}`);
  if (stderr.length > 0) throw new Error(`${command[0]} complains: ${stderr}`);
  return stdout.toString();
}

/** What each shell offers at the end of a line. */
const complete: Readonly<Record<Shell, (line: string) => string[]>> = {
  bash: (line) => {
    // As readline splits: at blanks, and before and after each = and :.
    const words = line.split(" ").flatMap((word) => (word === "" ? [""] : (word.match(/[=:]+|[^=:]+/g) ?? [])));
    const quoted = words.map((word) => `'${word}'`).join(" ");
    const script = `source ./rauha.bash; COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _rauha; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return unique(shell(["bash", "--norc", "--noprofile", "-c", script]));
  },
  zsh: (line) => unique(shell(["zsh", "-f", `${import.meta.dir}/zsh-complete.zsh`, `${home}/_rauha`, line])),
  fish: (line) => {
    const words = unique(shell(["fish", "--no-config", "-c", `source ./rauha.fish; complete -C '${line}'`]));
    return words.map((word) => word.replace(/\t.*/, ""));
  },
};

function unique(text: string): string[] {
  return [...new Set(text.split("\n").filter((word) => word !== ""))].sort();
}

for (const name of Object.keys(scripts) as Shell[]) {
  const offer = complete[name];
  describe.skipIf(Bun.which(name) === null)(`${name} offers`, () => {
    test("commands of this build, and none of later ones", () => {
      expect(offer("rauha ")).toEqual([
        "apply",
        "changes",
        "completions",
        "diff",
        "discard",
        "doctor",
        "help",
        "image",
        "policy",
        "sandbox",
        "schema",
        "setup",
      ]);
      expect(offer("rauha s")).toEqual(["sandbox", "schema", "setup"]);
      expect(offer("rauha policy ")).toEqual(["check", "learn", "show"]);
      expect(offer("rauha image ")).toEqual(["import", "inspect", "ls", "prune", "pull", "rm"]);
    });

    test("options", () => {
      expect(offer("rauha sandbox --net")).toEqual(["--network"]);
      expect(offer("rauha doctor --j")).toEqual(["--json"]);
      expect(offer("rauha sandbox --json -e A=B --repo-m")).toEqual(["--repo-mode"]);
      expect(offer("rauha sandbox --imag")).toEqual(["--image"]);
      expect(offer("rauha sandbox --keep-z")).toEqual([]);
    });

    test("the values of an option, whether after a blank or after =", () => {
      expect(offer("rauha sandbox --network ")).toEqual(["bridged", "filtered", "host", "isolated", "none"]);
      const attached = offer("rauha sandbox --network=").map((word) => word.replace("--network=", ""));
      expect(attached).toEqual(["bridged", "filtered", "host", "isolated", "none"]);
      expect(offer("rauha sandbox --repo-mode r")).toEqual(["ro", "rw"]);
    });

    test("policies and files", () => {
      expect(offer("rauha sandbox --policy st")).toEqual(["standard", "strange.toml", "strict"]);
      expect(offer("rauha policy show stri")).toEqual(["strict"]);
      expect(offer("rauha policy check stran")).toEqual(["strange.toml"]);
    });

    test("directories only where a directory is wanted", () => {
      expect(offer("rauha sandbox --repo-path s").map((word) => word.replace(/\/$/, ""))).toEqual(["subdir"]);
    });

    test("variables of the environment", () => {
      expect(offer("rauha sandbox --env-pass RAUHA_TEST_V")).toEqual(["RAUHA_TEST_VARIABLE"]);
    });

    test("words of an operand", () => {
      expect(offer("rauha schema ")).toEqual(["event", "policy", "result"]);
      expect(offer("rauha completions z")).toEqual(["zsh"]);
      expect(offer("rauha help san")).toEqual(["sandbox"]);
    });

    test("nothing for what it can't know", () => {
      expect(offer("rauha sandbox --timeout ")).toEqual([]);
      expect(offer("rauha doctor x")).toEqual([]);
    });

    test("programs where the task's command begins, with -- or without", () => {
      expect(offer("rauha sandbox -- mkfif")).toContain("mkfifo");
      expect(offer("rauha sandbox mkfif")).toContain("mkfifo");
      expect(offer("rauha sandbox --policy task -it mkfif")).toContain("mkfifo");
    });

    test("files for the task, and no option of Rauha's", () => {
      expect(offer("rauha sandbox -- cat stran")).toEqual(["strange.toml"]);
      expect(offer("rauha sandbox cat stran")).toEqual(["strange.toml"]);
      expect(offer("rauha sandbox -- cat --net")).toEqual([]);
    });
  });
}

describe("bash in particular", () => {
  test("completes after the colon of SRC:DST", () => {
    expect(complete.bash("rauha sandbox --ro-bind /etc:/et")).toEqual(["/etc"]);
    expect(complete.bash("rauha sandbox -b/a:/b --work")).toEqual(["--workdir"]);
    expect(complete.bash("rauha sandbox -eA=b:c=d --work")).toEqual(["--workdir"]);
  });

  test.skipIf(Bun.which("shellcheck") === null)("the script is fit for shellcheck", () => {
    expect(shell(["shellcheck", "--severity=warning", "rauha.bash"])).toBe("");
  });
});

describe("what is offered", () => {
  const sandbox = completionNodes().find(({ path }) => path === "sandbox");

  test("is every option of this build and its short form, nothing that is refused", () => {
    const spellings = sandbox?.flags.flatMap((flag) => flag.spellings) ?? [];
    for (const [name, flag] of Object.entries(sandboxFlags)) {
      expect([name, spellings.includes(`--${name}`)]).toEqual([name, !("unavailable" in flag)]);
    }
    expect(spellings).toContain("--no-json");
    expect(spellings).toContain("-b");
  });

  test("of an enum only what is available", () => {
    const value = sandbox?.flags.find(({ spellings }) => spellings.includes("--network"))?.value;
    expect(value).toEqual({ by: "words", words: ["none", "isolated", "filtered", "bridged", "host"] });
  });
});

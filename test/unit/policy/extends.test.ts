import { describe, expect, test } from "bun:test";
import { type LoadedPolicy, maxExtends } from "../../../src/run/policy/chain.ts";
import { parsePolicy } from "../../../src/run/policy/parse.ts";
import { policyOrigin } from "../../../src/run/policy/policy.ts";
import { shippedPolicies } from "../../../src/run/policy/shipped.gen.ts";
import { mistakesIn, options, policyOf } from "./reading.ts";

describe("extending a shipped policy", () => {
  test("takes over all that is not said", () => {
    for (const name of Object.keys(shippedPolicies)) {
      const { hash, base, places } = policyOf(`extends = "${name}"`);
      expect([hash, base, places]).toEqual([shippedPolicies[name]?.hash ?? "", name, {}]);
    }
  });

  test("a key replaces the same key, a list as a whole", () => {
    const policy = policyOf(
      'extends = "standard"\n[capabilities]\nallowed = ["CAP_KILL"]\n[resources]\nmemory_limit = "1Gi"',
    );
    expect(policy.capabilities.allowed).toEqual(["CAP_KILL"]);
    expect(policy.resources).toEqual({ ...policy.resources, memoryLimitBytes: 1024 ** 3, pidsMax: 512 });
    expect(policy.network).toEqual(shippedPolicies["standard"]?.network ?? policy.network);
  });

  test("each variable of env.set is a key", () => {
    const files = { "./a.toml": 'extends = "task"\nenv.set = { A = "1", B = "1" }' };
    const policy = policyOf('extends = "./a.toml"\nenv.set = { B = "2", C = "2" }', files);
    expect(policy.env.set).toEqual({ A: "1", B: "2", C: "2" });
    expect(policy.env.pass).toEqual(shippedPolicies["task"]?.env.pass ?? []);
    expect([policy.places["env.set.A"]?.file, policy.places["env.set.B"]?.file]).toEqual(["./a.toml", "p.toml"]);
  });

  test("the name is the file's own, or its base name", () => {
    expect(policyOf('extends = "standard"').name).toBe("p");
    expect(policyOf('extends = "standard"\nzone.name = "web"').name).toBe("web");
    expect(policyOf('extends = "./a.toml"', { "./a.toml": 'zone.name = "a"' }).name).toBe("p");
  });

  test.each([
    ["/srv/x/my policy.toml", "my-policy"],
    ["a.toml", "a"],
    ["a.toml.txt", "a.toml.txt"],
    ["<stdin>", "stdin-"],
    ["..toml", "policy"],
    [".toml", "policy"],
    ["ä", "policy"],
    [`${"x".repeat(200)}.toml`, "x".repeat(128)],
  ])("the file %s is the policy %s", (file, name) => {
    const outcome = parsePolicy("", options({}, file));
    expect(outcome.ok && outcome.policy.name).toBe(name);
  });
});

describe("a chain of files", () => {
  const files = {
    "./a.toml": 'extends = "./b.toml"\n[resources]\npids_max = 100\ncpus = 2',
    "./b.toml":
      'extends = "strict"\n[resources]\npids_max = 50\nmemory_limit = "2Gi"\n[env]\npass = [\n  "A",\n  "B",\n]',
  };
  const policy = policyOf('extends = "./a.toml"\nresources.cpus = 1', files);

  test("the one nearest to the file that was asked for has the word", () => {
    expect(policy.resources).toMatchObject({ cpus: 1, pidsMax: 100, memoryLimitBytes: 2 * 1024 ** 3 });
    expect(policy.env.pass).toEqual(["A", "B"]);
    expect(policy.syscalls).toEqual(shippedPolicies["strict"]?.syscalls ?? policy.syscalls);
  });

  test("a place is in the file that said it", () => {
    expect(policy.places).toMatchObject({
      "resources.cpus": { file: "p.toml", line: 2, column: 11 },
      "resources.pids_max": { file: "./a.toml", line: 3, column: 1 },
      "resources.memory_limit": { file: "./b.toml", line: 4, column: 1 },
      "env.pass": { file: "./b.toml", line: 6, column: 1 },
      "env.pass[1]": { file: "./b.toml", line: 8, column: 3 },
    });
    expect(Object.keys(policy.places).toSorted()).toEqual([
      "env.pass",
      "env.pass[0]",
      "env.pass[1]",
      "resources.cpus",
      "resources.memory_limit",
      "resources.pids_max",
    ]);
  });

  test("an origin names the file, or the shipped policy that said it", () => {
    expect(policyOrigin(policy, "env.pass[1]")).toEqual({
      kind: "policy",
      policy: "p",
      key: "env.pass[1]",
      file: "./b.toml",
      line: 8,
      column: 3,
    });
    expect(policyOrigin(policy, "network.mode")).toMatchObject({ policy: "strict", key: "network.mode" });
    expect(policyOrigin(policyOf(""), "network.mode")).toMatchObject({ policy: "p", key: "network.mode" });
    expect(policyOrigin(policy, "env.pass[7]")).toMatchObject({ file: "./b.toml", line: 6 });
  });

  test("may go on for eight files", () => {
    const chain = (length: number) =>
      Object.fromEntries(
        Array.from({ length }, (_, i) => [`./${i}.toml`, i === length - 1 ? "" : `extends = "./${i + 1}.toml"`]),
      );
    expect(mistakesIn('extends = "./0.toml"', chain(maxExtends))).toEqual([]);
    expect(mistakesIn('extends = "./0.toml"', chain(maxExtends + 1))).toEqual([
      "./7.toml:1:11 extends: more than 8 policies extend each other (say it in fewer files)",
    ]);
  });

  test("is asked for by the file that names it, and by nothing else", () => {
    const asked: string[][] = [];
    const loadExtends = (name: string, from: string): LoadedPolicy => {
      asked.push([name, from]);
      return { ok: true, file: `/real/${name}`, text: name === "b.toml" ? "" : 'extends = "b.toml"' };
    };
    expect(parsePolicy('extends = "../a.toml"', { ...options(), file: "x/p.toml", loadExtends }).ok).toBe(true);
    expect(asked).toEqual([
      ["../a.toml", "x/p.toml"],
      ["b.toml", "/real/../a.toml"],
    ]);
  });

  test("the profile of an extended file is relative to that file", () => {
    const loadExtends = (): LoadedPolicy => ({
      ok: true,
      file: "a.toml",
      directory: "/base/dir",
      text: 'syscalls.profile = "./p.json"',
    });
    const outcome = parsePolicy('extends = "../a.toml"', { ...options(), loadExtends });
    expect(outcome.ok && outcome.policy.syscalls.profile).toBe("/base/dir/p.json");
  });
});

describe("what can't be extended", () => {
  test("a shipped policy that is none", () => {
    expect(mistakesIn('extends = "standrad"')).toEqual([
      'p.toml:1:11 extends: there is no shipped policy "standrad" (did you mean "standard"?)',
    ]);
    expect(mistakesIn('extends = "xyzzyplugh"')).toEqual([
      'p.toml:1:11 extends: there is no shipped policy "xyzzyplugh" (there are task, build, standard, strict, privileged; for a file write "./xyzzyplugh")',
    ]);
    expect(mistakesIn('extends = "constructor"')[0]).toContain("there is no shipped policy");
  });

  test("a file that can't be read", () => {
    expect(mistakesIn("[zone]\n\n", {})).toEqual([]);
    expect(mistakesIn('extends = "./none.toml"')).toEqual(["p.toml:1:11 extends: ./none.toml is not there"]);
    expect(mistakesIn('extends = "none.toml"')).toEqual(["p.toml:1:11 extends: none.toml is not there"]);
  });

  test("a circle, which is shown", () => {
    expect(
      mistakesIn('extends = "./a.toml"', { "./a.toml": 'extends = "./b.toml"', "./b.toml": 'extends = "./a.toml"' }),
    ).toEqual(["./b.toml:1:11 extends: policies extend each other in a circle: ./a.toml → ./b.toml → ./a.toml"]);
    expect(mistakesIn('extends = "p.toml"', { "p.toml": "" })).toEqual([
      "p.toml:1:11 extends: policies extend each other in a circle: p.toml → p.toml",
    ]);
  });

  test("nothing, a list, a table", () => {
    expect(mistakesIn('extends = ""')).toEqual(["p.toml:1:11 extends: an empty name"]);
    expect(mistakesIn('extends = ["task", "strict"]')).toEqual([
      "p.toml:1:11 extends: expected the name of a shipped policy or the path of a policy file, found a list",
    ]);
    expect(mistakesIn("[extends]\nname = 'task'")).toEqual([
      "p.toml:1:2 extends: expected the name of a shipped policy or the path of a policy file, found a table",
    ]);
  });
});

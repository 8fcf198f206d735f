import { type Completion, type CompletionNode, operandCompletion } from "./model.ts";

/** The script for fish: one `complete` line for each option and subcommand, under the condition that its command is being typed. */
export function renderFish(nodes: readonly CompletionNode[], policyNames: readonly string[]): string {
  const commandNames = (nodes[0]?.subcommands ?? []).map(({ name }) => name);
  const groups = nodes.filter(({ subcommands }) => subcommands.length > 0).map(({ path }) => path);
  const valued = nodes.flatMap(({ flags }) =>
    flags.filter(({ value }) => value !== null).flatMap(({ spellings }) => spellings),
  );
  return `# fish completion for rauha, written by: rauha completions fish

# The command that the words so far have chosen. When a command of the user's has begun: "task", and its words on lines of their own.
function __rauha_scan
    set -l words (commandline -opc)
    set -l path
    set -l skip 0
    for i in (seq 2 (count $words))
        set -l word $words[$i]
        if test $skip = 1
            set skip 0
        else if test "$word" = --
            echo task
            string join \\n -- $words[(math $i + 1)..-1]
            return
        else if string match -q -- '-*' $word
            contains -- $word ${[...new Set(valued)].join(" ")}; and set skip 1
        else
            switch "$path"
                case ${groups.map((path) => `'${path}'`).join(" ")}
                    set path $path $word
                case sandbox
                    echo task
                    string join \\n -- $words[$i..-1]
                    return
            end
        end
    end
    echo "$path"
end

function __rauha_at
    test "$argv[1]" = (__rauha_scan)[1]
end

# Completes the user's command as if it stood alone.
function __rauha_task
    set -l words (__rauha_scan)[2..-1]
    complete -C (string join ' ' -- (string escape -- $words) (commandline -ct))
end

complete -c rauha -f
complete -c rauha -n '__rauha_at task' -a '(__rauha_task)'
complete -c rauha -n '__rauha_at sandbox' -a '(__fish_complete_command)'

${nodes.flatMap((node) => nodeLines(node, policyNames, commandNames)).join("\n")}
`;
}

function nodeLines(node: CompletionNode, policyNames: readonly string[], commandNames: readonly string[]): string[] {
  const at = `complete -c rauha -n '__rauha_at "${node.path}"'`;
  const lines = node.subcommands.map(({ name, summary }) => `${at} -a ${name} -d ${word(summary)}`);
  for (const operand of node.operands) {
    const completion = operandCompletion(operand, commandNames);
    if (completion !== null) lines.push(`${at}${argumentsOf(completion, policyNames)}`);
  }
  for (const { spellings, description, value } of node.flags) {
    const names = spellings.map((spelling) =>
      spelling.startsWith("--") ? `-l ${spelling.slice(2)}` : `-s ${spelling.slice(1)}`,
    );
    const values = value === null ? "" : ` ${takesFiles(value) ? "-r" : "-x"}${argumentsOf(value, policyNames)}`;
    lines.push(`${at} ${names.join(" ")}${values} -d ${word(description)}`);
  }
  return lines;
}

function argumentsOf(completion: Completion, policyNames: readonly string[]): string {
  switch (completion.by) {
    case "words":
      return ` -a ${word(completion.words.join(" "))}`;
    case "policy":
      return ` -F -a ${word(policyNames.join(" "))}`;
    case "files":
      return " -F";
    case "directories":
      return " -a '(__fish_complete_directories (commandline -ct))'";
    case "variables":
      return " -a '(set --names --export)'";
    case "nothing":
      return "";
  }
}

function takesFiles(completion: Completion): boolean {
  return completion.by === "files" || completion.by === "policy";
}

function word(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

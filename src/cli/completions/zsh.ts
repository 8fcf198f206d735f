import { type Completion, type CompletionFlag, type CompletionNode, operandCompletion } from "./model.ts";

/** The script for zsh: one function for each command, the options as `_arguments` specifications. */
export function renderZsh(nodes: readonly CompletionNode[], policyNames: readonly string[]): string {
  const commandNames = (nodes[0]?.subcommands ?? []).map(({ name }) => name);
  const functions = nodes.map((node) => nodeFunction(node, commandNames));
  return `#compdef rauha
# zsh completion for rauha, written by: rauha completions zsh

_rauha_policies() {
  _alternative 'policies:shipped policy:(${policyNames.join(" ")})' 'files:policy file:_files'
}

${functions.join("\n\n")}

# Autoloaded from $fpath the file is the function; sourced, it registers it.
if [[ $funcstack[1] == _rauha ]]; then
  _rauha "$@"
else
  compdef _rauha rauha
fi
`;
}

function functionName(path: string): string {
  return path === "" ? "_rauha" : `_rauha_${path.replaceAll(" ", "_")}`;
}

function nodeFunction(node: CompletionNode, commandNames: readonly string[]): string {
  const specs = node.flags.map(flagSpec);
  if (node.subcommands.length > 0) return groupFunction(node, specs);
  const operands = node.operands.flatMap((operand, index) => {
    const completion = operandCompletion(operand, commandNames);
    if (completion === null) return ["'(-)1:command: _command_names -e'", "'*::arguments:_normal'"];
    return [word(`${index + 1}:${inMessage(operand.metavar)}:${action(completion)}`)];
  });
  return [`${functionName(node.path)}() {`, "  _arguments -s -S : \\", ...continued([...specs, ...operands]), "}"].join(
    "\n",
  );
}

function groupFunction(node: CompletionNode, specs: readonly string[]): string {
  const choices = node.subcommands.map(({ name, summary }) => `      ${word(`${name}:${summary}`)}`);
  const cases = node.subcommands.map(
    ({ name }) => `        ${name}) ${functionName(`${node.path} ${name}`.trim())} ;;`,
  );
  return [
    `${functionName(node.path)}() {`,
    "  local curcontext=$curcontext state line",
    "  typeset -A opt_args",
    "  _arguments -s -S -C -A '-*' : \\",
    ...continued([...specs, "'1: :->name'", "'*:: :->rest'"]),
    "  case $state in",
    "    name)",
    "      local -a names=(",
    ...choices.map((choice) => `  ${choice}`),
    "      )",
    `      _describe -t commands 'command' names`,
    "      ;;",
    "    rest)",
    "      case $line[1] in",
    ...cases.map((line) => `  ${line}`),
    "      esac",
    "      ;;",
    "  esac",
    "}",
  ].join("\n");
}

/** `'(-w --workdir)'{-w,--workdir=}'[Start directory]:DIR:_files'`: the spellings exclude each other unless the option may repeat. */
function flagSpec(flag: CompletionFlag): string {
  const value = flag.value === null ? "" : `:${inMessage(flag.metavar)}:${action(flag.value)}`;
  const text = `[${flag.description.replace(/[[\]\\]/g, "\\$&")}]${value}`;
  const before = flag.repeatable ? "*" : `(${flag.spellings.join(" ")})`;
  const spellings = flag.spellings.map((spelling) => {
    if (flag.value === null) return spelling;
    return spelling.startsWith("--") ? `${spelling}=` : `${spelling}+`;
  });
  if (spellings.length === 1) return word(`${before === "*" ? "*" : before}${spellings[0]}${text}`);
  return `${word(before)}{${spellings.join(",")}}${word(text)}`;
}

function action(completion: Completion): string {
  switch (completion.by) {
    case "words":
      return `(${completion.words.join(" ")})`;
    case "policy":
      return "_rauha_policies";
    case "files":
      return "_files";
    case "directories":
      return "_files -/";
    case "variables":
      return '_parameters -g "*export*"';
    case "nothing":
      return " ";
  }
}

/** A message between colons. */
function inMessage(text: string): string {
  return text.replace(/[:\\]/g, "\\$&");
}

function word(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function continued(specs: readonly string[]): string[] {
  return specs.map((spec, index) => `    ${spec}${index === specs.length - 1 ? "" : " \\"}`);
}

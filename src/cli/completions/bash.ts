import { type Completion, type CompletionNode, operandCompletion } from "./model.ts";

/**
 * The script for bash 3.2 and later, without the bash-completion package. bash splits words at `=` and `:` (COMP_WORDBREAKS), so
 * `--network=no` arrives as three words.
 */
export function renderBash(nodes: readonly CompletionNode[], policyNames: readonly string[]): string {
  const commandNames = (nodes[0]?.subcommands ?? []).map(({ name }) => name);
  const cases = nodes.map((node) => nodeCase(node, commandNames));
  return `# bash completion for rauha, written by: rauha completions bash
# shellcheck shell=bash disable=SC2207

# Sets what is known of the command at $path: its subcommands, options, options with a value, operands.
_rauha_node() {
  subs='' opts='' valued='' operands=()
  case $path in
${cases.join("\n")}
  esac
}

# How the value of option $2 of command $1 is completed.
_rauha_kind() {
  case "$1 $2" in
${valueCases(nodes).join("\n")}
  esac
}

# Fills COMPREPLY for the word $2 by the kind $1.
_rauha_words() {
  local IFS=$'\\n'
  case $1 in
  words:*) COMPREPLY=($(IFS=' '; compgen -W "\${1#words:}" -- "$2")) ;;
  policy)
    COMPREPLY=($(IFS=' '; compgen -W "${policyNames.join(" ")}" -- "$2") $(compgen -f -- "$2"))
    compopt -o filenames 2>/dev/null
    ;;
  files)
    COMPREPLY=($(compgen -f -- "$2"))
    compopt -o filenames 2>/dev/null
    ;;
  directories)
    COMPREPLY=($(compgen -d -- "$2"))
    compopt -o filenames 2>/dev/null
    ;;
  variables) COMPREPLY=($(compgen -e -- "$2")) ;;
  esac
}

# A command of the user's from word $1 on: completed as if it stood alone.
_rauha_command() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif ((COMP_CWORD == $1)); then
    COMPREPLY=($(compgen -c -- "\${COMP_WORDS[COMP_CWORD]}"))
  else
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
    compopt -o filenames 2>/dev/null
  fi
}

_rauha() {
  local cur=\${COMP_WORDS[COMP_CWORD]} path='' flag='' ended='' count=0 i end word
  local subs opts valued operands
  COMPREPLY=()
  _rauha_node
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -z $ended && $word == -- ]]; then
      ended=1
      [[ \${operands[0]} == command ]] && { _rauha_command $((i + 1)); return; }
    elif [[ -z $ended && $word == -?* ]]; then
      end=$i
      if [[ " $valued " == *" $word "* ]]; then
        ((end++))
        [[ \${COMP_WORDS[end]} == '=' ]] && ((end++))
      fi
      while [[ \${COMP_WORDS[end + 1]} == [:=]* ]]; do ((end += 2)); done
      # The word being completed is this option's value.
      ((end >= COMP_CWORD)) && { flag=$word; break; }
      i=$end
    elif [[ " $subs " == *" $word "* && -n $subs ]]; then
      path="\${path:+$path }$word"
      _rauha_node
    elif [[ \${operands[0]} == command ]]; then
      _rauha_command "$i"
      return
    else
      ((count++))
    fi
  done
  if [[ -n $flag ]]; then
    [[ $cur == [:=]* ]] && cur=''
    _rauha_words "$(_rauha_kind "\${path// /_}" "$flag")" "$cur"
  elif [[ -z $ended && $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$opts" -- "$cur"))
  elif [[ -n $subs ]]; then
    COMPREPLY=($(compgen -W "$subs" -- "$cur"))
  elif [[ \${operands[0]} == command ]]; then
    _rauha_command "$COMP_CWORD"
  elif ((count < \${#operands[@]})); then
    _rauha_words "\${operands[count]}" "$cur"
  fi
}

complete -F _rauha rauha
`;
}

function nodeCase(node: CompletionNode, commandNames: readonly string[]): string {
  const spellings = (flags: CompletionNode["flags"]): string => flags.flatMap((flag) => flag.spellings).join(" ");
  const operands = node.operands.map((operand) => {
    const completion = operandCompletion(operand, commandNames);
    return completion === null ? "command" : `'${kindOf(completion)}'`;
  });
  return [
    `  '${node.path}')`,
    `    subs='${node.subcommands.map(({ name }) => name).join(" ")}'`,
    `    opts='${spellings(node.flags)}'`,
    `    valued='${spellings(node.flags.filter(({ value }) => value !== null))}'`,
    `    operands=(${operands.join(" ")})`,
    "    ;;",
  ].join("\n");
}

function valueCases(nodes: readonly CompletionNode[]): string[] {
  return nodes.flatMap((node) =>
    node.flags.flatMap(({ spellings, value }) => {
      if (value === null || value.by === "nothing") return [];
      const patterns = spellings.map((spelling) => `'${node.path.replaceAll(" ", "_")} ${spelling}'`);
      return [`  ${patterns.join(" | ")}) echo '${kindOf(value)}' ;;`];
    }),
  );
}

function kindOf(completion: Completion): string {
  return completion.by === "words" ? `words:${completion.words.join(" ")}` : completion.by;
}

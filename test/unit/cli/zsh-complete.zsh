# Prints what zsh's completion offers at the end of a line: an interactive zsh on a terminal of its own gets the line and a TAB.
# usage: zsh -f zsh-complete.zsh SCRIPT LINE
zmodload zsh/zpty
setup=$(mktemp)
cat > $setup <<END
PROMPT= RPROMPT=
autoload -Uz compinit
compinit -u -D
source $1
bindkey '^M' undefined
bindkey '^J' undefined
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
start() { echo -E - START }
stop() { echo -E - STOP; exit }
compprefuncs=( start )
comppostfuncs=( stop )
# Every match is printed on its way into the list.
compadd() {
  local -a found
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
    builtin compadd "\$@"
    return \$?
  fi
  builtin compadd -A found "\$@"
  (( \$#found )) && print -lr -- "match:"\$^found
  builtin compadd "\$@"
}
echo READY
END
zpty shell zsh -f -i
zpty -w shell "source $setup"
while zpty -r shell line; do
  [[ $line == *READY* ]] && break
done
rm $setup
zpty -w -n shell "$2"$'\t'
integer started=0
while zpty -r shell line; do
  line=${line%%$'\r\n'}
  case $line in
    *START*) started=1 ;;
    *STOP*) break ;;
    *match:*) (( started )) && print -r -- ${line#*match:} ;;
  esac
done
exit 0

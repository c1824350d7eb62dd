# bash completion for wattle(8) and wattle-registry(8). The verbs and options are those that the programs themselves
# name, so this file does not grow old.

_wattle_networks() {
  local conf
  for conf in /etc/wattle/*/"$1"; do
    [ -e "$conf" ] && basename "$(dirname "$conf")"
  done
}

# The other members, if the daemons may be asked.
_wattle_members() { wattle peers --json 2> /dev/null | grep -o '"name": *"[a-z0-9-]*"' | cut -d'"' -f4; }

_wattle() {
  local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]:-} words
  if [ "$COMP_CWORD" = 1 ]; then
    words=$(wattle --help 2> /dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
  elif [[ $word == -* ]]; then
    words=$(wattle help "$verb" 2> /dev/null | grep -o -e '--*[a-z][a-z-]*' | sort -u)
  else
    case $verb in
      ping|why|trace) words="$(_wattle_members) $(_wattle_networks member.conf)" ;;
      join) words= ;;
      help) words=$(wattle --help 2> /dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p') ;;
      log) words="tapd cryptod keyd metad registry signer up error warning notice info debug $(_wattle_networks '*.conf' | sort -u)" ;;
      *) words=$(_wattle_networks '*.conf' | sort -u) ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

_wattle_registry() {
  local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]:-} words
  if [[ $word == -* ]]; then
    words=$(wattle-registry --help 2> /dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
  elif [ "$COMP_CWORD" = 1 ]; then
    words=$(wattle-registry --help 2> /dev/null | sed -n '/^Verbs:/,$s/^  \([a-z][a-z-]*\) .*/\1/p' | sort -u)
  else
    # The words behind that verb in the help: node list, node show ...
    words="$(wattle-registry --help 2> /dev/null |
      sed -n "/^Verbs:/,\$s/^  $verb \(\[NET\] \)\{0,1\}\([a-z][a-z-]*\).*/\2/p") $(_wattle_networks registry.conf)"
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _wattle wattle
complete -F _wattle_registry wattle-registry

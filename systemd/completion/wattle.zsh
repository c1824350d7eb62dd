#compdef wattle wattle-registry
# zsh completion for wattle(8) and wattle-registry(8). The verbs and options are those that the programs themselves
# name, so this file does not grow old.

_wattle_networks() { local conf; for conf in /etc/wattle/*/$~1(N); do print -r -- ${conf:h:t}; done }
_wattle_members() { wattle peers --json 2> /dev/null | grep -o '"name": *"[a-z0-9-]*"' | cut -d'"' -f4 }

_wattle() {
  local verb=$words[2]
  local -a found
  if [[ $service == wattle-registry ]]; then
    if [[ $PREFIX == -* ]]; then
      found=(${(f)"$(wattle-registry --help 2> /dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p')"})
    elif (( CURRENT == 2 )); then
      found=(${(uf)"$(wattle-registry --help 2> /dev/null | sed -n '/^Verbs:/,$s/^  \([a-z][a-z-]*\) .*/\1/p')"})
    else
      found=(${(f)"$(wattle-registry --help 2> /dev/null |
        sed -n "/^Verbs:/,\$s/^  $verb \(\[NET\] \)\{0,1\}\([a-z][a-z-]*\).*/\2/p")"} $(_wattle_networks registry.conf))
    fi
  elif (( CURRENT == 2 )); then
    found=(${(f)"$(wattle --help 2> /dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')"})
  elif [[ $PREFIX == -* ]]; then
    found=(${(uf)"$(wattle help $verb 2> /dev/null | grep -o -e '--*[a-z][a-z-]*')"})
  else
    case $verb in
      ping|why|trace) found=($(_wattle_members) $(_wattle_networks member.conf)) ;;
      join) ;;
      help) found=(${(f)"$(wattle --help 2> /dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')"}) ;;
      log) found=(tapd cryptod keyd metad registry signer up error warning notice info debug ${(u)$(_wattle_networks '*.conf')}) ;;
      *) found=(${(u)$(_wattle_networks '*.conf')}) ;;
    esac
  fi
  compadd -- $found
}

_wattle "$@"

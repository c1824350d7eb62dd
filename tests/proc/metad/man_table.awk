# The output of `wattle-metad --requests` as man/wattle-meta.7 has it.
BEGIN { FS = "; " }
{
  split($1, head, " ")
  printf ".It %s Sy %s", head[1], head[2]
  open = 0
  for (i = 3; i in head; i++) {
    if (head[i] ~ /^\[/) {
      key = substr(head[i], 2, length(head[i]) - 3)
      printf " Op Cm %s Ns =", key
    } else {
      printf " Ar %s", head[i]
    }
  }
  printf "\n%s; %s.\n.br\n%s.\n", $2, $3, toupper(substr($4 (NF > 4 ? "; " $5 : ""), 1, 1)) substr($4 (NF > 4 ? "; " $5 : ""), 2)
}

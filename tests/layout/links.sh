#!/usr/bin/env bash
# What each program links, and how it is built: the dependency rules hold in the binaries, too.
set -u
bin=${1:?folder of the programs} kind=${2:-Release}
faults=0
fault() { echo "links: $*"; faults=$((faults + 1)); }

# Direct dependencies only (NEEDED), against what each program may have.
allowed() {  # program, allowed libraries
  local program=$1 needed library
  [ -x "$bin/$program" ] || { fault "$program was not built"; return; }
  needed=$(readelf -d "$bin/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*\]/\1/p')
  for library in $needed; do
    case " libc libm libstdc++ libgcc_s ld-linux-x86-64 $2 " in
      *" $library "*) ;;
      *) fault "$program links $library" ;;
    esac
  done
}
allowed wattle-tapd "libmnl libseccomp libcap-ng"
allowed wattle-keyd "libcrypto libseccomp libcap-ng libevent-2.1 libboost_program_options"
allowed wattle-cryptod "libcrypto libseccomp libcap-ng libevent-2.1 libboost_program_options libIPSec_MB liburing"
allowed wattle-metad "libcrypto libssl libseccomp libcap-ng libevent-2.1 libevent_openssl-2.1 libboost_program_options"
allowed wattle-registry "libcrypto libssl libseccomp libcap-ng libevent-2.1 libevent_openssl-2.1 libboost_program_options libsqlite3 libqrencode"
allowed wattle-signer "libcrypto libseccomp libcap-ng libevent-2.1 libboost_program_options"
allowed wattle "libcrypto libseccomp libcap-ng"
allowed wattle-fetch "libcrypto libcurl libseccomp libcap-ng"
allowed wattle-check "libcrypto libseccomp libcap-ng"

# Hardening of every program: position independent, full RELRO, W^X, stack protector, FORTIFY, marks of CET, no RPATH.
for program in "$bin"/wattle*; do
  name=${program##*/}
  readelf -h "$program" | grep -q 'Type:.*DYN' || fault "$name is not position independent"
  readelf -d "$program" | grep -qE 'BIND_NOW|FLAGS_1.*NOW' || fault "$name is not bound at start"
  readelf -lW "$program" | grep -q GNU_RELRO || fault "$name has no RELRO"
  readelf -lW "$program" | grep 'GNU_STACK' | grep -q 'RWE' && fault "$name has an executable stack"
  readelf -d "$program" | grep -qE 'RPATH|RUNPATH' && fault "$name has an RPATH"
  readelf -lW "$program" | grep -q ' RWE ' && fault "$name has a segment both writable and executable"
  symbols=$(readelf -W --dyn-syms "$program")
  [[ $symbols == *__stack_chk_fail* ]] || fault "$name has no stack protector"
  [[ $kind == Debug || $(sed 's/__stack_chk_fail//' <<< "$symbols") == *_chk@* ]] || fault "$name was built without FORTIFY"
  # The linker drops the note of CET because Debian's start files lack it; our own functions are marked.
  [ "$(objdump -d --no-show-raw-insn "$program" | grep -c endbr64)" -ge 20 ] || fault "$name has no marks for indirect jumps"
done

[ $faults = 0 ] || exit 1
echo "links: all right"

#!/bin/bash
# Asks shells what they complete: completions.sh FOLDER, where the completions lie. Each answer is a line; the first that lacks a
# word ends it. A shell that is not on this machine is told.
set -uo pipefail
readonly folder=$1

in_bash() {
  # shellcheck disable=SC2016 # for the other shell
  bash --norc --noprofile -c '
    source "$1/skiff.bash"
    read -ra COMP_WORDS <<<"$2"
    COMP_WORDS+=("") COMP_CWORD=${#COMP_WORDS[@]}
    COMP_CWORD=$((COMP_CWORD - 1))
    _skiff skiff "" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"' bash "$folder" "$1" 2>/dev/null
}

in_fish() { HOME=$folder timeout 60 fish --no-config -c "source $folder/skiff.fish; complete -C '$1 '"; }

# Only its line editor completes, and that wants a terminal.
in_zsh() {
  # shellcheck disable=SC2016 # for the other shell
  timeout 60 zsh -f -c '
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PROMPT=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; zstyle \":completion:*\" menu no; LISTMAX=9999; echo rea""dy"
    zpty -r shell said "*ready*"
    zpty -w -n shell "$2 "$'"'\\t\\t'"'
    # Read until the last word that is asked for has come, or there is no more.
    zpty -r -m shell said "*$3*" && print -r -- "$said"
    zpty -d shell' zsh "$folder" "$1" "$2" 2>/dev/null
}

for shell in bash fish zsh; do
  if ! command -v "$shell" >/dev/null; then
    echo "SKIPPED: there is no $shell on this machine; its completions were NOT TRIED"
    continue
  fi
  while IFS='|' read -r line words; do
    for word in $words; do
      # Not through a pipe: who writes to one that is closed early fails.
      answer=$("in_$shell" "$line" "$word")
      grep -q -- "$word" <<<"$answer" || {
        echo "FAILED: $shell completes \`$line \` without $word: $answer" >&2
        exit 1
      }
    done
    echo "$shell completes \`$line \`: $words"
  done <<'LINES'
skiff|run plugin doctor
skiff help|run plugin doctor
skiff help plugin|install enable
skiff plugin|install enable
skiff check --board|esp32c6 qemu-riscv32
skiff run --board|linux esp32s3
skiff decode --format|candump pcap
skiff run --guests|read
LINES
done

// SPDX-License-Identifier: Apache-2.0
// Each script hands the words up to the cursor to the program and shows what it answers; with no
// answer the shell offers files.
#include "tools/completion.h"

namespace barline::tools {
namespace {

// bash cuts words at @, = and : and replaces the last cut alone. So the line itself is split, and
// what stands before the last cut is taken off the answers.
constexpr const char* bash_script =
    R"sh(# bash completion of barline; load it with: source <(barline completion bash)
_barline() {
  local line="${COMP_LINE:0:COMP_POINT}" words=() word cut
  read -ra words <<<"$line"
  [[ "$line" == *[[:space:]] ]] && words+=("")
  word="${words[${#words[@]}-1]}"
  mapfile -t COMPREPLY < <("${words[0]/#\~/$HOME}" __complete "${words[@]}" 2>/dev/null)
  cut="${word%"${word##*["$COMP_WORDBREAKS"]}"}"
  COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}
complete -o bashdefault -o default -F _barline barline
)sh";

constexpr const char* zsh_script = R"sh(#compdef barline
# zsh completion of barline; load it with: source <(barline completion zsh)
_barline() {
  local -a found
  found=("${(@f)$("${words[1]}" __complete "${(@)words[1,CURRENT]}" 2>/dev/null)}")
  found=("${(@)found:#}")
  if (( ${#found} )); then compadd -- "${found[@]}"; else _files; fi
}
(( ${+functions[compdef]} )) && compdef _barline barline
)sh";

constexpr const char* fish_script =
    R"sh(# fish completion of barline; load it with: barline completion fish | source
function __barline_complete
  set -l words (commandline --cut-at-cursor --tokenize) (commandline --cut-at-cursor --current-token)
  $words[1] __complete $words 2>/dev/null
end
complete -c barline -a '(__barline_complete)'
)sh";

}  // namespace

std::string completion_script(const std::string& shell) {
  return shell == "zsh" ? zsh_script : shell == "fish" ? fish_script : bash_script;
}

}  // namespace barline::tools

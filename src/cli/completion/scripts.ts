/** The shells that completion is there for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * What a shell reads to complete the command line of llmlb. It asks the program itself what may
 * stand at the cursor (`llmlb complete`), so that it holds for any version of it. What was typed is
 * passed on as it is: nothing of it is run.
 */
export const SCRIPTS: Record<Shell, string> = {
  bash: `# llmlb's completion for bash: source <(llmlb completion bash)
_llmlb() {
  local line="\${COMP_LINE:0:COMP_POINT}" word rest
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local typed="\${words[\${#words[@]}-1]}" shown=""
  # Readline takes what stands before a colon or an equals sign for a word of its own.
  [[ $COMP_WORDBREAKS == *[:=]* ]] && shown="\${typed%"\${typed##*[:=]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r word rest; do
    case $word in
      :files) compopt -o default ;;
      :folders) compopt -o dirnames ;;
      *) COMPREPLY+=("\${word#"$shown"}") ;;
    esac
  done < <("\${1/#\\~/$HOME}" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _llmlb llmlb
`,
  zsh: `#compdef llmlb
# llmlb's completion for zsh: source <(llmlb completion zsh), or a file _llmlb in a folder of $fpath
_llmlb() {
  local line also program="\${(Q)words[1]}"
  local -a lines described
  local -a typed=("\${(@Q)words[2,CURRENT]}")
  lines=("\${(@f)$("\${program/#\\~/$HOME}" complete -- "\${typed[@]}" 2>/dev/null)}")
  for line in "\${lines[@]}"; do
    case $line in
      '') ;;
      :files|:folders) also=$line ;;
      *$'\\t'*) described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
      *) described+=("\${line//:/\\\\:}") ;;
    esac
  done
  (( \${#described} )) && _describe llmlb described
  if [[ -n $also ]]; then
    compset -P '*='
    [[ $also == :folders ]] && _files -/ || _files
  fi
}
if [[ \${funcstack[1]} == _llmlb ]]; then _llmlb "$@"; else compdef _llmlb llmlb; fi
`,
  fish: `# llmlb's completion for fish: llmlb completion fish | source
function __llmlb_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    for line in ($words[1] complete -- $words[2..-1] "$typed" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$typed"
            case ':folders'
                __fish_complete_directories "$typed" ''
            case '*'
                echo $line
        end
    end
end
complete -c llmlb -f -a '(__llmlb_complete)'
`,
};

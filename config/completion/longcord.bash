# SPDX-License-Identifier: MIT
# bash completion for longcord(1). The command itself knows what can stand where; this only asks.

_longcord() {
    local words word prefix
    COMPREPLY=()
    # Words as the command sees them: bash takes the colon of 10c4:ea60 for the end of one.
    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
    word=${words[-1]}
    # bash replaces only what stands behind the last of these.
    prefix=
    [[ $word == *[:=]* ]] && prefix=${word%"${word##*[:=]}"}
    local line candidate
    while IFS= read -r line; do
        candidate=${line%%$'\t'*}
        if [[ $candidate == :files ]]; then
            compopt -o default 2>/dev/null
            return
        fi
        # --on=host: the candidates are values.
        if [[ $prefix == --*= ]]; then
            [[ $candidate == "${word#"$prefix"}"* ]] && COMPREPLY+=("$candidate")
        elif [[ $candidate == "$word"* ]]; then
            COMPREPLY+=("${candidate#"$prefix"}")
        fi
    done < <(longcord complete "${words[@]:1}" 2>/dev/null)
}
complete -F _longcord longcord

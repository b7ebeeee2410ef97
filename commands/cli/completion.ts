/** Completion scripts for bash, zsh and fish, made of a command's table of options. */
import type { Option, Program } from "./options.js"

export function completion(program: Program, shell: "bash" | "zsh" | "fish"): string {
  const table = Object.entries(program.options)
  const make = { bash, zsh, fish }[shell]
  return make(program, table)
}

type Table = [name: string, option: Option][]

function identifier(name: string): string {
  return `_${name.replaceAll("-", "_")}`
}

function spellings(name: string, { alias }: Option): string[] {
  return alias === undefined ? [`--${name}`] : [`-${alias}`, `--${name}`]
}

function bash({ name, files }: Program, table: Table): string {
  const cases = table.flatMap(([option, of]) => {
    if (of.value === undefined || of.implied !== undefined) return []
    const action = of.words
      ? `COMPREPLY=($(compgen -W ${single(of.words.join(" "))} -- "$cur")); return`
      : of.files
        ? `COMPREPLY=($(compgen -f -- "$cur")); return`
        : "return"
    return [`    ${spellings(option, of).join("|")}) ${action} ;;`]
  })
  const words = table.flatMap(([option, of]) => spellings(option, of))
  return `# bash completion of ${name}
${identifier(name)}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  case $prev in
${cases.join("\n")}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W ${single(words.join(" "))} -- "$cur"))${
      files ? `\n  else\n    COMPREPLY=($(compgen -f -- "$cur"))` : ""
    }
  fi
}
complete -F ${identifier(name)} ${name}
`
}

function zsh({ name, files }: Program, table: Table): string {
  const specs = table.map(([option, of]) => {
    const action = of.words ? `(${of.words.join(" ")})` : of.files ? "_files" : " "
    const value = of.value === undefined ? "" : `${of.implied === undefined ? "" : ":"}:${of.value}:${action}`
    const text = `[${of.describe.replace(/[[\]:\\]/g, "\\$&")}]${value}`
    const star = of.many ? "*" : ""
    const equals = of.value === undefined ? "" : of.implied === undefined ? "=" : "=-"
    if (of.alias === undefined) return `  ${single(`${star}--${option}${equals}${text}`)}`
    const only = of.many ? "*" : `(-${of.alias} --${option})`
    return `  ${single(only)}{-${of.alias}${of.value === undefined ? "" : "+"},--${option}${equals}}${single(text)}`
  })
  const rest = files ? ["  '*:file:_files'"] : ["  '*: :'"]
  return `#compdef ${name}
_arguments -s -S \\
${[...specs, ...rest].join(" \\\n")}
`
}

function fish({ name, files }: Program, table: Table): string {
  const lines = table.map(([option, of]) => {
    const parts = [`complete -c ${name} -l ${option}`]
    if (of.alias !== undefined) parts.push(`-s ${of.alias}`)
    if (of.value !== undefined && of.implied === undefined) parts.push(of.files ? "-r -F" : "-x")
    if (of.words) parts.push(`-a ${single(of.words.join(" "))}`)
    parts.push(`-d ${single(of.describe)}`)
    return parts.join(" ")
  })
  return [`# fish completion of ${name}`, ...(files ? [] : [`complete -c ${name} -f`]), ...lines, ""].join(
    "\n",
  )
}

function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * Datadriven tests: a text file of commands and of what each answers, which people read as a transcript and a machine
 * can write anew (`npm test -- --rewrite`, or VARVE_REWRITE=1).
 *
 * Format   file     := { comment | blank line | case }
 *          comment  := a line that starts with `#`; kept as it is
 *          case     := command line, input lines, `----`, expected
 *          command line := name { key | key=value | key=(value,value,…) }, separated by spaces
 *          expected := lines up to the first blank line or the end of the file; or, when the line after `----` is
 *                      `----` again, lines up to a further pair of `----`: these may hold blank lines
 * Input must not hold a line `----`; a case without input has `----` right after its command line.
 * Commands run in file order, and may share state: what one wrote the next one reads.
 * Source   github.com/cockroachdb/datadriven (the format)
 */
import { AssertionError } from 'node:assert'
import { readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { repository } from './paths.ts'

const SEPARATOR = '----'

/** One command of a datadriven file, as its handler gets it. */
export class Command {
  /** `path:line`, from the repository's root. */
  readonly place: string
  /** First word of the command line. */
  readonly name: string
  /** The lines between the command line and `----`, without the last line feed; '' if there are none. */
  readonly input: string
  readonly #args: ReadonlyMap<string, readonly string[]>

  constructor(place: string, name: string, args: ReadonlyMap<string, readonly string[]>, input: string) {
    this.place = place
    this.name = name
    this.input = input
    this.#args = args
  }

  /** The input's lines; none if there is no input. */
  get lines(): string[] {
    return this.input === '' ? [] : this.input.split('\n')
  }

  /** The keys in the order of the command line, with or without values: positional arguments. */
  get keys(): string[] {
    return [...this.#args.keys()]
  }

  /** Whether `key` is there, with or without a value. */
  has(key: string): boolean {
    return this.#args.has(key)
  }

  /** All values of `key=(a,b)` or `key=a`; empty for a bare or absent key. */
  list(key: string): readonly string[] {
    return this.#args.get(key) ?? []
  }

  /** The value of `key=value`, or `fallback`; an absent key without a fallback fails the test. */
  text(key: string, fallback?: string): string {
    const value = this.list(key)[0] ?? fallback
    if (value === undefined) throw new Error(`${this.place}: ${this.name} needs ${key}=…`)
    return value
  }

  /** As `text`, read as a number. */
  number(key: string, fallback?: number): number {
    const text = this.text(key, fallback === undefined ? undefined : String(fallback))
    const value = Number(text)
    if (text.trim() === '' || Number.isNaN(value)) throw new Error(`${this.place}: ${key}=${text} is not a number`)
    return value
  }

  /** For the `default:` of a handler's switch. */
  unknown(): never {
    throw new Error(`${this.place}: no command is called ${this.name}`)
  }
}

/** A command with what belongs to it in the file. */
interface Case {
  readonly command: Command
  /** Lines up to and with `----`. */
  readonly head: readonly string[]
  readonly expected: string
}

/** Lines to keep as they are, or a case. */
type Part = string | Case

/**
 * Run every command of the file through `handler` and compare what it returns with what the file expects.
 * When rewriting, the file is written anew instead, in place, and nothing is compared.
 * @param path    absolute, in the source tree: `testdata('memtable/versions')`
 * @param handler returns the command's output; a line feed at its end makes no difference
 * @throws AssertionError naming `path:line`, with a diff, at the first command that answers otherwise
 */
export function runDatadriven(path: string, handler: (command: Command) => string): void {
  const text = readFileSync(path, 'utf8')
  const parts = parseDatadriven(text, relative(repository(), path))
  if (process.env.VARVE_REWRITE !== '1') {
    for (const part of parts) if (typeof part !== 'string') expectSame(part, run(part, handler))
    return
  }
  const rewritten = rewriteDatadriven(parts, handler)
  if (rewritten !== text) writeFileSync(path, rewritten)
}

/** The text of the file whose expectations are what `handler` answers now. */
export function rewriteDatadriven(parts: readonly Part[], handler: (command: Command) => string): string {
  let text = ''
  for (const part of parts) {
    if (typeof part === 'string') text += `${part}\n`
    else text += `${part.head.join('\n')}\n${writeExpected(run(part, handler))}`
  }
  return text
}

/** Split a file into its parts. Blank lines between cases are parts of their own, so that a rewrite keeps them. */
export function parseDatadriven(text: string, file: string): Part[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const parts: Part[] = []
  let at = 0
  while (at < lines.length) {
    if (lines[at].trim() === '' || lines[at].startsWith('#')) {
      parts.push(lines[at++])
      continue
    }
    const separator = lines.indexOf(SEPARATOR, at)
    if (separator < 0) throw new Error(`${file}:${at + 1}: no ---- after the command`)
    const head = lines.slice(at, separator + 1)
    const command = parseCommand(head, `${file}:${at + 1}`)
    const end = expectedEnd(lines, separator + 1, command.place)
    parts.push({ command, head, expected: lines.slice(end.from, end.to).join('\n') })
    at = end.next
  }
  return parts
}

/** Where the expected lines begin and end, and where the file goes on. */
function expectedEnd(
  lines: readonly string[],
  begin: number,
  place: string,
): { from: number; to: number; next: number } {
  let to = begin
  if (lines[begin] !== SEPARATOR) {
    while (to < lines.length && lines[to] !== '') to++
    return { from: begin, to, next: to }
  }
  to++
  while (lines[to] !== SEPARATOR || lines[to + 1] !== SEPARATOR) {
    if (to >= lines.length) throw new Error(`${place}: a second pair of ---- is missing`)
    to++
  }
  return { from: begin + 1, to, next: to + 2 }
}

function parseCommand(head: readonly string[], place: string): Command {
  const [name = '', ...words] = head[0].match(/[^\s=]+(=(\([^)]*\)|\S*))?/g) ?? []
  const args = new Map<string, readonly string[]>()
  for (const word of words) {
    const equals = word.indexOf('=')
    const key = equals < 0 ? word : word.slice(0, equals)
    if (args.has(key)) throw new Error(`${place}: ${key} is given twice`)
    args.set(key, equals < 0 ? [] : parseValue(word.slice(equals + 1)))
  }
  return new Command(place, name, args, head.slice(1, -1).join('\n'))
}

function parseValue(text: string): string[] {
  if (!text.startsWith('(')) return [text]
  const inner = text.slice(1, text.endsWith(')') ? -1 : undefined).trim()
  return inner === '' ? [] : inner.split(',').map((value) => value.trim())
}

function run({ command }: Case, handler: (command: Command) => string): string {
  try {
    return handler(command).replace(/\n+$/, '')
  } catch (cause) {
    throw new Error(`${command.place}: ${command.name} threw: ${String(cause)}`, { cause })
  }
}

/** An output as the file holds it: in double separators if a blank line in it would end it. */
function writeExpected(output: string): string {
  if (output === '') return ''
  const isPlain = !output.startsWith(SEPARATOR) && !output.split('\n').includes('')
  return isPlain ? `${output}\n` : `${SEPARATOR}\n${output}\n${SEPARATOR}\n${SEPARATOR}\n`
}

function expectSame({ command, expected }: Case, actual: string): void {
  const wanted = expected.replace(/\n+$/, '')
  if (actual === wanted) return
  const diff = new AssertionError({ actual, expected: wanted, operator: 'strictEqual' }).message
  const message = `${command.place}: ${command.name} answers otherwise (npm test -- --rewrite accepts it)\n${diff}`
  throw new AssertionError({ message, actual, expected: wanted, operator: 'strictEqual' })
}

/**
 * SourceFile: what tidy's rules ask of one file: its tokens, its imports and exports, and its functions with their lengths.
 */
import { posix } from 'node:path'
import { type Token, tokenize } from './tokens.ts'

/** An import, a re-export, an `import(…)`, or a module that is only named by `new URL('./…', import.meta.url)`. */
export interface Import {
  readonly specifier: string
  /** The .ts file that a relative specifier names, from the root. */
  readonly target: string | undefined
  readonly isTypeOnly: boolean
  /** Named by a URL, not imported: the start of another thread. */
  readonly isUrl: boolean
  /** Names as the other module exports them; `*` for all of them. */
  readonly names: readonly string[]
  readonly line: number
}

export interface Export {
  readonly name: string
  readonly isType: boolean
  readonly line: number
}

export interface FunctionSpan {
  readonly name: string
  readonly line: number
  readonly lines: number
}

export interface SourceFile {
  readonly path: string
  /** Second component of a path in src/, else the first: `base`, `cli`, `test`. */
  readonly folder: string
  readonly lines: number
  readonly tokens: readonly Token[]
  /** The tokens without comments. */
  readonly code: readonly Token[]
  readonly imports: readonly Import[]
  readonly exports: readonly Export[]
  readonly functions: readonly FunctionSpan[]
}

const DECLARATIONS = new Set('const let var function class abstract interface type async'.split(' '))
/** Words before a parenthesis that do not make it a parameter list. */
const NOT_FUNCTIONS = new Set('if for while switch catch with return await typeof super import new of in'.split(' '))
/** Words that cannot stand in a return type: meeting one, there was no body. */
const STATEMENTS = new Set('if for const let var return while switch try throw class function export import'.split(' '))
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '{': '}', '[': ']', '<': '>' }

export function parseSource(path: string, text: string): SourceFile {
  const tokens = tokenize(text)
  const code = tokens.filter((token) => token.kind !== 'comment')
  const components = path.split('/')
  return {
    path,
    folder: components[0] === 'src' && components.length > 2 ? components[1] : components[0],
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    tokens,
    code,
    imports: findImports(path, code),
    exports: findExports(code),
    functions: findFunctions(code),
  }
}

/** Whether the tokens from `at` are written as `texts`. */
export function matches(code: readonly Token[], at: number, ...texts: string[]): boolean {
  return texts.every((text, i) => code[at + i]?.text === text)
}

function resolve(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return posix.join(posix.dirname(path), specifier.replace(/\.js$/, '.ts'))
}

function findImports(path: string, code: readonly Token[]): Import[] {
  const imports: Import[] = []
  function add(token: Token, names: string[], isTypeOnly: boolean = false, isUrl: boolean = false): void {
    const specifier = token.text.slice(1, -1)
    imports.push({ specifier, target: resolve(path, specifier), isTypeOnly, isUrl, names, line: token.line })
  }
  code.forEach((token, i) => {
    const next = code[i + 1]
    if (
      token.text === 'URL' &&
      next?.text === '(' &&
      code[i + 2]?.kind === 'string' &&
      matches(code, i + 3, ',', 'import')
    ) {
      add(code[i + 2], ['*'], false, true)
    }
    if (token.kind !== 'word' || code[i - 1]?.text === '.') return
    if (token.text === 'import' && next?.kind === 'string') add(next, [])
    if (token.text === 'import' && next?.text === '(' && code[i + 2]?.kind === 'string') add(code[i + 2], ['*'])
    if (token.text === 'from' && next?.kind === 'string') {
      const clause = code.slice(clauseStart(code, i), i)
      add(next, namesOf(clause), clause[1]?.text === 'type')
    }
  })
  return imports
}

/** Index of the `import` or `export` that the `from` at `at` belongs to. */
function clauseStart(code: readonly Token[], at: number): number {
  let start = at
  while (start > 0 && code[start].text !== 'import' && code[start].text !== 'export') start--
  return start
}

/** The imported names of `import type { a, b as c } from`; `*` where all may be meant. */
function namesOf(clause: readonly Token[]): string[] {
  const open = clause.findIndex(({ text }) => text === '{')
  if (open < 0) return ['*']
  return itemsOf(clause, open).map((item) => item[0].text)
}

/** The items between the braces at `open`, each without a leading `type`. */
function itemsOf(code: readonly Token[], open: number): Token[][] {
  const items: Token[][] = [[]]
  for (let i = open + 1; i < code.length && code[i].text !== '}'; i++) {
    const isModifier = code[i].text === 'type' && code[i + 1]?.kind === 'word' && code[i + 1].text !== 'as'
    if (code[i].text === ',') items.push([])
    else if (!isModifier) items[items.length - 1].push(code[i])
  }
  return items.filter((item) => item.length > 0)
}

/** Declared exports; re-exports and `export { … }` name what was declared elsewhere in the file under its last word. */
function findExports(code: readonly Token[]): Export[] {
  const exports: Export[] = []
  code.forEach((token, i) => {
    if (token.text !== 'export' || code[i - 1]?.text === '.') return
    let at = i + 1
    if (code[at]?.text === '{' || matches(code, at, 'type', '{')) {
      const open = code[at].text === '{' ? at : at + 1
      for (const item of itemsOf(code, open)) {
        const last = item[item.length - 1]
        exports.push({ name: last.text, isType: open > at, line: last.line })
      }
      return
    }
    while (DECLARATIONS.has(code[at]?.text)) at++
    if (at === i + 1 || code[at]?.kind !== 'word') return
    const isType = ['type', 'interface'].includes(code[at - 1].text)
    exports.push({ name: code[at].text, isType, line: code[at].line })
  })
  return exports
}

/** Functions, methods, accessors and arrow functions that have a body in braces. */
function findFunctions(code: readonly Token[]): FunctionSpan[] {
  const functions: FunctionSpan[] = []
  const bodies = new Set<number>()
  function add(name: string, begin: number, body: number): void {
    const end = closing(code, body)
    if (bodies.has(body) || end < 0) return
    bodies.add(body)
    functions.push({ name, line: code[begin].line, lines: code[end].line - code[begin].line + 1 })
  }
  code.forEach((token, i) => {
    if (token.text === '=>' && code[i + 1]?.text === '{') add(arrowName(code, i), i, i + 1)
    if (token.text !== '(' || i === 0) return
    const name = headName(code, i)
    const body = name === undefined ? -1 : bodyAfter(code, closing(code, i))
    if (name !== undefined && body >= 0) add(name, i, body)
  })
  return functions
}

/** The name before the parameter list that opens at `open`, or undefined if none can begin there. */
function headName(code: readonly Token[], open: number): string | undefined {
  let at = open - 1
  if (code[at].text === '>') {
    while (at > 0 && code[at].text !== '<') at--
    at--
  }
  const token = code[at]
  if (token === undefined || code[at - 1]?.text === '.' || code[at - 1]?.text === 'new') return undefined
  if (token.text === ']') return code[at - 1].text
  if (token.text === 'function') return 'anonymous'
  return token.kind === 'word' && !NOT_FUNCTIONS.has(token.text) ? token.text : undefined
}

/** Index of the `{` of a body that follows the parameter list closed at `close`, past a return type; −1 if none does. */
function bodyAfter(code: readonly Token[], close: number): number {
  if (close < 0) return -1
  if (code[close + 1]?.text === '{') return close + 1
  if (code[close + 1]?.text !== ':') return -1
  for (let i = close + 2; i < code.length; i++) {
    const { text } = code[i]
    if (text === '{' && !isTypePosition(code[i - 1].text)) return i
    if (['}', ')', ']', ';', '='].includes(text) || STATEMENTS.has(text)) return -1
    if (text in CLOSING && text !== '<') i = closing(code, i)
    if (i < 0) return -1
  }
  return -1
}

/** Whether a `{` after this token opens an object type. */
function isTypePosition(previous: string): boolean {
  return [':', '|', '&', '<', ',', '(', '[', '=>', 'is'].includes(previous)
}

/** Name that an arrow function is bound to: `name = (…) =>` or `name: (…) =>`, types not looked into. */
function arrowName(code: readonly Token[], arrow: number): string {
  let at = arrow - 1
  for (let depth = 0; at >= 0; at--) {
    if (code[at].text === ')') depth++
    if (code[at].text === '(' && --depth <= 0) break
  }
  const isBound = code[at - 1]?.text === '=' || code[at - 1]?.text === ':'
  return isBound && code[at - 2]?.kind === 'word' ? code[at - 2].text : 'anonymous'
}

/** Index of the bracket that closes the one at `open`, or −1. */
function closing(code: readonly Token[], open: number): number {
  const begin = code[open].text
  const end = CLOSING[begin]
  let depth = 0
  for (let i = open; i < code.length; i++) {
    if (code[i].kind !== 'punctuation') continue
    if (code[i].text === begin) depth++
    if (code[i].text === end && --depth === 0) return i
  }
  return -1
}

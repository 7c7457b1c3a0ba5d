/**
 * Tokens: TypeScript source as words, punctuation and literals, enough to check rules that a reader could check without
 * knowing types. Comments and literals are tokens of their own, so that a word in one is never taken for code.
 *
 * A template literal yields one 'template' token for each of its pieces, and the tokens of its expressions in between.
 * A slash begins a regular expression where an operand is due: after an operator, an opening bracket or a keyword such as
 * `return`; a regular expression at the start of a statement, after `)` or `}`, is taken for divisions (none is written).
 */

export type TokenKind = 'word' | 'number' | 'string' | 'template' | 'regex' | 'punctuation' | 'comment'

export interface Token {
  readonly kind: TokenKind
  /** As written, quotes and all. */
  readonly text: string
  /** Of its first character, from 1. */
  readonly line: number
}

/** What a token can start with; the longest punctuation that matters to a rule is `=>`. */
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['comment', /\/\/.*|\/\*[\s\S]*?\*\//y],
  ['word', /[#@]?[\p{ID_Start}_$][\p{ID_Continue}$]*/uy],
  ['number', /\.?\d[\w.]*/y],
  ['string', /'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"/y],
]
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y
const PUNCTUATION = /=>|\?\.|\.\.\.|[^\s]/y
/** The rest of a template literal's piece: up to its end or its next expression. */
const TEMPLATE_PIECE = /(?:\\[\s\S]|\$(?!\{)|[^\\`$])*(?:`|\$\{)/y
const OPERAND_DUE_AFTER = new Set(
  'return typeof case in of do else void delete throw new instanceof yield await'.split(' '),
)

export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  /** For each open template expression, the depth of braces at which it ends. */
  const templates: number[] = []
  let depth = 0
  let line = 1
  let at = 0

  function take(kind: TokenKind, length: number): void {
    const piece = text.slice(at, at + length)
    tokens.push({ kind, text: piece, line })
    line += piece.split('\n').length - 1
    at += length
  }

  function takeTemplatePiece(): void {
    const length = 1 + matchLength(TEMPLATE_PIECE, text, at + 1)
    take('template', length)
    if (tokens[tokens.length - 1].text.endsWith('${')) templates.push(depth)
  }

  if (text.startsWith('#!')) take('comment', text.indexOf('\n'))
  while (at < text.length) {
    const char = text[at]
    if (/\s/.test(char)) {
      if (char === '\n') line++
      at++
      continue
    }
    if (char === '`') {
      takeTemplatePiece()
      continue
    }
    if (char === '}' && templates.at(-1) === depth) {
      templates.pop()
      takeTemplatePiece()
      continue
    }
    const found = PATTERNS.map(([kind, pattern]) => [kind, matchLength(pattern, text, at)] as const).find(
      ([, n]) => n > 0,
    )
    if (found !== undefined) {
      take(...found)
      continue
    }
    if (char === '{') depth++
    if (char === '}') depth--
    const regex = char === '/' && isOperandDue(tokens) ? matchLength(REGEX, text, at) : 0
    if (regex > 0) take('regex', regex)
    else take('punctuation', matchLength(PUNCTUATION, text, at))
  }
  return tokens
}

function matchLength(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0].length ?? 0
}

function isOperandDue(tokens: readonly Token[]): boolean {
  let last = tokens.length - 1
  while (last >= 0 && tokens[last].kind === 'comment') last--
  if (last < 0) return true
  const { kind, text } = tokens[last]
  if (kind === 'word') return OPERAND_DUE_AFTER.has(text)
  if (kind === 'template') return text.endsWith('${')
  return kind === 'punctuation' && ![')', ']', '}'].includes(text)
}

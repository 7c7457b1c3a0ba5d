/**
 * Span: a piece of a terminal line with one style. Lines are made of spans, so that their width is known while the escape
 * sequences that colour them are not yet there.
 */

export type Style = 'plain' | 'bold' | 'dim' | 'blue' | 'green' | 'yellow' | 'red'

export interface Span {
  readonly text: string
  readonly style: Style
}

/** Select Graphic Rendition parameters: on, off. */
const CODES: Readonly<Record<Style, readonly [on: number, off: number]>> = {
  plain: [0, 0],
  bold: [1, 22],
  dim: [2, 22],
  blue: [36, 39],
  green: [32, 39],
  yellow: [33, 39],
  red: [31, 39],
}

// Not exact for every script and terminal; exact tables would be larger than all of this folder.
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303f\uff00-\uff60]/u
const WIDTHLESS = /[\p{M}\p{Cf}]/u

export function span(text: string, style: Style = 'plain'): Span {
  return { text, style }
}

/** Columns that a text takes in a terminal. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const character of text) columns += columnsOfCharacter(character)
  return columns
}

function columnsOfCharacter(character: string): number {
  if (character < '\u0300') return 1
  if (WIDTHLESS.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** The text, cut to at most `columns`, with `…` for what is missing. */
export function shorten(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let kept = ''
  let used = 1
  for (const character of text) {
    used += columnsOfCharacter(character)
    if (used > columns) break
    kept += character
  }
  return columns < 1 ? '' : `${kept}…`
}

/** As shorten, but keeps the end: for paths. */
export function shortenStart(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let characters = [...text]
  while (characters.length > 0 && columnsOf(characters.join('')) > columns - 1) characters = characters.slice(1)
  return columns < 1 ? '' : `…${characters.join('')}`
}

/** The text, filled with spaces to `columns`. */
export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)))
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - columnsOf(text))) + text
}

/** Exactly `columns` of the spans: cut, or filled with spaces. */
export function fit(spans: readonly Span[], columns: number): Span[] {
  const fitted: Span[] = []
  let left = columns
  for (const { text, style } of spans) {
    const shown = shorten(text, left)
    fitted.push({ text: shown, style })
    left -= columnsOf(shown)
    if (shown !== text) break
  }
  if (left > 0) fitted.push(span(' '.repeat(left)))
  return fitted
}

/** The spans as one text, with escape sequences if `color`. */
export function paint(spans: readonly Span[], color: boolean): string {
  return spans.map(({ text, style }) => (color ? paintOne(text, style) : text)).join('')
}

function paintOne(text: string, style: Style): string {
  const [on, off] = CODES[style]
  return style === 'plain' || text === '' ? text : `\u001b[${on}m${text}\u001b[${off}m`
}

/**
 * Drawing: boxes, lines and text as SVG. It has a background of its own, so that it reads the same on a light page and a dark
 * one.
 */
const PAPER = '#fbfaf7'
const INK = '#22303c'
const FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace'

/** Fills by what they stand for. */
export const FILL = {
  plain: '#ffffff',
  quiet: '#e9ecef',
  node: '#cfe3f1',
  leaf: '#dcebd2',
  version: '#fbe3c4',
  fresh: '#f6c9b8',
  found: '#ffe28a',
  range: '#e2d4f0',
} as const

export interface BoxStyle {
  readonly fill?: string
  readonly isBold?: boolean
  readonly isDashed?: boolean
}

export class Drawing {
  readonly #width: number
  readonly #height: number
  readonly #title: string
  readonly #parts: string[] = []

  /** @param title what it shows, for who cannot see it */
  constructor(width: number, height: number, title: string) {
    this.#width = width
    this.#height = height
    this.#title = title
  }

  /** A box with lines of text in its middle. */
  box(x: number, y: number, width: number, height: number, lines: readonly string[], style: BoxStyle = {}): void {
    const { fill = FILL.plain, isBold = false, isDashed = false } = style
    const dash = isDashed ? ' stroke-dasharray="4 3"' : ''
    this.#parts.push(
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4" fill="${fill}" stroke="${INK}" ` +
        `stroke-width="${isBold ? 2.5 : 1}"${dash}/>`,
    )
    const first = y + height / 2 - (lines.length - 1) * 7.5 + 4
    lines.forEach((line, i) => {
      this.text(x + width / 2, first + i * 15, line, { anchor: 'middle' })
    })
  }

  text(
    x: number,
    y: number,
    text: string,
    style: { anchor?: 'start' | 'middle' | 'end'; isBold?: boolean; isQuiet?: boolean; size?: number } = {},
  ): void {
    const { anchor = 'start', isBold = false, isQuiet = false, size = 12 } = style
    this.#parts.push(
      `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="${isQuiet ? '#5c6b78' : INK}"` +
        `${isBold ? ' font-weight="bold"' : ''}>${escaped(text)}</text>`,
    )
  }

  /** Text on a line, around a place. */
  label(x: number, y: number, text: string): void {
    const width = text.length * 8 + 6
    this.#parts.push(`<rect x="${x - width / 2}" y="${y - 9}" width="${width}" height="17" rx="3" fill="${PAPER}"/>`)
    this.text(x, y + 4, text, { anchor: 'middle', isBold: true })
  }

  line(x1: number, y1: number, x2: number, y2: number, isBold: boolean = false): void {
    this.#parts.push(
      `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${INK}" stroke-width="${isBold ? 3 : 1}"/>`,
    )
  }

  arrow(x1: number, y1: number, x2: number, y2: number, isDashed: boolean = false): void {
    this.#parts.push(
      `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${INK}" marker-end="url(#tip)"` +
        `${isDashed ? ' stroke-dasharray="4 3"' : ''}/>`,
    )
  }

  /** An arrow that swings below or above what lies between its ends. */
  arc(x1: number, y1: number, x2: number, y2: number, swing: number): void {
    const middle = (x1 + x2) / 2
    this.#parts.push(
      `<path d="M ${x1} ${y1} Q ${middle} ${(y1 + y2) / 2 + swing} ${x2} ${y2}" fill="none" stroke="${INK}" ` +
        'stroke-dasharray="4 3" marker-end="url(#tip)"/>',
    )
  }

  toString(): string {
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${this.#width}" height="${this.#height}" ` +
        `viewBox="0 0 ${this.#width} ${this.#height}" font-family="${FONT}">`,
      `<title>${escaped(this.#title)}</title>`,
      '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">' +
        `<path d="M 0 0 L 8 4 L 0 8 z" fill="${INK}"/></marker></defs>`,
      `<rect width="${this.#width}" height="${this.#height}" rx="8" fill="${PAPER}"/>`,
      ...this.#parts,
      '</svg>\n',
    ].join('\n')
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

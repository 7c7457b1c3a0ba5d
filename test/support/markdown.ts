/**
 * Markdown, as far as tests need it: the fenced blocks of a document.
 */
import { readFileSync } from 'node:fs'
import { repository } from './paths.ts'

export interface Block {
  /** File and line, for people. */
  readonly place: string
  readonly language: string
  readonly text: string
  /** Whether nothing but blank lines lies between the block before it and this one. */
  readonly isNext: boolean
}

/**
 * The fenced blocks of a document, in order.
 * @param document path from the root of the repository
 * @throws Error if a block has no end
 */
export function blocksOf(document: string): Block[] {
  const blocks: Block[] = []
  let open: { line: number; language: string; text: string[] } | undefined
  let isNext = false
  for (const [i, line] of readFileSync(repository(document), 'utf8').split('\n').entries()) {
    if (!line.startsWith('```')) {
      if (open !== undefined) open.text.push(line)
      else if (line.trim() !== '') isNext = false
    } else if (open === undefined) {
      open = { line: i + 1, language: line.slice(3).trim(), text: [] }
    } else {
      const { language, text } = open
      blocks.push({ place: `${document}:${open.line}`, language, text: text.join('\n'), isNext })
      open = undefined
      isNext = true
    }
  }
  if (open !== undefined) throw new Error(`${document}:${open.line} is a block without an end`)
  return blocks
}

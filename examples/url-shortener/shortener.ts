/**
 * Short codes for URLs, and how often each was followed.
 *
 *   link/<code>   the link;  hits/<code>   a number
 *
 * Batched    every write of a turn of the event loop is one write to the log: a hundred requests at once cost as one
 * The same   URL has the same code, taken from its hash: asking twice creates nothing, also when it is at once
 */
import { createHash } from 'node:crypto'
import type { DB } from '../../src/public/index.ts'

interface Link {
  readonly url: string
  readonly createdAt: string
}

export interface LinkStats extends Link {
  readonly code: string
  readonly hits: number
}

/** 42 bits; a code that is another URL's already is made longer. */
const CODE_LENGTH = 7
const decoder = new TextDecoder()

export class Shortener {
  readonly #db: DB
  /** Counts that are being written. A put is visible once its promise resolves; until then the newest count is here. */
  readonly #newestHits = new Map<string, number>()

  constructor(db: DB) {
    this.#db = db
  }

  /** @returns the code, once the link is stored */
  async create(url: string): Promise<string> {
    const hash = createHash('sha256').update(url).digest('base64url')
    for (let length = CODE_LENGTH; ; length++) {
      const code = hash.slice(0, length)
      const found = this.#link(code)
      if (found?.url === url) return code
      if (found !== undefined) continue
      const link: Link = { url, createdAt: new Date().toISOString() }
      await this.#db.put(`link/${code}`, JSON.stringify(link))
      return code
    }
  }

  /** Where a code leads, undefined if nowhere. Counted, which nobody need wait for. */
  follow(code: string): { readonly url: string; readonly counted: Promise<void> } | undefined {
    const link = this.#link(code)
    return link && { url: link.url, counted: this.#count(code) }
  }

  stats(code: string): LinkStats | undefined {
    const link = this.#link(code)
    return link && { code, ...link, hits: this.#hits(code) }
  }

  async #count(code: string): Promise<void> {
    const hits = this.#hits(code) + 1
    this.#newestHits.set(code, hits)
    try {
      // Writes take effect in program order, so the last count stays.
      await this.#db.put(`hits/${code}`, String(hits))
    } finally {
      if (this.#newestHits.get(code) === hits) this.#newestHits.delete(code)
    }
  }

  #hits(code: string): number {
    return this.#newestHits.get(code) ?? Number(this.#read(`hits/${code}`) ?? 0)
  }

  #link(code: string): Link | undefined {
    const text = this.#read(`link/${code}`)
    return text === undefined ? undefined : JSON.parse(text)
  }

  #read(key: string): string | undefined {
    const value = this.#db.getSync(key)
    return value && decoder.decode(value)
  }
}

/**
 * A table, block by block and entry by entry, as text: footer, metaindex, filter, index, data blocks, and at the end what
 * they add up to. A damaged block is named, and the next one is shown; a table without a usable footer or index is searched
 * for its blocks (find-blocks.ts).
 */
import { getFixed32, Reader } from '../base/coding.ts'
import type { Codecs, RandomAccessFile } from '../base/environment.ts'
import { VarveError } from '../base/errors.ts'
import { TAG_BYTES, tagIsValid, tagSequence, tagType } from '../base/internal-key.ts'
import type { Bytes } from '../base/types.ts'
import * as ValueType from '../base/value-type.ts'
import { Block } from '../table/block.ts'
import { BlockCursor } from '../table/block-cursor.ts'
import { readBlock, readStored } from '../table/block-reader.ts'
import { compressionName, NONE, uncompress } from '../table/compression.ts'
import { type BlockHandle, FOOTER_BYTES, type Footer, readFooter, readHandle } from '../table/table-format.ts'
import { attempt } from './dump-fault.ts'
import { showInternalKey } from './dump-key.ts'
import { showCount, showPlural } from './figures.ts'
import { findBlocks } from './find-blocks.ts'
import { type BytesStyle, quoteBytes } from './render-bytes.ts'

/**
 * The lines of a dump, without line feeds.
 * @param codecs what the host can uncompress; blocks that it cannot are named, and left out
 */
export function dumpTable(file: RandomAccessFile, style: BytesStyle, codecs: Codecs = {}): Generator<string> {
  return new TableDump(file, style, codecs).lines()
}

const NAME_STYLE: BytesStyle = { hex: false, maxBytes: 80 }

interface NamedHandle {
  /** The index or metaindex key under which the block stands. */
  readonly key: Bytes
  /** undefined if the entry is none. */
  readonly handle: BlockHandle | undefined
}

class TableDump {
  readonly #file: RandomAccessFile
  readonly #style: BytesStyle
  readonly #codecs: Codecs
  #entries = 0
  #tombstones = 0
  #keyBytes = 0
  #valueBytes = 0
  #firstSequence: number = Number.MAX_SAFE_INTEGER
  #lastSequence = 0
  #damagedBlocks = 0
  #compressedBlocks = 0
  #storedBytes = 0
  #contentsBytes = 0

  constructor(file: RandomAccessFile, style: BytesStyle, codecs: Codecs) {
    this.#file = file
    this.#style = style
    this.#codecs = codecs
  }

  *lines(): Generator<string> {
    const footer = attempt(() => readFooter(this.#file))
    if (footer instanceof VarveError) {
      yield `  footer damage: ${footer.message}`
      yield* this.#search()
    } else {
      const metaindex = place(footer.metaindex) + this.#compression(footer.metaindex)
      yield `  footer @${this.#file.bytes - FOOTER_BYTES}: metaindex ${metaindex}, index ${place(footer.index)}`
      yield* this.#metaindex(footer)
      yield* this.#index(footer)
    }
    yield* this.#totals()
  }

  *#metaindex({ metaindex }: Footer): Generator<string> {
    const names = this.#handles(metaindex)
    if (names instanceof VarveError) {
      yield `  metaindex damage: ${names.message}`
      return
    }
    if (names.length === 0) yield '  metaindex: empty, so the table has no filter'
    for (const { key, handle } of names) {
      const name = quoteBytes(key, 0, key.length, NAME_STYLE)
      if (handle === undefined) yield `  metaindex ${name} damage: no block handle`
      else yield `  metaindex ${name} ${place(handle)}${this.#filterState(handle)}`
    }
  }

  #filterState(handle: BlockHandle): string {
    const block = attempt(() => readBlock(this.#file, handle, this.#codecs))
    return block instanceof VarveError ? `, damage: ${block.message}` : ', checksum good'
  }

  *#index({ index }: Footer): Generator<string> {
    const handles = this.#handles(index)
    if (handles instanceof VarveError) {
      yield `  index damage: ${handles.message}`
      yield* this.#search()
      return
    }
    yield `  index ${place(index)}${this.#compression(index)}: ${showPlural(handles.length, 'data block')}`
    for (const [i, { key, handle }] of handles.entries()) {
      const separator = showInternalKey(key, 0, key.length, this.#style)
      yield `  block ${i}${handle === undefined ? '' : ` ${place(handle)}${this.#compression(handle)}`}, up to ${separator}`
      if (handle === undefined) yield* this.#damage('its index entry is no block handle')
      else yield* this.#dataBlock(handle)
    }
  }

  /** How a block is compressed and to what length its contents come, if it is compressed and can be read. */
  #compression(handle: BlockHandle): string {
    const found = attempt(() => {
      const { type, stored } = readStored(this.#file, handle)
      if (type === NONE) return ''
      const name = compressionName(type, stored)
      const contents = attempt(() => uncompress(type, stored, this.#codecs, this.#file.path, handle.offset))
      if (contents instanceof VarveError) return ` (${name})`
      this.#compressedBlocks++
      this.#storedBytes += stored.length
      this.#contentsBytes += contents.length
      return ` (${name}, ${showPlural(contents.length, 'byte')})`
    })
    return found instanceof VarveError ? '' : found
  }

  /** The entries of an index or metaindex block, up to damage inside it. */
  #handles(handle: BlockHandle): NamedHandle[] | VarveError {
    const found: NamedHandle[] = []
    const fault = attempt(() => {
      const cursor = this.#cursor(handle)
      while (!cursor.isAtEnd) {
        cursor.advance()
        const reader = new Reader(cursor.block.bytes, cursor.valueOffset, cursor.valueOffset + cursor.valueLength)
        const target = readHandle(reader)
        found.push({ key: cursor.key.slice(0, cursor.keyLength), handle: reader.failed ? undefined : target })
      }
      return undefined
    })
    return fault ?? found
  }

  #cursor(handle: BlockHandle): BlockCursor {
    const cursor = new BlockCursor()
    cursor.reset(new Block(readBlock(this.#file, handle, this.#codecs), this.#file.path, handle.offset))
    return cursor
  }

  *#dataBlock(handle: BlockHandle): Generator<string> {
    const cursor = attempt(() => this.#cursor(handle))
    if (cursor instanceof VarveError) {
      yield* this.#damage(cursor.message)
      return
    }
    while (!cursor.isAtEnd) {
      const fault = attempt(() => cursor.advance())
      if (fault instanceof VarveError) {
        yield* this.#damage(fault.message)
        return
      }
      yield this.#entry(cursor)
    }
  }

  #entry(cursor: BlockCursor): string {
    this.#count(cursor)
    const key = showInternalKey(cursor.key, 0, cursor.keyLength, this.#style)
    return `    ${key}, ${showPlural(cursor.valueLength, 'byte')}`
  }

  #count({ key, keyLength, valueLength }: BlockCursor): void {
    this.#entries++
    this.#valueBytes += valueLength
    const userLength = keyLength - TAG_BYTES
    if (userLength < 0) return
    this.#keyBytes += userLength
    const low = getFixed32(key, userLength)
    const high = getFixed32(key, userLength + 4)
    if (!tagIsValid(low, high)) return
    if (tagType(low) === ValueType.DELETION) this.#tombstones++
    const sequence = tagSequence(low, high)
    this.#firstSequence = Math.min(this.#firstSequence, sequence)
    this.#lastSequence = Math.max(this.#lastSequence, sequence)
  }

  *#damage(message: string): Generator<string> {
    this.#damagedBlocks++
    yield `    damage: ${message}`
  }

  *#search(): Generator<string> {
    yield '  searching for blocks by their checksums:'
    const found = new Set<string>()
    for (const handle of findBlocks(this.#file)) {
      const targets = this.#handles(handle)
      if (targets instanceof VarveError) {
        yield `  block ${place(handle)}: no entries, but perhaps the filter`
      } else if (targets.every((target) => target.handle !== undefined && found.has(place(target.handle)))) {
        yield `  block ${place(handle)}: no entries, but ${showPlural(targets.length, 'handle')} of blocks`
      } else {
        yield `  block ${place(handle)}${this.#compression(handle)}`
        yield* this.#dataBlock(handle)
      }
      found.add(place(handle))
    }
  }

  *#totals(): Generator<string> {
    const entries = showPlural(this.#entries, 'entry', 'entries')
    yield `  end: ${entries}, of them ${showPlural(this.#tombstones, 'tombstone')}; keys ${showCount(this.#keyBytes)} bytes, values ${showCount(this.#valueBytes)} bytes`
    if (this.#lastSequence > 0) {
      yield `  sequences ${showCount(this.#firstSequence)} to ${showCount(this.#lastSequence)}`
    }
    if (this.#compressedBlocks > 0) {
      const stored = `${showCount(this.#storedBytes)} bytes of ${showCount(this.#contentsBytes)}`
      yield `  ${showPlural(this.#compressedBlocks, 'compressed block')}, stored in ${stored}`
    }
    if (this.#damagedBlocks > 0) yield `  ${showPlural(this.#damagedBlocks, 'damaged block')}`
  }
}

function place({ offset, bytes }: BlockHandle): string {
  return `@${offset}+${bytes}`
}

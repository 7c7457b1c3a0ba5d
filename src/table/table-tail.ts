/**
 * TableTail: the end of a table file, read at once: footer, index block, metaindex block and, as a rule, the filter block.
 * Opening a table is thus one read in most cases; what does not lie in the tail is read by itself.
 *
 * Memory   at most MAX_TAIL_BYTES, and only while the table is being opened: the next one's tail lies there. Opening a hundred
 *          tables after a large compaction would otherwise leave as many quarters of a megabyte to the collector.
 * Checked  the footer's layout, every block's bounds and checksum, as if each had been read alone
 */
import type { Codecs, RandomAccessFile } from '../base/environment.ts'
import type { Bytes } from '../base/types.ts'
import { checkHandle, readBlock, verifiedContents } from './block-reader.ts'
import { type BlockHandle, decodeFooter, type Footer } from './table-format.ts'

/** Filter and index take about a fiftieth of a table of 100-byte values, and more where values are smaller. */
const TAIL_PART = 32
const MIN_TAIL_BYTES = 16 * 1024
const MAX_TAIL_BYTES = 2 * 1024 * 1024
/** What stays between two openings. */
const MAX_KEPT_BYTES = 512 * 1024
let kept: Uint8Array = new Uint8Array(0)

export class TableTail {
  readonly footer: Footer
  readonly #file: RandomAccessFile
  readonly #codecs: Codecs | undefined
  readonly #isKept: boolean
  readonly #bytes: Bytes
  /** Offset in the file of #bytes. */
  readonly #start: number

  /**
   * @param codecs what the host can uncompress
   * @param isKept whether what is read is to outlast this tail
   * @throws CorruptionError if the file is no table, IOError
   */
  constructor(file: RandomAccessFile, codecs: Codecs | undefined, isKept: boolean) {
    const wanted = Math.max(MIN_TAIL_BYTES, Math.min(MAX_TAIL_BYTES, Math.ceil(file.bytes / TAIL_PART)))
    const length = Math.min(wanted, file.bytes)
    this.#file = file
    this.#codecs = codecs
    this.#isKept = isKept
    this.#start = file.bytes - length
    this.#bytes = memoryFor(length)
    file.read(this.#start, this.#bytes, 0, length)
    this.footer = decodeFooter(file, this.#bytes)
  }

  /**
   * The verified contents of a block; unless they are kept, maybe a view of the tail, which is good until the next one is read.
   * @throws CorruptionError, NotSupportedError, IOError as readBlock
   */
  read(handle: BlockHandle): Bytes {
    if (handle.offset < this.#start) return readBlock(this.#file, handle, this.#codecs)
    checkHandle(this.#file, handle)
    const at = handle.offset - this.#start
    const contents = verifiedContents(this.#bytes, at, handle.bytes, this.#codecs, this.#file.path, handle.offset)
    return this.#isKept && contents.buffer === this.#bytes.buffer ? contents.slice() : contents
  }
}

function memoryFor(length: number): Uint8Array {
  if (length > MAX_KEPT_BYTES) return new Uint8Array(length)
  if (length > kept.length) kept = new Uint8Array(length)
  return kept.subarray(0, length)
}

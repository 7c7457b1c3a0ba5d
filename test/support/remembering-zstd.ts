/**
 * RememberingZstd: a codec for hosts that have no zstd. What it makes looks like frames, of a length and with one block; that holds a
 * number, by which it remembers what the contents were. It reads what it made, and nothing else.
 */
import { getFixed32, putFixed32 } from '../../src/base/coding.ts'
import type { Codec } from '../../src/base/environment.ts'
import type { Bytes } from '../../src/base/types.ts'

/** The magic number and a descriptor: the length has four bytes. */
const BEGINNING = [0x28, 0xb5, 0x2f, 0xfd, 0xa0]
/** The last block, as it is, of four bytes. */
const BLOCK_HEADER = [0x21, 0, 0]
const NUMBER_AT = BEGINNING.length + 4 + BLOCK_HEADER.length

export class RememberingZstd implements Codec {
  readonly #made: Bytes[] = []

  compress(contents: Bytes): Bytes {
    const frame = new Uint8Array(NUMBER_AT + 4)
    frame.set(BEGINNING)
    putFixed32(frame, BEGINNING.length, contents.length)
    frame.set(BLOCK_HEADER, BEGINNING.length + 4)
    putFixed32(frame, NUMBER_AT, this.#made.push(contents.slice()) - 1)
    return frame
  }

  uncompress(frame: Bytes): Bytes | undefined {
    return this.#made[getFixed32(frame, NUMBER_AT)]
  }
}

/**
 * Equivalents of src/table: see equivalents.ts.
 */
import type { AllowedMutant } from './allowed.ts'
import { ANOTHER_WAY, BY_ONE, EITHER, GROWS_EARLY, MORE_ROOM } from './reasons.ts'

export const TABLE_EQUIVALENTS: readonly AllowedMutant[] = [
  {
    file: 'table/snappy-decoder',
    line: 'if (at + lengthBytes > limit)',
    changes: ['at + lengthBytes > limit → (at + lengthBytes) >= limit'],
    reason: 'a literal whose length ends the block has no byte: it is cut off either way',
  },
  {
    file: 'table/snappy-decoder',
    line: 'if (length > MAX_WORD_COPY_BYTES)',
    changes: [
      'length > MAX_WORD_COPY_BYTES → true',
      'length > MAX_WORD_COPY_BYTES → false',
      'length > MAX_WORD_COPY_BYTES → length >= MAX_WORD_COPY_BYTES',
    ],
    reason: ANOTHER_WAY,
  },
  {
    file: 'table/snappy-decoder',
    line: 'if (length <= SHORT_BYTES && from + SHORT_BYTES <= source.byteLength && to + SHORT_BYTES <= target.byteLength) {',
    changes: [
      'length <= SHORT_BYTES && from + SHORT_BYTES <= source.byteLength && to + SHORT_BYTES <= target.byte… → false',
      'length <= SHORT_BYTES → length < SHORT_BYTES',
      'from + SHORT_BYTES <= source.byteLength → (from + SHORT_BYTES) < source.byteLength',
      'to + SHORT_BYTES <= target.byteLength → (to + SHORT_BYTES) < target.byteLength',
    ],
    reason: ANOTHER_WAY,
  },
  {
    file: 'table/snappy-decoder',
    line: 'else if (from + length + 3 <= source.byteLength && to + length + 3 <= target.byteLength) {',
    changes: [
      'from + length + 3 <= source.byteLength && to + length + 3 <= target.byteLength → false',
      'from + length + 3 <= source.byteLength → (from + length + 3) < source.byteLength',
      'to + length + 3 <= target.byteLength → (to + length + 3) < target.byteLength',
      '3 → 4',
      '3 → 4 #2',
    ],
    reason: ANOTHER_WAY,
  },
  {
    file: 'table/snappy-decoder',
    line: 'if (offset < 4) {',
    changes: ['offset < 4 → true', 'offset < 4 → offset <= 4', '4 → 5'],
    reason: ANOTHER_WAY,
  },
  {
    file: 'table/snappy-decoder',
    line: 'else if (length <= SHORT_BYTES && to + SHORT_BYTES <= target.byteLength) {',
    changes: [
      'length <= SHORT_BYTES && to + SHORT_BYTES <= target.byteLength → false',
      'length <= SHORT_BYTES → length < SHORT_BYTES',
      'to + SHORT_BYTES <= target.byteLength → (to + SHORT_BYTES) < target.byteLength',
    ],
    reason: ANOTHER_WAY,
  },
  {
    file: 'table/snappy-decoder',
    line: 'else if (to + length + 3 <= target.byteLength) {',
    changes: [
      'to + length + 3 <= target.byteLength → false',
      'to + length + 3 <= target.byteLength → (to + length + 3) < target.byteLength',
      '3 → 4',
    ],
    reason: ANOTHER_WAY,
  },
  {
    file: 'table/block-iterator',
    line: 'return compareTags(low, getFixed32(probe.key, userLength + 4), tagLow, tagHigh) < 0;',
    changes: ['compareTags(low, getFixed32(probe.key, userLength + 4), tagLow, tagHigh) < 0 → undefined'],
    reason: 'the walk to the entry sought begins at an earlier restart point, and ends at the same entry',
  },
  {
    file: 'table/block-iterator',
    line: 'const limit = userLength < keyLen ? userLength : keyLen;',
    changes: ['userLength < keyLen → userLength <= keyLen'],
    reason: EITHER,
  },
  {
    file: 'table/block-iterator',
    line: 'if (matched > shared)',
    changes: ['matched > shared → matched >= shared'],
    reason: EITHER,
  },
  {
    file: 'table/filter-block',
    line: 'spans[2 * i] = isThere ? view.getUint32(at, true) : 0;',
    changes: BY_ONE,
    reason: 'where a filter begins that is not there',
  },
  {
    file: 'table/block-iterator',
    line: 'return order < 0;',
    changes: ['order < 0 → order <= 0'],
    reason: 'the order of keys that are the same has been answered before',
  },
  {
    file: 'table/block',
    line: "export const EMPTY_BLOCK = new Block(new Uint8Array(U32_BYTES), '', 0);",
    changes: BY_ONE,
    reason: 'where it lies would be told with damage, which it has none of',
  },
  {
    file: 'table/index-entries',
    line: 'const room = 2 * offsets.length + 1;',
    changes: ['2 → (1)', '2 → 3', '1 → 2'],
    reason: MORE_ROOM,
  },
  {
    file: 'table/index-entries',
    line: 'this.starts = new Int32Array(room + 1);',
    changes: ['1 → 2'],
    reason: MORE_ROOM,
  },
  {
    file: 'table/index-entries',
    line: 'const keys = new Uint8Array(Math.min(needed * 2, limit));',
    changes: ['2 → 3', '2 → (1)'],
    reason: MORE_ROOM,
  },
  {
    file: 'table/index-entries',
    line: 'let previousEnd = 0;',
    changes: ['0 → (-1)'],
    reason: 'no block begins before the file does',
  },
  {
    file: 'table/table-index',
    line: 'const hasWords = comparator === bytewiseComparator && count > 1;',
    changes: ['1 → 2', '1 → (0)', 'count > 1 → count >= 1'],
    reason: 'a search with words and one without find the same block',
  },
  {
    file: 'table/zstd-frame',
    line: 'const CHECKSUM = 0x04;',
    changes: ['0x04 → 5'],
    reason: 'the lowest bit is one of those that name a dictionary, and such a frame has been refused before',
  },
  {
    file: 'table/zstd-frame',
    line: 'const NO_WINDOW = 0x20;',
    changes: ['0x20 → 33'],
    reason: 'the lowest bit is one of those that name a dictionary, and such a frame has been refused before',
  },
  {
    file: 'table/filter-block',
    line: 'if (needed > this.#bytes.length)',
    changes: ['needed > this.#bytes.length → needed >= this.#bytes.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'table/block-iterator',
    line: 'if (block.restart(middle) < entryOffset)',
    changes: ['block.restart(middle) < entryOffset → false'],
    reason: 'the walk to the entry before begins at an earlier restart point, and ends at the same entry',
  },
  {
    file: 'table/block-iterator',
    line: 'if (this.#restartIsBefore(block.restart(middle), key, keyOff, keyLen, tagLow, tagHigh))',
    changes: ['this.#restartIsBefore(block.restart(middle), key, keyOff, keyLen, tagLow, tagHigh) → false'],
    reason: 'the walk to the entry sought begins at an earlier restart point, and ends at the same entry',
  },
  {
    file: 'table/block-iterator',
    line: 'if (this.#isBytewise)',
    changes: ['this.#isBytewise → false'],
    reason: 'the search in any order finds the same entry',
  },
  {
    file: 'table/snappy-decoder',
    line: 'if (length <= 8)',
    changes: [
      'length <= 8 → false',
      'length <= 8 → length < 8',
      '8 → (7)',
      'length <= 8 → false #2',
      'length <= 8 → length < 8 #2',
      '8 → (7) #2',
    ],
    reason: 'what is moved beyond the length is overwritten by what follows, and lies within the contents',
  },
  {
    file: 'table/zstd-frame',
    line: 'if (at + BLOCK_HEADER_BYTES > stored.length)',
    changes: ['at + BLOCK_HEADER_BYTES → at - BLOCK_HEADER_BYTES'],
    reason:
      'a header that is not there whole is three bytes long all the same, so that the end is passed and told, a step later',
  },
  {
    file: 'table/table-tail',
    line: 'let kept = new Uint8Array(0);',
    changes: ['0 → 1'],
    reason: MORE_ROOM,
  },
  {
    file: 'table/table-tail',
    line: 'if (handle.offset < this.#start)',
    changes: ['handle.offset < this.#start → handle.offset <= this.#start'],
    reason: 'a block that begins where the tail does lies in it, or is read by itself: the same bytes',
  },
  {
    file: 'table/table-tail',
    line: 'if (length > MAX_KEPT_BYTES)',
    changes: [
      'length > MAX_KEPT_BYTES → true',
      'length > MAX_KEPT_BYTES → false',
      'length > MAX_KEPT_BYTES → length >= MAX_KEPT_BYTES',
    ],
    reason: 'memory that stays for the next opening, or memory of its own: the same bytes',
  },
  {
    file: 'table/table-tail',
    line: 'if (length > kept.length)',
    changes: ['length > kept.length → true', 'length > kept.length → length >= kept.length'],
    reason: GROWS_EARLY,
  },
]

/**
 * Equivalents of src/table, of what reads entries one after another: block-cursor, ordered-cursor and sequential-blocks. See
 * equivalents.ts.
 */
import type { AllowedMutant } from './allowed.ts'
import { ANOTHER_WAY, BY_ONE, EITHER, GROWS_EARLY, UNREAD } from './reasons.ts'

/** Of fields of a window without a block. */
const NO_BLOCK = 'a window of no block, wherever it would begin'
const NO_OFFSET = 'a block that is not there has no offset: no length is computed from it that would fit'
const FROM_KEY = 'the tag is read where it lies, or from the key that it was copied to'

export const CURSOR_EQUIVALENTS: readonly AllowedMutant[] = [
  {
    file: 'table/block-cursor',
    line: 'this.shared = 0;',
    changes: ['this.shared = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  {
    file: 'table/block-cursor',
    line: 'this.valueOffset = 0;',
    changes: ['this.valueOffset = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  {
    file: 'table/block-cursor',
    line: 'this.valueLength = 0;',
    changes: ['this.valueLength = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  {
    file: 'table/block-cursor',
    line: 'this.nextOffset = 0;',
    changes: ['0 → 1'],
    reason: 'the end of a block without entries, or behind it',
  },
  {
    file: 'table/block-cursor',
    line: 'if (rest <= LOOP_BYTES) {',
    changes: ['rest <= LOOP_BYTES → false', 'rest <= LOOP_BYTES → rest < LOOP_BYTES'],
    reason: ANOTHER_WAY,
  },
  {
    file: 'table/block-cursor',
    line: 'if (length > this.key.length)',
    changes: ['length > this.key.length → length >= this.key.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'table/block-cursor',
    line: 'this.entryOffset = 0;',
    changes: ['this.entryOffset = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  {
    file: 'table/sequential-blocks',
    line: 'this.#at = NOWHERE;',
    changes: ['this.#at = NOWHERE; → nothing'],
    reason: 'the first step leads from no block to its neighbour either way',
  },
  {
    file: 'table/sequential-blocks',
    line: 'this.#nextWindowBytes = readsAll ? WHOLE_WINDOW_BYTES : FIRST_WINDOW_BYTES;',
    changes: ['readsAll → true'],
    reason: 'who does not read all begins anew with the first step',
  },
  {
    file: 'table/sequential-blocks',
    line: 'while (limit < index.count && index.end(limit) - index.offset(at) <= most)',
    changes: ['limit < index.count → limit <= index.count'],
    reason: NO_OFFSET,
  },
  {
    file: 'table/sequential-blocks',
    line: 'while (first > 0 && index.end(at) - index.offset(first - 1) <= most)',
    changes: ['first > 0 → first >= 0', '0 → (-1)'],
    reason: NO_OFFSET,
  },
  {
    file: 'table/sequential-blocks',
    line: 'this.#step = 0;',
    changes: ['this.#step = 0; → nothing', ...BY_ONE],
    reason: 'it is compared with the first step, which leads from nowhere: two blocks or more forwards',
  },
  {
    file: 'table/sequential-blocks',
    line: 'this.#steps = 0;',
    changes: ['this.#steps = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  {
    file: 'table/sequential-blocks',
    line: 'this.#windowStart = 0;',
    changes: ['this.#windowStart = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  {
    file: 'table/sequential-blocks',
    line: 'this.#first = 0;',
    changes: ['this.#first = 0; → nothing', ...BY_ONE],
    reason: NO_BLOCK,
  },
  {
    file: 'table/sequential-blocks',
    line: 'this.#limit = 0;',
    changes: ['this.#limit = 0; → nothing', '0 → (-1)', '0 → (-1) #2'],
    reason: NO_BLOCK,
  },
  {
    file: 'table/block-cursor',
    line: 'this.keyLength = 0;',
    changes: ['this.keyLength = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  {
    file: 'table/block-cursor',
    line: 'if ((shared | unshared | valueLength) >= 128) {',
    changes: ['(shared | unshared | valueLength) >= 128 → true', '128 → (127)'],
    reason: 'lengths of one byte each, read in either of two ways',
  },
  {
    file: 'table/block-cursor',
    line: 'for (let i = 0; i < rest; i++)',
    changes: ['i < rest → i <= rest'],
    reason: 'a byte behind the key, which nobody reads',
  },
  {
    file: 'table/block-cursor',
    line: 'this.unshared = 0;',
    changes: ['this.unshared = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  ...['tagLow', 'tagHigh', 'valOff', 'valLen'].map((field) => ({
    file: 'table/ordered-cursor',
    line: `this.${field} = 0;`,
    changes: [`this.${field} = 0; → nothing`, ...BY_ONE],
    reason: UNREAD,
  })),
  {
    file: 'table/ordered-cursor',
    line: 'this.keyBuf = this.#cursor.key;',
    changes: ['this.keyBuf = this.#cursor.key; → nothing'],
    reason: UNREAD,
  },
  {
    file: 'table/ordered-cursor',
    line: 'cursor.completeKey(common > cursor.shared ? common : cursor.shared);',
    changes: ['common > cursor.shared → false', 'common > cursor.shared → common >= cursor.shared'],
    reason: 'bytes that are in their place already, or are put there again',
  },
  {
    file: 'table/ordered-cursor',
    line: 'const isTagWhole = cursor.unshared >= TAG_BYTES;',
    changes: ['cursor.unshared >= TAG_BYTES → cursor.unshared > TAG_BYTES'],
    reason: FROM_KEY,
  },
  {
    file: 'table/ordered-cursor',
    line: 'const low = isTagWhole ? getFixed32(this.valBuf, tagAt) : getFixed32(cursor.key, keyLen);',
    changes: ['isTagWhole → false'],
    reason: FROM_KEY,
  },
  {
    file: 'table/ordered-cursor',
    line: 'const high = isTagWhole ? getFixed32(this.valBuf, tagAt + 4) : getFixed32(cursor.key, keyLen + 4);',
    changes: ['isTagWhole → false'],
    reason: FROM_KEY,
  },
  {
    file: 'table/ordered-cursor',
    line: 'const limit = keyLen < lastLen ? keyLen : lastLen;',
    changes: ['keyLen < lastLen → keyLen <= lastLen'],
    reason: EITHER,
  },
  {
    file: 'table/ordered-cursor',
    line: 'let common = shared < limit ? shared : limit;',
    changes: ['shared < limit → shared <= limit'],
    reason: EITHER,
  },
  {
    file: 'table/ordered-cursor',
    line: 'const isAscending = common < limit ? key[common] < bytes[start + common] : lastLen <= keyLen;',
    changes: ['key[common] < bytes[start + common] → key[common] <= bytes[start + common]'],
    reason: 'the first byte that the keys do not have in common is not the same',
  },
]

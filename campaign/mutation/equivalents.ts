/**
 * Equivalents: mutants that do what the program does, whatever it is given; each with the reason why nobody can tell. What is only
 * hard to tell does not belong here. Found by the text of the line, as compiled; one that is gone, or that a test notices after
 * all, is a finding of T16.
 */
import type { AllowedMutant } from './allowed.ts'

const BY_ONE = ['0 → 1', '0 → (-1)']
const UNREAD = 'it is written before anything reads it; the value only fixes its kind'
const UNREAD_BYTES = 'bytes that nobody reads: they are replaced before'
const MORE_ROOM =
  'the buffer has room for what is put into it, and grows: how much it has besides is a matter of memory'
const ANOTHER_WAY = 'another of the ways to move the same bytes: only time depends on which'
const GROWS_EARLY =
  'a buffer that has room is replaced by one that has, with the same contents: only time depends on it'

export const EQUIVALENTS: readonly AllowedMutant[] = [
  {
    file: 'batch/batch-format',
    line: 'const scratchReader = new Reader(new Uint8Array(0));',
    changes: ['0 → 1'],
    reason: UNREAD_BYTES,
  },
  {
    file: 'memtable/dump-decoder',
    line: 'if (this.#keptBytes > 0) {',
    changes: ['this.#keptBytes > 0 → true'],
    reason: 'a piece is decoded where it is, or copied before: the same bytes',
  },
  {
    file: 'table/block-cursor',
    line: 'this.shared = 0;',
    changes: ['this.shared = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
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
    file: 'base/crc32c',
    line: 'if (length >= WORDS_FROM_BYTES && IS_LITTLE_ENDIAN && end <= bytes.length) {',
    changes: [
      'length >= WORDS_FROM_BYTES && IS_LITTLE_ENDIAN && end <= bytes.length → false',
      'length >= WORDS_FROM_BYTES → length > WORDS_FROM_BYTES',
      'end <= bytes.length → end < bytes.length',
      'end <= bytes.length → end > bytes.length',
    ],
    reason: 'words or bytes give the same sum, and no caller reads beyond its bytes',
  },
  {
    file: 'base/crc32c',
    line: 'const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;',
    changes: [
      'new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 → new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1',
      '1 → 2',
      '1 → (0)',
      ...BY_ONE,
    ],
    reason: 'without words the bytes give the same sum',
  },
  {
    file: 'base/crc32c',
    line: 'const wordCount = ((end - i) >>> 3) * 2;',
    changes: ['3 → 4'],
    reason: 'what is not read as words is read as bytes, with the same sum',
  },
  { file: 'db/backup-format', line: '#crc = 0;', changes: BY_ONE, reason: UNREAD },
  {
    file: 'base/coding',
    line: 'return this.failed ? this.bytes.subarray(0, 0) : this.bytes.subarray(start, start + length);',
    changes: ['0 → 1'],
    reason: 'an empty view is empty wherever it begins',
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
    reason: 'where both are equal, either is',
  },
  {
    file: 'table/filter-block',
    line: 'spans[2 * i] = isThere ? getFixed32(this.#bytes, at) : 0;',
    changes: BY_ONE,
    reason: 'where a filter begins that is not there',
  },
  {
    file: 'memtable/dump-decoder',
    line: 'if (used === 0)',
    changes: ['used === 0 → false'],
    reason: 'what is kept is moved to where it is',
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
    changes: ['this.nextOffset = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
  },
  {
    file: 'table/block-cursor',
    line: 'if (unshared <= LOOP_BYTES) {',
    changes: [
      'unshared <= LOOP_BYTES → true',
      'unshared <= LOOP_BYTES → false',
      'unshared <= LOOP_BYTES → unshared < LOOP_BYTES',
    ],
    reason: ANOTHER_WAY,
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
    file: 'table/table-index',
    line: 'const starts = [0];',
    changes: ['0 → 1'],
    reason: 'all separators lie a byte further on in their buffer, which grows',
  },
  {
    file: 'table/table-index',
    line: 'const hasWords = comparator === bytewiseComparator && this.count > 1;',
    changes: ['1 → 2', '1 → (0)', 'this.count > 1 → this.count >= 1'],
    reason: 'a search with words and one without find the same block',
  },
  {
    file: 'table/zstd-frame',
    line: 'const NO_WINDOW = 0x20;',
    changes: ['0x20 → 33'],
    reason: 'the lowest bit is one of those that name a dictionary, and such a frame has been refused before',
  },
  {
    file: 'log/log-writer',
    line: 'if (needed <= this.#buffer.length)',
    changes: ['needed <= this.#buffer.length → needed < this.#buffer.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'version/version-edit',
    line: 'if (needed <= this.#buffer.length)',
    changes: ['needed <= this.#buffer.length → needed < this.#buffer.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'table/block-cursor',
    line: 'if (length > this.key.length)',
    changes: ['length > this.key.length → length >= this.key.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'table/filter-block',
    line: 'if (end > this.#keys.length)',
    changes: ['end > this.#keys.length → end >= this.#keys.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'table/table-index',
    line: 'if (end > keys.length) {',
    changes: ['end > keys.length → true', 'end > keys.length → end >= keys.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'db/backup-format',
    line: 'if (bytes > this.#payload.length)',
    changes: ['bytes > this.#payload.length → true', 'bytes > this.#payload.length → bytes >= this.#payload.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'table/table-index',
    line: 'room = new Uint8Array(end * 2);',
    changes: ['2 → 3', '2 → (1)'],
    reason: MORE_ROOM,
  },
  {
    file: 'db/backup-format',
    line: 'this.#payload = new Uint8Array(Math.max(bytes, 4096));',
    changes: ['4096 → 4097', '4096 → (4095)'],
    reason: MORE_ROOM,
  },
  {
    file: 'version/version-edit',
    line: '#buffer = new Uint8Array(256);',
    changes: ['256 → 257', '256 → (255)'],
    reason: MORE_ROOM,
  },
  { file: 'db/backup-format', line: '#payload = new Uint8Array(0);', changes: ['0 → 1'], reason: UNREAD_BYTES },
  {
    file: 'table/block-cursor',
    line: 'this.entryOffset = 0;',
    changes: ['this.entryOffset = 0; → nothing', ...BY_ONE],
    reason: UNREAD,
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
    changes: ['length <= 8 → false', 'length <= 8 → length < 8', '8 → (7)'],
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
    file: 'memtable/dump-decoder',
    line: 'if (length > this.#lastKey.length)',
    changes: ['length > this.#lastKey.length → true', 'length > this.#lastKey.length → length >= this.#lastKey.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'memtable/dump-decoder',
    line: 'this.#lastKey = new Uint8Array(length * 2);',
    changes: ['2 → 3', '2 → (1)'],
    reason: MORE_ROOM,
  },
  {
    file: 'memtable/dump-decoder',
    line: 'if (needed > this.#kept.length) {',
    changes: ['needed > this.#kept.length → needed >= this.#kept.length'],
    reason: GROWS_EARLY,
  },
  { file: 'log/log-reader', line: '#assembly = new Uint8Array(0);', changes: ['0 → 1'], reason: UNREAD_BYTES },
  { file: 'log/log-reader', line: '#length = 0;', changes: BY_ONE, reason: UNREAD },
  { file: 'log/log-reader', line: '#payload = 0;', changes: BY_ONE, reason: UNREAD },
  { file: 'log/log-reader', line: '#type = 0;', changes: BY_ONE, reason: UNREAD },
  {
    file: 'log/log-reader',
    line: '#windowBytes = 0;',
    changes: ['0 → (-1)'],
    reason: 'no position is in a window of no bytes, nor in one of less',
  },
  {
    file: 'log/log-reader',
    line: '#windowStart = 0;',
    changes: BY_ONE,
    reason: 'no position is in a window of no bytes, wherever it begins',
  },
  {
    file: 'log/log-reader',
    line: 'if (needed > this.#assembly.length) {',
    changes: [
      'needed > this.#assembly.length → true',
      'needed > this.#assembly.length → needed >= this.#assembly.length',
    ],
    reason: GROWS_EARLY,
  },
  {
    file: 'log/log-writer',
    line: 'const fragment = left < room ? left : room;',
    changes: ['left < room → left <= room'],
    reason: 'where both are equal, either is',
  },
  {
    file: 'log/log-writer',
    line: 'const fragments = 2 + Math.ceil(length / (BLOCK_BYTES - HEADER_BYTES));',
    changes: ['2 → 3', '2 → (1)', 'BLOCK_BYTES - HEADER_BYTES → BLOCK_BYTES + HEADER_BYTES'],
    reason: 'twice the headers are reserved: with one fragment more or less there is still room for all',
  },
  {
    file: 'log/log-writer',
    line: 'const needed = this.#buffered + length + fragments * 2 * HEADER_BYTES;',
    changes: ['2 → 3'],
    reason: 'more room than is needed, which is there already',
  },
  {
    file: 'log/log-writer',
    line: 'if (this.#buffer.length > KEPT_BUFFER_BYTES)',
    changes: [
      'this.#buffer.length > KEPT_BUFFER_BYTES → true',
      'this.#buffer.length > KEPT_BUFFER_BYTES → false',
      'this.#buffer.length > KEPT_BUFFER_BYTES → this.#buffer.length >= KEPT_BUFFER_BYTES',
    ],
    reason: 'an empty buffer is kept, or replaced by an empty one: time and memory depend on it',
  },
  {
    file: 'admin/table-check',
    line: 'const POLICY = new BloomFilter(10);',
    changes: ['10 → 11', '10 → (9)'],
    reason: 'it only reads filters, and how many bits they have stands in them',
  },
  {
    file: 'admin/table-check',
    line: 'const isGap = end < next;',
    changes: ['end < next → end <= next'],
    reason: 'where both are equal, there is neither gap nor overlap, which has been answered before',
  },
  {
    file: 'admin/table-check',
    line: 'return place < 0 ? message : message.slice(0, place);',
    changes: ['place < 0 → place <= 0', '0 → 1'],
    reason: 'no message begins with its place',
  },
  {
    file: 'admin/table-check',
    line: "this.#faults.push({ ...handle, reason: error.message, kind: 'unreadable', losesEntries: true });",
    changes: ['true → false'],
    reason: 'what is unreadable is not given up, so that nobody asks what it loses',
  },
  {
    file: 'admin/table-merge',
    line: 'if (end === undefined || compareEnds(comparator, end, file) < 0)',
    changes: ['compareEnds(comparator, end, file) < 0 → compareEnds(comparator, end, file) <= 0'],
    reason: 'where both are equal, either is',
  },
  {
    file: 'admin/table-merge',
    line: 'for (let count = 1; merged.valid; merged.next(), count++) {',
    changes: ['1 → 2', '1 → (0)', 'count++ → count--'],
    reason: 'at which entries of as many the event loop may turn: a matter of time, as is STEP_ENTRIES',
  },
  {
    file: 'admin/table-merge',
    line: 'if (count % STEP_ENTRIES === 0)',
    changes: ['count % STEP_ENTRIES === 0 → true', '0 → 1'],
    reason: 'at which entries of as many the event loop may turn: a matter of time, as is STEP_ENTRIES',
  },
  {
    file: 'admin/repair',
    line: 'const NO_TABLE_DROPPED = { busy: new Set(), oldestSnapshot: sequenceNumber(0) };',
    changes: ['0 → (-1)'],
    reason: 'no range delete has sequence number 0: batches begin at 1',
  },
  {
    file: 'admin/repair',
    line: 'this.#written.set(number, 0);',
    changes: BY_ONE,
    reason: 'it is replaced once the table is whole, and without that there is no report',
  },
  { file: 'admin/repair', line: '#nextFile = 1;', changes: ['1 → 2', '1 → (0)'], reason: UNREAD },
  { file: 'log/log-salvage', line: '#blockBytes = 0;', changes: BY_ONE, reason: UNREAD },
  {
    file: 'log/log-salvage',
    line: '#blockStart = -1;',
    changes: ['-1 → (1)'],
    reason: 'no block begins at either, so that the first one is read',
  },
  {
    file: 'log/log-salvage',
    line: 'if (parts.length === 1)',
    changes: ['parts.length === 1 → false', '1 → (0)'],
    reason: 'a record of one part is joined to a copy of it: only time depends on it',
  },
]

/**
 * Equivalents: mutants that do what the program does, whatever it is given; each with the reason why nobody can tell. What is only
 * hard to tell does not belong here. Found by the text of the line, as compiled; one that is gone, or that a test notices after
 * all, is a finding of T16.
 */
import type { AllowedMutant } from './allowed.ts'
import { ADMIN_EQUIVALENTS } from './equivalents-admin.ts'
import { CACHE_EQUIVALENTS } from './equivalents-cache.ts'
import { CURSOR_EQUIVALENTS } from './equivalents-cursors.ts'
import { DB_EQUIVALENTS } from './equivalents-db.ts'
import { TABLE_EQUIVALENTS } from './equivalents-table.ts'
import { BY_ONE, GROWS_EARLY, MORE_ROOM, UNREAD, UNREAD_BYTES } from './reasons.ts'

export const EQUIVALENTS: readonly AllowedMutant[] = [
  ...TABLE_EQUIVALENTS,
  ...CURSOR_EQUIVALENTS,
  ...ADMIN_EQUIVALENTS,
  ...CACHE_EQUIVALENTS,
  ...DB_EQUIVALENTS,
  {
    file: 'memtable/dump-decoder',
    line: 'if (this.#keptBytes > 0) {',
    changes: ['this.#keptBytes > 0 → true'],
    reason: 'a piece is decoded where it is, or copied before: the same bytes',
  },
  {
    file: 'base/internal-key',
    line: 'return (low & 0xff) <= ValueType.VALUE && high < 0x20000000;',
    changes: ['0xff → (254)'],
    reason: 'the known types are 0 and 1: whatever their lowest bit is, it is one of them',
  },
  {
    file: 'base/crc32c',
    line: 'if (length >= LONG_BYTES && IS_LITTLE_ENDIAN && end <= bytes.length) {',
    changes: [
      'length >= LONG_BYTES && IS_LITTLE_ENDIAN && end <= bytes.length → false',
      'length >= LONG_BYTES → length > LONG_BYTES',
      'end <= bytes.length → end < bytes.length',
    ],
    reason: 'words or bytes give the same sum',
  },
  {
    file: 'base/crc32c',
    line: 'if (length >= LONG_BYTES && offset + length <= bytes.length) {',
    changes: ['length >= LONG_BYTES → length > LONG_BYTES'],
    reason: 'folded or by tables, the sum is the same',
  },
  {
    file: 'base/crc32c',
    line: 'const IS_LITTLE_ENDIAN = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;',
    changes: [
      'new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 → new Uint8Array(new Uint32Array([1]).buffer)[0] !== 1',
      '1 → 2',
      '1 → (0)',
      '1 → 2 #2',
      '1 → (0) #2',
      ...BY_ONE,
    ],
    reason: 'without words the bytes give the same sum',
  },
  {
    file: 'base/crc32c',
    line: 'const tables = new Int32Array(8 * 256);',
    changes: ['8 → 9', '256 → 257'],
    reason: 'more of a table, which nobody reads',
  },
  {
    file: 'base/crc32c',
    line: 'for (let b = 0; b < 256; b++) {',
    changes: ['b < 256 → b <= 256', '256 → 257', ...BY_ONE],
    reason:
      'what is written behind the first table is written again, from it; before it nothing is, and its first entry is 0',
  },
  {
    file: 'base/crc32c',
    line: 'for (let i = 256; i < tables.length; i++) {',
    changes: ['256 → 257', 'i < tables.length → i <= tables.length'],
    reason: 'the first entry of a table is 0; behind the last one nothing can be written',
  },
  {
    file: 'base/crc32c',
    line: 'for (const last = end - 8; i <= last; i += 8) {',
    changes: ['i <= last → i < last', 'i <= last → i < last #2'],
    reason: 'what is not read as words is read as bytes, with the same sum',
  },
  {
    file: 'base/crc32c',
    line: 'const wordCount = ((end - i) >>> 3) * 2;',
    changes: ['3 → 4'],
    reason: 'what is not read as words is read as bytes, with the same sum',
  },
  { file: 'db/copies/backup-format', line: '#crc = 0;', changes: BY_ONE, reason: UNREAD },
  {
    file: 'memtable/dump-decoder',
    line: 'if (used === 0)',
    changes: ['used === 0 → false'],
    reason: 'what is kept is moved to where it is',
  },
  {
    file: 'log/log-writer',
    line: 'if (needed > this.#buffer.length)',
    changes: ['needed > this.#buffer.length → needed >= this.#buffer.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'version/version-edit',
    line: 'if (needed > this.#buffer.length)',
    changes: ['needed > this.#buffer.length → needed >= this.#buffer.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'db/copies/backup-format',
    line: 'if (bytes > this.#payload.length)',
    changes: ['bytes > this.#payload.length → true', 'bytes > this.#payload.length → bytes >= this.#payload.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'db/copies/backup-format',
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
  { file: 'db/copies/backup-format', line: '#payload = new Uint8Array(0);', changes: ['0 → 1'], reason: UNREAD_BYTES },
  {
    file: 'base/key-copy',
    line: 'if (length > this.bytes.length)',
    changes: ['length > this.bytes.length → true', 'length > this.bytes.length → length >= this.bytes.length'],
    reason: GROWS_EARLY,
  },
  {
    file: 'base/key-copy',
    line: 'this.bytes = new Uint8Array(length * 2);',
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
    file: 'log/log-writer',
    line: 'if (this.#source.length > KEPT_BUFFER_BYTES)',
    changes: [
      'this.#source.length > KEPT_BUFFER_BYTES → true',
      'this.#source.length > KEPT_BUFFER_BYTES → this.#source.length >= KEPT_BUFFER_BYTES',
    ],
    reason: 'a view that is let go is made anew: only time depends on it',
  },
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

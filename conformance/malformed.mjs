/**
 * Dumps that every reader must refuse, each with the reason that it must give.
 */
import { encode } from './model.mjs'

const text = (string) => Buffer.from(string, 'latin1')
const alpha = { key: text('alpha'), value: text('first') }
const beta = { key: text('beta') }
const empty = { key: text(''), value: text('') }
const golden = encode([alpha, beta])

const at = (reason, offset) => `${reason} (at byte ${offset})`
const truncated = (entry, count, offset) => at(`the dump ends before the end of entry ${entry} of ${count}`, offset)
const unsorted = (entry, offset) => at(`the key of entry ${entry} does not sort after the one before it`, offset)
const typed = (entry, type, offset) => at(`entry ${entry} has the unknown type ${type}`, offset)
const heavy = (entry, bytes, offset) => at(`entry ${entry} is a tombstone with a value of ${bytes} bytes`, offset)
const short = (bytes) => at(`a dump of ${bytes} bytes is shorter than its header`, bytes)
const foreign = at('a dump begins with MMT1, and this does not', 0)
const trailing = (offset) => at('there are bytes after the last entry', offset)

/** One of each kind: what a program is started for. */
export const KINDS = [
  ['too short', golden.subarray(0, 5), short(5)],
  ['wrong magic', Buffer.concat([text('MMT2'), golden.subarray(4)]), foreign],
  ['truncated', golden.subarray(0, 30), truncated(2, 2, 30)],
  ['unknown type', encode([alpha, { ...beta, type: 2 }]), typed(2, 2, 35)],
  ['tombstone with a value', encode([alpha, { ...beta, value: text('x'), type: 1 }]), heavy(2, 1, 31)],
  ['not ascending', encode([beta, alpha]), unsorted(2, 30)],
  ['bytes after the end', Buffer.concat([golden, text('\0')]), trailing(40)],
]

/** Scripts that end with a status that is not 0. */
export const WRONG_SCRIPTS = [
  ['CRLF', 'put 61 62\r\n'],
  ['CRLF behind a word', 'new\r\n'],
  ['0x', 'put 0x61 62\n'],
  ['uppercase hex', 'put 61 AB\n'],
  ['a dash before hex', 'put -61 62\n'],
  ['two dashes', 'get --\n'],
  ['half a byte', 'get 6\n'],
  ['bytes that are no text', 'get \xff\n'],
  ['a space at the end', 'size \n'],
  ['a space at the start', ' size\n'],
  ['too many words', 'del 61 62\n'],
  ['too few words', 'load\n'],
  ['a byte order mark', '\xef\xbb\xbfsize\n'],
  ['uppercase', 'SIZE\n'],
]

/** A script whose comments are copied byte by byte, whatever ends a line elsewhere. */
export const COMMENTS = '# \xff\r\n#\n# a\rsize\n# \xe2\x80\xa8size\n# no line feed'

/** All others, as [dump, reason]. */
export function malformedDumps() {
  const dumps = KINDS.map(([, dump, reason]) => [dump, reason])
  for (const entries of [[alpha, beta], [empty], [empty, { key: text('\0') }, alpha]]) dumps.push(...prefixes(entries))
  for (const wrong of ['mmt1', '1TMM', 'MMT\0', '\0MT1', 'MNT1', 'MMU1']) {
    dumps.push([Buffer.concat([text(wrong), golden.subarray(4)]), foreign])
  }
  for (let type = 2; type < 256; type++) {
    dumps.push([encode([{ ...alpha, type }, beta]), typed(1, type, 16)])
    dumps.push([encode([alpha, { ...beta, type }]), typed(2, type, 35)])
  }
  for (const valueLength of [1, 255, 256, 2 ** 31, 2 ** 32 - 1]) {
    dumps.push([encode([{ key: text('k'), type: 1, valueLength }]), heavy(1, valueLength, 12)])
  }
  dumps.push(...unsortedDumps(), ...longDumps())
  return dumps
}

/** Every proper prefix of a dump. */
function* prefixes(entries) {
  const dump = encode(entries)
  const ends = entries.map((_, i) => encode(entries.slice(0, i + 1)).length)
  for (let n = 0; n < dump.length; n++) {
    const entry = ends.findIndex((end) => n < end) + 1
    yield [dump.subarray(0, n), n < 8 ? short(n) : truncated(entry, entries.length, n)]
  }
}

function* unsortedDumps() {
  for (const [first, second] of [
    ['a', 'a'],
    ['', ''],
    ['a', ''],
    ['ab', 'a'],
    ['\x80', '\x7f'],
    ['\xff', '\0'],
    ['b', 'aa'],
  ]) {
    for (const value of [undefined, text(''), text('v')]) {
      const entries = [{ key: text(first) }, { key: text(second), value }]
      yield [encode(entries), unsorted(2, 8 + 9 + first.length + 9)]
    }
  }
}

/** Counts and lengths that claim more, or less, than there is. */
function* longDumps() {
  for (const count of [3, 2 ** 31, 2 ** 32 - 1]) yield [encode([alpha, beta], count), truncated(3, count, 40)]
  yield [encode([alpha, beta], 0), trailing(8)]
  yield [encode([alpha, beta], 1), trailing(27)]
  for (const length of [6, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    yield [encode([{ ...alpha, valueLength: length }]), truncated(1, 1, 27)]
    yield [encode([{ ...alpha, keyLength: length + 5 > 2 ** 32 - 1 ? length : length + 5 }]), truncated(1, 1, 27)]
    yield [encode([{ ...alpha, keyLength: length, valueLength: 2 ** 32 - 1 }]), truncated(1, 1, 27)]
  }
}

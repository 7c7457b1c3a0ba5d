/**
 * Versions drawn as text, for tests of decisions: a line for each level, a word for each table.
 *
 *   1: 7[a..c]=20 8[d#9..f]=10,t600/1000@40
 *
 * is level 1 with table 7 of 20 bytes from key a to key c, and table 8 from the version of d with sequence 9 to f, whose
 * 1000 entries are known to hold 600 tombstones, the newest of sequence 40; `t~600/1000` is known of a part of it only. Without
 * them a table has 10 bytes, entries the sequence 1, and tombstones no sequence that a snapshot would be older than.
 */

import { getFixed32 } from '../../src/base/coding.ts'
import { bytewiseComparator } from '../../src/base/comparator.ts'
import { encodeInternalKey, tagHigh, tagLow, tagSequence, userKey } from '../../src/base/internal-key.ts'
import { type Bytes, fileNumber, sequenceNumber } from '../../src/base/types.ts'
import * as ValueType from '../../src/base/value-type.ts'
import type { FileMetadata } from '../../src/version/file-metadata.ts'
import { Version } from '../../src/version/version.ts'
import { VersionBuilder } from '../../src/version/version-builder.ts'
import { bytesOf } from '../table/entries.ts'

/** `key` or `key#sequence` as an encoded internal key. */
export function drawnKey(text: string): Uint8Array<ArrayBuffer> {
  const [key, sequence = '1'] = text.split('#')
  const bytes = bytesOf(key)
  return encodeInternalKey(bytes, 0, bytes.length, tagLow(Number(sequence), ValueType.VALUE), tagHigh(Number(sequence)))
}

export function describeKey(key: Bytes): string {
  const tag = key.length - 8
  const sequence = tagSequence(getFixed32(key, tag), getFixed32(key, tag + 4))
  return `${Buffer.from(userKey(key)).toString()}${sequence === 1 ? '' : `#${sequence}`}`
}

export function drawnFile(text: string): FileMetadata {
  const parts = /^(\d+)\[(.+)\.\.(.+)\](?:=(\d+))?(?:,t(~?)(\d+)\/(\d+)(?:@(\d+))?)?$/.exec(text)
  if (parts === null) throw new Error(`${text} is no table`)
  const [, number, smallest, largest, bytes = '10', part, tombstones, entries, newest = '0'] = parts
  const statistics =
    tombstones === undefined
      ? undefined
      : {
          entries: Number(entries),
          tombstones: Number(tombstones),
          superseded: 0,
          newestTombstone: sequenceNumber(Number(newest)),
          ...(part === '~' && { isSampled: true }),
        }
  return {
    number: fileNumber(Number(number)),
    bytes: Number(bytes),
    smallest: drawnKey(smallest),
    largest: drawnKey(largest),
    statistics,
  }
}

export function drawnVersion(lines: readonly string[]): Version {
  const newFiles = lines.flatMap((line) => {
    const [level, ...words] = line.split(/[\s]+/)
    return words.map((word) => ({ level: Number.parseInt(level, 10), file: drawnFile(word) }))
  })
  const version = new VersionBuilder(bytewiseComparator, Version.empty(bytewiseComparator)).apply({ newFiles }).build()
  if (typeof version === 'string') throw new Error(version)
  return version
}

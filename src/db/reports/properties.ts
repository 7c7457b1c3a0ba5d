/**
 * LevelDB's properties: figures by name, as texts in LevelDB's shapes, for programs that know them. `stats()` has more.
 */
import { getFixed32 } from '../../base/coding.ts'
import { TAG_BYTES, tagSequence, tagType, userKey } from '../../base/internal-key.ts'
import type { Bytes } from '../../base/types.ts'
import { totalBytes } from '../../version/level-sizes.ts'
import type { Engine } from '../engine.ts'

const FILES_AT_LEVEL = 'leveldb.num-files-at-level'
const MIB = 1024 * 1024

/** @returns undefined for a name that LevelDB does not know */
export function property(engine: Engine, name: string): string | undefined {
  if (name === 'leveldb.stats') return statsText(engine)
  if (name === 'leveldb.sstables') return tablesText(engine)
  if (name === 'leveldb.approximate-memory-usage') return String(memoryUsage(engine))
  if (typeof name !== 'string' || !name.startsWith(FILES_AT_LEVEL)) return undefined
  const level = name.slice(FILES_AT_LEVEL.length)
  const { levels } = engine.readState.version
  return /^\d+$/.test(level) && Number(level) < levels.length ? String(levels[Number(level)].length) : undefined
}

/** As there, a flush counts as a compaction into level 0, and a line stands for each level that has tables or took time. */
function statsText({ readState, background }: Engine): string {
  const { flushes, compactions } = background
  const lines = [
    '                               Compactions',
    'Level  Files Size(MB) Time(sec) Read(MB) Write(MB)',
    '--------------------------------------------------',
  ]
  for (const [level, files] of readState.version.levels.entries()) {
    const { bytesRead, bytesWritten, durationMs } = compactions.figures.at(level)
    const isFlushed = level === 0
    const seconds = (durationMs + (isFlushed ? flushes.figures.durationMs : 0)) / 1000
    if (files.length === 0 && seconds === 0) continue
    const written = (bytesWritten + (isFlushed ? flushes.figures.bytesWritten : 0)) / MIB
    lines.push(
      `${column(level, 3)} ${column(files.length, 8)} ${column(totalBytes(files) / MIB, 8)} ` +
        `${column(seconds, 9)} ${column(bytesRead / MIB, 8)} ${column(written, 9)}`,
    )
  }
  return `${lines.join('\n')}\n`
}

function column(value: number, width: number): string {
  return value.toFixed(0).padStart(width)
}

function tablesText({ readState }: Engine): string {
  const levels = readState.version.levels.map((files, level) => {
    const tables = files.map(
      ({ number, bytes, smallest, largest }) => ` ${number}:${bytes}[${keyText(smallest)} .. ${keyText(largest)}]\n`,
    )
    return `--- level ${level} ---\n${tables.join('')}`
  })
  return levels.join('')
}

function keyText(internalKey: Bytes): string {
  const at = internalKey.length - TAG_BYTES
  const [low, high] = [getFixed32(internalKey, at), getFixed32(internalKey, at + 4)]
  return `'${Array.from(userKey(internalKey), escaped).join('')}' @ ${tagSequence(low, high)} : ${tagType(low)}`
}

function escaped(byte: number): string {
  const isPrintable = byte >= 0x20 && byte <= 0x7e
  return isPrintable ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
}

function memoryUsage({ readState, blocks }: Engine): number {
  const slots = [readState.active, ...readState.immutables]
  return slots.reduce((sum, { table }) => sum + table.memoryUsage, blocks.bytes)
}

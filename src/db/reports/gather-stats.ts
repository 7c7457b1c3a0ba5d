/**
 * gatherStats: collects the figures of an open database from its parts.
 */
import type { Level } from '../../base/types.ts'
import { type FileMetadata, userRange } from '../../version/file-metadata.ts'
import { levelScores, pendingCompactionBytes, spaceAmplification, totalBytes } from '../../version/level-sizes.ts'
import type { Engine } from '../engine.ts'
import type { ReplayedLog } from '../opening/recovery-info.ts'
import type { MemTableSlot } from '../read/read-state.ts'
import type { LogFigures, MemTableFigures, Stats, TableFigures } from './stats.ts'

/** @param directory as its user names it */
export function gatherStats(engine: Engine, directory: string, openScans: number): Stats {
  const { readState, log, versions, blocks, tables, stall, health, background, queue, pickerOptions } = engine
  const { readOnly, writeBufferBytes } = engine.options
  const { version } = readState
  const { flushes, bytesWritten: flushedBytes } = background.flushes.figures
  const { figures, isRunning: isCompacting } = background.compactions
  const { compactions, bytesWritten: compactedBytes } = figures
  const scores = levelScores(version, pickerOptions)
  const logBytes = readOnly ? 0 : log.writtenBytes
  const { writtenBytes } = queue
  return {
    directory,
    lastSequence: engine.lastSequence,
    writeBufferBytes,
    active: memTableFigures(readState.active),
    immutables: readState.immutables.map(memTableFigures),
    logs: readOnly ? engine.recoveryInfo.logs.map(replayedLog) : log.list(),
    tables: [...version.files()].map(({ level, file }) => tableFigures(level, file)),
    manifestNumber: versions.manifestNumber,
    manifestBytes: versions.manifestBytes,
    openSnapshots: engine.snapshots.count,
    openScans,
    readers: engine.sharing.readerCount,
    flushes,
    flushedBytes,
    levels: version.levels.map((files, level) => ({
      level,
      tables: files.length,
      bytes: totalBytes(files),
      score: scores[level],
      ...figures.at(level),
    })),
    compactions,
    compactedBytes,
    isCompacting,
    pendingCompactionBytes: pendingCompactionBytes(version, pickerOptions),
    writes: { groups: queue.groupCount, entries: queue.entryCount, bytes: writtenBytes, logBytes },
    writeAmplification: writtenBytes === 0 ? 0 : (logBytes + flushedBytes + compactedBytes) / writtenBytes,
    spaceAmplification: spaceAmplification(version),
    stallReason: engine.pressure.reason,
    stalls: stall.count,
    stalledMs: stall.totalMs + stall.durationMs,
    delayedMs: stall.delayedMs,
    blockCache: { bytes: blocks.bytes, hits: blocks.hits, misses: blocks.misses },
    tableCache: { open: tables.openCount, bytes: tables.bytes, misses: tables.misses },
    damagedFilters: damagedFilters(engine),
    poisonedBy: health.cause?.message,
  }
}

function damagedFilters({ readState, opener }: Engine): string[] {
  const paths = [...readState.version.files()].map(({ file }) => opener.damagedFilters.get(file.number))
  return paths.filter((path) => path !== undefined)
}

function tableFigures(level: Level, file: FileMetadata): TableFigures {
  const { number, bytes, statistics } = file
  const { smallest, largest } = userRange(file)
  return {
    number,
    level,
    bytes,
    smallest: smallest.slice(),
    largest: largest.slice(),
    entries: statistics?.entries,
    tombstones: statistics?.tombstones,
    isEstimate: statistics?.isSampled === true,
  }
}

/** Opened read-only, the logs are those that were found; what of them is durable is not known. */
function replayedLog({ number, bytes }: ReplayedLog): LogFigures {
  return { number, bytes, syncedBytes: 0 }
}

function memTableFigures({ table, log, firstSequence }: MemTableSlot): MemTableFigures {
  return {
    entries: table.entryCount,
    tombstones: table.tombstoneCount,
    rangeTombstones: table.rangeTombstoneCount,
    liveBytes: table.sizeInBytes,
    memoryBytes: table.memoryUsage,
    capacityBytes: table.capacityBytes,
    logNumber: log.number,
    firstSequence,
  }
}

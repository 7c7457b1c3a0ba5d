/**
 * Back-pressure: how much writes are slowed down, or stopped, so that flushes and compactions keep up. A pure function of
 * figures; pace.ts spends the rate, commit-driver.ts does the waiting.
 *
 *   memtables         as many frozen MemTables as are allowed wait for their flush: stop. There is no ramp before it: the
 *                     frozen MemTables are there to take a burst at full speed, and the stop lasts one flush at most
 *   level0-tables     every read asks every table of level 0, so their number is bounded: from level0SlowdownTrigger on
 *                     writes slow down, at level0StopTrigger they stop. Bytes count as well, for a few large tables: as
 *                     many as level 1 may hold are as good as the tables that make a compaction due. They only slow down
 *   compaction-debt   bytes that compactions have yet to write until every level has its size
 *
 * The ramp is geometric, from RATE_MAX to RATE_MIN: each step towards the stop slows writes by the same factor, so that a
 * writer finds the speed of compaction before it is stopped. (LevelDB sleeps 1 ms a write from 8 tables on, however much a
 * write holds, and stops at 12.)
 */
import type { PickerOptions } from '../../version/compaction-plan.ts'
import { pendingCompactionBytes, totalBytes } from '../../version/level-sizes.ts'
import type { ReadState } from '../read/read-state.ts'
import type { StallReason } from '../reports/events.ts'

/** What presses. */
export interface Load {
  readonly immutables: number
  readonly level0Tables: number
  readonly level0Bytes: number
  readonly debtBytes: number
}

/** What may press how much: a part of the options. */
export interface LoadLimits {
  readonly maxImmutableMemTables: number
  readonly level0CompactionTrigger: number
  readonly level0SlowdownTrigger: number
  readonly level0StopTrigger: number
  readonly levelBytes: number
}

export interface Pressure {
  /** undefined if writes go at full speed. */
  readonly reason: StallReason | undefined
  /** The active MemTable may be filled, and no other one begun. */
  readonly isStop: boolean
  /** Bytes that may be written in a second; Infinity at full speed. */
  readonly bytesPerSecond: number
}

export const NO_PRESSURE: Pressure = { reason: undefined, isStop: false, bytesPerSecond: Number.POSITIVE_INFINITY }

const MIB = 1024 * 1024
/** About what one writer reaches: the ramp begins without a step. */
const RATE_MAX = 64 * MIB
/** Slow, but never so slow that a small write takes long. */
const RATE_MIN = 1 * MIB
/** Debt at which writes slow down, and stop, in targets of level 1: 4 and 16 GiB by default. */
const DEBT_SLOWDOWN_LEVELS = 16
const DEBT_STOP_LEVELS = 64

/** What a database's layers press with. */
export function loadOf({ immutables, version }: ReadState, options: PickerOptions): Load {
  const level0 = version.levels[0]
  return {
    immutables: immutables.length,
    level0Tables: level0.length,
    level0Bytes: totalBytes(level0),
    debtBytes: pendingCompactionBytes(version, options),
  }
}

export function backPressure(load: Load, limits: LoadLimits): Pressure {
  if (load.immutables >= limits.maxImmutableMemTables) return stop('memtables', Number.POSITIVE_INFINITY)
  const level0 = level0Fraction(load, limits)
  if (load.level0Tables >= limits.level0StopTrigger) return stop('level0-tables', RATE_MIN)
  const debtStart = DEBT_SLOWDOWN_LEVELS * limits.levelBytes
  const debt = fraction(load.debtBytes, debtStart, DEBT_STOP_LEVELS * limits.levelBytes)
  if (debt >= 1) return stop('compaction-debt', RATE_MIN)
  if (level0 < 0 && debt < 0) return NO_PRESSURE
  const reason = level0 >= debt ? 'level0-tables' : 'compaction-debt'
  return { reason, isStop: false, bytesPerSecond: RATE_MAX * (RATE_MIN / RATE_MAX) ** Math.max(level0, debt) }
}

/** Where between slowing down (0) and the stop (1) level 0 is; negative below. */
function level0Fraction({ level0Tables, level0Bytes }: Load, limits: LoadLimits): number {
  const { level0CompactionTrigger, level0SlowdownTrigger, level0StopTrigger, levelBytes } = limits
  const byCount = fraction(level0Tables, level0SlowdownTrigger, level0StopTrigger)
  const tables = (level0Bytes / levelBytes) * level0CompactionTrigger
  const byBytes = fraction(tables, level0SlowdownTrigger, level0StopTrigger)
  return Math.min(1, Math.max(byCount, byBytes))
}

function fraction(value: number, from: number, to: number): number {
  if (value < from) return -1
  return to === from ? 1 : (value - from) / (to - from)
}

function stop(reason: StallReason, bytesPerSecond: number): Pressure {
  return { reason, isStop: true, bytesPerSecond }
}

/**
 * CompactionFigures: what compactions have done since the opening, by the level they wrote to.
 */
import type { Level } from '../../base/types.ts'
import { LEVELS } from '../../version/version-edit.ts'
import type { LevelFigures } from './stats.ts'

/** Compactions into one level. */
type LevelWork = Omit<LevelFigures, 'level' | 'tables' | 'bytes' | 'score'>

const NONE: LevelWork = { compactions: 0, moves: 0, bytesRead: 0, bytesWritten: 0, durationMs: 0 }

export class CompactionFigures {
  readonly #levels: LevelWork[] = Array.from({ length: LEVELS }, () => NONE)

  at(level: Level): LevelWork {
    return this.#levels[level]
  }

  get compactions(): number {
    return this.#levels.reduce((sum, { compactions }) => sum + compactions, 0)
  }

  get bytesWritten(): number {
    return this.#levels.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
  }

  compacted(level: Level, bytesRead: number, bytesWritten: number, durationMs: number): void {
    const before = this.#levels[level]
    this.#levels[level] = {
      ...before,
      compactions: before.compactions + 1,
      bytesRead: before.bytesRead + bytesRead,
      bytesWritten: before.bytesWritten + bytesWritten,
      durationMs: before.durationMs + durationMs,
    }
  }

  moved(level: Level): void {
    const before = this.#levels[level]
    this.#levels[level] = { ...before, moves: before.moves + 1 }
  }
}

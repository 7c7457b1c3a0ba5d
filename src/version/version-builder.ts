/**
 * VersionBuilder: applies edits to a Version and checks that the outcome is one a database can have. An edit's
 * deletions come before its additions; adding a number to a level takes back its deletion. A table that a foreign
 * MANIFEST lists twice is read once.
 * Source   google/leveldb db/version_set.cc (Builder); the checks are varve's own
 */

import type { Comparator } from '../base/comparator.ts'
import { compareInternalKeys } from '../base/internal-key.ts'
import type { FileNumber } from '../base/types.ts'
import { compareFiles, type FileMetadata } from './file-metadata.ts'
import { Version } from './version.ts'
import type { VersionEdit } from './version-edit.ts'

export class VersionBuilder {
  readonly #comparator: Comparator
  readonly #levels: Map<FileNumber, FileMetadata>[]

  constructor(comparator: Comparator, base: Version) {
    this.#comparator = comparator
    this.#levels = base.levels.map((files) => new Map(files.map((file) => [file.number, file])))
  }

  apply(edit: VersionEdit): this {
    for (const { level, number } of edit.deletedFiles ?? []) this.#levels[level].delete(number)
    for (const { level, file } of edit.newFiles ?? []) this.#levels[level].set(file.number, file)
    return this
  }

  /** @returns the new version, or in words why no database can look so */
  build(): Version | string {
    const levels = this.#levels.map((files, level) => {
      const sorted = [...files.values()]
      return level === 0
        ? sorted.sort((a, b) => a.number - b.number)
        : sorted.sort((a, b) => compareFiles(this.#comparator, a, b))
    })
    return this.#fault(levels) ?? new Version(this.#comparator, levels)
  }

  #fault(levels: readonly (readonly FileMetadata[])[]): string | undefined {
    const seen = new Set<FileNumber>()
    for (const [level, files] of levels.entries()) {
      for (const [i, file] of files.entries()) {
        if (seen.has(file.number)) return `table ${file.number} is in two levels`
        seen.add(file.number)
        if (compareInternalKeys(this.#comparator, file.smallest, file.largest) > 0) {
          return `table ${file.number} starts after it ends`
        }
        if (level > 0 && i > 0 && this.#overlap(files[i - 1], file)) {
          return `tables ${files[i - 1].number} and ${file.number} of level ${level} overlap`
        }
      }
    }
    return undefined
  }

  /** LevelDB before 1.23 may split the versions of one user key over two tables, so internal keys decide. */
  #overlap(before: FileMetadata, after: FileMetadata): boolean {
    return compareInternalKeys(this.#comparator, before.largest, after.smallest) >= 0
  }
}

/**
 * CrashImage: what a disk may hold after a power loss. A file system promises of unsynced changes only that a rename is
 * atomic: changes to names and to bytes may survive in any order, in parts, or not at all. The modes go from what is
 * kind to what is merely possible; together they find a missing sync wherever one matters.
 */
import type { Prng } from '../base/prng.ts'
import { MemoryFile } from './memory-file.ts'
import { applyChange, MemoryTree, type NameChange, type Names, parentOf } from './memory-tree.ts'

/**
 * 0  only what was synced
 * 1  everything
 * 2  a prefix of the changes to names; of each file's unsynced bytes a prefix, torn at any byte
 * 3  any subset of the changes to names, and of the unsynced pages (512 B or 4 KiB); zeros for what is missing
 * 4  as 3, with garbage for what is missing
 * 5  all but one change to names, or all but one unsynced page
 * 6  all changes to names, and of the unsynced bytes none
 * 7  all bytes, and of the changes to names none
 */
export type CrashMode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7

export const CRASH_MODES: readonly CrashMode[] = [0, 1, 2, 3, 4, 5, 6, 7]

/** Bytes [start, limit) of a file. */
interface Range {
  readonly start: number
  readonly limit: number
}

/** What becomes of one file's unsynced bytes: which are missing, and whether the file's size tells. */
interface Loss {
  readonly ranges: readonly Range[]
  /** The file keeps the size it had, though its end is missing. */
  readonly keepsSize: boolean
}

const NOTHING_LOST: Loss = { ranges: [], keepsSize: true }

/** The tree after a power loss: all of it durable, and none of it shared with `tree`. */
export function crashImage(tree: MemoryTree, mode: CrashMode, prng: Prng): MemoryTree {
  const pageBytes = prng.below(2) === 0 ? 512 : 4096
  const single = mode === 5 ? chooseSingleLoss(tree, pageBytes, prng) : undefined
  const names = survivingNames(tree, mode, single, prng)
  const image: Names = new Map()
  for (const path of [...names.keys()].sort()) {
    const node = names.get(path)!
    const parent = parentOf(path)
    // What lies in a directory that is gone is out of reach.
    if (parent !== '/' && image.get(parent) !== 'directory') continue
    image.set(path, node === 'directory' ? node : survivingFile(node, mode, single, pageBytes, prng))
  }
  return new MemoryTree(image, new Map(image))
}

/** The one thing that mode 5 loses. */
type SingleLoss = { readonly change: NameChange } | { readonly file: MemoryFile; readonly page: Range }

function chooseSingleLoss(tree: MemoryTree, pageBytes: number, prng: Prng): SingleLoss | undefined {
  const losses: SingleLoss[] = tree.pending.map((change) => ({ change }))
  for (const path of [...tree.live.keys()].sort()) {
    const file = tree.live.get(path)!
    if (file === 'directory') continue
    for (const page of unsyncedPages(file, pageBytes)) losses.push({ file, page })
  }
  return losses.length === 0 ? undefined : losses[prng.below(losses.length)]
}

function survivingNames(tree: MemoryTree, mode: CrashMode, single: SingleLoss | undefined, prng: Prng): Names {
  const names: Names = new Map(tree.durable)
  const prefix = mode === 2 ? prng.below(tree.pending.length + 1) : 0
  tree.pending.forEach((change, index) => {
    if (changeSurvives(change, index)) applyChange(names, change)
  })
  return names

  function changeSurvives(change: NameChange, index: number): boolean {
    switch (mode) {
      case 0:
      case 7:
        return false
      case 1:
      case 6:
        return true
      case 2:
        return index < prefix
      case 5:
        return single === undefined || !('change' in single) || single.change !== change
      default:
        return prng.below(2) === 0
    }
  }
}

function survivingFile(
  file: MemoryFile,
  mode: CrashMode,
  single: SingleLoss | undefined,
  pageBytes: number,
  prng: Prng,
): MemoryFile {
  const loss = lossOf(file, mode, single, pageBytes, prng)
  const image = loss.ranges.length === 0 ? file.durableClone() : withoutLost(file, loss, mode, prng)
  image.reserved = survivingReserve(file, mode, prng)
  return image
}

function withoutLost(file: MemoryFile, loss: Loss, mode: CrashMode, prng: Prng): MemoryFile {
  const bytes = file.appended()
  for (const { start, limit } of loss.ranges) {
    for (let i = start; i < limit; i++) bytes[i] = mode === 4 ? prng.below(256) : 0
  }
  return MemoryFile.durable(loss.keepsSize ? bytes : bytes.subarray(0, keptLength(file.length, loss.ranges)))
}

/** How long the file was made ahead of what was appended: as before the last sync, or as it is now. */
function survivingReserve({ reserved, durablyReserved }: MemoryFile, mode: CrashMode, prng: Prng): number {
  if (reserved === durablyReserved) return reserved
  if (mode === 0 || mode === 6) return durablyReserved
  if (mode === 1 || mode === 7) return reserved
  return prng.below(2) === 0 ? reserved : durablyReserved
}

function lossOf(
  file: MemoryFile,
  mode: CrashMode,
  single: SingleLoss | undefined,
  pageBytes: number,
  prng: Prng,
): Loss {
  if (file.unsynced.length === 0) return NOTHING_LOST
  switch (mode) {
    case 0:
    case 6:
      return { ranges: file.unsynced, keepsSize: false }
    case 1:
    case 7:
      return NOTHING_LOST
    case 2:
      return { ranges: tornTail(file, prng), keepsSize: false }
    case 5:
      if (single === undefined || !('file' in single) || single.file !== file) return NOTHING_LOST
      return { ranges: [single.page], keepsSize: prng.below(2) === 0 }
    default:
      return {
        ranges: unsyncedPages(file, pageBytes).filter(() => prng.below(2) === 0),
        keepsSize: prng.below(2) === 0,
      }
  }
}

/** What is left of the unsynced bytes behind a cut: often none or all, else anywhere. */
function tornTail(file: MemoryFile, prng: Prng): Range[] {
  const total = file.unsynced.reduce((sum, { start, limit }) => sum + limit - start, 0)
  const choice = prng.below(4)
  let kept = choice === 0 ? 0 : choice === 1 ? total : prng.below(total + 1)
  const torn: Range[] = []
  for (const { start, limit } of file.unsynced) {
    const cut = Math.min(limit, start + kept)
    kept -= cut - start
    if (cut < limit) torn.push({ start: cut, limit })
  }
  return torn
}

/** The unsynced bytes, cut at page boundaries. */
function unsyncedPages(file: MemoryFile, pageBytes: number): Range[] {
  const pages: Range[] = []
  for (const range of file.unsynced) {
    for (let start = range.start; start < range.limit; ) {
      const limit = Math.min(range.limit, (Math.floor(start / pageBytes) + 1) * pageBytes)
      pages.push({ start, limit })
      start = limit
    }
  }
  return pages
}

/** Where the last byte ends that is not missing. */
function keptLength(length: number, missing: readonly Range[]): number {
  let kept = length
  for (let i = missing.length - 1; i >= 0 && missing[i].limit === kept; i--) kept = missing[i].start
  return kept
}

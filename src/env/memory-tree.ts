/**
 * MemoryTree: the names in a file system in memory, and which changes to them a power loss may take.
 *
 * `live` is what a process sees. `durable` is what is left if no change made since survives. `pending` is what lies
 * between the two, oldest first; a sync of a directory makes the changes to the names in it durable. (A rename belongs to
 * the directory of its new name; it is atomic, so the old name goes with it.)
 *
 * A path here has the form `/a/b`; the root is `/`, and is always there.
 */
import type { MemoryFile } from './memory-file.ts'

export type MemoryNode = MemoryFile | 'directory'
export type Names = Map<string, MemoryNode>

/** One change to the names. */
export type NameChange =
  | { readonly type: 'create'; readonly path: string; readonly node: MemoryNode }
  | { readonly type: 'rename'; readonly path: string; readonly file: MemoryFile }
  | { readonly type: 'remove'; readonly path: string }

export class MemoryTree {
  readonly live: Names
  readonly durable: Names
  pending: NameChange[]

  constructor(live: Names = new Map(), durable: Names = new Map(), pending: NameChange[] = []) {
    this.live = live
    this.durable = durable
    this.pending = pending
  }

  get(path: string): MemoryNode | undefined {
    return path === '/' ? 'directory' : this.live.get(path)
  }

  /** Make a change, not yet durable. */
  change(change: NameChange): void {
    applyChange(this.live, change)
    this.pending.push(change)
  }

  /** Make all changes to the names in a directory durable. */
  syncDirectory(directory: string): void {
    const rest: NameChange[] = []
    for (const change of this.pending) {
      if (parentOf(change.path) === directory) applyChange(this.durable, change)
      else rest.push(change)
    }
    this.pending = rest
  }

  /** A tree of its own in the same state, durable or not. */
  clone(): MemoryTree {
    const copies = new Map<MemoryFile, MemoryFile>()
    const copyFile = (file: MemoryFile): MemoryFile => {
      const copy = copies.get(file) ?? file.clone()
      copies.set(file, copy)
      return copy
    }
    const copyNode = (node: MemoryNode): MemoryNode => (node === 'directory' ? node : copyFile(node))
    const copyNames = (names: Names): Names => new Map([...names].map(([path, node]) => [path, copyNode(node)]))
    const pending = this.pending.map((change): NameChange => {
      if (change.type === 'create') return { ...change, node: copyNode(change.node) }
      return change.type === 'rename' ? { ...change, file: copyFile(change.file) } : change
    })
    return new MemoryTree(copyNames(this.live), copyNames(this.durable), pending)
  }
}

/** Carry out a change, also where changes before it are missing. */
export function applyChange(names: Names, change: NameChange): void {
  if (change.type === 'remove') {
    names.delete(change.path)
  } else if (change.type === 'create') {
    names.set(change.path, change.node)
  } else {
    // Whatever name the file has by now: a file never has two.
    for (const [path, node] of names) {
      if (node === change.file) names.delete(path)
    }
    names.set(change.path, change.file)
  }
}

/** The form of a path that this tree uses: absolute, without empty parts and dots. */
export function normalPath(path: string): string {
  // Nearly every path is normal already.
  if (/^(\/[^/.][^/]*)+$/.test(path)) return path
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

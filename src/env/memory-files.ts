/**
 * MemoryFiles: a file system in memory that forgets nothing about durability: appended bytes are durable once their file is
 * synced, names once their directory is. A file's sync does not make its name durable, which is stricter than most file
 * systems are, and all that POSIX promises.
 *
 * Names are `/a/b`; `a/b` is the same. There are no symbolic links, no permissions, and no end of space.
 */
import type { DirectoryLock, FileStatus, FileSystem, RandomAccessFile, WritableFile } from '../base/environment.ts'
import { LockedError } from '../base/errors.ts'
import { LOCK } from '../base/filename.ts'
import type { Bytes } from '../base/types.ts'
import { ioError, refusal, systemError } from './io-error.ts'
import { MemoryFile } from './memory-file.ts'
import { type MemoryTree, normalPath, parentOf } from './memory-tree.ts'

export class MemoryFiles implements FileSystem {
  readonly tree: MemoryTree
  readonly locks: Set<string> = new Set()
  /** Handles that are not closed. */
  openCount = 0
  /** Syncs that wait for releaseSyncs, or undefined if syncs are not held. */
  #heldSyncs: (() => void)[] | undefined = undefined

  constructor(tree: MemoryTree) {
    this.tree = tree
  }

  join(directory: string, name: string): string {
    return directory.endsWith('/') ? directory + name : `${directory}/${name}`
  }

  openRandomAccess(path: string): RandomAccessFile {
    const node = this.#existing('open', path)
    if (node === 'directory') throw refusal('open', path, 'it is not a regular file')
    this.openCount++
    return new MemoryRandomAccessFile(this, path, node)
  }

  createWritable(path: string): WritableFile {
    const name = normalPath(path)
    if (this.tree.get(name) !== undefined) throw ioError('create', path, systemError('EEXIST'))
    this.#checkParent('create', path)
    const file = new MemoryFile()
    this.tree.change({ type: 'create', path: name, node: file })
    this.openCount++
    return new MemoryWritableFile(this, path, file)
  }

  list(directory: string): string[] {
    if (this.#existing('list', directory) !== 'directory') throw ioError('list', directory, systemError('ENOTDIR'))
    const parent = normalPath(directory)
    const names: string[] = []
    for (const path of this.tree.live.keys()) {
      if (parentOf(path) === parent) names.push(path.slice(path.lastIndexOf('/') + 1))
    }
    return names.sort()
  }

  status(path: string): FileStatus | undefined {
    const node = this.tree.get(normalPath(path))
    if (node === undefined) return undefined
    return node === 'directory' ? { kind: 'directory', bytes: 0 } : { kind: 'file', bytes: node.size }
  }

  makeDirectory(path: string): void {
    const name = normalPath(path)
    const node = this.tree.get(name)
    if (node !== undefined && node !== 'directory') throw ioError('make directory', path, systemError('EEXIST'))
    if (name === '/') return
    if (node === undefined) {
      this.makeDirectory(parentOf(name))
      this.tree.change({ type: 'create', path: name, node: 'directory' })
    }
    this.tree.syncDirectory(parentOf(name))
  }

  rename(from: string, to: string): void {
    const file = this.#existing('rename', from)
    this.#checkParent('rename', to)
    const target = this.tree.get(normalPath(to))
    if (file === 'directory' || target === 'directory') throw ioError('rename', from, systemError('EISDIR'))
    if (file !== target) this.tree.change({ type: 'rename', path: normalPath(to), file })
  }

  /** A file with two names is not written any more, so that a copy is as good. */
  link(from: string, to: string): void {
    const file = this.#existing('link', from)
    if (file === 'directory') throw ioError('link', from, systemError('EPERM'))
    const name = normalPath(to)
    if (this.tree.get(name) !== undefined) throw ioError('link', to, systemError('EEXIST'))
    this.#checkParent('link', to)
    this.tree.change({ type: 'create', path: name, node: file.clone() })
  }

  remove(path: string): void {
    if (this.#existing('remove', path) === 'directory') throw ioError('remove', path, systemError('EISDIR'))
    this.tree.change({ type: 'remove', path: normalPath(path) })
  }

  syncFile(path: string): void {
    const file = this.#existing('sync', path)
    if (file === 'directory') throw ioError('sync', path, systemError('EISDIR'))
    file.markSynced(file.length)
  }

  syncDirectory(directory: string): void {
    if (this.#existing('sync', directory) !== 'directory') throw ioError('sync', directory, systemError('ENOTDIR'))
    this.tree.syncDirectory(normalPath(directory))
  }

  async lock(directory: string): Promise<DirectoryLock> {
    const name = normalPath(directory)
    const file = this.join(directory, LOCK)
    if (this.locks.has(name)) throw new LockedError(`${directory} is held by this process`, { file: directory })
    if (this.status(file) === undefined) this.createWritable(file).close()
    if (this.status(file)?.kind !== 'file') throw refusal('lock', file, 'it is not a regular file')
    this.locks.add(name)
    let held = true
    return {
      release: () => {
        if (held) this.locks.delete(name)
        held = false
      },
    }
  }

  /** Place a file with these bytes, durable; its directories are made, and the last of them is synced. */
  write(path: string, bytes: Bytes): void {
    const name = normalPath(path)
    this.makeDirectory(parentOf(name))
    if (this.tree.get(name) === 'directory') throw ioError('write', path, systemError('EISDIR'))
    this.tree.change({ type: 'create', path: name, node: MemoryFile.durable(bytes) })
    this.tree.syncDirectory(parentOf(name))
  }

  /** The bytes of a file as a process sees them, as a copy. */
  readAll(path: string): Uint8Array<ArrayBuffer> {
    const node = this.#existing('read', path)
    if (node === 'directory') throw ioError('read', path, systemError('EISDIR'))
    return node.content()
  }

  get heldSyncCount(): number {
    return this.#heldSyncs?.length ?? 0
  }

  holdSyncs(): void {
    this.#heldSyncs ??= []
  }

  releaseSyncs(): void {
    const held = this.#heldSyncs ?? []
    this.#heldSyncs = undefined
    for (const finish of held) finish()
  }

  /** Run `task` when a sync that starts now ends. */
  whenSyncEnds(task: () => void): Promise<void> {
    const held = this.#heldSyncs
    if (held === undefined) return Promise.resolve().then(task)
    return new Promise((resolve) => {
      held.push(() => {
        task()
        resolve()
      })
    })
  }

  #existing(action: string, path: string): MemoryFile | 'directory' {
    const node = this.tree.get(normalPath(path))
    if (node === undefined) throw ioError(action, path, systemError('ENOENT'))
    return node
  }

  #checkParent(action: string, path: string): void {
    const parent = this.tree.get(parentOf(normalPath(path)))
    if (parent === undefined) throw ioError(action, path, systemError('ENOENT'))
    if (parent !== 'directory') throw ioError(action, path, systemError('ENOTDIR'))
  }
}

class MemoryRandomAccessFile implements RandomAccessFile {
  readonly path: string
  readonly bytes: number
  readonly #files: MemoryFiles
  readonly #file: MemoryFile
  #open = true

  constructor(files: MemoryFiles, path: string, file: MemoryFile) {
    this.path = path
    this.bytes = file.size
    this.#files = files
    this.#file = file
  }

  read(offset: number, into: Bytes, intoOffset: number, length: number): void {
    if (!this.#open) throw refusal('read', this.path, 'the file is closed')
    const limit = offset + length
    if (length > 0 && limit > this.#file.size) throw refusal('read', this.path, `it ends before byte ${limit}`)
    this.#file.read(offset, into, intoOffset, length)
  }

  close(): void {
    if (this.#open) this.#files.openCount--
    this.#open = false
  }
}

export class MemoryWritableFile implements WritableFile {
  readonly path: string
  readonly #files: MemoryFiles
  readonly #file: MemoryFile
  #open = true

  constructor(files: MemoryFiles, path: string, file: MemoryFile) {
    this.path = path
    this.#files = files
    this.#file = file
  }

  append(bytes: Bytes, offset: number, length: number): void {
    this.#check('write')
    this.#file.append(bytes, offset, length)
  }

  sync(): void {
    this.#check('sync')
    this.#file.markSynced(this.#file.length)
  }

  /** Covers what has been appended by now, and nothing that comes meanwhile. */
  async syncLater(): Promise<void> {
    this.#check('sync')
    const limit = this.#file.length
    await this.#files.whenSyncEnds(() => this.#file.markSynced(limit))
  }

  reserve(limit: number): void {
    if (this.#open) this.#file.reserved = limit
  }

  close(): void {
    if (this.#open) this.#files.openCount--
    this.#open = false
  }

  /** As a sync that failed leaves it: what is unsynced now will never be durable for certain. */
  failSync(): void {
    this.#file.markLost()
  }

  #check(action: string): void {
    if (!this.#open) throw refusal(action, this.path, 'the file is closed')
  }
}

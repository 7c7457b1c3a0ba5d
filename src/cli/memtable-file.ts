/**
 * MemTableFile: a MemTable for the length of one command, which grows as it must; and the dump at a path that it comes
 * from and goes to.
 */
import {
  closeSync,
  existsSync,
  fchmodSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { MemTable, type MemTableEntry, MemTableFullError, type MemTableVersion } from '../public/memtable.ts'
import { EXIT_FAILED, ExitError } from './exit.ts'
import { statusOf } from './input.ts'

/** What most dumps fit into; more is reserved once it is needed. */
const FIRST_CAPACITY_BYTES = 1024 * 1024

/** Close to the largest capacity that there is. */
const LAST_CAPACITY_BYTES = 2 ** 31 - 4096

export class MemTableFile {
  #table: MemTable

  constructor(table: MemTable = MemTable.create({ capacityBytes: FIRST_CAPACITY_BYTES })) {
    this.#table = table
  }

  /** The table whose dump is at `path`. @throws CorruptionError if there is something else; ExitError if there is no file; the system's error */
  static read(path: string): MemTableFile {
    statusOf(path)
    return new MemTableFile(MemTable.decode(readFileSync(path), { file: path }))
  }

  /**
   * Write the dump to `path`, which names either what it named before or all of the new dump, with the same permissions.
   * @throws ExitError if it names something that is no file; the system's error
   */
  save(path: string): void {
    const file = existsSync(path) ? realpathSync(path) : path
    const before = statSync(file, { throwIfNoEntry: false })
    // The rename would put a file in the place of a device or a pipe.
    if (before?.isFile() === false)
      throw new ExitError(EXIT_FAILED, `${path} is ${before.isDirectory() ? 'a directory' : 'not a file'}`)
    const temporary = `${file}.${process.pid}.tmp`
    const fd = openSync(temporary, 'wx')
    try {
      try {
        if (before !== undefined) fchmodSync(fd, before.mode)
        this.append(fd)
      } finally {
        closeSync(fd)
      }
      renameSync(temporary, file)
    } catch (error) {
      rmSync(temporary, { force: true })
      throw error
    }
  }

  put(key: string | Uint8Array, value: string | Uint8Array): void {
    this.#withRoom((table) => table.put(key, value))
  }

  delete(key: string | Uint8Array): void {
    this.#withRoom((table) => table.delete(key))
  }

  /** `value: <hex>`, `tombstone` or `absent`. */
  describe(key: string | Uint8Array): string {
    const version = this.#table.get(key)
    return version === undefined ? 'absent' : describeVersion(version)
  }

  /** A line an entry: `V <hexkey> <hexvalue>` or `T <hexkey>`. */
  *lines(): Generator<string> {
    for (const entry of this.#table.entries()) yield `${describeEntry(entry)}\n`
  }

  get size(): string {
    return `entries=${this.#table.length} size_bytes=${this.#table.encodedBytes}`
  }

  get length(): number {
    return this.#table.length
  }

  /** Append the dump to an open file. @returns its size in bytes */
  append(fd: number): number {
    for (const chunk of this.#table.encodeChunks()) writeAll(fd, chunk)
    return this.#table.encodedBytes
  }

  /** Write, into a table of twice the capacity if there is no room; the versions that a dump leaves out go away then. */
  #withRoom(write: (table: MemTable) => void): void {
    for (;;) {
      try {
        write(this.#table)
        return
      } catch (error) {
        const { capacityBytes } = this.#table
        if (!(error instanceof MemTableFullError) || capacityBytes >= LAST_CAPACITY_BYTES) throw error
        const doubled = Math.min(capacityBytes * 2, LAST_CAPACITY_BYTES)
        this.#table = MemTable.decode(this.#table.encodeChunks(), { capacityBytes: doubled })
      }
    }
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written)
}

function describeVersion(version: MemTableVersion): string {
  return version.type === 'tombstone' ? 'tombstone' : `value: ${hex(version.value)}`
}

function describeEntry(entry: MemTableEntry): string {
  return entry.type === 'tombstone' ? `T ${hex(entry.key)}` : `V ${hex(entry.key)} ${hex(entry.value)}`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

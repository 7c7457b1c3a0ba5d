/**
 * Both engines behind one face, for the compatibility tests: varve, and LevelDB 1.20 in C++ (classic-level).
 *
 * Content is compared as lines `key = value` in hex, as each engine's own iterator gives it.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { toHex } from '../../src/base/bytes.ts'
import type { Prng } from '../../src/base/prng.ts'
import { type DB, type Options, open, WriteBatch } from '../../src/public/index.ts'

export type Bytes = Uint8Array<ArrayBuffer>
/** A put, or a delete if there is no value. */
export type Edit = readonly [key: Bytes, value?: Bytes]
/** Edits that are written together. One alone is written by put or delete. */
export type Write = readonly Edit[]

export interface Engine {
  write(edits: Write): Promise<void>
  get(key: Bytes): Promise<Uint8Array | undefined>
  content(): Promise<string[]>
  close(): Promise<void>
}

export interface EngineOptions {
  readonly writeBufferBytes?: number
  readonly blockBytes?: number
  readonly restartInterval?: number
  /** Default 'none'. */
  readonly compression?: 'none' | 'snappy'
}

export async function openVarve(directory: string, options: Options = {}): Promise<Engine & { readonly db: DB }> {
  const db = await open(directory, { workers: 0, compression: 'none', ...options })
  return {
    db,
    write: (edits) => writeVarve(db, edits),
    get: (key) => db.get(key),
    content: async () => Array.from(db.scanSync(), ([key, value]) => line(key, value)),
    close: () => db.close(),
  }
}

function writeVarve(db: DB, edits: Write): Promise<void> {
  if (edits.length === 1) {
    const [key, value] = edits[0]
    return value === undefined ? db.delete(key) : db.put(key, value)
  }
  const batch = new WriteBatch()
  for (const [key, value] of edits) {
    if (value === undefined) batch.delete(key)
    else batch.put(key, value)
  }
  return db.write(batch)
}

export async function openLevel(directory: string, options: EngineOptions = {}): Promise<Engine> {
  const db = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: options.compression === 'snappy',
    writeBufferSize: options.writeBufferBytes ?? 4 * 1024 * 1024,
    blockSize: options.blockBytes ?? 4096,
    blockRestartInterval: options.restartInterval ?? 16,
  })
  await db.open()
  return {
    write: (edits) => writeLevel(db, edits),
    get: (key) => db.get(key),
    content: async () => (await db.iterator().all()).map(([key, value]) => line(key, value)),
    close: () => db.close(),
  }
}

function writeLevel(db: ClassicLevel<Uint8Array, Uint8Array>, edits: Write): Promise<void> {
  if (edits.length === 1) {
    const [key, value] = edits[0]
    return value === undefined ? db.del(key) : db.put(key, value)
  }
  return db.batch(
    edits.map(([key, value]) => (value === undefined ? { type: 'del', key } : { type: 'put', key, value })),
  )
}

function line(key: Uint8Array, value: Uint8Array): string {
  return `${toHex(key)} = ${toHex(value)}`
}

/** What a directory holds after these writes, in the order of its keys. */
export function expectedContent(writes: Iterable<Write>): string[] {
  const entries = new Map<string, string>()
  for (const edits of writes) applyTo(entries, edits)
  return contentOf(entries)
}

/** Apply a write to a model: hex to hex. */
export function applyTo(model: Map<string, string>, edits: Write): void {
  for (const [key, value] of edits) {
    if (value === undefined) model.delete(toHex(key))
    else model.set(toHex(key), toHex(value))
  }
}

export function contentOf(model: ReadonlyMap<string, string>): string[] {
  return [...model.keys()].sort().map((key) => `${key} = ${model.get(key)}`)
}

/** Open with one engine, read everything, close. */
export async function contentIn(
  openEngine: (directory: string) => Promise<Engine>,
  directory: string,
): Promise<string[]> {
  const engine = await openEngine(directory)
  try {
    return await engine.content()
  } finally {
    await engine.close()
  }
}

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'varve-compat-'))
}

/** Windows removes no file that a test has left open. */
function removeDirectory(directory: string): void {
  try {
    rmSync(directory, { recursive: true, force: true })
  } catch (error) {
    if (process.platform !== 'win32') throw error
  }
}

export async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = temporaryDirectory()
  try {
    await use(directory)
  } finally {
    removeDirectory(directory)
  }
}

/** Copy a database that is open, as a crash of its process would leave it. */
export function copyLive(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const { name } of readdirSync(from, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    if (name !== 'LOCK') copyFileSync(join(from, name), join(to, name))
  }
}

/** Names with this ending, oldest first. */
export function filesOf(directory: string, ending: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(ending))
    .sort()
}

/** The bytes of the only file with this ending. */
export function onlyFile(directory: string, ending: string): Buffer {
  const names = filesOf(directory, ending)
  if (names.length !== 1) throw new Error(`one ${ending} expected, not ${names.join(', ') || 'none'}`)
  return readFileSync(join(directory, names[0]))
}

export function ascii(text: string): Bytes {
  return new TextEncoder().encode(text)
}

export function randomBytes(prng: Prng, length: number): Bytes {
  return Uint8Array.from({ length }, () => prng.below(256))
}

/** Puts, overwrites, deletes and batches on keys that share prefixes, contain zeros and 0xff, or are empty. */
export function randomWrites(prng: Prng, count: number, valueBytesMax: number): Write[] {
  const key = (): Bytes => {
    if (prng.below(3) === 0)
      return Uint8Array.from({ length: prng.below(5) }, () => [0, 1, 0x61, 0xfe, 0xff][prng.below(5)])
    return ascii(`user/${prng.below(8)}/${String(prng.below(60)).padStart(4, '0')}`)
  }
  const edit = (): Edit =>
    prng.below(5) === 0 ? [key()] : [key(), randomBytes(prng, prng.below(prng.below(8) === 0 ? valueBytesMax : 40))]
  return Array.from({ length: count }, () =>
    Array.from({ length: prng.below(4) === 0 ? 2 + prng.below(12) : 1 }, () => edit()),
  )
}

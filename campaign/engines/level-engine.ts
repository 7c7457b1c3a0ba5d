/**
 * LevelDB 1.20 in C++ (classic-level) as an Engine.
 */
import { createRequire } from 'node:module'
import type { Engine, EngineOptions, Level, Put, Write } from './engine.ts'

type Operation = { readonly type: 'put' | 'del'; readonly key: string; readonly value?: string }

/** The part of it that is used here. */
export interface NativeLevel {
  open(): Promise<void>
  get(key: string): Promise<string | undefined>
  batch(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void>
  iterator(range: { readonly gte: string; readonly lt?: string }): AsyncIterable<Put>
  close(): Promise<void>
}

/** The package itself; its own types are more than this needs. */
export function newNativeLevel(directory: string, options: { readonly writeBufferSize?: number } = {}): NativeLevel {
  const { ClassicLevel } = createRequire(import.meta.url)('classic-level') as {
    ClassicLevel: new (directory: string, options: object) => NativeLevel
  }
  return new ClassicLevel(directory, options)
}

export async function openLevel(directory: string, options: EngineOptions): Promise<Engine> {
  const { writeBufferBytes = 4 * 1024 * 1024 } = options
  const db = newNativeLevel(directory, { writeBufferSize: writeBufferBytes })
  await db.open()
  return {
    saidLoss: false,
    // Each goes to a thread of the pool, and whichever comes first is first.
    keepsOrder: false,
    write: ({ puts, clear }: Write, level: Level) =>
      db.batch(
        [
          ...(clear?.keys ?? []).map((key) => ({ type: 'del' as const, key })),
          ...puts.map(([key, value]) => ({ type: 'put' as const, key, value })),
        ],
        { sync: level === 'disk' },
      ),
    get: (key) => db.get(key),
    entries: (gte = '', lt) => db.iterator(lt === undefined ? { gte } : { gte, lt }),
    close: () => db.close(),
  }
}

/**
 * ClassicLevel and VarveLevel behind one face: what a program does with one it must be able to do with the other. Tests that
 * run for each of `ENGINES` say what the two have in common; the first is the reference.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel, type DatabaseOptions } from 'classic-level'
import { VarveLevel } from '../../src/level/varve-level.ts'

/** VarveLevel is put where a ClassicLevel is expected: the compiler checks that too. */
export type Level<K = string, V = string> = Pick<
  ClassicLevel<K, V>,
  | 'approximateSize'
  | 'clear'
  | 'close'
  | 'compactRange'
  | 'del'
  | 'get'
  | 'getMany'
  | 'getProperty'
  | 'getSync'
  | 'has'
  | 'location'
  | 'open'
  | 'put'
  | 'snapshot'
  | 'status'
  | 'supports'
> & {
  batch: ClassicLevel<K, V>['batch']
  iterator: ClassicLevel<K, V>['iterator']
  keys: ClassicLevel<K, V>['keys']
  values: ClassicLevel<K, V>['values']
  sublevel: ClassicLevel<K, V>['sublevel']
}

export interface LevelEngine {
  readonly name: 'ClassicLevel' | 'VarveLevel'
  make<K = string, V = string>(location: string, options?: DatabaseOptions<K, V>): Level<K, V>
  destroy(location: string): Promise<void>
  repair(location: string): Promise<void>
}

export const CLASSIC: LevelEngine = {
  name: 'ClassicLevel',
  make: (location, options) => new ClassicLevel(location, options),
  destroy: (location) => ClassicLevel.destroy(location),
  repair: (location) => ClassicLevel.repair(location),
}

export const VARVE: LevelEngine = {
  name: 'VarveLevel',
  make: <K, V>(location: string, options?: DatabaseOptions<K, V>) =>
    new VarveLevel<K, V>(location, options) as unknown as Level<K, V>,
  destroy: (location) => VarveLevel.destroy(location),
  repair: (location) => VarveLevel.repair(location),
}

export const ENGINES: readonly LevelEngine[] = [CLASSIC, VARVE]

export async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-level-'))
  try {
    await use(join(directory, 'database'))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Use a database that is open, and close it. */
export async function using(
  engine: LevelEngine,
  use: (level: Level) => Promise<void>,
  options?: DatabaseOptions<string, string>,
): Promise<void> {
  await withDirectory(async (directory) => {
    const level = engine.make(directory, options)
    await level.open()
    try {
      await use(level)
    } finally {
      await level.close()
    }
  })
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string; cause?: unknown }> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('the promise was not rejected')
}

/** The codes of an error and of its causes. */
export function codesOf(error: unknown): string[] {
  const codes: string[] = []
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code } = e as { code?: unknown }
    if (typeof code === 'string') codes.push(code)
  }
  return codes
}

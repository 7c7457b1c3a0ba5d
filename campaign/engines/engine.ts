/**
 * Engine: one face for varve and its peers, for the campaigns that all of them go through with the same records. Keys and
 * values are text.
 */
export type EngineName = 'varve' | 'classic-level' | 'lmdb'

/** A put. */
export type Put = readonly [key: string, value: string]

/** Writes that are made together: what is cleared goes first. */
export interface Write {
  readonly puts: readonly Put[]
  /** All keys that there are from start on, before end. */
  readonly clear?: { readonly start: string; readonly end: string; readonly keys: readonly string[] }
}

/** `os`: what the process has handed over survives it. `disk`: what was acknowledged survives a power cut. */
export type Level = 'os' | 'disk'

export interface Engine {
  /** All or nothing; resolves when it is acknowledged. */
  write(write: Write, level: Level): Promise<void>
  /** As write, but before it returns; not every engine can. */
  writeSync?(write: Write, level: Level): void
  get(key: string): Promise<string | undefined>
  /** In the order of the keys, from one on, before another. */
  entries(gte?: string, lt?: string): AsyncIterable<Put>
  close(): Promise<void>
  /** Whether opening said that it left something out. */
  readonly saidLoss: boolean
  /** Whether writes that do not wait for one another are made in the order of the calls. */
  readonly keepsOrder: boolean
}

export interface EngineOptions {
  readonly readOnly?: boolean
  readonly writeBufferBytes?: number
  /** Whether to clear by deleting a range, which LevelDB cannot read in a log; default true. */
  readonly rangeDeletes?: boolean
}

/** @throws what the engine throws; PeerMissingError if lmdb is not there */
export async function openEngine(name: EngineName, directory: string, options: EngineOptions = {}): Promise<Engine> {
  if (name === 'varve') return (await import('./varve-engine.ts')).openVarve(directory, options)
  if (name === 'classic-level') return (await import('./level-engine.ts')).openLevel(directory, options)
  return (await import('./lmdb-engine.ts')).openLmdb(directory)
}

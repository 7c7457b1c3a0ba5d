/**
 * LevelDB 1.20 in C++ (classic-level) as an Engine.
 */
import { ClassicLevel } from 'classic-level'
import type { Engine, EngineOptions, Level, Put } from './engine.ts'

export async function openLevel(directory: string, options: EngineOptions): Promise<Engine> {
  const { writeBufferBytes = 4 * 1024 * 1024 } = options
  const db = new ClassicLevel<string, string>(directory, { writeBufferSize: writeBufferBytes })
  await db.open()
  return {
    saidLoss: false,
    write: (puts: readonly Put[], level: Level) =>
      db.batch(
        puts.map(([key, value]) => ({ type: 'put', key, value })),
        { sync: level === 'disk' },
      ),
    get: (key) => db.get(key),
    entries: (gte = '', lt) => db.iterator(lt === undefined ? { gte } : { gte, lt }),
    close: () => db.close(),
  }
}

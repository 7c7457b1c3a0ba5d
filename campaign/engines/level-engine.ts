/**
 * LevelDB 1.20 in C++ (classic-level) as an Engine.
 */
import { ClassicLevel } from 'classic-level'
import type { Engine, EngineOptions, Level, Write } from './engine.ts'

export async function openLevel(directory: string, options: EngineOptions): Promise<Engine> {
  const { writeBufferBytes = 4 * 1024 * 1024 } = options
  const db = new ClassicLevel<string, string>(directory, { writeBufferSize: writeBufferBytes })
  await db.open()
  return {
    saidLoss: false,
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

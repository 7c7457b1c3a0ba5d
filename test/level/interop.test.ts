/**
 * Changing one import: a directory that classic-level wrote opens in VarveLevel as it is, sublevels and all, and back.
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { CLASSIC, type Level, type LevelEngine, VARVE, withDirectory } from './engines.ts'

type Book = { readonly title: string; readonly year: number }

const BOOKS: readonly Book[] = [
  { title: 'Flatland', year: 1884 },
  { title: 'Erewhon', year: 1872 },
]

/** Enough for tables, compressed, in several levels, and a log that has not been flushed. */
async function write(level: Level, mark: string): Promise<void> {
  for (let round = 0; round < 4; round++) {
    const operations = Array.from({ length: 500 }, (_, i) => {
      return { type: 'put' as const, key: `${mark}!plain${i * 4 + round}`, value: `${mark} ${round} `.repeat(40) }
    })
    await level.batch(operations)
  }
  await level.clear({ gte: `${mark}!plain1`, lt: `${mark}!plain2` })
  const books = level.sublevel<string, Book>(mark, { valueEncoding: 'json' })
  for (const book of BOOKS) await books.put(book.title, book)
  await level.batch([{ type: 'put', key: 'deep', value: mark, sublevel: level.sublevel(['a', 'b']) }])
  await level.put('', `${mark} of the empty key`)
}

async function content(level: Level): Promise<unknown> {
  return { entries: await level.iterator().all(), deep: await level.sublevel(['a', 'b']).get('deep') }
}

async function inDirectory<T>(engine: LevelEngine, directory: string, use: (level: Level) => Promise<T>): Promise<T> {
  const level = engine.make(directory, { writeBufferSize: 64 * 1024 })
  await level.open()
  try {
    return await use(level)
  } finally {
    await level.close()
  }
}

for (const [first, second] of [
  [CLASSIC, VARVE],
  [VARVE, CLASSIC],
]) {
  it(`${second.name} opens what ${first.name} left, writes to it, and ${first.name} opens that`, async () => {
    await withDirectory(async (directory) => {
      const before = await inDirectory(first, directory, async (level) => {
        await write(level, 'one')
        return content(level)
      })
      const between = await inDirectory(second, directory, async (level) => {
        assert.deepEqual(await content(level), before)
        const books = level.sublevel<string, Book>('one', { valueEncoding: 'json' })
        assert.deepEqual(await books.values().all(), [BOOKS[1], BOOKS[0]])
        await write(level, 'two')
        return content(level)
      })
      assert.notDeepEqual(between, before)
      assert.deepEqual(await inDirectory(first, directory, content), between)
    })
  })
}

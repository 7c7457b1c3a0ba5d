/**
 * What classic-level does beyond abstract-level's contract, done by both engines: its own methods and their arguments, its
 * error codes, its options, its encodings.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { type EngineOptions, VarveLevel } from '../../src/level/varve-level.ts'
import { CLASSIC, codesOf, ENGINES, type Level, rejection, using, VARVE, withDirectory } from './engines.ts'

const VALUE = 'v'.repeat(1000)

function keyOf(i: number): string {
  return `key${String(i).padStart(4, '0')}`
}

async function fill(level: Level, count: number): Promise<void> {
  await level.batch(Array.from({ length: count }, (_, i) => ({ type: 'put', key: keyOf(i), value: VALUE })))
}

/** Damage a directory's MANIFEST so that no reader may take it. */
function damageManifest(directory: string): void {
  for (const name of readdirSync(directory).filter((file) => file.startsWith('MANIFEST'))) {
    const bytes = readFileSync(join(directory, name))
    bytes.fill(0xa5, 7, 20)
    writeFileSync(join(directory, name), bytes)
  }
}

/** Bytes of the write-ahead logs. */
function logBytes(directory: string): number {
  const logs = readdirSync(directory).filter((name) => name.endsWith('.log'))
  return logs.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)
}

for (const engine of ENGINES) {
  const { make } = engine

  describe(`${engine.name}, made`, () => {
    it('needs a location', () => {
      for (const location of [undefined, null, '', 1, {}]) {
        assert.throws(() => make(location as string), {
          name: 'TypeError',
          message: /'location' must be a non-empty str/,
        })
      }
    })

    it('tells its location', async () => {
      await withDirectory(async (directory) => {
        const level = make(directory)
        assert.equal(level.location, directory)
        await level.close()
      })
    })

    it('makes the directory and those above it', async () => {
      await withDirectory(async (directory) => {
        const level = make(join(directory, 'a', 'b'))
        await level.open()
        assert.ok(existsSync(join(directory, 'a', 'b', 'CURRENT')))
        await level.close()
      })
    })

    it('takes options of every size', async () => {
      await withDirectory(async (directory) => {
        const sizes = { cacheSize: 0, writeBufferSize: 1, blockSize: 1, maxOpenFiles: 1, maxFileSize: 1 }
        const level = make(directory, { ...sizes, blockRestartInterval: 4, compression: false, multithreading: false })
        await level.put('a', '1')
        await level.close()
        const huge = make(directory, { cacheSize: 2 ** 31, blockSize: 2 ** 30, maxOpenFiles: 2 ** 20 })
        assert.equal(await huge.get('a'), '1')
        await huge.close()
      })
    })

    it('can be opened and closed again and again', async () => {
      await using(engine, async (level) => {
        await level.put('a', '1')
        for (let i = 0; i < 3; i++) {
          await level.close()
          await level.open()
        }
        assert.equal(level.getSync('a'), '1')
      })
    })
  })

  describe(`${engine.name}, refusing to open`, () => {
    it('says LEVEL_LOCKED while another has the directory', async () => {
      await using(engine, async (level) => {
        const second = make(level.location)
        const error = await rejection(second.open())
        assert.deepEqual(codesOf(error).slice(0, 2), ['LEVEL_DATABASE_NOT_OPEN', 'LEVEL_LOCKED'])
        assert.equal(second.status, 'closed')
        await level.put('still', 'works')
      })
    })

    it('says LEVEL_CORRUPTION of a damaged MANIFEST', async () => {
      await withDirectory(async (directory) => {
        const level = make(directory)
        await fill(level, 10)
        await level.close()
        damageManifest(directory)
        const error = await rejection(make(directory).open())
        assert.deepEqual(codesOf(error).slice(0, 2), ['LEVEL_DATABASE_NOT_OPEN', 'LEVEL_CORRUPTION'])
      })
    })

    it('says what it missed, or found', async () => {
      await withDirectory(async (directory) => {
        const missing = await rejection(make(directory, { createIfMissing: false }).open())
        assert.match((missing.cause as Error).message, /does not exist/)
        const level = make(directory)
        await level.open()
        await level.close()
        const existing = await rejection(make(directory, { errorIfExists: true }).open())
        assert.match((existing.cause as Error).message, /exists/)
      })
    })
  })

  describe(`${engine.name}.approximateSize`, () => {
    it('needs two arguments and an open database', async () => {
      await using(engine, async (level) => {
        const call = level.approximateSize.bind(level) as (...args: unknown[]) => Promise<number>
        for (const args of [[], ['a']]) {
          const error = await rejection(call(...args))
          assert.equal(error.message, "The arguments 'start' and 'end' are required")
        }
        await level.close()
        assert.equal((await rejection(level.approximateSize('a', 'b'))).code, 'LEVEL_DATABASE_NOT_OPEN')
      })
    })

    it('counts what is in tables, and takes an encoding', async () => {
      const options = { compression: false }
      await using(
        engine,
        async (level) => {
          assert.equal(await level.approximateSize('a', 'z'), 0)
          await fill(level, 300)
          await level.compactRange('a', 'z')
          const all = await level.approximateSize('a', 'z')
          assert.ok(all > 250_000 && all < 400_000, String(all))
          assert.ok((await level.approximateSize(keyOf(0), keyOf(100))) < all / 2)
          const encoded = await level.approximateSize(Buffer.from('a'), Buffer.from('z'), { keyEncoding: 'buffer' })
          assert.equal(encoded, all)
          assert.equal(await level.approximateSize('"a"', '"z"', { keyEncoding: 'utf8' }), 0)
        },
        options,
      )
    })

    it('and a compaction find nothing in a range that ends before it starts', async () => {
      await using(engine, async (level) => {
        await fill(level, 300)
        await level.compactRange('a', 'z')
        assert.deepEqual([await level.approximateSize('z', 'a'), await level.compactRange('z', 'a')], [0, undefined])
      })
    })

    it('waits for the opening', async () => {
      await withDirectory(async (directory) => {
        const level = make(directory)
        assert.deepEqual(await Promise.all([level.approximateSize('a', 'b'), level.compactRange('a', 'b')]), [
          0,
          undefined,
        ])
        await level.close()
      })
    })
  })

  describe(`${engine.name}.compactRange`, () => {
    it('needs two arguments and an open database', async () => {
      await using(engine, async (level) => {
        const call = level.compactRange.bind(level) as (...args: unknown[]) => Promise<void>
        for (const args of [[], ['a']]) {
          const error = await rejection(call(...args))
          assert.equal(error.message, "The arguments 'start' and 'end' are required")
        }
        await level.close()
        assert.equal((await rejection(level.compactRange('a', 'b'))).code, 'LEVEL_DATABASE_NOT_OPEN')
      })
    })

    it('gives back the room of what was deleted', async () => {
      await using(
        engine,
        async (level) => {
          await fill(level, 300)
          await level.compactRange(keyOf(0), keyOf(999))
          await level.clear()
          await level.compactRange(keyOf(0), keyOf(999))
          assert.ok((await level.approximateSize('a', 'z')) < 10_000)
        },
        { compression: false },
      )
    })
  })

  describe(`${engine.name}.getProperty`, () => {
    it("knows LevelDB's properties, and no others", async () => {
      await using(engine, async (level) => {
        assert.equal(level.getProperty('leveldb.num-files-at-level0'), '0')
        assert.match(level.getProperty('leveldb.stats'), /Compactions\nLevel {2}Files Size\(MB\)/)
        assert.equal(level.getProperty('foo'), '')
        assert.equal(level.getProperty('leveldb.num-files-at-level99'), '')
        assert.throws(() => level.getProperty(undefined as unknown as string), { name: 'TypeError' })
        await level.close()
        assert.throws(() => level.getProperty('leveldb.stats'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
      })
    })
  })

  describe(`${engine.name}.destroy and .repair`, () => {
    it('need a location', async () => {
      for (const location of [undefined, '']) {
        assert.ok((await rejection(engine.destroy(location as string))) instanceof TypeError)
        assert.ok((await rejection(engine.repair(location as string))) instanceof TypeError)
      }
    })

    it('destroy takes the database and leaves what else is there', async () => {
      await withDirectory(async (directory) => {
        const level = make(directory)
        await fill(level, 3)
        await level.close()
        writeFileSync(join(directory, 'mine.txt'), 'mine')
        await engine.destroy(directory)
        assert.deepEqual(
          readdirSync(directory).filter((name) => name !== 'LOCK'),
          ['mine.txt'],
        )
      })
    })

    it('destroy finds nothing to do where there is no database', async () => {
      await withDirectory(async (directory) => {
        await engine.destroy(directory)
        mkdirSync(directory)
        await engine.destroy(directory)
      })
    })

    it('destroy is refused while the database is open', async () => {
      await using(engine, async (level) => {
        await level.put('a', '1')
        assert.equal((await rejection(engine.destroy(level.location))).code, 'LEVEL_LOCKED')
        assert.equal(await level.get('a'), '1')
      })
    })

    it('repair finds what a damaged MANIFEST hides', async () => {
      await withDirectory(async (directory) => {
        const level = make(directory)
        await fill(level, 50)
        await level.compactRange(keyOf(0), keyOf(99))
        await level.close()
        damageManifest(directory)
        await engine.repair(directory)
        const repaired = make(directory)
        assert.equal((await repaired.keys().all()).length, 50)
        assert.equal(await repaired.get(keyOf(49)), VALUE)
        await repaired.close()
      })
    })
  })

  describe(`${engine.name}'s encodings`, () => {
    it('give Buffers, views and strings, each of them native', async () => {
      await using(engine, async (level) => {
        await level.put('ключ', 'значение')
        const key = Buffer.from('ключ')
        const value = Buffer.from('значение')
        const asBuffer = { keyEncoding: 'buffer', valueEncoding: 'buffer' }
        const asView = { keyEncoding: 'view', valueEncoding: 'view' }
        const got = await level.get<Buffer, Buffer>(key, asBuffer)
        assert.ok(Buffer.isBuffer(got))
        assert.deepEqual(got, value)
        assert.ok(Buffer.isBuffer(level.getSync<Buffer, Buffer>(key, asBuffer)))
        assert.ok(Buffer.isBuffer((await level.getMany<Buffer, Buffer>([key], asBuffer))[0]))
        const [entry] = await level.iterator<Buffer, Buffer>(asBuffer).all()
        assert.deepEqual(entry, [key, value])
        assert.ok(entry.every((part) => Buffer.isBuffer(part)))
        const view = await level.get<Uint8Array, Uint8Array>(new Uint8Array(key), asView)
        assert.deepEqual(new Uint8Array(view ?? []), new Uint8Array(value))
        assert.deepEqual(await level.iterator().all(), [['ключ', 'значение']])
      })
    })

    it('keep every byte, and replace what UTF-8 cannot hold', async () => {
      await using(engine, async (level) => {
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
        await level.put(bytes, bytes, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
        assert.deepEqual(await level.get(bytes, { keyEncoding: 'buffer', valueEncoding: 'buffer' }), bytes)
        await level.put('lone \ud800', 'value \udc00')
        assert.equal(await level.get('lone \ufffd'), 'value \ufffd')
        await level.put(`long ${'x'.repeat(100)} \ud800`, '')
        assert.equal(await level.has(`long ${'x'.repeat(100)} \ufffd`), true)
        await level.put('mark', '\ufeffbegins')
        assert.equal(await level.get('mark'), '\ufeffbegins')
      })
    })

    it('take a caller’s bytes at the call', async () => {
      await using(engine, async (level) => {
        const key = Buffer.from('key')
        const value = Buffer.from('value')
        const writing = level.batch().put(key, value, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
        key.fill(0)
        value.fill(0)
        await writing.write()
        assert.equal(await level.get('key'), 'value')
      })
    })
  })

  describe(`${engine.name}'s iterators`, () => {
    it('nextv gives what it has at the high-water mark', async () => {
      await using(engine, async (level) => {
        await fill(level, 100)
        const lengths = [undefined, 5000, 0].map(async (highWaterMarkBytes) => {
          const iterator = level.iterator(highWaterMarkBytes === undefined ? {} : { highWaterMarkBytes })
          const { length } = await iterator.nextv(100)
          await iterator.close()
          return length
        })
        assert.deepEqual(await Promise.all(lengths), [17, 5, 1])
      })
    })

    it('count for the high-water mark only what they give', async () => {
      await using(engine, async (level) => {
        await fill(level, 10)
        for (const [iterator, length] of [
          [level.keys({ highWaterMarkBytes: 100 }), 10],
          [level.iterator({ values: false, highWaterMarkBytes: 100 }), 10],
          [level.values({ highWaterMarkBytes: 2003 }), 3],
          [level.iterator({ keys: false, highWaterMarkBytes: 2003 }), 3],
          [level.iterator({ highWaterMarkBytes: 2003 }), 2],
        ] as const) {
          assert.equal((await iterator.nextv(100)).length, length)
          await iterator.close()
        }
      })
    })

    it('are not at their end because of a high-water mark that is none', async () => {
      await using(engine, async (level) => {
        await fill(level, 3)
        for (const highWaterMarkBytes of [-1, Number.NaN, Number.NEGATIVE_INFINITY]) {
          const iterator = level.keys({ highWaterMarkBytes })
          assert.equal((await iterator.nextv(1))[0], keyOf(0), String(highWaterMarkBytes))
          assert.deepEqual(await iterator.all(), [keyOf(1), keyOf(2)])
        }
      })
    })

    it('mix next, nextv, seek and all', async () => {
      await using(engine, async (level) => {
        await fill(level, 40)
        const iterator = level.keys({ gte: keyOf(5), lt: keyOf(30) })
        assert.equal(await iterator.next(), keyOf(5))
        assert.deepEqual(await iterator.nextv(2), [keyOf(6), keyOf(7)])
        iterator.seek(keyOf(27))
        assert.deepEqual(await iterator.nextv(9), [keyOf(27), keyOf(28), keyOf(29)])
        assert.deepEqual(await iterator.nextv(9), [])
        iterator.seek(keyOf(30))
        assert.equal(await iterator.next(), undefined)
        iterator.seek(keyOf(4))
        assert.equal(await iterator.next(), undefined)
        iterator.seek(keyOf(28))
        assert.deepEqual(await iterator.all(), [keyOf(28), keyOf(29)])
      })
    })

    it('see the state of the call that made them', async () => {
      await using(engine, async (level) => {
        await fill(level, 3)
        const iterator = level.keys({ reverse: true })
        const read = level.get(keyOf(9))
        await level.put(keyOf(9), 'later')
        await level.clear({ lt: keyOf(9) })
        assert.deepEqual(await iterator.all(), [keyOf(2), keyOf(1), keyOf(0)])
        assert.equal(await read, undefined)
        assert.deepEqual(await level.keys().all(), [keyOf(9)])
      })
    })

    it('stop when their signal fires', async () => {
      await using(engine, async (level) => {
        await fill(level, 3000)
        for (const read of ['next', 'nextv', 'all'] as const) {
          const controller = new AbortController()
          const iterator = level.iterator({ signal: controller.signal })
          const reading = read === 'nextv' ? iterator.nextv(3000) : iterator[read]()
          controller.abort()
          const error = await rejection(reading)
          assert.deepEqual([error.code, error.name], ['LEVEL_ABORTED', 'AbortError'])
          await iterator.close()
        }
      })
    })
  })

  describe(`${engine.name}.clear`, () => {
    it('takes ranges, limits, both directions and snapshots', async () => {
      const cases: readonly [options: object, left: number[]][] = [
        [{}, []],
        [{ gt: keyOf(3) }, [0, 1, 2, 3]],
        [{ gte: keyOf(3), lte: keyOf(5) }, [0, 1, 2, 6, 7]],
        [{ gt: keyOf(3), lt: keyOf(5) }, [0, 1, 2, 3, 5, 6, 7]],
        [{ limit: 2 }, [2, 3, 4, 5, 6, 7]],
        [{ limit: 2, reverse: true }, [0, 1, 2, 3, 4, 5]],
        [{ limit: 1, gt: keyOf(3) }, [0, 1, 2, 3, 5, 6, 7]],
        [{ limit: 100, lt: keyOf(4), reverse: true }, [4, 5, 6, 7]],
        [{ limit: 0 }, [0, 1, 2, 3, 4, 5, 6, 7]],
        [{ gte: keyOf(6), lt: keyOf(6) }, [0, 1, 2, 3, 4, 5, 6, 7]],
      ]
      await using(engine, async (level) => {
        for (const [options, left] of cases) {
          await fill(level, 8)
          await level.clear(options)
          assert.deepEqual(await level.keys().all(), left.map(keyOf), JSON.stringify(options))
          await level.clear()
        }
      })
    })

    it('leaves what an explicit snapshot does not show', async () => {
      await using(engine, async (level) => {
        await fill(level, 4)
        const snapshot = level.snapshot()
        await level.put('key0000a', 'later')
        await level.clear({ snapshot, gte: keyOf(0), limit: 3 })
        assert.deepEqual(await level.keys().all(), ['key0000a', keyOf(3)])
        await snapshot.close()
      })
    })
  })
}

describe('VarveLevel, where ClassicLevel promises nothing', () => {
  it('clear comes after the writes before it, and before those after it', async () => {
    await using(VARVE, async (level) => {
      await Promise.all([level.put('a', '1'), level.put('z', '1'), level.clear(), level.put('m', '2')])
      assert.deepEqual(await level.keys().all(), ['m'])
    })
  })

  it('clear is one small write, however many entries there are', async () => {
    await using(VARVE, async (level) => {
      await fill(level, 2000)
      const before = logBytes(level.location)
      await level.clear({ gt: keyOf(0) })
      const written = logBytes(level.location) - before
      assert.ok(written > 0 && written < 100, `${written} bytes`)
      await level.clear({ gt: keyOf(0) })
      assert.equal(logBytes(level.location), before + written, 'there is nothing left to clear')
      assert.deepEqual(await level.keys().all(), [keyOf(0)])
    })
  })

  it('a key that is too long is refused, with the reason as the cause', async () => {
    await using(VARVE, async (level) => {
      const error = await rejection(level.put('k'.repeat(70_000), ''))
      assert.deepEqual(codesOf(error), ['LEVEL_INVALID_ARGUMENT', 'INVALID_ARGUMENT'])
      assert.throws(() => level.batch().del('k'.repeat(70_000)), { code: 'LEVEL_INVALID_ARGUMENT' })
    })
  })

  it('an order of keys of its own is refused, also where no compiler has', async () => {
    await withDirectory(async (directory) => {
      const comparator = { name: 'mine', compare: () => 0 }
      const level = new VarveLevel(directory, { varve: { comparator } as EngineOptions })
      const error = await rejection(level.open())
      assert.deepEqual(codesOf(error), ['LEVEL_DATABASE_NOT_OPEN', 'LEVEL_INVALID_ARGUMENT'])
    })
  })

  it("another database's snapshot is refused", async () => {
    await using(VARVE, async (level) => {
      await using(CLASSIC, async (other) => {
        const snapshot = other.snapshot()
        assert.equal((await rejection(level.get('a', { snapshot }))).code, 'LEVEL_INVALID_ARGUMENT')
        await snapshot.close()
      })
    })
  })
})

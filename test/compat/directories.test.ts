/**
 * A directory that one engine left opens in the other with the same content: after a clean close, and as a killed process
 * leaves it, with data in logs, in tables, and in both.
 */
import assert from 'node:assert/strict'
import { cpSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ClassicLevel } from 'classic-level'
import { Prng } from '../../src/base/prng.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { open, WriteBatch } from '../../src/public/index.ts'
import { testdata } from '../support/paths.ts'
import {
  applyTo,
  ascii,
  contentIn,
  contentOf,
  copyLive,
  expectedContent,
  filesOf,
  openLevel,
  openVarve,
  randomWrites,
  type Write,
  withDirectory,
} from './engines.ts'

const KIB = 1024

/** So that frozen MemTables stay: a worker that takes jobs and never answers. */
function stuckEnvironment() {
  const environment = nodeEnvironment()
  environment.startWorker = () => ({
    post: () => {},
    onMessage: () => {},
    onExit: () => {},
    receiveNow: () => undefined,
    keepAlive: () => {},
    callOff: () => false,
    terminate: () => Promise.resolve(),
  })
  return environment
}

test('LevelDB reads what varve closed', async () => {
  for (const writeBufferBytes of [16 * KIB, 4096 * KIB]) {
    await withDirectory(async (directory) => {
      const writes = randomWrites(new Prng(1), 800, 2000)
      const varve = await openVarve(directory, { writeBufferBytes })
      for (const write of writes) await varve.write(write)
      await varve.close()
      assert.ok(filesOf(directory, '.ldb').length >= (writeBufferBytes === 16 * KIB ? 3 : 1))
      assert.deepEqual(await contentIn(openLevel, directory), expectedContent(writes))
      assert.deepEqual(await contentIn(openVarve, directory), expectedContent(writes))
    })
  }
})

test('LevelDB reads what a killed varve left in one log', async () => {
  await withDirectory(async (directory) => {
    const writes = randomWrites(new Prng(2), 300, 40_000)
    const varve = await openVarve(directory)
    for (const write of writes) await varve.write(write)
    const copy = join(directory, 'copy')
    copyLive(directory, copy)
    await varve.close()
    assert.deepEqual(filesOf(copy, '.ldb'), [])
    assert.deepEqual(await contentIn(openLevel, copy), expectedContent(writes))
  })
})

test('LevelDB reads a log with room in it, which a varve has left that was killed between syncs', async () => {
  await withDirectory(async (directory) => {
    const varve = await openVarve(directory)
    // The last one but for a few bytes in another block than the first.
    for (let i = 0; i < 300; i++) await varve.db.put(`key${i}`, 'x'.repeat(i), { durability: 'disk' })
    const content = await varve.content()
    const [killed, again] = [join(directory, 'killed'), join(directory, 'again')]
    for (const copy of [killed, again]) copyLive(directory, copy)
    await varve.close()
    const [log] = filesOf(killed, '.log')
    assert.equal(statSync(join(killed, log)).size % 32768, 0, 'the file ends where a block does')
    assert.deepEqual(await contentIn(openLevel, killed), content)
    const strict = await open(again, { recovery: 'strict' })
    assert.deepEqual(strict.recoveryInfo.discarded, [])
    await strict.close()
    assert.deepEqual(await contentIn(openVarve, again), content)
  })
})

test('LevelDB reads what a killed varve left in several logs, beside tables', async () => {
  await withDirectory(async (directory) => {
    const writes = randomWrites(new Prng(3), 900, 1500)
    const options = { writeBufferBytes: 32 * KIB }
    const varve = await openVarve(directory, options)
    for (const write of writes.slice(0, 400)) await varve.write(write)
    await varve.close()
    const stuck = await openVarve(directory, {
      ...options,
      environment: stuckEnvironment(),
      workers: 1,
      maxImmutableMemTables: 64,
    })
    // Markers in between, since syncs are followed by them.
    for (const [i, write] of writes.slice(400).entries()) {
      await stuck.write(write)
      if (i % 50 === 0) await stuck.db.put(ascii('disk'), ascii(`${i}`), { durability: 'disk' })
    }
    const copy = join(directory, 'copy')
    copyLive(directory, copy)
    assert.ok(filesOf(copy, '.log').length >= 3, 'several logs hold data')
    assert.ok(filesOf(copy, '.ldb').length >= 2, 'and there are tables')
    const model = await stuck.content()
    // Its flushes never end, and neither would its closing.
    const withoutDisk = model.filter((line) => !line.startsWith('6469736b = '))
    assert.deepEqual(withoutDisk, expectedContent(writes))
    assert.deepEqual(await contentIn(openLevel, copy), model)
  })
})

test('varve reads what LevelDB closed, with all data in its log', async () => {
  await withDirectory(async (directory) => {
    const writes = randomWrites(new Prng(4), 400, 40_000)
    const level = await openLevel(directory, { writeBufferBytes: 64 * 1024 * KIB })
    for (const write of writes) await level.write(write)
    await level.close()
    assert.deepEqual(filesOf(directory, '.ldb'), [])
    const db = await open(directory, { readOnly: true })
    assert.equal(db.recoveryInfo.entries, writes.flat().length)
    await db.close()
    assert.deepEqual(await contentIn(openVarve, directory), expectedContent(writes))
    assert.deepEqual(await contentIn(openLevel, directory), expectedContent(writes))
  })
})

test('varve reads what a killed LevelDB left', async () => {
  await withDirectory(async (directory) => {
    const writes = randomWrites(new Prng(5), 700, 3000)
    const level = await openLevel(directory, { writeBufferBytes: 64 * KIB })
    for (const write of writes) await level.write(write)
    // Its compactions run in a thread of its own: a copy is whole only if no file came or went meanwhile.
    const copy = join(directory, 'copy')
    await settled(directory)
    copyLive(directory, copy)
    await level.close()
    assert.deepEqual(await contentIn(openVarve, copy), expectedContent(writes))
  })
})

/** Until the directory stays the same for a while. */
async function settled(directory: string): Promise<void> {
  for (let before = '', same = 0; same < 10; ) {
    const now = readdirSync(directory).join()
    same = now === before ? same + 1 : 0
    before = now
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

test('varve reads and writes a LevelDB database of several levels, and LevelDB goes on with it', async () => {
  await withDirectory(async (directory) => {
    const prng = new Prng(6)
    const model = new Map<string, string>()
    const writeAll = async (engine: { write(edits: Write): Promise<void> }, count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const key = ascii(`key${String(prng.below(4000)).padStart(6, '0')}`)
        const write: Write =
          prng.below(8) === 0
            ? [[key]]
            : [[key, ascii(`${i}`.padEnd(100 + prng.below(900), String.fromCharCode(97 + prng.below(26))))]]
        await engine.write(write)
        applyTo(model, write)
      }
    }
    for (let round = 0; round < 2; round++) {
      const level = await openLevel(directory, { writeBufferBytes: 64 * KIB })
      await writeAll(level, 3000)
      await level.close()
      const varve = await openVarve(directory, { writeBufferBytes: 256 * KIB })
      if (round > 0)
        assert.ok(new Set(varve.db.stats().tables.map(({ level }) => level)).size > 1, 'there are several levels')
      assert.deepEqual(await varve.content(), contentOf(model))
      await writeAll(varve, 500)
      assert.deepEqual(await varve.content(), contentOf(model))
      for (let i = 0; i < 4000; i += 7) {
        const key = `key${String(i).padStart(6, '0')}`
        const found = await varve.get(ascii(key))
        const hex = Buffer.from(key).toString('hex')
        assert.equal(found === undefined ? undefined : Buffer.from(found).toString('hex'), model.get(hex), key)
      }
      await varve.close()
      assert.deepEqual(await contentIn(openLevel, directory), contentOf(model))
    }
  })
})

test('each engine compacts levels that the other one made, over and over', async () => {
  await withDirectory(async (directory) => {
    const prng = new Prng(7)
    const model = new Map<string, string>()
    const tiny = { writeBufferBytes: 16 * KIB, maxFileBytes: 16 * KIB, levelBytes: 32 * KIB }
    const levels = new Set<number>()
    for (let round = 0; round < 4; round++) {
      const writes = Array.from({ length: 700 }, (): Write => {
        const key = ascii(`key${String(prng.below(3000)).padStart(6, '0')}`)
        return prng.below(4) === 0 ? [[key]] : [[key, ascii(`${round}`.padEnd(100 + prng.below(300), '.'))]]
      })
      for (const write of writes) applyTo(model, write)
      const varve = await openVarve(directory, { ...tiny, workers: 2 })
      for (const write of writes) await varve.write(write)
      if (round % 2 === 1) {
        await varve.db.compactRange('key000500', 'key001500')
        assert.ok(varve.db.stats().compactions > 0)
      }
      for (const { level } of varve.db.stats().tables) levels.add(level)
      assert.deepEqual(await varve.content(), contentOf(model))
      await varve.close()
      assert.deepEqual(await contentIn(openLevel, directory), contentOf(model))
      const level = new ClassicLevel<string, string>(directory, { compression: false })
      if (round > 1) await level.compactRange('key001000', 'key002500')
      await level.close()
      assert.deepEqual(await contentIn(openVarve, directory), contentOf(model))
    }
    assert.ok(levels.size >= 3, `${levels.size} levels`)
  })
})

test('varve opens the golden databases, and writes to them', async () => {
  for (const name of readdirSync(testdata('golden'))) {
    await withDirectory(async (directory) => {
      cpSync(testdata('golden', name), directory, { recursive: true })
      // The new log of the opening that wrote the table; it was empty, and is not kept.
      writeFileSync(join(directory, '000006.log'), '')
      const before = await contentIn((path) => openVarve(path, { readOnly: true }), directory)
      assert.ok(before.length > 0)
      const varve = await openVarve(directory, {})
      assert.deepEqual(await varve.content(), before, name)
      await varve.write([[ascii('~'), ascii('added')]])
      await varve.close()
      assert.deepEqual(await contentIn(openLevel, directory), [...before, '7e = 6164646564'].sort(), name)
    })
  }
})

/** Delete a range in a model: hex keys are in the order of their bytes. */
function deleteRangeOf(model: Map<string, string>, start: Uint8Array, end: Uint8Array): void {
  const [first, limit] = [Buffer.from(start).toString('hex'), Buffer.from(end).toString('hex')]
  for (const key of [...model.keys()]) if (first <= key && key < limit) model.delete(key)
}

test('LevelDB reads exactly what range deletes left, after varve closed', async () => {
  await withDirectory(async (directory) => {
    const prng = new Prng(7)
    const model = new Map<string, string>()
    const level = await openLevel(directory, { writeBufferBytes: 16 * KIB })
    for (const write of randomWrites(prng, 900, 2000)) {
      await level.write(write)
      applyTo(model, write)
    }
    await level.close()
    for (let round = 0; round < 3; round++) {
      const varve = await openVarve(directory, { writeBufferBytes: 16 * KIB })
      for (const write of randomWrites(prng, 120, 1000)) {
        await varve.write(write)
        applyTo(model, write)
        if (prng.below(12) > 0) continue
        const at = prng.below(8)
        const [start, end] = [ascii(`user/${at}/00${prng.below(10)}`), ascii(`user/${at + prng.below(2)}/004`)]
        if (Buffer.compare(start, end) >= 0) continue
        await varve.db.deleteRange(start, end)
        deleteRangeOf(model, start, end)
      }
      assert.deepEqual(await varve.content(), contentOf(model))
      await varve.close()
      assert.deepEqual(await contentIn(openLevel, directory), contentOf(model))
    }
    const varve = await openVarve(directory)
    await varve.db.deleteRange('', ascii('zz'))
    deleteRangeOf(model, ascii(''), ascii('zz'))
    await varve.close()
    assert.deepEqual(await contentIn(openLevel, directory), contentOf(model))
  })
})

// What docs/rfcs/0006 says of it: LevelDB skips the rest of a batch from an op that it does not know.
test('LevelDB skips a range delete in the log of a killed varve, and what follows it in its batch', async () => {
  await withDirectory(async (directory) => {
    const { db } = await openVarve(directory)
    await db.write(new WriteBatch().put('a', '1').put('b', '1'))
    await db.write(new WriteBatch().put('c', '1').deleteRange('a', 'b').put('d', '1'))
    await db.put('e', '1')
    const [copy, other] = [join(directory, 'copy'), join(directory, 'other')]
    copyLive(directory, copy)
    copyLive(directory, other)
    await db.close()
    const keysIn = async (content: Promise<string[]>): Promise<string> =>
      (await content).map((line) => Buffer.from(line.slice(0, 2), 'hex').toString()).join(' ')
    assert.equal(await keysIn(contentIn(openVarve, copy)), 'b c d e')
    assert.equal(await keysIn(contentIn(openLevel, other)), 'a b c e')
  })
})

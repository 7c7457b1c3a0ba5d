/**
 * A damaged table that a range delete covers in part, from the failing flush to the repaired database: nothing acknowledged is
 * lost on the way, and nothing that was deleted comes back.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repair } from '../../src/admin/repair.ts'
import { verify } from '../../src/admin/verify.ts'
import { CorruptionError, VarveError } from '../../src/base/errors.ts'
import type { DB } from '../../src/db/db.ts'
import type { Options } from '../../src/db/options.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { DIRECTORY, directoryOf, entriesOf, environmentOf, flipped, openIn, tryOpen } from './directories.ts'

const KEYS = Array.from({ length: 200 }, (_, i) => `k${String(i).padStart(3, '0')}`)
/** Keys stand in the blocks as they are. */
const OPTIONS: Options = { blockBytes: 256, restartInterval: 1, compression: 'none', writeBufferBytes: 16384 }

/**
 * A database with two layers of tables, in the upper one of which a block is damaged, and a range delete that covers part of it.
 * The block lies in the range as a whole, or across its end.
 */
async function damaged(isInRange: boolean): Promise<{ memory: MemoryEnvironment; db: DB; path: string }> {
  const memory = new MemoryEnvironment()
  const db = await openIn(memory, OPTIONS)
  for (const key of KEYS) await db.put(key, 'older')
  await db.compactRange()
  for (const key of KEYS) await db.put(key, `newer ${'x'.repeat(20)}`)
  await db.flush()
  const { number } = db.stats().tables.find(({ level }) => level === 0) ?? assert.fail('nothing in level 0')
  const path = `${DIRECTORY}/${String(number).padStart(6, '0')}.ldb`
  const bytes = memory.readAll(path)
  const inBlock = isInRange ? 'k050' : 'k099'
  memory.write(path, flipped(bytes, Buffer.from(bytes).indexOf(inBlock)))
  // The blocks that reads have seen are still in memory.
  await db.close()
  const again = await openIn(memory, OPTIONS)
  await again.deleteRange('k020', 'k100')
  return { memory, db: again, path }
}

/** Whether a key is in the range that was deleted. */
function isDeleted(key: string): boolean {
  return key >= 'k020' && key < 'k100'
}

for (const isInRange of [true, false]) {
  const where = isInRange ? 'that lies in a range delete' : 'across the end of a range delete'

  test(`a damaged block ${where} fails the flush by name, and reads and writes go on`, async () => {
    const { memory, db, path } = await damaged(isInRange)
    const told: unknown[] = []
    db.on('background-error', ({ work, error }) => told.push([work, (error as CorruptionError).file]))
    await assert.rejects(db.flush(), (error) => error instanceof CorruptionError && error.file === path)
    assert.deepEqual(told[0], ['flush', path])
    await db.put('later', 'kept')
    assert.equal(db.hasSync('k050'), false)
    assert.equal(
      Buffer.from(db.getSync('k000') ?? [])
        .toString()
        .slice(0, 5),
      'newer',
    )
    await db.close()
    const refusal = await tryOpen(directoryOf(memory), OPTIONS)
    assert.ok(refusal instanceof CorruptionError && refusal.file === path, String(refusal))
    const readOnly = await tryOpen(directoryOf(memory), { ...OPTIONS, readOnly: true })
    assert.ok(!(readOnly instanceof VarveError))
    assert.deepEqual([readOnly.hasSync('k050'), readOnly.hasSync('later')], [false, true])
    await readOnly.close()
  })

  test(`writes are taken until no MemTable is free, then refused by name of the table; none is lost (${where})`, async () => {
    const { memory, db, path } = await damaged(isInRange)
    await assert.rejects(db.flush(), CorruptionError)
    const taken: string[] = []
    let refusal: unknown
    for (let i = 0; refusal === undefined && i < 1000; i++) {
      const key = `w${String(i).padStart(4, '0')}`
      try {
        db.putSync(key, 'z'.repeat(1000))
        taken.push(key)
      } catch (error) {
        refusal = error
      }
    }
    assert.ok(taken.length > 10)
    assert.ok(refusal instanceof VarveError && refusal.code === 'STALLED' && refusal.outcome === 'not-written')
    assert.equal((refusal.cause as CorruptionError).file, path)
    assert.deepEqual(Array.from(db.keysSync({ gte: 'w' })).length, taken.length)
    await db.close()
    await repair(DIRECTORY, { ...OPTIONS, environment: memory })
    const mended = await openIn(memory, OPTIONS)
    assert.deepEqual(
      Array.from(mended.keysSync({ gte: 'w' }), (key) => Buffer.from(key).toString()),
      taken,
    )
    await mended.close()
  })

  for (const levels of ['kept', 'rebuilt']) {
    test(`a repair with levels ${levels} keeps what a range delete deleted, with a damaged block ${where}`, async () => {
      const { memory, db } = await damaged(isInRange)
      await assert.rejects(db.flush(), CorruptionError)
      await db.put('k030', 'written after')
      await db.put('later', 'kept')
      await db.close()
      const image = environmentOf(
        new Map([...directoryOf(memory)].filter(([name]) => levels === 'kept' || !/^(MANIFEST|CURRENT)/.test(name))),
      )
      const report = await repair(DIRECTORY, { ...OPTIONS, environment: image })
      assert.deepEqual([report.levels, report.isNeeded], [levels, true])
      const found = (await verify(DIRECTORY, { environment: image })).findings.filter(
        ({ severity }) => severity !== 'note',
      )
      assert.deepEqual(found, [])
      const mended = await openIn(image, OPTIONS)
      const content = new Map(entriesOf(mended).map((entry) => [entry.slice(0, entry.indexOf('=')), entry]))
      await mended.close()
      assert.equal(content.get('k030'), 'k030=written after')
      assert.equal(content.get('later'), 'later=kept')
      for (const key of KEYS.filter((one) => one !== 'k030')) {
        if (isDeleted(key)) assert.equal(content.get(key), undefined, `${key} was deleted`)
        // What was in the damaged block is given up: an older value shows, as the report says.
        else if (content.get(key)?.startsWith(`${key}=newer`) !== true) assert.ok(isGivenUp(report, key), key)
      }
    })
  }
}

function isGivenUp({ givenUp }: Awaited<ReturnType<typeof repair>>, key: string): boolean {
  return givenUp.some(({ losesEntries, from, to }) => {
    const isAfter = from === undefined || key >= Buffer.from(from).toString()
    return losesEntries && isAfter && (to === undefined || key <= Buffer.from(to).toString())
  })
}

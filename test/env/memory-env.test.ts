/**
 * MemoryEnvironment: what survives which crash, the clock and timers that tests drive, and syncs that tests hold.
 * (The FileSystem contract is in file-system.test.ts.)
 */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Prng } from '../../src/base/prng.ts'
import { CRASH_MODES, type CrashMode } from '../../src/env/crash-image.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'
import { MemoryFile } from '../../src/env/memory-file.ts'

const SEED = Number(process.env.VARVE_SEED ?? 1)

function made(): MemoryEnvironment {
  const environment = new MemoryEnvironment()
  environment.files.makeDirectory('/db')
  return environment
}

/** Bytes that are never 0 and tell their place: byte i is 1 + i mod 251. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 1 + (i % 251))
}

/** Bytes of a file, or undefined if there is none. */
function contentOf(environment: MemoryEnvironment, path: string): Uint8Array | undefined {
  return environment.files.status(path) === undefined ? undefined : environment.readAll(path)
}

/** Many images in one mode, each from the same environment. */
function images(environment: MemoryEnvironment, mode: CrashMode, count: number = 200): MemoryEnvironment[] {
  const prng = new Prng(SEED)
  return Array.from({ length: count }, () => environment.crashImage(mode, prng))
}

describe('a crash image', () => {
  it('holds in every mode what was synced, with its name', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/000001.log')
    file.append(pattern(10_000), 0, 10_000)
    file.sync()
    environment.files.syncDirectory('/db')
    file.append(pattern(5), 0, 5)
    for (const mode of CRASH_MODES) {
      for (const image of images(environment, mode, 20)) {
        assert.deepEqual(image.readAll('/db/000001.log').subarray(0, 10_000), pattern(10_000), `mode ${mode}`)
      }
    }
  })

  it('of mode 0 has no byte that was not synced', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    environment.files.syncDirectory('/db')
    file.append(pattern(100), 0, 60)
    file.sync()
    file.append(pattern(100), 60, 40)
    assert.deepEqual(environment.readAll('/db/a'), pattern(100))
    assert.deepEqual(environment.crashImage(0, new Prng(SEED)).readAll('/db/a'), pattern(60))
  })

  it('of mode 0 lacks a file whose bytes were synced, but whose directory was not', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    file.append(pattern(10), 0, 10)
    file.sync()
    assert.deepEqual(environment.crashImage(0, new Prng(SEED)).paths(), [])
    environment.files.syncDirectory('/db')
    assert.deepEqual(environment.crashImage(0, new Prng(SEED)).paths(), ['/db/a'])
  })

  it('of mode 1 has everything', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    file.append(pattern(777), 0, 777)
    assert.deepEqual(environment.crashImage(1, new Prng(SEED)).readAll('/db/a'), pattern(777))
  })

  it('shows a rename that was not synced either done or not, and never both names or none', () => {
    const environment = made()
    environment.write('/db/CURRENT', pattern(1))
    environment.write('/db/tmp', pattern(2))
    environment.files.rename('/db/tmp', '/db/CURRENT')
    for (const mode of [2, 3, 4, 5] as const) {
      const seen = new Set(
        images(environment, mode).map((image) => `${image.paths()} ${contentOf(image, '/db/CURRENT')?.length}`),
      )
      const expected = mode === 5 ? ['/db/CURRENT,/db/tmp 1'] : ['/db/CURRENT 2', '/db/CURRENT,/db/tmp 1']
      assert.deepEqual([...seen].sort(), expected, `mode ${mode}`)
    }
    environment.files.syncDirectory('/db')
    for (const image of images(environment, 0)) assert.deepEqual(image.paths(), ['/db/CURRENT'])
  })

  it('may bring a removed file back until its directory is synced', () => {
    const environment = made()
    environment.write('/db/a', pattern(3))
    environment.files.remove('/db/a')
    assert.deepEqual(environment.paths(), [])
    assert.deepEqual(environment.crashImage(0, new Prng(SEED)).readAll('/db/a'), pattern(3))
    environment.files.syncDirectory('/db')
    assert.deepEqual(environment.crashImage(0, new Prng(SEED)).paths(), [])
  })

  it('of mode 2 has a prefix of the changes to names, and of each file, torn at any byte', () => {
    const environment = made()
    for (const name of ['a', 'b', 'c']) {
      const file = environment.files.createWritable(`/db/${name}`)
      file.append(pattern(20), 0, 5)
      file.sync()
      file.append(pattern(20), 5, 15)
    }
    const names = new Set<string>()
    const lengths = new Set<number>()
    for (const image of images(environment, 2, 500)) {
      names.add(image.paths().join(' '))
      const a = contentOf(image, '/db/a')
      if (a === undefined) continue
      lengths.add(a.length)
      assert.deepEqual(a, pattern(20).subarray(0, a.length))
    }
    assert.deepEqual([...names].sort(), ['', '/db/a', '/db/a /db/b', '/db/a /db/b /db/c'])
    assert.deepEqual(
      [...lengths].sort((x, y) => x - y),
      Array.from({ length: 16 }, (_, i) => 5 + i),
    )
  })

  it('of mode 3 may have a later name without an earlier one', () => {
    const environment = made()
    for (const name of ['a', 'b']) environment.files.createWritable(`/db/${name}`).close()
    const seen = new Set(images(environment, 3).map((image) => image.paths().join(' ')))
    assert.deepEqual([...seen].sort(), ['', '/db/a', '/db/a /db/b', '/db/b'])
  })

  for (const mode of [3, 4] as const) {
    it(`of mode ${mode} may lack any unsynced page, and has ${mode === 3 ? 'zeros' : 'garbage'} in its place`, () => {
      const environment = made()
      const file = environment.files.createWritable('/db/a')
      const bytes = pattern(10_000)
      file.append(bytes, 0, 100)
      file.sync()
      environment.files.syncDirectory('/db')
      file.append(bytes, 100, 9900)
      let holes = 0
      let shorter = 0
      for (const image of images(environment, mode)) {
        const found = image.readAll('/db/a')
        assert.deepEqual(found.subarray(0, 100), bytes.subarray(0, 100))
        if (found.length < bytes.length) shorter++
        // A page is whole or missing as a whole: 512 bytes is the smaller of the two sizes.
        for (let start = 512; start + 512 <= found.length; start += 512) {
          const page = Buffer.from(found.subarray(start, start + 512))
          if (page.equals(bytes.subarray(start, start + 512))) continue
          holes++
          const zeros = page.every((byte) => byte === 0)
          assert.equal(zeros, mode === 3)
        }
      }
      assert.ok(holes > 100 && shorter > 10, `${holes} holes, ${shorter} shorter`)
    })
  }

  it('of mode 5 lacks exactly one change to a name, or one page', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    environment.files.syncDirectory('/db')
    file.append(pattern(2048), 0, 2048)
    environment.files.createWritable('/db/b').close()
    const seen = new Set<string>()
    for (const image of images(environment, 5)) {
      const a = image.readAll('/db/a')
      const pages = [0, 512, 1024, 1536].map((start) => (a.length > start && a[start] !== 0 ? 1 : 0))
      seen.add(`${pages.join('')} ${image.paths().includes('/db/b')}`)
    }
    // Pages of 4 KiB lose all of the file at once.
    const expected = ['0000 true', '0111 true', '1011 true', '1101 true', '1110 true', '1111 false']
    assert.deepEqual([...seen].sort(), expected)
  })

  it('shows a file that was made longer as long as before the last sync, or as it is; with zeros, whatever else is lost', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    environment.files.syncDirectory('/db')
    file.append(pattern(10), 0, 10)
    file.reserve?.(100)
    file.sync()
    const lengths = (mode: CrashMode): number[] => {
      const found = images(environment, mode, 20).map((image) => image.readAll('/db/a'))
      for (const bytes of found) {
        assert.deepEqual(bytes.subarray(0, 10), pattern(10))
        assert.ok(bytes.subarray(10).every((byte) => byte === 0))
      }
      return [...new Set(found.map(({ length }) => length))].sort((a, b) => a - b)
    }
    for (const mode of CRASH_MODES) assert.deepEqual(lengths(mode), [100], `mode ${mode}`)
    file.reserve?.(300)
    assert.deepEqual(CRASH_MODES.map(lengths), [
      [100],
      [300],
      [100, 300],
      [100, 300],
      [100, 300],
      [100, 300],
      [100],
      [300],
    ])
  })

  it('is the same for the same seed, and differs for another', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    file.append(pattern(50_000), 0, 50_000)
    environment.files.syncDirectory('/db')
    const image = (seed: number): Buffer => Buffer.from(environment.crashImage(4, new Prng(seed)).readAll('/db/a'))
    assert.ok(image(SEED).equals(image(SEED)))
    assert.ok(!image(SEED).equals(image(SEED + 1)))
  })

  it('is durable itself, and apart from the environment it was taken from', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    file.append(pattern(10), 0, 10)
    const image = environment.crashImage(1, new Prng(SEED))
    file.append(pattern(10), 0, 10)
    environment.files.remove('/db/a')
    assert.deepEqual(image.crashImage(0, new Prng(SEED)).readAll('/db/a'), pattern(10))
  })

  it('never makes bytes durable for certain whose sync has failed', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    environment.files.syncDirectory('/db')
    file.append(pattern(30), 0, 10)
    ;(file as unknown as { failSync(): void }).failSync()
    file.append(pattern(30), 10, 10)
    file.sync()
    const found = environment.crashImage(0, new Prng(SEED)).readAll('/db/a')
    assert.deepEqual(found, pattern(30).fill(0, 0, 10).subarray(0, 20))
    assert.deepEqual(environment.readAll('/db/a'), pattern(20))
  })

  it('lacks what lies in a directory that is lost, and none of a directory that was made', () => {
    const environment = new MemoryEnvironment()
    environment.files.makeDirectory('x/y')
    environment.files.createWritable('x/y/a').close()
    environment.files.syncDirectory('/x/y')
    assert.deepEqual(environment.crashImage(0, new Prng(SEED)).paths(), ['/x/y/a'])
  })
})

describe('a process crash', () => {
  it('keeps everything written, which a power loss after it may still take', () => {
    const environment = made()
    const file = environment.files.createWritable('/db/a')
    file.append(pattern(10), 0, 4)
    file.sync()
    environment.files.syncDirectory('/db')
    file.append(pattern(10), 4, 6)
    environment.files.createWritable('/db/b').close()
    const after = environment.processCrashImage()
    assert.deepEqual(after.readAll('/db/a'), pattern(10))
    assert.deepEqual(after.paths(), ['/db/a', '/db/b'])
    const lost = after.crashImage(0, new Prng(SEED))
    assert.deepEqual(lost.readAll('/db/a'), pattern(4))
    assert.deepEqual(lost.paths(), ['/db/a'])
    after.files.syncDirectory('/db')
    assert.deepEqual(environment.crashImage(0, new Prng(SEED)).paths(), ['/db/a'])
  })

  it('ends locks, open files and timers', async () => {
    const environment = made()
    await environment.files.lock('/db')
    environment.files.createWritable('/db/a')
    environment.later(1, () => assert.fail('a timer of the dead'))
    for (const after of [environment.processCrashImage(), environment.crashImage(1, new Prng(SEED))]) {
      assert.equal(after.files.openCount, 0)
      after.runTimers(1e6)
      ;(await after.files.lock('/db')).release()
    }
  })
})

describe('a sync that is held', () => {
  it('ends when released, and covers what came before it only', async () => {
    const environment = made()
    environment.holdSyncs()
    const file = environment.files.createWritable('/db/a')
    environment.files.syncDirectory('/db')
    file.append(pattern(10), 0, 6)
    let ended = false
    const synced = file.syncLater().then(() => {
      ended = true
    })
    file.append(pattern(10), 6, 4)
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(ended, false)
    assert.equal(environment.files.heldSyncCount, 1)
    assert.equal(environment.crashImage(0, new Prng(SEED)).readAll('/db/a').length, 0)
    environment.releaseSyncs()
    await synced
    assert.deepEqual(environment.crashImage(0, new Prng(SEED)).readAll('/db/a'), pattern(6))
    file.append(pattern(1), 0, 1)
    await file.syncLater()
    assert.equal(environment.crashImage(0, new Prng(SEED)).readAll('/db/a').length, 11)
  })
})

describe('memory time', () => {
  it('advances by a microsecond a reading, or when told', () => {
    const { clock } = new MemoryEnvironment()
    const start = clock.monotonicMs()
    assert.equal(clock.monotonicMs(), start + 0.001)
    clock.advance(5)
    assert.equal(clock.monotonicMs(), start + 5.002)
    assert.equal(clock.wallMs(), Date.UTC(2026, 0, 1) + 5)
  })

  it('runs timers in the order of their times, also those that timers start', () => {
    const environment = new MemoryEnvironment()
    const ran: string[] = []
    const note = (name: string) => () => ran.push(`${name}@${Math.floor(environment.clock.monotonicMs())}`)
    environment.later(30, note('c'))
    environment.later(10, () => {
      note('a')()
      environment.later(10, note('b'))
    })
    environment.later(10, note('a2'))
    environment.later(15, note('never'))()
    environment.later(50, note('late'))
    environment.runTimers(40)
    assert.deepEqual(ran, ['a@10', 'a2@10', 'b@20', 'c@30'])
    assert.equal(environment.timerCount, 1)
    assert.equal(Math.floor(environment.clock.monotonicMs()), 40)
  })

  it('runs what is to be soon after what has arrived, without being told', async () => {
    const environment = new MemoryEnvironment()
    const ran: string[] = []
    await new Promise<void>((resolve) => {
      environment.soon(() => {
        ran.push('soon')
        resolve()
      })
      Promise.resolve().then(() => ran.push('arrived'))
    })
    assert.deepEqual(ran, ['arrived', 'soon'])
  })
})

it('memory randomness is the same for the same seed', () => {
  const draw = (seed: number): number[] => {
    const environment = new MemoryEnvironment({ seed })
    return [1, 2, 3].map(() => environment.random32())
  }
  assert.deepEqual(draw(7), draw(7))
  assert.notDeepEqual(draw(7), draw(8))
})

it('a file that is placed replaces one that is open, whose readers go on', () => {
  const environment = new MemoryEnvironment()
  environment.write('db/a', pattern(3))
  const open = environment.files.openRandomAccess('/db/a')
  environment.write('/db/a', pattern(9).fill(7))
  const into = new Uint8Array(3)
  open.read(0, into, 0, 3)
  assert.deepEqual(into, pattern(3))
  assert.deepEqual(environment.crashImage(0, new Prng(SEED)).readAll('db/a'), new Uint8Array(9).fill(7))
})

it('a file that is cloned before every append stays as large as its bytes', () => {
  const file = new MemoryFile()
  for (let i = 0; i < 2000; i++) {
    const clone = file.clone()
    file.append(new Uint8Array([i & 0xff]), 0, 1)
    assert.equal(clone.length, i)
    // The clone goes its own way.
    if (i === 1000) {
      clone.append(new Uint8Array([99]), 0, 1)
      assert.deepEqual([file.content()[1000], clone.content()[1000]], [1000 & 0xff, 99])
    }
  }
  assert.deepEqual(
    file.content(),
    Uint8Array.from({ length: 2000 }, (_, i) => i),
  )
})

/** The clock and the timers of the host, in Node.js and as a web page has them; and while a test has put fake ones in their place. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Environment } from '../../src/base/environment.ts'
import { open } from '../../src/db/open.ts'
import * as inNode from '../../src/env/host-time.ts'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { memoryEnvironment } from '../../src/env/web-env.ts'

const environments: [where: string, make: () => Environment][] = [
  ['on a disk', nodeEnvironment],
  ['in memory', memoryEnvironment],
]
for (const [where, makeEnvironment] of environments) {
  for (const workers of [0, 2]) {
    test(`a database ${where} with ${workers} workers goes on while timers and clock stand still`, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'varve-time-'))
      t.after(() => rmSync(directory, { recursive: true }))
      t.mock.timers.enable({ apis: ['setTimeout', 'setImmediate', 'Date'] })
      t.mock.method(performance, 'now', () => 0)
      const environment = makeEnvironment()
      const options = { environment, workers, writeBufferBytes: 16 * 1024, durability: 'buffered' } as const
      const db = await open(join(directory, 'data'), options)
      for (let i = 0; i < 2000; i++) await db.put(`key${i}`, 'v'.repeat(50))
      await db.flush()
      await db.compactRange()
      let count = 0
      for await (const _ of db.keys()) count++
      await db.close()
      assert.equal(count, 2000)
    })
  }
}

test('a write waits for room while a test has put a function without `now` in the place of Date', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-time-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const options = { workers: 1, writeBufferBytes: 16 * 1024, maxImmutableMemTables: 1 } as const
  const db = await open(join(directory, 'data'), options)
  const { Date: HostDate } = globalThis
  const someDay = new HostDate(0)
  t.after(() => Object.assign(globalThis, { Date: HostDate }))
  Object.assign(globalThis, {
    Date: (): Date => someDay,
  })
  // Without a turn of the event loop, so that it has to wait for each flush.
  for (let i = 0; i < 1000; i++) db.putSync(`key${i}`, 'v'.repeat(100))
  const { stalls } = db.stats()
  await db.close()
  assert.ok(stalls > 0)
})

/** As a page loads it: there is no setImmediate, and timers are numbers. */
async function inPage(): Promise<typeof inNode> {
  const { process, setImmediate, setTimeout } = globalThis
  const numbered = (...args: Parameters<typeof setTimeout>): number => Number(setTimeout(...args))
  Reflect.deleteProperty(globalThis, 'setImmediate')
  Object.assign(globalThis, { setTimeout: numbered, process: { env: {} } })
  try {
    return await import(new URL('../../src/env/host-time.js?page', import.meta.url).href)
  } finally {
    Object.assign(globalThis, { process, setImmediate, setTimeout })
  }
}

/** As a test loads it whose runner has put fake timers in the place of the global ones before. */
async function afterFakes(): Promise<typeof inNode> {
  const { clearTimeout, performance, setImmediate, setTimeout } = globalThis
  const still = (): void => {}
  Object.assign(globalThis, { clearTimeout: still, setImmediate: still, setTimeout: still })
  Object.defineProperty(globalThis, 'performance', { value: { now: () => 0 }, configurable: true, writable: true })
  try {
    return await import(new URL('../../src/env/host-time.js?fakes', import.meta.url).href)
  } finally {
    Object.assign(globalThis, { clearTimeout, performance, setImmediate, setTimeout })
  }
}

function openPorts(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
}

for (const [where, load] of [
  ['in Node.js', async () => inNode],
  ['in Node.js, loaded after fake timers were installed', afterFakes],
  ['in a web page', inPage],
] as const) {
  test(`what comes soon comes once, after what is under way, and leaves nothing open: ${where}`, async () => {
    const { hostSoon } = await load()
    const before = openPorts()
    const seen: string[] = []
    const came = new Promise<void>((resolve) => {
      hostSoon(() => {
        seen.push('soon')
        resolve()
      })
    })
    seen.push('now')
    await came
    // A port takes a few turns to close.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([seen, openPorts()], [['now', 'soon'], before])
  })

  test(`a timer comes unless it is cancelled, however long it is and whoever waits: ${where}`, async () => {
    const { hostLater } = await load()
    const come: string[] = []
    const ends = [0, 2 ** 31, 2 ** 40].map((ms) => hostLater(ms, () => come.push(`after ${ms} ms`), ms > 0))
    ends[0]()
    await new Promise<void>((resolve) => {
      hostLater(5, () => come.push('kept'), true)
      hostLater(10, () => come.push('not kept'), false)
      hostLater(20, resolve, true)
    })
    for (const end of ends) end()
    assert.deepEqual(come, ['kept', 'not kept'])
  })

  test(`a sleep lasts as long as it should, on a thread that may be blocked and on one that may not: ${where}`, async (t: TestContext) => {
    const { hostClock, hostSleep } = await load()
    const sleepsFor = (): number => {
      const start = hostClock.monotonicMs()
      hostSleep(12)
      return hostClock.monotonicMs() - start
    }
    assert.ok(sleepsFor() >= 10)
    t.mock.method(Atomics, 'wait', () => {
      throw new TypeError('Atomics.wait cannot be called in this context')
    })
    assert.ok(sleepsFor() >= 10)
    assert.ok(hostClock.wallMs() > Date.UTC(2020))
  })
}

test('a process waits for a timer that is to keep it alive, and for no other', () => {
  const program = `const { hostLater } = await import(process.argv[1])
    hostLater(600_000, () => {}, false)
    hostLater(20, () => console.log('done'), true)`
  const args = ['--input-type=module', '-e', program, new URL('../../src/env/host-time.js', import.meta.url).href]
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }), 'done\n')
})

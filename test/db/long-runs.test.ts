/**
 * Runs that take long: when they let the event loop turn, and in which order a stream of chunks answers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AbortedError } from '../../src/base/errors.ts'
import { ChunkStream, runSteps } from '../../src/db/copies/long-runs.ts'
import { MemoryEnvironment } from '../../src/env/memory-env.ts'

/** An environment, and how often the event loop was let turn. */
class Turns {
  count = 0
  readonly environment = new MemoryEnvironment()

  constructor() {
    const { environment } = this
    const soon = environment.soon.bind(environment)
    environment.soon = (task) => {
      this.count++
      soon(task)
    }
  }
}

test('a run lets the event loop turn whenever it has kept it for four milliseconds', async () => {
  const turns = new Turns()
  const { environment } = turns
  function* steps(): Generator<void, string, void> {
    for (let i = 0; i < 12; i++) {
      environment.clock.advance(1)
      yield
    }
    return 'done'
  }
  assert.equal(await runSteps(steps(), environment), 'done')
  assert.equal(turns.count, 3)
})

class Chunks {
  readonly turns = new Turns()
  readonly abort = new AbortController()
  /** How often the stream asked what comes before. */
  asked = 0
  isLetGo = false
  readonly stream: ChunkStream

  /** @param before what the first chunk waits for */
  constructor(count: number, before?: Promise<unknown>) {
    this.stream = new ChunkStream(this.#make(count), this.turns.environment, this.abort.signal, () => {
      this.asked++
      return before
    })
  }

  /** The first byte of the next chunk, or that there is none. */
  async next(): Promise<number | undefined> {
    const { value } = await this.stream.next()
    return value?.[0]
  }

  *#make(count: number): Generator<Uint8Array<ArrayBuffer>, void, void> {
    try {
      for (let i = 1; i <= count; i++) yield Uint8Array.of(i)
    } finally {
      this.isLetGo = true
    }
  }
}

test('calls are answered in their order, and the event loop turns before each chunk', async () => {
  let begin = (): void => {}
  const chunks = new Chunks(
    3,
    new Promise<void>((resolve) => {
      begin = resolve
    }),
  )
  const answers = [1, 2, 3, 4].map(() => chunks.next())
  await new Promise((resolve) => setImmediate(resolve))
  begin()
  assert.deepEqual(await Promise.all(answers), [1, 2, 3, undefined])
  assert.deepEqual([chunks.asked, chunks.turns.count, chunks.stream.isOver, chunks.isLetGo], [1, 4, true, true])
})

const ENDS: readonly (readonly [how: string, end: (stream: ChunkStream) => Promise<unknown>])[] = [
  ['returned', (stream) => stream.return()],
  ['disposed of', (stream) => stream[Symbol.asyncDispose]()],
]

for (const [how, end] of ENDS) {
  test(`a stream that is ${how} lets go of what it holds, and is over, whatever happens then`, async () => {
    const chunks = new Chunks(3)
    assert.equal(await chunks.next(), 1)
    assert.deepEqual([chunks.stream.isOver, chunks.isLetGo], [false, false])
    const ended = end(chunks.stream)
    assert.ok(ended instanceof Promise)
    await ended
    assert.deepEqual([chunks.stream.isOver, chunks.isLetGo], [true, true])
    chunks.abort.abort()
    chunks.stream.fail(new Error('too late'))
    assert.equal(await chunks.next(), undefined)
  })

  test(`a stream that is ${how} before its first chunk waits for nothing`, async () => {
    const chunks = new Chunks(3)
    await end(chunks.stream)
    assert.deepEqual([await chunks.next(), chunks.asked], [undefined, 0])
  })
}

test('a stream that fails says why, once, and lets go of what it holds', async () => {
  const failing = new Chunks(3)
  assert.equal(await failing.next(), 1)
  failing.stream.fail(new Error('the database is closed'))
  assert.deepEqual([failing.stream.isOver, failing.isLetGo], [true, true])
  await assert.rejects(failing.next(), /the database is closed/)
  assert.equal(await failing.next(), undefined)
  const aborted = new Chunks(3)
  assert.equal(await aborted.next(), 1)
  aborted.abort.abort()
  await assert.rejects(aborted.next(), AbortedError)
  assert.deepEqual([aborted.stream.isOver, aborted.isLetGo, await aborted.next()], [true, true, undefined])
  const refused = new Chunks(3, Promise.reject(new Error('not flushed')))
  await assert.rejects(refused.next(), /not flushed/)
  assert.deepEqual([refused.stream.isOver, await refused.next(), refused.asked], [true, undefined, 1])
})

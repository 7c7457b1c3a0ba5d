/** The thread of node-worker.ts, with programs of the tests' own in it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync } from 'node:fs'
import { it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { MessageChannel, Worker } from 'node:worker_threads'
import { nodeEnvironment } from '../../src/env/node-env.ts'
import { NodeWorkerThread, workerOptions } from '../../src/env/node-worker.ts'
import { threadStart } from '../../src/env/thread-start.ts'

/** Echoes; rings the bell after each answer; dies when told. */
const PROGRAM = `
const { workerData } = require('node:worker_threads')
const bell = new Int32Array(workerData.bell)
Atomics.store(workerData.start, 0, 1)
workerData.port.on('message', (message) => {
  if (message === 'throw') throw new RangeError('as told')
  workerData.port.postMessage({ echo: message })
  Atomics.add(bell, 0, 1)
  Atomics.notify(bell, 0)
  if (message === 'exit') process.exit(0)
})`

function start(): { thread: NodeWorkerThread; bell: Int32Array } {
  const bell = new Int32Array(new SharedArrayBuffer(4))
  const { port1, port2 } = new MessageChannel()
  const begun = threadStart()
  const worker = new Worker(PROGRAM, { ...workerOptions(port2, begun, { bell: bell.buffer }), eval: true })
  return { thread: new NodeWorkerThread(worker, port1, begun), bell }
}

it('a worker thread answers in order, on the event loop', async () => {
  const { thread } = start()
  const answers: unknown[] = []
  thread.keepAlive(true)
  await new Promise<void>((resolve) => {
    thread.onMessage((message) => {
      answers.push(message)
      if (answers.length === 3) resolve()
    })
    for (const n of [1, 2, 3]) thread.post(n)
  })
  thread.terminate()
  assert.deepEqual(answers, [{ echo: 1 }, { echo: 2 }, { echo: 3 }])
})

it('a message is taken while the owner blocks, and is not handed to the handler as well', async () => {
  const { thread, bell } = start()
  const handled: unknown[] = []
  thread.onMessage((message) => handled.push(message))
  thread.post('a')
  assert.equal(thread.receiveNow(), undefined)
  assert.notEqual(Atomics.wait(bell, 0, 0, 60_000), 'timed-out')
  assert.deepEqual(thread.receiveNow(), { echo: 'a' })
  assert.equal(thread.receiveNow(), undefined)
  await new Promise((resolve) => setImmediate(resolve))
  thread.terminate()
  assert.deepEqual(handled, [])
})

it('the end of a thread is reported once, after its last answer', async () => {
  const { thread } = start()
  const events: unknown[] = []
  thread.keepAlive(true)
  await new Promise<void>((resolve) => {
    thread.onMessage((message) => events.push(message))
    thread.onExit((error) => {
      events.push(error)
      resolve()
    })
    thread.post('exit')
  })
  assert.deepEqual(events, [{ echo: 'exit' }, undefined])
})

it('an error that ends a thread is reported with it', async () => {
  const { thread } = start()
  thread.keepAlive(true)
  const error = await new Promise<Error | undefined>((resolve) => {
    thread.onExit(resolve)
    thread.post('throw')
  })
  assert.ok(error instanceof RangeError)
  assert.equal(error.message, 'as told')
})

it('after terminate nothing is reported', async () => {
  const { thread } = start()
  const events: unknown[] = []
  thread.onMessage((message) => events.push(message))
  thread.onExit((error) => events.push(error))
  thread.post('exit')
  thread.terminate()
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.deepEqual(events, [])
})

const START = new URL('../../src/env/thread-start.js', import.meta.url).href
const [LOADING, GO_ON, LOADED, TAKEN] = [0, 1, 2, 3]

/** Loads what it needs, for as long as it is not told to go on. */
const LOADER = `
const { workerData: { port, start, words } } = require('node:worker_threads')
Atomics.store(words, ${LOADING}, 1)
Atomics.notify(words, ${LOADING})
Atomics.wait(words, ${GO_ON}, 0)
import('${START}').then(({ begin }) => {
  words[${LOADED}] = 1
  if (begin(start)) port.on('message', () => { words[${TAKEN}] = 1 })
})`

/** @returns once the thread is in the midst of loading, with a message for it */
function startLoading(): { thread: NodeWorkerThread; words: Int32Array } {
  const words = new Int32Array(new SharedArrayBuffer(16))
  const { port1, port2 } = new MessageChannel()
  const begun = threadStart()
  const worker = new Worker(LOADER, { ...workerOptions(port2, begun, { words }), eval: true })
  const thread = new NodeWorkerThread(worker, port1, begun)
  thread.post('a job')
  Atomics.wait(words, LOADING, 0)
  return { thread, words }
}

it('a thread that is ended while it loads its modules still loads them, and takes no message', async () => {
  const { thread, words } = startLoading()
  const end = thread.terminate()
  Atomics.store(words, GO_ON, 1)
  Atomics.notify(words, GO_ON)
  await end
  assert.equal(words[LOADED], 1)
  assert.equal(words[TAKEN], 0)
})

it('a thread that does not come to the end of loading is ended all the same', async () => {
  const { thread, words } = startLoading()
  await thread.terminate()
  assert.equal(words[LOADED], 0)
})

it('a thread that has ended before it began can be ended', async () => {
  const begun = threadStart()
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker('process.exit(0)', { ...workerOptions(port2, begun, {}), eval: true })
  const thread = new NodeWorkerThread(worker, port1, begun)
  thread.keepAlive(true)
  await new Promise<void>((resolve) => thread.onExit(() => resolve()))
  await thread.terminate()
})

const isLinux = process.platform === 'linux'

it('threads that are ended as they start leave no file open', { skip: !isLinux && 'no /proc' }, async () => {
  const environment = nodeEnvironment()
  for (let i = 0; i < 20; i++) {
    const thread = environment.startWorker()
    assert.ok(thread !== undefined)
    await delay(8 * i)
    await thread.terminate()
  }
  const open = readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`))
  assert.deepEqual(
    open.filter((file) => file.endsWith('.js')),
    [],
  )
})

/** @returns '' for the one by which the directory was read */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

const MODULE = new URL('../../src/env/node-worker.js', import.meta.url).href
const OWNER = `import { MessageChannel, Worker } from 'node:worker_threads'
import { NodeWorkerThread, workerOptions } from '${MODULE}'
const { port1, port2 } = new MessageChannel()
const program = ${JSON.stringify(PROGRAM)}
const start = new Int32Array(new SharedArrayBuffer(4))
const options = { ...workerOptions(port2, start, { bell: new SharedArrayBuffer(4) }), eval: true }
const thread = new NodeWorkerThread(new Worker(program, options), port1, start)
`

it('an idle thread lets the process end, and a busy one does not', () => {
  const run = (program: string): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', OWNER + program], { timeout: 60_000 }).toString()
  assert.equal(run('thread.onMessage(() => {}); thread.keepAlive(true); thread.keepAlive(false)'), '')
  assert.equal(
    run(`thread.onMessage((m) => { console.log(m.echo); thread.keepAlive(false) })
      thread.keepAlive(true)
      thread.post('done')`),
    'done\n',
  )
})

it('the end of a thread that loads is waited for, unless the process is ended', () => {
  const run = (program: string): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', OWNER + program], { timeout: 60_000 }).toString()
  assert.equal(run(`await thread.terminate(); console.log('ended')`), 'ended\n')
  assert.equal(run(`void thread.terminate(); process.on('exit', () => console.log('exit')); process.exit()`), 'exit\n')
})

it('without permission for threads there is none, and an error says so', () => {
  const flag = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission'
  const env = new URL('../../src/env/node-env.js', import.meta.url).href
  const program = `import { nodeEnvironment } from '${env}'
    try { nodeEnvironment().startWorker() } catch ({ code, cause }) { console.log(code, cause.code) }`
  const output = execFileSync(
    process.execPath,
    [flag, '--allow-fs-read=*', '--no-warnings', '--input-type=module', '-e', program],
    { timeout: 60_000 },
  )
  assert.equal(output.toString(), 'IO_ERROR ERR_ACCESS_DENIED\n')
})

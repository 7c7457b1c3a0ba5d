/**
 * The worker thread's program, which bundlers find as `varve/worker`: takes jobs from its port, runs them, and answers. While a compaction is under way no event
 * gets in, so between two slices it looks at the port by hand: a flush that waits there comes first.
 */
import host from 'node:process'
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { bytewiseComparator } from '../base/comparator.ts'
import { toWire } from '../base/errors.ts'
import { nodeEnvironment } from '../env/node-env.ts'
import { JobRunner } from './job-runner.ts'
import {
  type AnswerMessage,
  BELL,
  type EndedMessage,
  type JobResult,
  type RunMessage,
  SIGNAL_WORDS,
  STOP,
} from './messages.ts'

const port: MessagePort = workerData.port
const runner = new JobRunner(nodeEnvironment(workerData.modes), bytewiseComparator, answer)
/** Those of the owner, once there has been a job. */
let signals = new Int32Array(SIGNAL_WORDS) as Int32Array

port.on('message', (message: RunMessage) => {
  take(message)
  while (runner.hasWork) {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      take(next.message)
    }
    if (Atomics.load(signals, STOP) === 1) runner.abort()
    else runner.step()
  }
})

// A job that cannot be read would be waited for in vain: this thread ends, and its owner hears of that.
port.on('messageerror', (error) => {
  throw error
})

host.on('exit', () => post({ type: 'ended' }))

function take(message: RunMessage): void {
  signals = new Int32Array(message.signals)
  runner.add(message.id, message.job)
}

function answer(id: number, error: unknown, result: JobResult | undefined): void {
  const message: AnswerMessage =
    result === undefined ? { type: 'failed', id, error: toWire(error) } : { type: 'done', id, result }
  post(message)
}

function post(message: AnswerMessage | EndedMessage): void {
  port.postMessage(message)
  Atomics.add(signals, BELL, 1)
  Atomics.notify(signals, BELL)
}

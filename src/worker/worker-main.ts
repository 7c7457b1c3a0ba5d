/**
 * The worker thread's program: takes jobs from its port, runs them one at a time, and answers.
 */
import { type MessagePort, workerData } from 'node:worker_threads'
import { toWire } from '../base/errors.ts'
import { nodeEnvironment } from '../env/node-env.ts'
import { runFlushJob } from '../jobs/flush-job.ts'
import type { AnswerMessage, RunMessage } from './messages.ts'

const environment = nodeEnvironment(workerData.modes)
const port: MessagePort = workerData.port

port.on('message', (message: RunMessage) => {
  port.postMessage(answer(message))
  const bell = new Int32Array(message.bell)
  Atomics.add(bell, 0, 1)
  Atomics.notify(bell, 0)
})

function answer({ id, job }: RunMessage): AnswerMessage {
  try {
    return { type: 'done', id, result: runFlushJob(job, environment) }
  } catch (error) {
    return { type: 'failed', id, error: toWire(error) }
  }
}

/**
 * The worker thread's program, which bundlers find as `varve/worker`: takes jobs from its port, runs them, and answers. Between two
 * slices of a compaction the event loop turns, so that a flush that waits at the port comes first, and syncs that were begun ahead end.
 */
import host from 'node:process'
import { type MessagePort, workerData } from 'node:worker_threads'
import { bytewiseComparator } from '../base/comparator.ts'
import type { Environment } from '../base/environment.ts'
import { toWire } from '../base/errors.ts'
import type { FileNumber } from '../base/types.ts'
import { nodeEnvironment } from '../env/node-env.ts'
import { lowerPriority } from '../env/node-priority.ts'
import { begin } from '../env/thread-start.ts'
import type { TableOutline } from '../table/table-outline.ts'
import { DirectorySyncs } from './directory-syncs.ts'
import { JobRunner } from './job-runner.ts'
import {
  type AnswerMessage,
  BELL,
  type EndedMessage,
  type JobResult,
  type OpenedMessage,
  type RunMessage,
  SIGNAL_WORDS,
  STOP,
} from './messages.ts'

const port: MessagePort = workerData.port
const environment = announcing(nodeEnvironment(workerData.modes))
const runner = new JobRunner(environment, bytewiseComparator, answer, opened)
/** A slice is going to be done. */
let isAdvancing = false
/** Those of the owner, once there has been a job. */
let signals = new Int32Array(SIGNAL_WORDS) as Int32Array
let syncs = new DirectorySyncs()
let number = 0

// A thread that is not wanted any more has nothing that would keep it.
if (begin(workerData.start)) listen()

function listen(): void {
  if (workerData.isPatient) lowerPriority()
  port.on('message', (message: RunMessage) => {
    signals = new Int32Array(message.signals)
    syncs = new DirectorySyncs(environment, message.syncs)
    number = message.thread
    runner.add(message.id, message.job)
    if (!isAdvancing) goOn()
  })

  // A job that cannot be read would be waited for in vain: this thread ends, and its owner hears of that.
  port.on('messageerror', (error) => {
    throw error
  })

  host.on('exit', () => post({ type: 'ended' }))
}

/** Every sync of a directory is announced, whichever job's it is. The files are this thread's own. */
function announcing(environment: Environment): Environment {
  const { files } = environment
  const syncDirectory = files.syncDirectory.bind(files)
  files.syncDirectory = (directory) => syncs.run(number, () => syncDirectory(directory))
  return environment
}

/** If there is a compaction to go on with: once all that has arrived by then is taken. */
function goOn(): void {
  isAdvancing = runner.hasWork
  if (isAdvancing) environment.soon(advance)
}

function advance(): void {
  if (Atomics.load(signals, STOP) === 1) runner.abort()
  else runner.step()
  goOn()
}

function answer(id: number, error: unknown, result: JobResult | undefined): void {
  const message: AnswerMessage =
    result === undefined ? { type: 'failed', id, error: toWire(error) } : { type: 'done', id, result }
  post(message)
}

/** Copied, not transferred: the code of a thread that has given an array away checks every array that it uses from then on. */
function opened(id: number, number: FileNumber, outline: TableOutline): void {
  port.postMessage({ type: 'opened', id, number, outline } satisfies OpenedMessage)
}

function post(message: AnswerMessage | EndedMessage): void {
  port.postMessage(message)
  Atomics.add(signals, BELL, 1)
  Atomics.notify(signals, BELL)
}

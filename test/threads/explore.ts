/**
 * Explore: every schedule of one reader beside the writer of a small history, up to a number of surprises.
 * Oracle   an answer is that of the table after some number of batches: at least those that were published before the
 *          question, as far as the reader can know, and those that it has seen before; at most those whose publication
 *          had begun. A table that is frozen answers with all of them.
 */
import { bufferOf, createWith } from './explored-globals.ts'
import type { Program } from './program.ts'
import { type Attached, type Question, questionsFor } from './questions.ts'
import { addTo, type SmallHistory, type State, stateAfter, writesOf } from './small-histories.ts'
import { forEachSchedule, LogReader, type MemoryModel, StoreLog } from './store-log.ts'

const SURPRISES_MAX = 3
/** Checksums are checked where entries are met, early; and cost many loads. */
const SURPRISES_WITH_CHECKSUMS_MAX = 2
const CAPACITY_BYTES = 16 * 1024

export interface Outcome {
  readonly schedules: number
  /** The first wrong answer, with where it came. */
  readonly fault: string | undefined
}

/** What the writer of a history did. */
interface Recording {
  readonly program: Program
  readonly history: SmallHistory
  readonly log: StoreLog
  readonly comparator: string
  /** For each number of batches, the length of the log when the publication of the last of them began, and when it had ended. */
  readonly begun: readonly number[]
  readonly published: readonly number[]
  readonly states: readonly State[]
}

export function record(program: Program, history: SmallHistory): Recording {
  const { representation, seed, checksums, batches, isFrozen } = history
  let log = new StoreLog(0)
  createWith((byteLength) => {
    log = new StoreLog(byteLength)
    return log
  })
  const table = program.MemTable.create({ capacityBytes: CAPACITY_BYTES, representation, seed, checksums })
  const begun = [log.length]
  const published = [log.length]
  batches.forEach((_, batch) => {
    for (const write of writesOf(history, batch)) addTo(table, write)
    begun.push(log.length)
    if (isFrozen && batch === batches.length - 1) table.freeze()
    else table.publish()
    // Until now nobody can be there.
    if (batch === 0) table.share()
    published.push(log.length)
  })
  const states = [...published.keys()].map((count) => stateAfter(history, count))
  return { program, history, log, comparator: table.share().comparator, begun, published, states }
}

/** Everything that the history gives reason to ask, from each point at which a reader may come. */
export function exploreHistory(program: Program, history: SmallHistory, model: MemoryModel): Outcome {
  const recording = record(program, history)
  let schedules = 0
  for (const question of questionsFor(history)) {
    const answers = recording.states.map((state) => question.answer(state))
    // The first batch is there before any reader.
    for (let count = 1; count < recording.published.length; count++) {
      const outcome = exploreQuestion(recording, question, answers, model, count)
      schedules += outcome.schedules
      if (outcome.fault !== undefined) return { schedules, fault: outcome.fault }
    }
  }
  return { schedules, fault: undefined }
}

/** The question, by a reader that comes when the first `count` batches are published. */
function exploreQuestion(
  recording: Recording,
  question: Question,
  answers: readonly string[],
  model: MemoryModel,
  count: number,
): Outcome {
  const { program, history, log, comparator, published } = recording
  const memory = new LogReader(log, model)
  const token = { buffer: bufferOf(memory), comparator }
  const reader: Attached = { program, token, table: program.MemTable.attach(token) }
  const surprises = history.checksums ? SURPRISES_WITH_CHECKSUMS_MAX : SURPRISES_MAX
  let fault: string | undefined
  const schedules = forEachSchedule((choose) => {
    memory.begin(published[count], surprises, choose)
    fault = ask(recording, reader, memory, question, answers, count)
    return fault !== undefined
  })
  if (fault !== undefined) {
    const { name, representation } = history
    fault = `${name} (${representation}, ${model}), after ${count} batches, ${question.name}: ${fault}`
  }
  return { schedules, fault }
}

/** Ask as often as the question says. @returns what is wrong with an answer */
function ask(
  { begun, published }: Recording,
  reader: Attached,
  memory: LogReader,
  question: Question,
  answers: readonly string[],
  count: number,
): string | undefined {
  let least = count
  try {
    for (let round = 0; round < question.rounds; round++) {
      if (question.looksAtState && reader.table.isFrozen) least = answers.length - 1
      while (least + 1 < published.length && published[least + 1] <= memory.known) least++
      const answer = question.ask(reader)
      let most = least
      while (most + 1 < begun.length && begun[most + 1] < memory.known) most++
      const seen = answers.indexOf(answer, least)
      if (seen < 0 || seen > most) return `“${answer}” is not what there is after ${least} to ${most} batches`
      least = seen
    }
    return undefined
  } catch (error) {
    return String(error)
  }
}

/**
 * Runs one campaign: gives it its time, counts for it, collects what it finds, shows how far it is, and has it watched.
 */
import { describeMachine } from '../bench/machine.ts'
import type { Campaign, CampaignContext, CampaignResult, Finding } from './campaign.ts'
import { repository } from './places.ts'
import type { ProgressLine } from './progress-line.ts'
import { watch } from './watchdog.ts'

/** More findings than anybody reads: the campaign ends. */
const FINDINGS_MAX = 20

export interface Run {
  readonly seed: number
  readonly seconds: number
  /** Tells of an end before the time, by the user's wish. */
  readonly signal: AbortSignal
  readonly line: ProgressLine
  /** Takes what there is so far, now and then: a run of hours may be ended from outside. */
  keep?(result: CampaignResult): void
}

const KEEP_MS = 60_000

/** @throws what the campaign throws: it is at fault then, not its subject */
export async function runCampaign(campaign: Campaign, run: Run): Promise<CampaignResult> {
  const context = new RunContext(run)
  const date = new Date().toISOString()
  const machine = describeMachine(repository())
  const startMs = performance.now()
  const result = (isCut: boolean): CampaignResult => {
    const seconds = Math.round(performance.now() - startMs) / 1000
    const { name, title } = campaign
    const { counts, findings } = context
    const { commit } = machine
    const { seed, seconds: plannedSeconds } = run
    return { name, title, date, commit, seed, seconds, plannedSeconds, isCut, counts, findings, machine }
  }
  const keeping = setInterval(() => run.keep?.(result(true)), KEEP_MS)
  const done = await watch(campaign.name, run.seconds * 1000)
  run.line.start(campaign.title, run.seconds)
  try {
    await campaign.run(context)
  } finally {
    clearInterval(keeping)
    run.line.stop()
    await done()
  }
  return result(run.signal.aborted)
}

class RunContext implements CampaignContext {
  readonly seed: number
  readonly deadline: number
  readonly counts: Record<string, number> = {}
  readonly findings: Finding[] = []
  readonly #signal: AbortSignal
  readonly #line: ProgressLine

  constructor({ seed, seconds, signal, line }: Run) {
    this.seed = seed
    this.deadline = performance.now() + seconds * 1000
    this.#signal = signal
    this.#line = line
  }

  isOver(): boolean {
    return performance.now() >= this.deadline || this.#signal.aborted || this.findings.length >= FINDINGS_MAX
  }

  count(what: string, by: number = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by
    this.#line.update(this.counts, this.findings.length)
  }

  finding(kind: string, details: string, reproduction: unknown): void {
    const isNew = !this.findings.some((finding) => finding.kind === kind)
    this.findings.push({ kind, details, reproduction })
    if (isNew) this.#line.print(`FOUND ${kind}: ${details}`)
  }

  progress(done: number, total?: number): void {
    this.#line.reach(done, total)
  }
}

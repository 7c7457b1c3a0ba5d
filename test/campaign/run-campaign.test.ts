/**
 * The campaigns' machinery, with a campaign that has a planted defect: it is found, made small, kept, and replayed.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Campaign, CampaignResult } from '../../campaign/campaign.ts'
import { minimize } from '../../campaign/minimize.ts'
import { ProgressLine } from '../../campaign/progress-line.ts'
import { keepFindings, readRegressions } from '../../campaign/regressions.ts'
import { keepResult, readResults } from '../../campaign/results.ts'
import { runCampaign } from '../../campaign/run-campaign.ts'

/** Lists that hold a 3 behind a 1 are the defect. */
function isWrong(list: readonly number[]): boolean {
  const first = list.indexOf(1)
  return first >= 0 && list.indexOf(3, first) > first
}

const PLANTED: Campaign = {
  name: 'planted',
  title: 'lists of numbers',
  ciSeconds: 1,
  longShare: 1,
  async run(context) {
    for (let i = 0; !context.isOver(); i++) {
      const list = Array.from({ length: 30 }, (_, at) => (context.seed + i + at) % 7)
      context.count('lists')
      if (!isWrong(list)) continue
      const minimal = await minimize(list, async (shorter) => isWrong(shorter))
      context.finding('1 before 3', `${list}`, minimal)
    }
  },
  async replay(reproduction) {
    assert.ok(!isWrong(reproduction as number[]))
  },
}

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'varve-campaign-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function runPlanted(seed: number, signal: AbortSignal = new AbortController().signal): Promise<CampaignResult> {
  return runCampaign(PLANTED, { seed, seconds: 60, signal, line: new ProgressLine() })
}

test('a finding is minimised, kept as a file, and fails until the defect is gone', async (t) => {
  const directory = scratch(t)
  const result = await runPlanted(5)
  assert.equal(result.findings.length, 20, 'more than anybody reads ends the campaign')
  assert.deepEqual(result.findings[0].reproduction, [1, 3])
  const names = keepFindings(directory, result)
  assert.equal(new Set(names).size, 1, 'the same reproduction is one file')
  const [[name, regression]] = readRegressions(directory)
  assert.match(name, /^planted-1-before-3-[0-9a-f]{8}\.json$/)
  assert.deepEqual([regression.campaign, regression.seed], ['planted', 5])
  await assert.rejects(async () => PLANTED.replay?.(regression.reproduction))
})

test('runs of a campaign are kept in one file, each with what it was made with', async (t) => {
  const directory = scratch(t)
  for (const seed of [1, 2]) keepResult(directory, await runPlanted(seed))
  const runs = readResults(directory).get('planted') ?? []
  assert.deepEqual(
    runs.map(({ seed }) => seed),
    [1, 2],
  )
  for (const { counts, date, commit, machine } of runs) {
    assert.ok(counts.lists > 0)
    assert.match(date, /^\d{4}-\d\d-\d\dT/)
    assert.equal(commit, machine.commit)
  }
})

test('a campaign ends early if it is told to', async () => {
  const stop = new AbortController()
  stop.abort()
  const { counts, findings } = await runPlanted(1, stop.signal)
  assert.deepEqual([counts, findings], [{}, []])
})

test('a minimal list loses its failure with any of its elements', async () => {
  const needed = [3, 17, 18, 40]
  const list = Array.from({ length: 50 }, (_, i) => i)
  const minimal = await minimize(list, async (shorter) => needed.every((n) => shorter.includes(n)))
  assert.deepEqual(minimal, needed)
})

test('a campaign that goes round for ever is ended from outside', () => {
  const watchdog = new URL('../../campaign/watchdog.js', import.meta.url)
  const program = `
    import { watch } from '${watchdog}'
    await watch('planted', 50, 50)
    for (;;);
  `
  const { signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.equal(signal, 'SIGKILL')
  assert.match(stderr, /^planted: hangs/m)
})

test('one that comes to its end is not, however soon its time would be over', () => {
  const watchdog = new URL('../../campaign/watchdog.js', import.meta.url)
  const program = `
    import { watch } from '${watchdog}'
    const done = await watch('planted', 0, 200)
    await done()
    setTimeout(() => console.log('ended'), 400)
  `
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.deepEqual([signal, stdout], [null, 'ended\n'])
})

test('one that is to run for a month is not ended as it begins', () => {
  const watchdog = new URL('../../campaign/watchdog.js', import.meta.url)
  const program = `
    import { watch } from '${watchdog}'
    const done = await watch('planted', 31 * 24 * 3600 * 1000)
    await new Promise((resolve) => setTimeout(resolve, 200))
    await done()
    console.log('ended')
  `
  const { signal, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.deepEqual([signal, stdout], [null, 'ended\n'])
})

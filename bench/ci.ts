/**
 * ci: this commit beside the one before it, in one run, in turns: the loads of bench/peers with two builds of varve. Prints the
 * ratios; nothing of it is a gate. The commit before is checked out into a git worktree in a temporary folder and compiled there.
 *
 *   npm run bench:ci                       # beside HEAD~1, or HEAD if the sources were changed since
 *   npm run bench:ci -- --base main
 *
 * Where there is no such commit (the first one, a shallow clone, no git), it says so, and ends with status 0.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.ts'
import { ROOT } from './peers/places.ts'
import type { StepFigures } from './peers/results.ts'
import { SceneRunner } from './peers/scene-runner.ts'
import { type Scene, scenesOfBuilds, sizesOf } from './peers/scenes.ts'
import { ratioOf, spreadOf } from './statistics.ts'

const MIB = 1024 * 1024
const WRITE_BUFFER_BYTES = 16 * MIB
const CACHE_BYTES = 64 * MIB

/** A build of another commit, in a folder of its own. */
class OtherBuild {
  readonly commit: string
  readonly #worktree: string

  private constructor(commit: string, worktree: string) {
    this.commit = commit
    this.#worktree = worktree
  }

  /** @returns undefined, and says why, if there is no such commit */
  static of(base: string | undefined): OtherBuild | undefined {
    let commit: string
    try {
      commit = git('rev-parse', '--verify', '--quiet', `${base ?? previousName()}^{commit}`)
    } catch {
      console.log(`there is no commit ${base ?? 'before this one'} here: nothing to compare with`)
      return undefined
    }
    const worktree = join(mkdtempSync(join(tmpdir(), 'varve-ci-')), 'before')
    git('worktree', 'add', '--detach', '--quiet', worktree, commit)
    const other = new OtherBuild(commit, worktree)
    process.once('exit', () => other.#remove())
    symlinkSync(join(ROOT, 'node_modules'), join(worktree, 'node_modules'), 'junction')
    execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json'], {
      cwd: worktree,
      stdio: ['ignore', 2, 2],
    })
    return other
  }

  get build(): string {
    return join(this.#worktree, '.build')
  }

  #remove(): void {
    git('worktree', 'remove', '--force', this.#worktree)
    rmSync(join(this.#worktree, '..'), { recursive: true, force: true })
  }
}

function git(...args: string[]): string {
  return execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

/** What was changed and not committed is compared with the last commit. */
function previousName(): string {
  return git('status', '--porcelain', '--', 'src') === '' ? 'HEAD~1' : 'HEAD'
}

function line({ sceneTitle, title, microseconds: { varve = [], before = [] } }: StepFigures): string {
  const ratio = ratioOf(before, varve)
  const [now, then] = [varve, before].map((list) => `${spreadOf(list).median.toPrecision(3)} µs`)
  const spread = `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`
  return `| ${[`${sceneTitle}: ${title}`, then, now, spread].join(' | ')} |`
}

/** Every round in new processes, since one may be compiled luckier than another; who comes first alternates. */
async function runInNewProcesses(runner: SceneRunner, scene: Scene): Promise<StepFigures[]> {
  const all: StepFigures[][] = []
  for (let round = 0; round < scene.rounds; round++) {
    const peers = round % 2 === 0 ? scene.peers : [...scene.peers].reverse()
    all.push(await runner.run({ ...scene, peers, rounds: 1 }))
  }
  return all[0].map((figures, i) => ({
    ...figures,
    microseconds: {
      varve: all.flatMap((round) => round[i].microseconds.varve ?? []),
      before: all.flatMap((round) => round[i].microseconds.before ?? []),
    },
  }))
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { base: { type: 'string' }, quick: { type: 'boolean', default: false } } })
  const other = OtherBuild.of(values.base)
  if (other === undefined) return
  const { varve, commit, node, cpu, loadAverage } = describeMachine(ROOT)
  const sizes = sizesOf(values.quick ? 'quick' : 'builds')
  const runner = new SceneRunner({
    peers: ['varve', 'before'],
    node: process.execPath,
    writeBufferBytes: WRITE_BUFFER_BYTES,
    cacheBytes: CACHE_BYTES,
    build: other.build,
    warmUp: sizes.warmUp,
  })
  const figures: StepFigures[] = []
  for (const scene of scenesOfBuilds(sizes)) figures.push(...(await runInNewProcesses(runner, scene)))
  console.log(
    [
      `varve ${varve}: ${commit} beside ${other.commit.slice(0, 7)}, Node.js ${node}, ${cpu}, load average ${loadAverage.toFixed(2)}`,
      '',
      '| workload | before | now | before ÷ now: above 1, this commit is faster |',
      '| --- | --- | --- | --- |',
      ...figures.map(line),
    ].join('\n'),
  )
}

await main()

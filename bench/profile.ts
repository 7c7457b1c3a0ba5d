/**
 * CPU profiles of the timed part alone, by V8's sampling profiler, and which functions took the time. A profile also opens
 * in the browser's developer tools.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'

const SAMPLE_US = 250
const TOP_COUNT = 25
/** What the profiler itself shows up as. */
const PROFILER = 'dispatch'

/** The part of V8's .cpuprofile that is read here. */
interface Profile {
  readonly nodes: readonly ProfileNode[]
  /** Node id of each sample. */
  readonly samples: readonly number[]
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[]
}

interface ProfileNode {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

/** @returns ends the profile and writes it to `path` */
export function startProfile(path: string): () => void {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: SAMPLE_US })
  session.post('Profiler.start')
  return () => {
    session.post('Profiler.stop', (error, result) => {
      if (error !== null) throw error
      writeFileSync(path, JSON.stringify(result.profile))
    })
    session.disconnect()
  }
}

/** The functions with the most time of their own, as lines of text. Compiled code names the lines: .build/, not the source. */
export function topFunctions(path: string): string[] {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(path, 'utf8')) as Profile
  const names = new Map(nodes.map((node) => [node.id, functionName(node)]))
  const selfUs = new Map<string, number>()
  let totalUs = 0
  samples.forEach((id, i) => {
    const name = names.get(id) ?? '?'
    if (name === PROFILER) return
    selfUs.set(name, (selfUs.get(name) ?? 0) + timeDeltas[i])
    totalUs += timeDeltas[i]
  })
  const top = [...selfUs].sort((a, b) => b[1] - a[1]).slice(0, TOP_COUNT)
  return top.map(
    ([name, us]) =>
      `${((us / totalUs) * 100).toFixed(1).padStart(6)} %  ${(us / 1000).toFixed(0).padStart(7)} ms  ${name}`,
  )
}

function functionName({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = /[^/]+\/[^/]+$/.exec(url)?.[0]
  const name = functionName === '' ? '(anonymous)' : functionName
  return file === undefined ? name : `${name} ${file}:${lineNumber + 1}`
}

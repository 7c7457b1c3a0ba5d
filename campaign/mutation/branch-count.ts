/**
 * Branch count: which branches of the subjects the tests take.
 */
import type { CampaignContext } from '../campaign.ts'
import type { FileTable } from './file-table.ts'
import { type Branch, withBranches } from './instrument.ts'
import type { Program } from './program.ts'
import { reachedIn, survey } from './survey.ts'

/** Branches that a finding names; all are in the table. */
const NAMED_MAX = 20

export async function countBranches(
  context: CampaignContext,
  program: Program,
  sources: ReadonlyMap<string, string>,
  table: FileTable,
): Promise<void> {
  const branches: Branch[] = []
  for (const [file, source] of sources) {
    const written = withBranches(file, source, branches.length)
    branches.push(...written.branches)
    program.replace(file, written.text)
  }
  const reached = reachedIn(await survey(program, branches.length))
  const untaken: string[] = []
  for (const [place, branch] of branches.entries()) {
    const isTaken = reached.has(place)
    context.count('branches')
    if (isTaken) context.count('branches taken')
    else untaken.push(keyOf(branch))
    table.branch(branch, isTaken)
  }
  if (untaken.length > 0) {
    context.finding(
      'branches that no test takes',
      `${untaken.length}, such as ${untaken[0]}`,
      untaken.slice(0, NAMED_MAX),
    )
  }
}

function keyOf({ file, line, way }: Branch): string {
  return `${file}: ${way} | ${line}`
}

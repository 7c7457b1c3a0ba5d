/**
 * Branch count: which branches of the subjects the tests take.
 */
import type { CampaignContext } from '../campaign.ts'
import { UNREACHABLE } from './allowed.ts'
import type { FileTable } from './file-table.ts'
import { type Branch, withBranches } from './instrument.ts'
import type { Program } from './program.ts'
import { Survey, slowTests, survey } from './survey.ts'

/** Branches that a finding names; all are in the table. */
const NAMED_MAX = 20

/** @returns tests that are too slow for mutants */
export async function countBranches(
  context: CampaignContext,
  program: Program,
  sources: ReadonlyMap<string, string>,
  table: FileTable,
): Promise<string[]> {
  const branches: Branch[] = []
  for (const [file, source] of sources) {
    const written = withBranches(file, source, branches.length)
    branches.push(...written.branches)
    program.replace(file, written.text)
  }
  const answers = await survey(program, branches.length)
  const surveyed = new Survey(answers, Number, (place) => branches[place].file)
  const allowed = new Set(UNREACHABLE.map(keyOf))
  const untaken: string[] = []
  for (const [place, branch] of branches.entries()) {
    const isTaken = surveyed.isReached(place)
    const isAllowed = allowed.has(keyOf(branch))
    context.count('branches')
    if (isTaken) context.count('branches taken')
    else if (isAllowed) context.count('branches that nothing can take')
    else untaken.push(keyOf(branch))
    table.branch(branch, isTaken, isAllowed)
  }
  if (untaken.length > 0) {
    context.finding(
      'branches that no test takes',
      `${untaken.length}, such as ${untaken[0]}`,
      untaken.slice(0, NAMED_MAX),
    )
  }
  tellStale(context, branches, surveyed, (file) => sources.has(file))
  return slowTests(answers)
}

/** What is listed must be there, and untaken. */
function tellStale(
  context: CampaignContext,
  branches: readonly Branch[],
  surveyed: Survey,
  isSubject: (file: string) => boolean,
): void {
  const untaken = new Set(branches.filter((_, place) => !surveyed.isReached(place)).map(keyOf))
  for (const listed of UNREACHABLE) {
    if (!isSubject(listed.file) || untaken.has(keyOf(listed))) continue
    context.finding('a branch is listed as one that nothing can take', `and is taken or gone: ${keyOf(listed)}`, listed)
  }
}

function keyOf({ file, line, way }: Branch): string {
  return `${file}: ${way} | ${line}`
}

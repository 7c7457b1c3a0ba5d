/**
 * T16, coverage: which branches of what decodes and recovers no test takes, and which small changes of it (mutants) no test
 * notices (mutation/). It asks the tests, as T4 asks the campaigns.
 *
 * A branch that no test takes is a finding. Mutants are one if more than one in ten lives, of those that are not listed as doing the
 * same as the program. What is listed and is no longer so is a finding, too.
 *
 * `VARVE_SUBJECTS=log/,table/block` looks at these files only, `VARVE_MUTANTS=listed` at the mutants that are listed.
 * `VARVE_SUBJECTS=jobs/ VARVE_TESTS=jobs/,db/compaction` looks at any other file of src/, with the tests that are named so. By file, and
 * each that is missing: campaign/results/t16-coverage.txt.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Campaign, CampaignContext } from './campaign.ts'
import { countBranches } from './mutation/branch-count.ts'
import { FileTable } from './mutation/file-table.ts'
import { countMutants } from './mutation/mutant-count.ts'
import { Program } from './mutation/program.ts'
import { chosenSubjects, chosenTests } from './mutation/subjects.ts'
import { RESULTS, repository } from './places.ts'

export const COVERAGE: Campaign = {
  name: 't16-coverage',
  title: 'branches of decoders and recovery that no test takes, and small changes to them that no test notices',
  // Not in CI: the branches alone take most of a minute, and mutants say nothing in less than five.
  ciSeconds: 0,
  longShare: 2,
  sameThings: 'all',
  run: cover,
}

async function cover(context: CampaignContext): Promise<void> {
  const [files, all] = chosenSubjects(process.env)
  const sources = new Map(files.map((file) => [file, readFileSync(repository('.build', 'src', `${file}.js`), 'utf8')]))
  context.count(`files, of ${all}`, sources.size)
  const table = new FileTable()
  const program = new Program(chosenTests(process.env))
  try {
    await countBranches(context, program, sources, table)
    if (!context.isOver()) await countMutants(context, program, sources, table)
  } finally {
    program.dispose()
    mkdirSync(RESULTS, { recursive: true })
    writeFileSync(join(RESULTS, 't16-coverage.txt'), String(table))
  }
}

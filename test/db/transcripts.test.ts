/**
 * The transcripts of test/testdata/db: what a database answers, told as stories, and the file-system calls of each
 * operation in their order (calls-*), which docs/durability.md rests on.
 */
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { Command } from '../support/datadriven.ts'
import { testdata } from '../support/paths.ts'
import { Scenario } from './scenario.ts'
import { runTranscript } from './transcripts.ts'

for (const name of readdirSync(testdata('db')).sort()) {
  const isCalls = name.startsWith('calls-')
  test(
    isCalls ? `the calls of ${name} are made, in this order` : `the story of ${name} is told as written`,
    async () => {
      const scenario = new Scenario()
      try {
        await runTranscript(testdata('db', name), isCalls ? (command) => calls(scenario, command) : tell)
      } finally {
        await scenario.end()
      }

      function tell(command: Command): Promise<string> {
        return scenario.run(command)
      }
    },
  )
}

/** What a command answers, and the calls that it made. */
async function calls(scenario: Scenario, command: Command): Promise<string> {
  scenario.environment.takeCalls()
  const answer = await scenario.run(command)
  const lines = scenario.environment.takeCalls()
  return command.name === 'open' ? lines.join('\n') : [answer, ...lines].filter((line) => line !== '').join('\n')
}

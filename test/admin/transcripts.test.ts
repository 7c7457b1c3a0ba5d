/**
 * The transcripts of test/testdata/admin: directories made by hand, and what a user sees of verify, repair and destroy: every number
 * and note of a report, what lies where afterwards, how far they said that they were.
 */
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { runTranscript } from '../db/transcripts.ts'
import { testdata } from '../support/paths.ts'
import { DamageScenario } from './damage-scenario.ts'

for (const name of readdirSync(testdata('admin')).sort()) {
  test(`the transcript of ${name} is as written`, async () => {
    const scenario = new DamageScenario()
    await runTranscript(testdata('admin', name), (command) => scenario.run(command))
  })
}

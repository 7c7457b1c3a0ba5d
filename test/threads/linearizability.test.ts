/**
 * Real threads: a writer at full speed, and readers of everything that a MemTable answers.
 * Strategy    random plans of puts, overwrites, deletes and range deletes, in batches, whose values hold a hash of key and
 *             sequence; observer.ts checks each operation against what was published around it
 * Invariants  what is read is whole; every operation is at one state, between those that were published when it began and
 *             ended; no operation is at an older state than one that had ended before it, on any thread
 * VARVE_THREADS_OPERATIONS asks for more than a million operations: 50,000,000 take minutes.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MUTANTS } from './mutants.ts'
import { copyProgram, SHIPPED } from './program.ts'
import { playRounds } from './rounds.ts'
import type { Representation } from './small-histories.ts'

const OPERATIONS = Number(process.env['VARVE_THREADS_OPERATIONS'] ?? 1_000_000)
const SEED = Number(process.env['VARVE_SEED'] ?? 1)

/** Share of the operations. The radix tree is the default, and changes in more ways. */
const PLAYS: readonly { readonly representation: Representation; readonly readers: number; readonly share: number }[] =
  [
    { representation: 'radix', readers: 1, share: 0.3 },
    { representation: 'radix', readers: 3, share: 0.3 },
    { representation: 'skiplist', readers: 2, share: 0.4 },
  ]

for (const { representation, readers, share } of PLAYS) {
  test(`a ${representation} table is linearizable to ${readers} threads that read while it is written`, async (t) => {
    const { rounds, operations, faults } = await playRounds(SHIPPED, representation, readers, OPERATIONS * share, SEED)
    t.diagnostic(`${operations} operations in ${rounds} tables, seed ${SEED}`)
    assert.deepEqual(faults, [])
    assert.ok(operations >= OPERATIONS * share)
  })
}

/** Mutants that threads notice on any machine, whose stores become visible in order or not. */
const NOTICED = [
  'an attached table reads without a limit',
  'the tail is published with every entry',
  'a key is shown that is above the limit',
  'nodes above the limit end a walk',
]

for (const what of NOTICED) {
  test(`threads notice when ${what}`, async (t) => {
    const mutant = MUTANTS.find((one) => one.what === what)
    assert.ok(mutant !== undefined)
    const url = copyProgram(mutant.mutations, false)
    const { operations, faults } = await playRounds(url, mutant.representation, 1, OPERATIONS, SEED)
    t.diagnostic(`${operations} operations: ${faults[0]}`)
    assert.ok(faults.length > 0)
  })
}

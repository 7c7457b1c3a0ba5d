/**
 * The fault matrix: every file-system call of the workload fails, in turn: with EIO, with ENOSPC after a part of the bytes,
 * with EMFILE; once, or from then on.
 *
 * Invariants  (1) nothing hangs, nothing is rejected unheard, every error is one of varve's
 *             (2) what is acknowledged is visible, and what is not is not; reads work whatever has failed
 *             (3) after a failure of the log or the MANIFEST every later write is refused: READ_ONLY, not written
 *             (4) close settles, and leaves no lock and no open file; so does an open that fails
 *             (5) after a power loss, without faults, every write that was acknowledged as durable is there, none that was
 *                 refused as not written, and of the others a prefix
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FaultCode } from '../support/fault-call.ts'
import { FaultRun } from './fault-run.ts'

const CODES: readonly FaultCode[] = ['EIO', 'ENOSPC', 'EMFILE']
for (const code of CODES) {
  for (const isSticky of [false, true]) {
    test(`no call that fails with ${code} ${isSticky ? 'from then on' : 'once'} makes a database lie`, async (t) => {
      let calls = 0
      for (; ; calls++) {
        const run = new FaultRun({ call: calls, code, isSticky })
        await run.run()
        await run.recover()
        if (run.hit === undefined) break
      }
      t.diagnostic(`${calls} calls`)
      assert.ok(calls > 150, 'the workload makes calls')
    })
  }
}

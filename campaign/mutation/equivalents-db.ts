/**
 * Equivalents of src/db and src/version that are no decoders: see equivalents.ts.
 */
import type { AllowedMutant } from './allowed.ts'
import { BY_ONE } from './reasons.ts'

const A_SHORT_WAY = 'a short way: without it there is nothing to do, which takes longer'

export const DB_EQUIVALENTS: readonly AllowedMutant[] = [
  {
    file: 'db/threads/remote-reader',
    line: 'for (const [level, files] of from === version ? [] : version.levels.entries()) {',
    changes: ['from === version → false'],
    reason: A_SHORT_WAY,
  },
  {
    file: 'db/threads/sharing',
    line: '#nextId = 1;',
    changes: ['1 → 2', '1 → (0)'],
    reason: 'numbers only have to differ',
  },
  {
    file: 'db/threads/sharing',
    line: 'if (this.#generations.length < 2)',
    changes: ['this.#generations.length < 2 → false'],
    reason: A_SHORT_WAY,
  },
  {
    file: 'db/snapshot',
    line: 'if (oldest === undefined || sequence < oldest)',
    changes: ['sequence < oldest → sequence <= oldest'],
    reason: 'where both are equal, either is',
  },
  {
    file: 'db/snapshot',
    line: 'snapshot.newer = undefined;',
    changes: ['snapshot.newer = undefined; → nothing'],
    reason: 'nobody follows it any more: it is let go of for the sake of memory',
  },
  {
    file: 'db/snapshot',
    line: 'snapshot.older = undefined;',
    changes: ['snapshot.older = undefined; → nothing'],
    reason: 'nobody follows it any more: it is let go of for the sake of memory',
  },
  {
    file: 'db/copies/long-runs',
    line: 'if (after !== undefined)',
    changes: ['after !== undefined → true'],
    reason: 'whoever waits for nothing goes on as soon',
  },
  {
    file: 'admin/verify',
    line: 'const discarded = replay?.report().discarded.length ?? 0;',
    changes: BY_ONE,
    reason: 'without a replay nobody asks for it',
  },
  {
    file: 'version/manifest',
    line: 'if (next >= 0)',
    changes: ['0 → 1'],
    reason: 'what is found lies behind the fault, which is not before 0',
  },
]

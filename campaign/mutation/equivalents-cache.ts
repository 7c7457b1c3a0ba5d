/**
 * Equivalents of src/cache: see equivalents.ts.
 */
import type { AllowedMutant } from './allowed.ts'
import { BY_ONE } from './reasons.ts'

const ANCHOR = 'the anchor of a ring has no block: nobody asks for its place or its bytes'
const NOTHING_AFTER = 'a closed cache is asked for nothing more; what it lets go of is a matter of memory'
const REFERENCE = 'nobody follows it any more: it is let go of for the sake of memory'
const NO_FLAG = 'undefined holds as little'
const LESS_GARBAGE = 'a slot is new or used again: only time depends on it'
const LINKED_FIRST = 'who is linked gets both neighbours then, and an anchor whose ring was never used is not asked'

export const CACHE_EQUIVALENTS: readonly AllowedMutant[] = [
  {
    file: 'cache/block-cache',
    line: 'this.#probation = makeSlot(EMPTY_BLOCK, NO_SHELF, 0, 0);',
    changes: [...BY_ONE, '0 → 1 #2', '0 → (-1) #2'],
    reason: ANCHOR,
  },
  {
    file: 'cache/block-cache',
    line: 'this.#protected = makeSlot(EMPTY_BLOCK, NO_SHELF, 0, 0);',
    changes: [...BY_ONE, '0 → 1 #2', '0 → (-1) #2'],
    reason: ANCHOR,
  },
  {
    file: 'cache/block-cache',
    line: 'this.#protectedBytes = 0;',
    changes: ['this.#protectedBytes = 0; → nothing #2', '0 → 1 #2', '0 → (-1) #2'],
    reason: NOTHING_AFTER,
  },
  {
    file: 'cache/block-cache',
    line: 'empty(this.#probation);',
    changes: ['empty(this.#probation); → nothing'],
    reason: NOTHING_AFTER,
  },
  {
    file: 'cache/block-cache',
    line: 'empty(this.#protected);',
    changes: ['empty(this.#protected); → nothing'],
    reason: NOTHING_AFTER,
  },
  {
    file: 'cache/block-cache',
    line: 'anchor.newer = anchor;',
    changes: ['anchor.newer = anchor; → nothing'],
    reason: LINKED_FIRST,
  },
  {
    file: 'cache/block-cache',
    line: 'if (block.isUsed)',
    changes: ['block.isUsed → false'],
    reason: 'a short way: without it the flag is set once more',
  },
  {
    file: 'cache/block-cache',
    line: 'this.#isFull = false;',
    changes: ['this.#isFull = false; → nothing'],
    reason: NO_FLAG,
  },
  {
    file: 'cache/block-cache',
    line: 'if (spare === undefined)',
    changes: ['spare === undefined → true'],
    reason: LESS_GARBAGE,
  },
  {
    file: 'cache/block-cache',
    line: 'this.#spare = slot;',
    changes: ['this.#spare = slot; → nothing'],
    reason: LESS_GARBAGE,
  },
  {
    file: 'cache/block-cache',
    line: 'block.slot = undefined;',
    changes: ['block.slot = undefined; → nothing'],
    reason: REFERENCE,
  },
  {
    file: 'cache/block-cache',
    line: 'slot.block = EMPTY_BLOCK;',
    changes: ['slot.block = EMPTY_BLOCK; → nothing'],
    reason: REFERENCE,
  },
  {
    file: 'cache/block-cache',
    line: 'slot.shelf = NO_SHELF;',
    changes: ['slot.shelf = NO_SHELF; → nothing'],
    reason: REFERENCE,
  },
  {
    file: 'cache/recent-misses',
    line: 'const mark = Math.imul(Math.imul(file, SPREAD_FILE) ^ at, SPREAD_MARK) | 1;',
    changes: ['1 → 2'],
    reason: 'any bit makes a mark other than 0',
  },
  {
    file: 'cache/table-cache',
    line: 'this.isLeaving = false;',
    changes: ['this.isLeaving = false; → nothing'],
    reason: NO_FLAG,
  },
  {
    file: 'cache/table-cache',
    line: 'this.newer = this;',
    changes: ['this.newer = this; → nothing'],
    reason: LINKED_FIRST,
  },
  {
    file: 'cache/table-cache',
    line: 'this.newer = this;',
    changes: ['this.newer = this; → nothing #2'],
    reason: REFERENCE,
  },
  {
    file: 'cache/table-cache',
    line: 'this.older = this;',
    changes: ['this.older = this; → nothing #2'],
    reason: REFERENCE,
  },
]

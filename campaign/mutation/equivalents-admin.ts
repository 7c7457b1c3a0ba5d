/**
 * Equivalents of src/admin: see equivalents.ts.
 */
import type { AllowedMutant } from './allowed.ts'
import { BY_ONE, UNREAD } from './reasons.ts'

export const ADMIN_EQUIVALENTS: readonly AllowedMutant[] = [
  {
    file: 'admin/table-check',
    line: 'const POLICY = new BloomFilter(10);',
    changes: ['10 → 11', '10 → (9)'],
    reason: 'it only reads filters, and how many bits they have stands in them',
  },
  {
    file: 'admin/table-check',
    line: 'const isGap = end < next;',
    changes: ['end < next → end <= next'],
    reason: 'where both are equal, there is neither gap nor overlap, which has been answered before',
  },
  {
    file: 'admin/table-check',
    line: 'return place < 0 ? message : message.slice(0, place);',
    changes: ['place < 0 → place <= 0'],
    reason: 'no message begins with its place',
  },
  {
    file: 'admin/table-check',
    line: "this.#faults.push({ ...handle, reason: error.message, kind: 'unreadable', losesEntries: true });",
    changes: ['true → false'],
    reason: 'what is unreadable is not given up, so that nobody asks what it loses',
  },
  {
    file: 'admin/table-merge',
    line: 'if (end === undefined || compareEnds(comparator, end, file) < 0)',
    changes: ['compareEnds(comparator, end, file) < 0 → compareEnds(comparator, end, file) <= 0'],
    reason: 'where both are equal, either is',
  },
  {
    file: 'admin/table-merge',
    line: 'for (let count = 1; merged.valid; merged.next(), count++) {',
    changes: ['1 → 2', '1 → (0)', 'count++ → count--'],
    reason: 'at which entries of as many the event loop may turn: a matter of time, as is STEP_ENTRIES',
  },
  {
    file: 'admin/table-merge',
    line: 'if (count % STEP_ENTRIES === 0)',
    changes: ['count % STEP_ENTRIES === 0 → true', '0 → 1'],
    reason: 'at which entries of as many the event loop may turn: a matter of time, as is STEP_ENTRIES',
  },
  {
    file: 'admin/repair',
    line: 'const NO_TABLE_DROPPED = { busy: new Set(), oldestSnapshot: sequenceNumber(0) };',
    changes: ['0 → (-1)'],
    reason: 'no range delete has sequence number 0: batches begin at 1',
  },
  {
    file: 'admin/repair',
    line: 'this.#written.set(number, 0);',
    changes: BY_ONE,
    reason: 'it is replaced once the table is whole, and without that there is no report',
  },
  {
    file: 'admin/repair',
    line: 'return yield* this.#write(level ?? LEVELS - 1, (output) => checkTable(this.#context, name, undefined, output));',
    changes: ['LEVELS - 1 → LEVELS + 1'],
    reason: 'beyond the last level, tables are of its form',
  },
  {
    file: 'admin/repair-plan',
    line: 'let logNumber = 0;',
    changes: ['0 → (-1)'],
    reason: 'no number of a file is below 0, and only one above is missed',
  },
  {
    file: 'admin/table-check',
    line: `const place = file === undefined ? -1 : message.lastIndexOf(\` (\${file}\`);`,
    changes: ['file === undefined → false'],
    reason: 'without a file, no message names one called undefined',
  },
  { file: 'admin/repair', line: '#nextFile = 1;', changes: ['1 → 2', '1 → (0)'], reason: UNREAD },
]

/** What the writer of live.test.ts writes, and its reader expects. */

/** Keys of the ring: key k was last set by the newest batch whose number leaves k. */
export const RING = 300

/** At the beginning, in the middle and at the end of the order. */
export const COUNTERS: readonly string[] = ['a', 'ring/00150x', 'z']

export function ringKey(batch: number): string {
  return `ring/${digits(batch % RING).slice(3)}`
}

export function digits(number: number): string {
  return String(number).padStart(8, '0')
}

export function padding(batch: number): string {
  return '.'.repeat(500 + (batch % 7) * 100)
}

/** What is there after batch `last`. */
export function contentAfter(last: number): Map<string, string> {
  const content = new Map(COUNTERS.map((key) => [key, digits(last)]))
  for (let batch = Math.max(0, last - RING + 1); batch <= last; batch++) {
    content.set(ringKey(batch), digits(batch) + padding(batch))
  }
  return content
}

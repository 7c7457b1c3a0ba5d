/**
 * Delta debugging (Zeller and Hildebrandt's ddmin): from a list that fails, a shorter one that still fails, such that no
 * single element can be left out.
 */

/** Tries of a list at most: a finding should not take a campaign's time. */
const TRIES_MAX = 400

/**
 * @param list fails
 * @param fails whether a list fails in the same way; it is never asked about `list` itself
 */
export async function minimize<T>(list: readonly T[], fails: (list: readonly T[]) => Promise<boolean>): Promise<T[]> {
  let failing = [...list]
  let tries = 0
  for (let parts = 2; failing.length > 0 && tries < TRIES_MAX; ) {
    const shorter = await withoutOnePart(parts)
    if (shorter !== undefined) {
      failing = shorter
      parts = Math.max(2, parts - 1)
    } else if (parts < failing.length) {
      parts = Math.min(failing.length, parts * 2)
    } else {
      break
    }
  }
  return failing

  async function withoutOnePart(parts: number): Promise<T[] | undefined> {
    const length = Math.ceil(failing.length / parts)
    for (let begin = 0; begin < failing.length && tries < TRIES_MAX; begin += length) {
      const rest = [...failing.slice(0, begin), ...failing.slice(begin + length)]
      tries++
      if (await fails(rest)) return rest
    }
    return undefined
  }
}

/** What was thrown, in a few lines. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 600)
}

/** Plays another thread between two accesses of shared words. */

/** Run `work`, and `between` before its access number `at` of words by `Atomics[access]`. @returns how many there were */
export function interleaved(access: 'load' | 'store', at: number, between: () => void, work: () => void): number {
  const original = Atomics[access] as unknown as (...args: number[]) => number
  let count = 0
  const counting = (...args: number[]): number => {
    if (count++ === at) {
      Object.assign(Atomics, { [access]: original })
      between()
      Object.assign(Atomics, { [access]: counting })
    }
    return original(...args)
  }
  Object.assign(Atomics, { [access]: counting })
  try {
    work()
  } finally {
    Object.assign(Atomics, { [access]: original })
  }
  return count
}

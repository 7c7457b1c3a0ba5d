/**
 * Letting go of several things, where one that fails must not keep the others.
 */

/** Call every one of `closers`, in order. @throws the first error, after the last call */
export function closeAll(closers: Iterable<() => void>): void {
  let failure: unknown
  let hasFailed = false
  for (const close of closers) {
    try {
      close()
    } catch (error) {
      if (!hasFailed) failure = error
      hasFailed = true
    }
  }
  if (hasFailed) throw failure
}

/** As closeAll, while an error that matters more is on its way. */
export function closeQuietly(...closers: readonly (() => void)[]): void {
  try {
    closeAll(closers)
  } catch {
    // The other error is the one to report.
  }
}

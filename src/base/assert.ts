/**
 * Assertions: programmer errors, never operating errors. They stay on in production; a message is a constant string, so
 * that a passing assertion builds nothing.
 */

/** An internal invariant does not hold: a defect in varve itself. */
class AssertionError extends Error {
  override readonly name: string = 'AssertionError'
}

/** @throws AssertionError unless `condition` holds */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

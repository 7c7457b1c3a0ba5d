/**
 * Marks in V8's log where a round begins: by a function that is new to the compiler, and so is logged by its name.
 */
import { runInThisContext } from 'node:vm'
import { MARKER } from './v8-log.ts'

export function markRound(round: number): void {
  runInThisContext(`(function ${MARKER}${round}() { return ${round} })`)()
}

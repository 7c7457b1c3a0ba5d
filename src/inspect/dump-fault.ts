/**
 * What is wrong with a file, in the words of a dump.
 */
import { VarveError } from '../base/errors.ts'
import type { LogFault } from '../log/log-reader.ts'
import { showCount } from './figures.ts'

/** The line for the place where a log stops being well-formed. */
export function describeFault(fault: LogFault, fileBytes: number): string {
  const hint = fault.kind === 'cut-off' ? ' (as a write that was cut off leaves it)' : ''
  return `  @${fault.offset} fault: ${fault.reason}${hint}; ${showCount(fileBytes - fault.offset)} of ${showCount(fileBytes)} bytes follow`
}

/** What `read` returns, or the VarveError that it throws. Other errors are not for a dump to show. */
export function attempt<T>(read: () => T): T | VarveError {
  try {
    return read()
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
}

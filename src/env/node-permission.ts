/**
 * node-permission: what Node's permission model (`node --permission`) takes away from a database.
 *
 * It denies fsync and fdatasync to everybody, whatever was allowed (measured: 20.20.2, 22.23.3, 24.21.0, 26.10.0; earlier
 * releases of these lines permit them). Without them nothing can be promised, so nothing is begun: every change of files is
 * refused before it is made; but for LOCK, which holds no data, and is taken first. Reading needs none of it.
 */
import * as fs from 'node:fs'
import { NotSupportedError } from '../base/errors.ts'
import { codeOf } from './io-error.ts'

/** No process has so many files open. */
const NO_DESCRIPTOR = 2 ** 31 - 1

let isDenied: boolean | undefined

/** @throws NotSupportedError if this process may not sync what it writes */
export function requireSync(action: string, path: string): void {
  isDenied ??= isSyncDenied()
  if (!isDenied) return
  const why = "Node's permission model denies fsync to this process, so that nothing can be made durable"
  throw new NotSupportedError(`cannot ${action} ${path}: ${why}; readOnly works`, { file: path })
}

function isSyncDenied(): boolean {
  // Not in the types of the oldest Node that varve runs on.
  if ((process as { readonly permission?: unknown }).permission === undefined) return false
  try {
    fs.fsyncSync(NO_DESCRIPTOR)
    return false
  } catch (error) {
    return codeOf(error) === 'ERR_ACCESS_DENIED'
  }
}

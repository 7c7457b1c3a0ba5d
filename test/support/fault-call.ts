/**
 * What is said about the calls of a FaultEnvironment: which one is about to be made, and how it is to fail.
 */
export type FileOperation =
  | 'open'
  | 'read'
  | 'create'
  | 'append'
  | 'reserve'
  | 'sync'
  | 'close'
  | 'list'
  | 'status'
  | 'make-dir'
  | 'rename'
  | 'link'
  | 'remove'
  | 'sync-dir'
  | 'lock'
  | 'unlock'

/** A call that is about to be made. */
export interface FileCall {
  /** 0 for the first call of this environment. */
  readonly index: number
  readonly op: FileOperation
  /** As in the recorded lines; empty for the database's directory. */
  readonly path: string
}

export type FaultCode =
  | 'EIO'
  | 'ENOSPC'
  | 'EDQUOT'
  | 'EMFILE'
  | 'ENFILE'
  | 'ENOMEM'
  | 'EACCES'
  | 'EROFS'
  | 'ESTALE'
  | 'EXDEV'

/** How a call fails. */
export interface Fault {
  readonly code: FaultCode
  /** For an append: so many bytes are written before it fails. */
  readonly shortBytes?: number
}

export type FaultPredicate = (call: FileCall) => Fault | undefined

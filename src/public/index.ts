/**
 * varve: an embedded, write-optimised, ordered key-value store. This file is its whole public face.
 * @module varve
 */
export type { AdminOptions, AdminProgress } from '../admin/admin-options.ts'
export { type DestroyInfo, destroy } from '../admin/destroy.ts'
export { type RepairOptions, repair } from '../admin/repair.ts'
export type { GivenUp, RepairAction, RepairedFile, RepairReport } from '../admin/repair-report.ts'
export { type RestoreInfo, restore } from '../admin/restore.ts'
export { type VerifyOptions, verify } from '../admin/verify.ts'
export type { Finding, Severity, VerifiedFile, VerifyReport } from '../admin/verify-report.ts'
export type { KeyOrder } from '../base/comparator.ts'
export type {
  Clock,
  Codec,
  Codecs,
  DirectoryLock,
  Environment,
  FileKind,
  FileStatus,
  FileSystem,
  Port,
  Ports,
  RandomAccessFile,
  WorkerThread,
  WritableFile,
} from '../base/environment.ts'
export {
  AbortedError,
  AlreadyExistsError,
  ClosedError,
  CorruptionError,
  type ErrorCode,
  type ErrorDetails,
  InvalidArgumentError,
  IOError,
  LockedError,
  NotFoundError,
  NotSupportedError,
  ReadOnlyError,
  StaleError,
  StalledError,
  VarveError,
  type WriteOutcome,
} from '../base/errors.ts'
export type { FileType } from '../base/filename.ts'
export { MAX_BATCH_BYTES, MAX_KEY_BYTES, MAX_VALUE_BYTES } from '../base/limits.ts'
export { prefixRange } from '../base/prefix-range.ts'
export type { Bytes, Durability, FileNumber, SequenceNumber } from '../base/types.ts'
export { WriteBatch } from '../batch/write-batch.ts'
export type {
  CheckpointInfo,
  CompactOptions,
  CopyOptions,
  FlushOptions,
  Input,
  KeyRange,
  ReadOptions,
  WriteOptions,
} from '../db/call-options.ts'
export { DB } from '../db/db.ts'
export { open } from '../db/open.ts'
export type { Discarded, RecoveryInfo, ReplayedLog } from '../db/opening/recovery-info.ts'
export type { Options, RecoveryMode } from '../db/options.ts'
export type { Cursor } from '../db/read/cursor.ts'
export type { ExplainedLayer, ExplainedVersion, Explanation } from '../db/read/explanation.ts'
export type { Entry, Scan, SyncScan } from '../db/read/scan.ts'
export type { CursorOptions, ScanOptions } from '../db/read/scan-options.ts'
export type { Logger } from '../db/reports/event-log.ts'
export type {
  BackgroundErrorDetail,
  BackgroundWork,
  CompactionDetail,
  DamageDetail,
  DamagedFilterDetail,
  DBEvents,
  ErrorDetail,
  FlushDetail,
  StallDetail,
  StallReason,
} from '../db/reports/events.ts'
export type {
  LevelFigures,
  LogFigures,
  MemTableFigures,
  Stats,
  TableFigures,
  WriteFigures,
} from '../db/reports/stats.ts'
export type { Snapshot } from '../db/snapshot.ts'
export { type AttachOptions, attach } from '../db/threads/attach.ts'
export { DBReader } from '../db/threads/db-reader.ts'
export type { ShareHandle } from '../db/threads/share-handle.ts'
export { type NodeEnvironmentOptions, nodeEnvironment } from '../env/node-env.ts'
export { memoryEnvironment } from '../env/web-env.ts'
export type { Compression } from '../table/compression.ts'
export type { TablePlace } from '../table/table-place.ts'
export type { CompactionReason } from '../version/compaction-reason.ts'

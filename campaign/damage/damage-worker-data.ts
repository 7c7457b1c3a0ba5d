/**
 * What the threads of the damage campaign are told.
 */
export interface DamageData {
  readonly seed: number
}

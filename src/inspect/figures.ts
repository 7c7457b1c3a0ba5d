/**
 * Figures as people read them: counts with thousands separators, bytes in binary units.
 */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `1234567` → `1,234,567` */
export function showCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1,234 records`, `1 record` */
export function showPlural(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${showCount(count)} ${count === 1 ? noun : plural}`
}

/** `1536` → `1.5 KiB` */
export function showBytesCount(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1023.95 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}

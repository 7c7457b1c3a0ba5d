/**
 * StolenTime: how much of the processor time that programs wanted a virtual machine's host gave to other machines meanwhile
 * ("steal" in proc_stat(5)). It is in nobody's load average, lengthens whatever it meets, and alone makes a delay of the event
 * loop of 100 ms.
 */
import { readFileSync } from 'node:fs'

interface Jiffies {
  /** Ran, or wanted to. */
  readonly wanted: number
  readonly stolen: number
}

export class StolenTime {
  readonly #begin: Jiffies | undefined = readJiffies()

  /** Since this was made, of the time in which a program ran or wanted to: 0 to 1; undefined where the system does not say. */
  share(): number | undefined {
    const now = readJiffies()
    if (this.#begin === undefined || now === undefined) return undefined
    const wanted = now.wanted - this.#begin.wanted
    return wanted > 0 ? (now.stolen - this.#begin.stolen) / wanted : 0
  }
}

/** Behind "load average 1.23 when it began"; empty where nothing is known. */
export function tellStolen(share: number | undefined): string {
  if (share === undefined) return ''
  return `, ${(share * 100).toFixed(1)} % of the processor time wanted went to other machines of its host`
}

function readJiffies(): Jiffies | undefined {
  let text: string
  try {
    text = readFileSync('/proc/stat', 'latin1')
  } catch {
    return undefined
  }
  return jiffiesIn(text)
}

/** @param text of /proc/stat, whose first line is the sum of all processors: user, nice, system, idle, iowait, irq, softirq, steal */
export function jiffiesIn(text: string): Jiffies | undefined {
  const numbers = /^cpu +([\d ]+)/.exec(text)?.[1].trim().split(' ').map(Number)
  if (numbers === undefined || numbers.length < 8) return undefined
  const [user, nice, system, , , irq, softirq, stolen] = numbers
  return { wanted: user + nice + system + irq + softirq + stolen, stolen }
}

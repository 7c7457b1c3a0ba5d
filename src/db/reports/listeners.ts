/**
 * Listeners: who is told of a database's events. Functions are called with the details of the events of an EventTarget, and are kept by
 * type and function, so that they can be taken out again by these. A function that is added twice is there twice, as with an EventEmitter.
 * What happens while the database is being opened, when nobody can listen yet, is told after it.
 */
import type { Environment } from '../../base/environment.ts'

type Listener = (detail: never) => unknown

interface Added {
  readonly type: string
  readonly listener: Listener
  readonly handle: (event: Event) => void
}

export class Listeners {
  readonly #target: EventTarget
  readonly #added = new Set<Added>()
  #isOpening = true
  /** What has happened while it was opened, and is not told. */
  readonly #early: Event[] = []

  constructor(target: EventTarget) {
    this.#target = target
  }

  /** @returns a function that takes this one out, and does nothing once it is out */
  add(type: string, listener: Listener, once: boolean): () => void {
    const handle = (event: Event): void => {
      if (once) stop()
      listener((event as CustomEvent<never>).detail)
    }
    const added = { type, listener, handle }
    const stop = (): void => this.#remove(added)
    this.#added.add(added)
    this.#target.addEventListener(type, handle)
    return stop
  }

  /** Take out the function that was added last. */
  remove(type: string, listener: Listener): void {
    const added = [...this.#added].findLast((one) => one.type === type && one.listener === listener)
    if (added !== undefined) this.#remove(added)
  }

  /** Tell of an event, and of those that came before. */
  tell(event: Event): void {
    this.#early.push(event)
    if (!this.#isOpening) this.#tellAll()
  }

  /** From the next turn of the event loop on, whoever has opened the database can have listened. */
  opened(environment: Environment): void {
    this.#isOpening = false
    if (this.#early.length > 0) environment.soon(() => this.#tellAll())
  }

  #tellAll(): void {
    for (let next = this.#early.shift(); next !== undefined; next = this.#early.shift())
      this.#target.dispatchEvent(next)
  }

  #remove(added: Added): void {
    this.#added.delete(added)
    this.#target.removeEventListener(added.type, added.handle)
  }
}

/**
 * Output: what a command prints to stdout, gathered into large writes, one at a time, so that a slow reader slows the
 * command down instead of filling memory.
 */

const FLUSH_BYTES = 64 * 1024

export class Output {
  readonly #stream: NodeJS.WritableStream
  #parts: Uint8Array[] = []
  #bytes = 0

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
    // The write that failed is told by its callback; without a listener the process would end with a stack trace.
    stream.on('error', () => {})
  }

  /** Text is written as UTF-8. Wait for the promise, if there is one: much is waiting to be written then. */
  write(part: string | Uint8Array): Promise<void> | undefined {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    this.#parts.push(bytes)
    this.#bytes += bytes.length
    return this.#bytes >= FLUSH_BYTES ? this.flush() : undefined
  }

  /** Write what has been gathered. Rejects with the system's error. */
  flush(): Promise<void> {
    if (this.#bytes === 0) return Promise.resolve()
    const chunk = Buffer.concat(this.#parts)
    this.#parts = []
    this.#bytes = 0
    return new Promise((resolve, reject) => {
      this.#stream.write(chunk, (error) => (error ? reject(error) : resolve()))
    })
  }
}

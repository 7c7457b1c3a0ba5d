/**
 * StoppedChild: the process of an engine, stopped (SIGSTOP) but for when it is asked for something: its background threads work
 * in its own turns only, and all engines meet the same noise. The process says 'ready' when it is, answers every message with one,
 * and `close` with 'closed' (`serve`).
 */
import { type ChildProcess, fork } from 'node:child_process'

export class StoppedChild {
  readonly #process: ChildProcess
  #answer: (message: unknown) => void = () => {}
  #fail: (error: Error) => void = () => {}

  private constructor(child: ChildProcess) {
    this.#process = child
    child.on('message', (message) => this.#answer(message))
    const kill = (): boolean => child.kill('SIGKILL')
    process.once('exit', kill)
    child.on('exit', (status, signal) => {
      process.removeListener('exit', kill)
      this.#fail(new Error(`the process of an engine ended before its answer: ${signal ?? status}`))
    })
  }

  /** @param spec the script's argument, as JSON */
  static async start(script: string, spec: object, execPath: string = process.execPath): Promise<StoppedChild> {
    const child = new StoppedChild(fork(script, [JSON.stringify(spec)], { execPath, execArgv: ['--expose-gc'] }))
    await child.#nextAnswer()
    return child
  }

  /** End it, whatever it is doing: for who gives up. */
  kill(): void {
    this.#process.kill('SIGKILL')
  }

  ask(message: unknown): Promise<unknown> {
    this.#process.kill('SIGCONT')
    this.#process.send(message as object)
    return this.#nextAnswer()
  }

  async #nextAnswer(): Promise<unknown> {
    const answer = await new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
    })
    if (answer !== 'closed') this.#process.kill('SIGSTOP')
    return answer
  }
}

/** In the process: answer what it is asked for, until it is told to close. */
export function serve<Request>(take: (request: Request) => Promise<unknown>, close: () => Promise<void>): void {
  process.on('message', (request: Request | 'close') => {
    const answer = request === 'close' ? close().then(() => 'closed') : take(request)
    answer.then(
      (result) => {
        process.send?.(result)
        if (request === 'close') process.disconnect()
      },
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.send?.('ready')
}

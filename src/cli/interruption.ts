/**
 * Interruption: a command that is ended by a signal (Ctrl+C) puts right what it has begun, and then ends by that signal.
 */

/** What ends a command in a terminal, or a service. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Run to the end; a signal of the system aborts the one that `run` gets, and ends the process once `run` has settled. */
export async function interruptible<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  let received: NodeJS.Signals | undefined
  const abort = (name: NodeJS.Signals): void => {
    received = name
    controller.abort()
  }
  for (const name of SIGNALS) process.once(name, abort)
  try {
    return await run(controller.signal)
  } finally {
    for (const name of SIGNALS) process.off(name, abort)
    if (received !== undefined) process.kill(process.pid, received)
  }
}

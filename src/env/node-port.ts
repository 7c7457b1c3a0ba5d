/**
 * NodePort: one end of a channel of node:worker_threads. It keeps its thread alive only while told to. What is posted is in
 * the other end's queue when `post` returns, and can be taken there by hand (receiveMessageOnPort) while no event gets in.
 */
import { MessageChannel, MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Port, Ports } from '../base/environment.ts'

/** What `transferList` takes. */
export type TransferablePort = MessagePort

export const nodePorts: Ports = {
  open() {
    const { port1, port2 } = new MessageChannel()
    return { near: new NodePort(port1), far: port2 }
  },
  adopt: (far) => (far instanceof MessagePort ? new NodePort(far) : undefined),
}

class NodePort implements Port {
  readonly #port: MessagePort
  #keep = false

  constructor(port: MessagePort) {
    this.#port = port
    // A message that cannot be read would be waited for in vain.
    port.on('messageerror', () => port.close())
    port.unref()
  }

  post(message: unknown): void {
    this.#port.postMessage(message)
  }

  onMessage(handler: (message: unknown) => void): void {
    this.#port.on('message', handler)
    // Listening makes Node keep the thread alive.
    this.keepAlive(this.#keep)
  }

  onClose(handler: () => void): void {
    this.#port.on('close', handler)
  }

  receiveNow(): unknown {
    return receiveMessageOnPort(this.#port)?.message
  }

  keepAlive(keep: boolean): void {
    this.#keep = keep
    if (keep) this.#port.ref()
    else this.#port.unref()
  }

  close(): void {
    this.#port.close()
  }
}

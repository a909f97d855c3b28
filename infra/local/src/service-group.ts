import { z } from 'zod'
import type { ChildOptions } from './child.ts'
import { choosePorts, type Ports } from './ports.ts'
import { forgetProcesses, recordProcesses } from './processes.ts'
import { Service } from './service.ts'

export interface GroupOptions {
  directory: string
  restart: boolean
  report: (news: string) => void
  onLine: ((name: string, line: string) => void) | undefined
}

const portTriesMax = 3

// Node's code; the words of PostgreSQL and Redis.
const portTaken = /EADDRINUSE|address already in use/i

/** The server behind a process that only guards one says its own pid, too. */
const Guarded = z.looseObject({ pid: z.number() })

/** The processes of one installation: recorded while they run, ended in an order. */
export class ServiceGroup {
  readonly #options: GroupOptions
  // By rank: lower ranks depend on higher ones and end before them.
  readonly #services: { rank: number; service: Service }[] = []
  #recording: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: GroupOptions) {
    this.#options = options
  }

  /** Starts a process; those of a lower rank end first. */
  async start(child: ChildOptions, rank: number): Promise<Service> {
    if (this.#isStopped) throw new Error('it was stopped')
    const { restart, report, onLine } = this.#options
    const service = new Service({
      child: { ...child, onLine: (line) => onLine?.(child.name, line) },
      restart,
      report,
      onChange: () => this.#record(),
    })
    this.#services.push({ rank, service })
    await service.start()
    // Only then is it certain that a later run finds it, should this one be killed.
    await this.#recording
    return service
  }

  /**
   * Starts a process that listens, on these ports or on others: between the look and the use somebody
   * may have taken one. Says which ports it has.
   */
  async startOn(
    ports: Ports,
    programOf: (ports: Ports) => ChildOptions | Promise<ChildOptions>,
    rank: number,
  ): Promise<{ service: Service; ports: Ports }> {
    for (let triesLeft = portTriesMax, tried = ports; ; triesLeft -= 1) {
      try {
        return { service: await this.start(await programOf(tried), rank), ports: tried }
      } catch (error) {
        const isTaken = error instanceof Error && portTaken.test(error.message)
        if (!isTaken || triesLeft === 0) throw error
        tried = await choosePorts('free', ports.workers.length)
      }
    }
  }

  /** Ends all, rank by rank, so that nobody loses what it still needs. */
  async stop(): Promise<void> {
    this.#isStopped = true
    const ranks = [...new Set(this.#services.map(({ rank }) => rank))].sort((a, b) => a - b)
    for (const rank of ranks) {
      const same = this.#services.filter((entry) => entry.rank === rank)
      await Promise.all(same.map(({ service }) => service.stop()))
    }
    await this.#recording
    await forgetProcesses(this.#options.directory)
  }

  #record(): void {
    const running = this.#services
      .toSorted((a, b) => a.rank - b.rank)
      .flatMap(({ service: { name, child } }) => {
        if (!child) return []
        const guarded = Guarded.safeParse(child.ready).data
        return [{ name, pid: child.pid }, ...(guarded ? [{ name, pid: guarded.pid }] : [])]
      })
    this.#recording = this.#recording
      .then(() => recordProcesses(this.#options.directory, running))
      .catch((error: Error) => this.#options.report(`processes.json: ${error.message}`))
  }
}

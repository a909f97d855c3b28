import { isRepeatable } from './connect.ts'

/** Another process wrote a row first that this one found nowhere: begin anew. */
export class RacedError extends Error {
  constructor() {
    super('another process wrote the same row first')
    this.name = 'RacedError'
  }
}

// Each try that fails found that another process had come first: as many as that may be.
const triesMax = 20

/** Runs a transaction again where another process came first, or PostgreSQL asks for it. */
export async function withRaces<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const mayRepeat = error instanceof RacedError || isRepeatable(error)
      if (!mayRepeat || attempt >= triesMax) throw error
    }
  }
}

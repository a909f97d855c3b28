import { nameOf, readOperations } from './documents.ts'
import type { Failure } from './failure.ts'
import { problemSchema } from './judge.ts'
import { watchSlowRequests } from './raw-run.ts'
import { Rounds } from './round.ts'
import { alwaysRefused, type TallyRow } from './tally.ts'
import type { Target } from './target.ts'

export interface FuzzOptions {
  target: Target
  seed: string
  count: number
  /** Only operations whose `service METHOD /path` holds this text. */
  only?: string | undefined
  /** Only the case of this number. */
  case?: number | undefined
  /** Whether half a request is left lying until the services end it: some 15 s. */
  slow: boolean
  onProgress?: (done: number) => void
  /** Ends the run after the present round. */
  signal?: AbortSignal | undefined
}

export interface FuzzResult {
  requests: number
  seconds: number
  slowestMs: number
  rows: TallyRow[]
  failures: Failure[]
  /** What is wrong and cannot be laid to one request, in words. */
  faults: string[]
  ok: boolean
}

const roundSize = 500
const rawShare = 0.015

/** Sends `count` requests, nearly all of them bad, and judges each answer and what is stored. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { target, seed, only = '' } = options
  const all = [
    ...(await readOperations('registry', target.origins.registry)),
    ...(await readOperations('sender', target.origins.sender)),
  ]
  const operations = all.filter((operation) => nameOf(operation).includes(only))
  if (operations.length === 0) throw new Error(`no operation has "${only}" in its name`)
  const judge = { problem: problemSchema(all), secrets: target.secrets }
  const rounds = new Rounds({ target, seed, operations, judge })
  const began = performance.now()
  let requests = 1
  try {
    if (options.case === undefined) {
      const slow = options.slow ? watchSlowRequests(target) : Promise.resolve([])
      requests = await runAll(rounds, options)
      rounds.faults.push(...(await slow), ...alwaysRefused(rounds.tally.rows()))
    } else {
      const isRaw = isRawNumber(options.case)
      await rounds.run(isRaw ? [] : [options.case], isRaw ? [options.case] : [])
    }
    rounds.faults.push(...(await afterwards(target)), ...target.logFaults())
  } finally {
    rounds.close()
  }
  const { failures, faults, slowestMs } = rounds
  return {
    requests,
    seconds: (performance.now() - began) / 1000,
    slowestMs,
    rows: rounds.tally.rows(),
    failures,
    faults,
    ok: failures.length === 0 && faults.length === 0,
  }
}

/** All rounds, as long as nobody ends them. Returns how many requests there were. */
async function runAll(rounds: Rounds, { count, onProgress, signal }: FuzzOptions): Promise<number> {
  let done = 0
  while (done < count && !signal?.aborted) {
    const length = Math.min(roundSize, count - done)
    const first = done
    const numbers = Array.from({ length }, (_, index) => first + index)
    const isPlain = (number: number) => !isRawNumber(number)
    await rounds.run(numbers.filter(isPlain), numbers.filter(isRawNumber))
    done += length
    onProgress?.(done)
  }
  return done
}

/** Spread evenly, and the same in each run. */
function isRawNumber(number: number): boolean {
  return (number * 7919) % 1000 < rawShare * 1000
}

/** Whatever has been tried, both services still answer a good request. */
async function afterwards({ origins, known }: Target): Promise<string[]> {
  const [phone] = known.phones
  if (!phone) return []
  const { token, platform, person } = phone
  const headers = { authorization: `Bearer ${known.secretKey}`, 'content-type': 'application/json' }
  const call = async (method: string, url: string, body: unknown) =>
    (await fetch(url, { method, headers, body: JSON.stringify(body) })).status
  const statuses = [
    await call('PUT', `${origins.registry}/v1/devices/${encodeURIComponent(token)}`, {
      platform,
      person_id: person,
    }),
    await call('POST', `${origins.sender}/v1/messages`, {
      to: { person_id: person },
      content: { title: 'Still there' },
    }),
    (await fetch(`${origins.registry}/health/ready`)).status,
    (await fetch(`${origins.sender}/health/ready`)).status,
  ]
  const isWell = statuses.every((status) => status < 300)
  return isWell ? [] : [`afterwards good requests were answered ${statuses.join(', ')}`]
}

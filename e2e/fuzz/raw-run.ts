import { createRandom } from '../random.ts'
import { draftOf } from './case.ts'
import { type Conversation, converse } from './conversation.ts'
import type { Operation, ServiceName } from './documents.ts'
import type { Failure } from './failure.ts'
import { textOf } from './json-tree.ts'
import { type RawBase, type RawCase, rawCase } from './raw-cases.ts'
import { type Target, withoutSecrets } from './target.ts'
import { validModel } from './valid.ts'

export interface RawRun {
  answers: { service: ServiceName; status: number | string }[]
  failures: Failure[]
}

const parallel = 4
/** A hang would last until the server's own limit for a request, 30 s. */
const timeoutMs = 5000
const quietMs = 40

/** Conversations over plain sockets, each on a connection of its own. */
export async function runRawCases(
  target: Target,
  operations: readonly Operation[],
  seed: string,
  numbers: readonly number[],
): Promise<RawRun> {
  const run: RawRun = { answers: [], failures: [] }
  const bases = operations.filter(({ body }) => body?.isRequired)
  if (bases.length === 0) return run
  const waiting = numbers.values()
  const lane = async () => {
    for (const number of waiting) {
      const random = createRandom(seed, number, 'raw')
      const operation = random.pick(bases)
      const { service } = operation
      const base = baseOf(target, operation, seed, number)
      const one = rawCase(base, random)
      const { pieces, halfClose } = one
      const conversation = await converse(target.origins[service], pieces, {
        timeoutMs,
        quietMs,
        halfClose,
      })
      for (const { status } of conversation.answers) run.answers.push({ service, status })
      if (conversation.answers.length === 0) run.answers.push({ service, status: conversation.end })
      const faults = faultsOf(one, conversation)
      if (faults.length === 0) continue
      const sent = Buffer.concat(pieces).toString('latin1').slice(0, 500)
      run.failures.push({
        number,
        operation: `${service} raw sockets`,
        what: one.what,
        faults,
        reproduction: JSON.stringify(withoutSecrets(sent, target.secrets)),
      })
    }
  }
  await Promise.all(Array.from({ length: parallel }, lane))
  return run
}

function baseOf(target: Target, operation: Operation, seed: string, number: number): RawBase {
  const model = validModel(operation, target.known, createRandom(seed, number, 'base'))
  return {
    method: operation.method,
    target: draftOf(model).target,
    host: new URL(target.origins[operation.service]).host,
    authorization: `Bearer ${target.known.secretKey}`,
    body: ascii(model.body ? textOf(model.body) : '{}'),
  }
}

/** As many bytes as letters, so that a spoiled length is wrong by as much as it says. */
function ascii(json: string): string {
  return json.replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function faultsOf(one: RawCase, { answers, end, isHttp, ms }: Conversation): string[] {
  const odd = answers.map(({ status }) => status).filter((status) => !one.statuses.includes(status))
  const plain = answers.filter(({ status, headers }) => {
    const type = headers['content-type'] ?? ''
    // The dialects have their original's errors.
    return status >= 400 && !/^application\/(problem\+)?json\b/.test(type)
  })
  return [
    ...(isHttp ? [] : ['what came is no HTTP']),
    ...(odd.length > 0 ? [`answered ${odd.join(', ')}`] : []),
    ...(plain.length > 0 && !one.isBare
      ? [`${plain[0]?.status} without a problem as its body`]
      : []),
    ...(answers.length < one.answersMin
      ? [
          `${answers.length} answers instead of ${one.answersMin}, ${end} after ${Math.round(ms)} ms`,
        ]
      : []),
    ...(one.halfClose && end === 'open' ? ['the connection stayed open'] : []),
  ]
}

/** Longer than the services' limit for headers and the pause between two looks at it. */
const slowLimitMs = 20_000

/** Requests that never get further: the services have to end them by themselves, with 408. */
export async function watchSlowRequests({ origins }: Target): Promise<string[]> {
  const watches = Object.entries(origins).map(async ([service, origin]) => {
    const half = Buffer.from('GET /health/live HTTP/1.1\r\nhost: x\r\nx-slow: ')
    const options = { timeoutMs: slowLimitMs, quietMs: 1000, halfClose: false }
    const { answers, end } = await converse(origin, [half], options)
    if (end === 'open' && answers.length === 0) return [`${service}: half a request was kept open`]
    const statuses = answers.map(({ status }) => status)
    return statuses.every((status) => status === 408)
      ? []
      : [`${service}: half a request got ${statuses}`]
  })
  return (await Promise.all(watches)).flat()
}

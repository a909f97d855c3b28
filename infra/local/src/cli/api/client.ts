import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import { localDirectory } from '../../directory.ts'
import { readLocal } from '../../local.ts'
import { Failure } from '../failure.ts'
import type { Env } from '../session.ts'

type Service = 'registry' | 'sender'

const names: Record<Service, { called: string; variable: string }> = {
  registry: { called: 'token registry', variable: 'PUSHKEEP_REGISTRY_URL' },
  sender: { called: 'push sender', variable: 'PUSHKEEP_SENDER_URL' },
}

export interface Call {
  body?: unknown
  headers?: Record<string, string>
  /** How the command line calls what the API names in a problem, by the beginning of its path. */
  argumentOf?: Readonly<Record<string, string>>
  /** Whether it may be repeated where nobody answers, or not now. */
  mayRepeat?: boolean
}

/** The HTTP API of an installation, as its backends use it. */
export interface Api {
  registry(method: string, path: string, call?: Call): Promise<unknown>
  sender(method: string, path: string, call?: Call): Promise<unknown>
  /** What a GET of the sender answers, as a stream, however long it is. */
  senderStream(path: string, call?: Call): Promise<ReadableStream<Uint8Array>>
}

const timeoutMs = 30_000
const triesMax = 4

/** Calls the services of the environment, or of the installation that runs here. */
export async function connectApi(env: Env): Promise<Api> {
  const local = await readLocal(localDirectory(env))
  const key = env.PUSHKEEP_SECRET_KEY || local?.secret_key
  if (!key) throw new Failure('no key: set PUSHKEEP_SECRET_KEY, or run ./scripts/start first')
  const urlOf = (service: Service) => {
    const { variable } = names[service]
    const url = env[variable] || (service === 'registry' ? local?.registry_url : local?.sender_url)
    if (!url) throw new Failure(`no address: set ${variable}, or run ./scripts/start first`)
    if (!URL.canParse(url)) throw new Failure(`${variable} is not a URL`)
    return url.replace(/\/$/, '')
  }
  const caller =
    (service: Service) =>
    (method: string, path: string, call: Call = {}) =>
      request({ service, url: urlOf(service), key, method, path, call })
  const senderStream = (path: string, call: Call = {}) =>
    stream({ service: 'sender', url: urlOf('sender'), key, method: 'GET', path, call })
  return { registry: caller('registry'), sender: caller('sender'), senderStream }
}

interface Request {
  service: Service
  url: string
  key: string
  method: string
  path: string
  call: Call
}

async function request(to: Request): Promise<unknown> {
  const tries = to.call.mayRepeat ? triesMax : 1
  for (let attempt = 1; ; attempt += 1) {
    const answer = await attemptOf(to)
    const isFinal = answer.kind === 'answered' && answer.status !== 503
    if (isFinal || attempt >= tries) return outcomeOf(to, answer)
    await wait(attempt * 500)
  }
}

async function stream(to: Request): Promise<ReadableStream<Uint8Array>> {
  const headers = { authorization: `Bearer ${to.key}`, ...to.call.headers }
  let response: Response
  try {
    response = await fetch(to.url + to.path, { headers })
  } catch (error) {
    throw failureOf(to, { kind: 'silent', code: codeOf(error) })
  }
  if (response.ok && response.body) return response.body
  throw failureOf(to, { kind: 'answered', status: response.status, text: await response.text() })
}

type Attempt = { kind: 'answered'; status: number; text: string } | { kind: 'silent'; code: string }

async function attemptOf({ url, key, method, path, call }: Request): Promise<Attempt> {
  const { body, headers } = call
  try {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { kind: 'answered', status: response.status, text: await response.text() }
  } catch (error) {
    return { kind: 'silent', code: codeOf(error) }
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if (error.name === 'TimeoutError') return 'no answer within 30 s'
  const { cause } = error
  return cause instanceof Error && 'code' in cause ? String(cause.code) : error.name
}

const Problem = z.looseObject({
  detail: z.string().optional(),
  title: z.string().optional(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
})

function outcomeOf(to: Request, answer: Attempt): unknown {
  if (answer.kind === 'answered' && answer.status >= 200 && answer.status < 300) {
    return answer.text === '' ? null : JSON.parse(answer.text)
  }
  throw failureOf(to, answer)
}

function failureOf({ service, url, call }: Request, answer: Attempt): Failure {
  const { called, variable } = names[service]
  if (answer.kind === 'silent') {
    return new Failure(`the ${called} at ${url} does not answer (${answer.code}): see ${variable}`)
  }
  const { status, text } = answer
  if (status === 401)
    return new Failure(`the ${called} does not know the key: see PUSHKEEP_SECRET_KEY`)
  return problemOf(text, status, call.argumentOf ?? {})
}

function problemOf(text: string, status: number, argumentOf: Readonly<Record<string, string>>) {
  const problem = Problem.safeParse(parseJson(text)).data
  const errors = problem?.errors ?? []
  const said = [
    ...new Set(errors.map(({ path, message }) => `${argument(path, argumentOf)} ${message}`)),
  ]
  const message =
    said.length > 0 ? said.join('; ') : (problem?.detail ?? problem?.title ?? `HTTP ${status}`)
  return new Failure(message, said.length > 0 ? 2 : 1)
}

/** What the command line calls a path, by its longest beginning that is known. */
function argument(path: string, argumentOf: Readonly<Record<string, string>>): string {
  const known = Object.keys(argumentOf)
    .filter((start) => path === start || path.startsWith(`${start}.`))
    .sort((one, other) => other.length - one.length)[0]
  return known === undefined ? path : `${argumentOf[known]}${path.slice(known.length)}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

import { escapeLines } from '@pushkeep/domain'
import { type DestinationStream, destination, type Logger, pino } from 'pino'

export type { Logger }

export interface LoggerOptions {
  name: string
  level: string
  /** Where lines go; stdout if left out. */
  stream?: DestinationStream
}

const secretKeys = new Set(['authorization', 'token', 'tokens', 'attributes', 'password', 'secret'])

// What may stand inside somebody else's message: 64 and more hex digits, an FCM token, our keys, an
// address of e-mail or a URL's user and password.
const secretLike =
  /[0-9a-fA-F]{64,}|[A-Za-z0-9_-]{8,}:APA91[A-Za-z0-9_-]+|(?:\bpushkeep_|\b)[ps]k_[A-Za-z0-9_-]{16,}|[^\s@"'<>()]+@[\w-]+(?:\.[\w-]+)+/g

/** Text with everything left out that looks like a token, a key or an address. */
export function scrub(text: string): string {
  return text.replace(secretLike, '[secret]')
}

/**
 * What is logged of an error. Messages of PostgreSQL's class 22 (data exceptions) and the `detail`
 * of any repeat the data itself, so that only their code and place are kept.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = 'code' in error ? String(error.code) : undefined
  const isAboutData = code !== undefined && /^22[0-9A-Z]{3}$/.test(code)
  return {
    type: error.name,
    code,
    message: isAboutData ? '[left out]' : scrub(error.message),
    constraint: 'constraint' in error ? error.constraint : undefined,
    stack: scrub(framesOf(error)),
    cause: error.cause === undefined ? undefined : describeError(error.cause),
  }
}

/** The stack without its first lines, which repeat the message. */
function framesOf(error: Error): string {
  const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []
  return frames.join('\n')
}

/** How deep a logged object is looked through; what lies deeper is left out. */
const depthMax = 5

/**
 * Masks values by the names of their keys, at any depth. Done here and not by pino's `redact`, whose
 * wildcards took 9 % of a registration.
 */
function mask(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value
  // A date, or a `Secret`: what it says of itself may be said.
  if ('toJSON' in value) return value
  if (depth > depthMax) return '[too deep]'
  if (Array.isArray(value)) return value.map((item) => mask(item, depth + 1))
  return maskKeys(value, depth)
}

function maskKeys(value: object, depth: number): Record<string, unknown> {
  const masked: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    masked[key] = secretKeys.has(key) ? '[secret]' : mask(inner, depth + 1)
  }
  return masked
}

/** A structured logger (JSON lines) that writes no token, key or attribute. */
export function createLogger({ name, level, stream }: LoggerOptions): Logger {
  return pino(
    {
      name,
      level,
      base: { name },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (object) => maskKeys(object, 1),
      },
      serializers: { err: describeError, error: describeError },
      // JSON leaves C1 and what turns the direction of text as they are: a terminal would obey them.
      hooks: { streamWrite: escapeLines },
    },
    // Lines are gathered: under load one write takes many.
    stream ?? destination({ dest: 1, sync: false, minLength: 15_000, periodicFlush: 100 }),
  )
}

import { isIP } from 'node:net'
import { inspect } from 'node:util'
import { z } from 'zod'
import { hostList } from './own-host.ts'
import { withSecretFiles } from './secret-files.ts'

/** A value that prints `[secret]` wherever it is written, and that only `reveal` gives away. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}

/** A variable whose value must never be printed. */
export function secret() {
  return z
    .string('is required')
    .min(1, 'is required')
    .transform((value) => new Secret(value))
}

/** A whole number in decimal digits. */
export function integer(range: { min: number; max: number }) {
  return z
    .string('is required')
    .regex(/^-?\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .refine(
      (value) => value >= range.min && value <= range.max,
      `must be between ${range.min} and ${range.max}`,
    )
}

/** `true` or `false`. */
export function flag() {
  return z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true')
}

/** A TCP port; 0 takes any that is free. */
export function port() {
  return integer({ min: 0, max: 65_535 })
}

/** The port of a service's operations listener: ten above its own, unless one is given. */
export function operationsPort(given: number | undefined, own: number): number {
  return given ?? (own === 0 ? 0 : Math.min(own + 10, 65_535))
}

const namedNetworks = new Set(['loopback', 'linklocal', 'uniquelocal'])

/** Addresses and networks by commas, such as `10.0.0.0/8, loopback`. */
export function addressList() {
  return z
    .string()
    .refine(
      (text) => text.split(',').every((part) => isAddress(part.trim())),
      'must be addresses, networks (10.0.0.0/8), loopback, linklocal or uniquelocal, by commas',
    )
}

function isAddress(text: string): boolean {
  const [address = '', bits] = text.split('/')
  const version = isIP(address)
  if (bits === undefined) return version > 0 || namedNetworks.has(text)
  const bitsMax = version === 4 ? 32 : 128
  return version > 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** How much is logged. */
export function logLevel() {
  return z.enum(logLevels, `must be one of ${logLevels.join(', ')}`)
}

/** Variables that each service has. An empty variable counts as unset. */
export const databaseConfig = {
  OPERATIONS_HOSTS: hostList().prefault(''),
  DATABASE_URL: secret(),
  DATABASE_CONNECTIONS: integer({ min: 1, max: 500 }).prefault('10'),
}

/**
 * Reads a process's configuration from its environment; each variable may stand in a file instead, which
 * `NAME_FILE` names. Throws one error that names every variable
 * that is wrong, and never a value.
 */
export function readConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: Record<string, string | undefined>,
): z.output<Schema> {
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
  const read = withSecretFiles(env, names)
  const set = Object.fromEntries(Object.entries(read).filter(([, value]) => value !== ''))
  const result = schema.safeParse(set)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`)
  throw new Error(`The configuration is wrong:\n${problems.join('\n')}`)
}

import { parseRate, type Rate } from '@pushkeep/domain'
import { z } from 'zod'
import { integer } from '../config.ts'

/** Most buckets of one limit, where nobody says otherwise. */
export const usualBucketsMax = 50_000

/** Each limit by its name, as settings have it when nobody says otherwise (docs/api.md, "Limits"). */
const defaults = {
  /** Calls of a public key from one address. A network of many phones may share one. */
  address: '100/s burst 1000',
  /** Calls of a public key from everywhere. */
  public_key: '2000/s burst 20000',
  /** Calls of a secret key, wherever they come from. */
  secret_key: '3000/s burst 60000',
  /** Calls of the console by one key. */
  console: '50/s burst 500',
  /** What public keys write about one person. */
  person: '1/s burst 60',
  /** What public keys write about one token. */
  device: '1/s burst 60',
  /** Events about one person, from public keys. */
  person_events: '5000/d',
  /** Events of one workspace, from every key. */
  workspace_events: '10000000/d',
  /** Messages of one workspace. */
  messages: '1000/s burst 10000',
  /** People and tokens that the messages of one workspace name. */
  recipients: '20000/s burst 1000000',
  /** Wrong keys and identity tokens that do not hold, from one address. */
  refusals: '1/s burst 100',
  /** Keys from one address that did not open the console. */
  sign_ins: '10/m',
  /** Bytes of bodies from one address, of calls whose key is in the body. */
  keyless_bytes: '1000000/s burst 5000000',
} as const

export type LimitName = keyof typeof defaults
export const limitNames = Object.keys(defaults).filter(isLimitName)

function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(defaults, name)
}

/** What each limit allows; null: it is off. */
export type Rates = Readonly<Record<LimitName, Rate | null>>

/** How many buckets of one limit a process keeps in memory, some 200 bytes each. */
export function limitBuckets() {
  return integer({ min: 100, max: 10_000_000 }).prefault(String(usualBucketsMax))
}

/** Limits that a process of this kind counts, as the variables of its environment. */
export function limitConfig<Name extends LimitName>(...names: Name[]) {
  const entries = names.map((name) => [variableOf(name), rate(defaults[name])])
  return Object.fromEntries(entries) as Record<Variable<Name>, z.ZodType<Rate | null>>
}

type Variable<Name extends LimitName> = `LIMIT_${Uppercase<Name>}`

function variableOf(name: LimitName): string {
  return `LIMIT_${name.toUpperCase()}`
}

function rate(usual: string) {
  return z
    .string()
    .default(usual)
    .transform((text, context) => {
      const read = parseRate(text)
      if (read !== undefined) return read
      context.addIssue('must be a rate such as 100/s burst 1000, 10/m or 5000/d, or 0 for none')
      return z.NEVER
    })
}

/** The limits that a configuration names; what it does not name is off. */
export function ratesOf(config: Partial<Record<Variable<LimitName>, Rate | null>>): Rates {
  const given: Record<string, Rate | null | undefined> = config
  const entries = limitNames.map((name) => [name, given[variableOf(name)] ?? null])
  return Object.fromEntries(entries) as Rates
}

/** The limits where nobody says otherwise. */
export const usualRates: Rates = Object.fromEntries(
  limitNames.map((name) => [name, parseRate(defaults[name]) ?? null]),
) as Rates

/** No limit at all. */
export const noRates: Rates = Object.fromEntries(limitNames.map((name) => [name, null])) as Rates

/** The environment of a process without limits, for benches and tests that send from one address. */
export const noLimits: Record<string, string> = Object.fromEntries(
  limitNames.map((name) => [variableOf(name), '0']),
)

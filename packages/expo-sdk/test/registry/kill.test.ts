import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { callsOf, expectedOf } from './phone-calls.ts'
import { type Registry, startRegistry } from './registry.ts'

const program = fileURLToPath(new URL('phone-process.ts', import.meta.url))
let registry: Registry
let folder: string

beforeAll(async () => {
  registry = await startRegistry()
  folder = await mkdtemp(join(tmpdir(), 'pushkeep-phone-'))
})

afterAll(async () => {
  await registry[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

interface Life {
  /** The last call that it said was stored; one less than the first if none. */
  stored: number
  isOver: boolean
}

/** Runs the app from a call on, until it is killed with -9 during a later one. */
function live(
  first: number,
  seed: string,
  count: number,
  dieAt: number,
  ms: number,
): Promise<Life> {
  const { url } = registry.network
  const numbers = [first, count].map(String)
  const child = spawn(
    process.execPath,
    [program, url, registry.publicKey, join(folder, seed), ...numbers, seed, `${dieAt}`, `${ms}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk
  })
  return new Promise((resolve) =>
    child.on('close', () => {
      const lines = printed.trim().split('\n')
      const stored = lines.filter((line) => /^\d+$/.test(line)).map(Number)
      resolve({ stored: stored.at(-1) ?? first - 1, isOver: lines.at(-1) === 'end' })
    }),
  )
}

test('an app that is killed again and again loses nothing that was stored, and doubles nothing', async () => {
  const seed = 'killed'
  const count = 70
  const calls = callsOf(seed, count)
  /** Calls during which it was killed: they may count, or not. */
  const inDoubt: number[] = []
  let first = 0
  let kills = 0
  for (;;) {
    // Every third life, the registry hears and its answers are lost.
    registry.network.state = kills % 3 === 2 ? 'deaf' : 'up'
    const { stored, isOver } = await live(first, seed, count, first + 4 + (kills % 5), kills % 7)
    if (isOver) break
    kills += 1
    inDoubt.push(stored + 1)
    first = Math.min(stored + 2, count)
  }
  registry.network.state = 'up'
  await live(count, seed, count, -1, 0)
  expect(kills).toBeGreaterThan(7)

  // A call during which it was killed counts or does not; everything else is certain.
  const stored = await storedOf(seed, calls)
  const isFair = subsets(inDoubt).some((missing) => {
    const made = calls.filter((_, number) => !missing.has(number))
    return JSON.stringify(expectedNow(seed, made)) === JSON.stringify(stored)
  })
  if (!isFair) expect(stored).toEqual(expectedNow(seed, calls))
}, 120_000)

const peopleOf = (seed: string) => [`${seed}-ana`, `${seed}-ben`]

/** What the registry has of the phone's people and of its device. */
async function storedOf(seed: string, calls: ReturnType<typeof callsOf>) {
  const people = await Promise.all(
    peopleOf(seed).map(async (id) => ({
      events: await registry.events(id),
      attributes: Object.keys((await registry.person(id))?.attributes ?? {}).sort(),
    })),
  )
  const tokens = calls.flatMap(({ what }) => (what.kind === 'token' ? [what.token] : []))
  const devices = (await Promise.all(tokens.map(registry.device))).filter(Boolean)
  return {
    people,
    devices: devices.map(({ id, person_id, attributes }) => ({
      token: id,
      person: person_id,
      attributes: Object.keys(attributes)
        .filter((name) => name.startsWith(seed))
        .sort(),
    })),
  }
}

/** The same, as it should be. */
function expectedNow(seed: string, calls: ReturnType<typeof callsOf>) {
  const { person, token, events, attributes, deviceAttributes } = expectedOf(calls)
  return {
    people: peopleOf(seed).map((id) => ({
      events: events.get(id) ?? [],
      attributes: (attributes.get(id) ?? []).sort(),
    })),
    devices: token === null ? [] : [{ token, person, attributes: deviceAttributes.sort() }],
  }
}

/** All ways in which some of these are missing. */
function subsets(numbers: readonly number[]): Set<number>[] {
  return numbers.reduce<Set<number>[]>(
    (all, number) => all.flatMap((one) => [one, new Set([...one, number])]),
    [new Set()],
  )
}

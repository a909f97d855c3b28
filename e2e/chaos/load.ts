import { setTimeout as sleep } from 'node:timers/promises'
import { type Phone, tokenOf, type World } from './world.ts'

export interface Crowd {
  /** Each with one phone that stays theirs: what is sent to them must arrive. */
  steady: { person: string; phone: Phone }[]
  /** Phones that change hands, and the people who have them. */
  wandering: Phone[]
  people: string[]
}

/** Registers people and phones; a fifth of the steady ones is dead from the beginning. */
export async function gather(world: World, name: string, size: number): Promise<Crowd> {
  const phones = Array.from({ length: size }, (_, n): Phone => {
    const platform = n % 2 === 0 ? 'ios' : 'android'
    return { token: tokenOf(platform, `${name} ${n}`), platform, isDead: n % 5 === 0 }
  })
  const steady = phones.map((phone, n) => ({ person: `${name}-steady-${n}`, phone }))
  for (let n = 0; n < steady.length; n += 32) {
    await Promise.all(
      steady.slice(n, n + 32).map(({ person, phone }) => register(world, phone, person)),
    )
  }
  // A little ahead: a notice of death counts only if it is later than the registration.
  const since = Date.now() + 500
  const dead = phones.filter((phone) => phone.isDead)
  await world.simulator(
    'PUT',
    '/tokens',
    dead.map(({ token }) => ({ token, behaviour: { kind: 'unregistered', since } })),
  )
  const wandering = Array.from({ length: 20 }, (_, n): Phone => {
    const platform = n % 2 === 0 ? 'ios' : 'android'
    return { token: tokenOf(platform, `${name} wandering ${n}`), platform, isDead: false }
  })
  await sleep(600)
  const people = Array.from({ length: 8 }, (_, n) => `${name}-guest-${n}`)
  return { steady, wandering, people }
}

async function register(world: World, phone: Phone, person: string): Promise<void> {
  await world.calls.registry({
    method: 'PUT',
    path: `/v1/people/${person}/devices`,
    body: { device: { id: phone.token, platform: phone.platform } },
  })
  own(world, phone.token, person)
}

/** Written once the registry has acknowledged it. */
function own(world: World, token: string, person: string | null): void {
  const history = world.owners.get(token) ?? []
  history.push({ at: Date.now(), person })
  world.owners.set(token, history)
}

let keys = 0

export async function send(
  world: World,
  to: { person: string } | 'all',
  recipients: number | null,
): Promise<string> {
  const person = to === 'all' ? null : to.person
  keys += 1
  const answer = await world.calls.sender({
    method: 'POST',
    path: '/v1/messages',
    body: {
      to: person === null ? { all: true } : { person_id: person },
      content: { title: 'Hello', body: 'There' },
    },
    idempotencyKey: `chaos-${process.pid}-${keys}`,
  })
  const { id } = answer as { id: string }
  world.accepted.set(id, { person, at: Date.now(), recipients })
  return id
}

export interface Load {
  stop(): Promise<void>
}

/** A stream of registrations, moves, logouts and one-person messages until it is stopped. */
export function startLoad(world: World, crowd: Crowd, perSecond: number): Load {
  let isStopped = false
  const failures: unknown[] = []
  const stream = async (pauseMs: number, act: () => Promise<unknown>) => {
    while (!isStopped) {
      await act().catch((error) => failures.push(error))
      await sleep(pauseMs * (0.5 + world.random.next()))
    }
  }
  const streams = [
    ...Array.from({ length: 4 }, () =>
      stream(4000 / perSecond, () => {
        const { person } = world.random.pick(crowd.steady)
        return send(world, { person }, 1)
      }),
    ),
    stream(60, () => send(world, { person: world.random.pick(crowd.people) }, null)),
    ...crowd.wandering.slice(0, 5).map((_, lane) =>
      // Each phone is one client's: its calls follow one another.
      stream(80, () => wander(world, crowd, lane)),
    ),
  ]
  return {
    async stop() {
      isStopped = true
      await Promise.all(streams)
      if (failures.length > 0) throw failures[0]
    },
  }
}

async function wander(world: World, crowd: Crowd, lane: number): Promise<void> {
  const phones = crowd.wandering.filter((_, n) => n % 5 === lane)
  const phone = world.random.pick(phones)
  if (world.random.next() < 0.25) {
    const known = world.owners.has(phone.token)
    if (!known) return
    const path = `/v1/devices/${phone.token}/clear-identify`
    await world.calls.registry({ method: 'POST', path, body: {} })
    own(world, phone.token, null)
    return
  }
  await register(world, phone, world.random.pick(crowd.people))
}

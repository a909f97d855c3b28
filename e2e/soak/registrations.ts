import type { Random } from '../random.ts'
import type { Caller } from './caller.ts'
import type { Phone, Phones } from './phones.ts'
import type { Watch } from './watch.ts'

type Act = (phone: Phone) => Promise<void>

/** What the apps of a population do, in the shares in which they do it. */
export function createRegistrations(
  registry: Caller,
  phones: Phones,
  random: Random,
  watch: Watch,
) {
  async function call(method: string, path: string, body?: unknown): Promise<void> {
    const reply = await registry.call(method, path, body)
    watch.registered(reply.ms)
    if (reply.status >= 300) watch.unexpected(`${method} answered ${reply.status}`)
  }
  const path = (phone: Phone) => `/v1/devices/${encodeURIComponent(phone.token)}`
  const device = (phone: Phone) => ({
    platform: phone.platform,
    installation_id: phone.installation,
    last_used: Math.floor(Date.now() / 1000),
    attributes: { app_version: `1.${random.int(0, 9)}`, device_os: '18.1' },
  })

  const acts: Record<string, Act> = {
    refresh: (phone) => call('PUT', path(phone), device(phone)),
    async person(phone) {
      const person = phone.person ?? phones.anybody()
      const attributes = { plan: random.pick(['free', 'paid']), visits: random.int(0, 1000) }
      await call('PUT', `/v1/people/${person}`, { attributes })
    },
    async move(phone) {
      const person = phones.anybody()
      const body = { device: { id: phone.token, ...device(phone) } }
      await call('PUT', `/v1/people/${person}/devices`, body)
      phone.person = person
    },
    async clear(phone) {
      await call('POST', `${path(phone)}/clear-identify`)
      phone.person = null
    },
    async rotate(phone) {
      phone.token = phones.token(phone.platform)
      phone.isDead = false
      await call('PUT', path(phone), { ...device(phone), ...ownerOf(phone) })
    },
    async replace(phone) {
      await call('DELETE', path(phone))
      const next = phones.replace(phone)
      next.isBusy = true
      await call('PUT', path(next), { ...device(next), ...ownerOf(next) })
      next.isBusy = false
    },
  }

  /** One act of some phone. A dead token is replaced, and who was logged out logs in. */
  async function act(): Promise<void> {
    const phone = phones.pick()
    phone.isBusy = true
    try {
      const name = phone.isDead ? 'rotate' : phone.person === null ? 'move' : choose(random)
      await acts[name]?.(phone)
    } finally {
      phone.isBusy = false
    }
  }

  return {
    act,
    /** Registers the population as it is at the beginning. */
    enrol: async (phone: Phone) =>
      call('PUT', path(phone), { ...device(phone), ...ownerOf(phone) }),
  }
}

function ownerOf({ person }: Phone) {
  return person === null ? {} : { person_id: person }
}

const shares: [name: string, share: number][] = [
  ['refresh', 0.62],
  ['person', 0.1],
  ['move', 0.08],
  ['clear', 0.08],
  ['rotate', 0.08],
  ['replace', 0.04],
]

function choose(random: Random): string {
  let at = random.next()
  for (const [name, share] of shares) {
    at -= share
    if (at < 0) return name
  }
  return 'refresh'
}

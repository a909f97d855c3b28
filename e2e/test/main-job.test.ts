import { describe, expect, inject, test } from 'vitest'
import {
  androidToken,
  deliveries,
  done,
  inParallel,
  iosToken,
  type System,
  send,
  startSystem,
} from './system.ts'

const backends = [
  { name: 'PostgreSQL', redisUrl: () => null },
  { name: 'Redis', redisUrl: () => inject('redisUrl') },
] as const

interface Phone {
  person: string
  token: string
  platform: 'ios' | 'android'
  isDead: boolean
}

function phonesOf(count: number): Phone[] {
  return Array.from({ length: count }, (_, index) => {
    const platform = index % 2 === 0 ? 'ios' : 'android'
    const token = platform === 'ios' ? iosToken() : androidToken()
    return { person: `person ${index}`, token, platform, isDead: index % 5 === 0 }
  })
}

async function register(system: System, phones: Phone[]): Promise<void> {
  await inParallel(phones, 32, async ({ person, token, platform }) => {
    const answer = await system.registry(
      'PUT',
      `/v1/people/${encodeURIComponent(person)}/devices`,
      { device: { id: token, platform } },
    )
    expect(answer.status).toBe(200)
  })
}

describe.each(backends)('on $name', ({ redisUrl }) => {
  test('1,000 devices of both platforms, a fifth dead: each delivery, status and token is right', async ({
    skip,
  }) => {
    const url = redisUrl()
    if (url === null && redisUrl !== backends[0].redisUrl) skip('no Redis on this machine')
    await using system = await startSystem({
      workers: 2,
      ...(url === null ? {} : { redisUrl: url }),
    })
    const phones = phonesOf(1000)
    await register(system, phones)
    // A little ahead: a notice of death counts only if it is later than the registration.
    const since = Date.now() + 1000
    const dead = phones.filter((phone) => phone.isDead)
    const marked = await system.simulator(
      'PUT',
      '/tokens',
      dead.map(({ token }) => ({ token, behaviour: { kind: 'unregistered', since } })),
    )
    expect(marked.status).toBeLessThan(300)

    const id = await send(system, { to: { all: true }, content: { title: 'Hello', body: 'All' } })
    const message = await done(system, id)
    expect(message.counts).toEqual({
      recipients: 1000,
      sent: 800,
      bounced: 200,
      suppressed: 0,
      failed: 0,
      expired: 0,
      pending: 0,
    })
    const byToken = new Map((await deliveries(system, id)).map((row) => [row.device, row]))
    expect(byToken.size).toBe(1000)
    for (const { token, isDead, person } of phones) {
      expect(byToken.get(token)).toMatchObject({
        status: isDead ? 'bounced' : 'sent',
        person_id: person,
        attempts: 1,
      })
    }
    const { body: received } = await system.simulator('GET', '/received/count')
    expect(received).toMatchObject({ requests: 1000, accepted: 800, duplicates: 0 })

    await inParallel(phones, 32, async ({ token, isDead }) => {
      const { body } = await system.registry('GET', `/v1/devices/${token}`)
      expect(body.attributes).toMatchObject({
        _last_status: isDead ? 'bounced' : 'sent',
        push_enabled: isDead ? 'false' : 'true',
      })
    })
    await again(system, phones)
  }, 180_000)
})

/** The dead are not sent to again, until they register again. */
async function again(system: System, phones: Phone[]): Promise<void> {
  const [revived] = phones.filter((phone) => phone.isDead)
  if (!revived) throw new Error('no dead phone')
  await system.simulator('DELETE', `/tokens/${revived.token}`)
  await register(system, [revived])
  const id = await send(system, { to: { all: true }, content: { title: 'Again' } })
  const message = await done(system, id)
  expect(message.counts).toMatchObject({ recipients: 1000, sent: 801, suppressed: 199, pending: 0 })
  const { body: received } = await system.simulator('GET', '/received/count')
  expect(received).toMatchObject({ requests: 1801, accepted: 1601, duplicates: 0 })
  const { body } = await system.registry('GET', `/v1/devices/${revived.token}`)
  expect(body.attributes).toMatchObject({ _last_status: 'sent', push_enabled: 'true' })
}

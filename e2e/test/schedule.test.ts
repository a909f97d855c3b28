import { expect, test } from 'vitest'
import { done, iosToken, type System, send, startSystem } from './system.ts'

async function received(system: System, token: string): Promise<number> {
  const { body } = await system.simulator('GET', `/received/count?token=${token}`)
  return body.accepted
}

test('a scheduled message is sent at its time, to whoever is there then, or when it is released', async () => {
  await using system = await startSystem()
  const register = (token: string) =>
    system.registry('PUT', `/v1/devices/${token}`, { platform: 'ios', person_id: 'ana' })
  const message = { to: { person_id: 'ana' }, content: { title: 'Later' }, ttl_seconds: 60 }
  const dueAt = Date.now() + 4000
  const due = await send(system, { ...message, send_at: new Date(dueAt).toISOString() })
  const far = await send(system, { ...message, send_at: Math.floor(dueAt / 1000) + 86_400 })
  const token = iosToken()
  await register(token)
  const state = async (id: string) => (await system.sender('GET', `/v1/messages/${id}`)).body.state
  expect([await state(due), await state(far)]).toEqual(['scheduled', 'scheduled'])
  expect(await received(system, token)).toBe(0)

  const sent = await done(system, due)
  expect(Date.now()).toBeGreaterThanOrEqual(dueAt)
  expect(sent.counts).toMatchObject({ recipients: 1, sent: 1 })
  expect(Date.parse(sent.expires_at)).toBeGreaterThanOrEqual(dueAt + 60_000)
  expect(await received(system, token)).toBe(1)
  expect(await state(far)).toBe('scheduled')

  const { status } = await system.sender('POST', `/v1/messages/${far}/release`)
  expect(status).toBe(200)
  expect((await done(system, far)).counts).toMatchObject({ recipients: 1, sent: 1 })
  expect(await received(system, token)).toBe(2)
}, 60_000)

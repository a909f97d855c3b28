import { connect, setSdkKeys } from '@pushkeep/store'
import { expect, test } from 'vitest'
import {
  androidToken,
  deliveries,
  done,
  iosToken,
  type System,
  send,
  startSystem,
} from './system.ts'

interface Arrived {
  token: string
  payload: {
    'CIO-Delivery-ID'?: string
    'CIO-Delivery-Token'?: string
    pushkeep?: { message_id: string }
    message?: { data: Record<string, string> }
  }
}

/** What arrived of a message, with its payloads. */
async function arrived(system: System, id: string): Promise<Arrived[]> {
  const { body } = await system.simulator('GET', '/received?payload=1')
  return body.filter((push: Arrived) => JSON.stringify(push.payload).includes(id))
}

/** The keys of Customer.io's SDKs, wherever the provider puts them. */
function sdkKeys({ payload }: Arrived) {
  const { 'CIO-Delivery-ID': id, 'CIO-Delivery-Token': token } = payload.message?.data ?? payload
  return { id, token }
}

test('what a push carries is what its phone reports it with, also faster than the outcome', async () => {
  await using system = await startSystem()
  const ios = iosToken()
  const android = androidToken()
  await system.registry('PUT', `/v1/devices/${ios}`, { platform: 'ios', person_id: 'ana' })
  await system.registry('PUT', `/v1/devices/${android}`, { platform: 'android', person_id: 'ana' })
  // This phone has the push long before its provider's answer is here.
  await system.simulator('PUT', `/tokens/${ios}`, {
    behaviour: { kind: 'slow', delay_ms: 3000 },
    times: 1,
  })
  const id = await send(system, { to: { person_id: 'ana' }, content: { title: 'Hello' } })
  await expect.poll(() => arrived(system, id), { timeout: 10_000 }).toHaveLength(2)
  const pushes = await arrived(system, id)
  for (const push of pushes) expect(sdkKeys(push).token).toBe(push.token)

  const key = { authorization: `Bearer ${system.local.public_key}` }
  const receipts = pushes.map((push) => {
    const { id: message_id, token } = sdkKeys(push)
    return { message_id, token, event: 'opened' }
  })
  const url = `${system.local.registry_url}/v1/receipts`
  for (let repeat = 0; repeat < 2; repeat += 1) {
    const answer = await system.call('POST', url, { receipts }, key)
    expect(answer.body).toEqual({ results: [{ status: 'taken' }, { status: 'taken' }] })
  }
  const message = await done(system, id)
  expect(message.counts).toMatchObject({ recipients: 2, sent: 2 })
  const report = async () => (await system.sender('GET', `/v1/messages/${id}`)).body.receipts
  await expect
    .poll(report, { timeout: 10_000 })
    .toEqual({ delivered: 2, opened: 2, clicked: 0, converted: 0 })
  for (const { receipts } of await deliveries(system, id)) {
    expect(receipts).toMatchObject({ opened: expect.any(String), clicked: null })
  }
  await withoutKeys(system)
}, 60_000)

/** The setting counts for the next push, in a session that is open already. */
async function withoutKeys(system: System): Promise<void> {
  const database = connect({ url: system.local.database_url, name: 'test', connectionsMax: 1 })
  const { rows } = await database.query<{ app_no: number }>('select app_no from apps')
  for (const { app_no } of rows) await setSdkKeys(database, app_no, false)
  await database.end()
  const id = await send(system, { to: { person_id: 'ana' }, content: { title: 'Plain' } })
  await done(system, id)
  const pushes = await arrived(system, id)
  expect(pushes.map(sdkKeys)).toEqual([{}, {}])
}

import { setIdentityMode } from '@pushkeep/store'
import { describe, expect, test } from 'vitest'
import { createCustomerio } from './customerio.ts'
import { newSigner, sign, trust } from './identity.ts'
import { randomToken } from './registry.ts'

const signer = newSigner('ES256', 'key')
const cio = await createCustomerio()
await trust(cio.database, cio.appNo, signer)
await setIdentityMode(cio.database, cio.appNo, 'required')

let count = 0
/** A phone of a person, and another person who knows its token. */
async function stage(hasSecret: boolean) {
  count += 1
  const [token, thief] = [randomToken(), `mallory-${count}`]
  await cio.call('PUT', `/v1/devices/${token}`, {
    platform: 'ios',
    app_id: cio.appId,
    person_id: `alice-${count}`,
    installation_id: `installation-${count}`,
    ...(hasSecret ? { installation_secret: 'q'.repeat(40) } : {}),
    attributes: { private_fact: 'x' },
  })
  const headers = { 'x-identity-token': await sign(signer, { sub: thief }) }
  return { token, thief, headers }
}

type Staged = Awaited<ReturnType<typeof stage>>
const basic = `site:${cio.publicKey}`

/** Ways to move a token that one knows to an account of one's own. */
const moves: Record<string, (staged: Staged) => Promise<unknown>> = {
  'PUT device': ({ token, thief, headers }) =>
    cio.call(
      'PUT',
      `/v1/devices/${token}`,
      { platform: 'ios', person_id: thief },
      { key: cio.publicKey, headers },
    ),
  'PUT device with attributes of its own': ({ token, thief, headers }) =>
    cio.call(
      'PUT',
      `/v1/devices/${token}`,
      { platform: 'ios', person_id: thief, attributes: { theme: 'dark' } },
      { key: cio.publicKey, headers },
    ),
  'PUT device with a secret of its own': ({ token, thief, headers }) =>
    cio.call(
      'PUT',
      `/v1/devices/${token}`,
      { platform: 'ios', person_id: thief, installation_secret: 'm'.repeat(40) },
      { key: cio.publicKey, headers },
    ),
  'PUT device of the other platform': ({ token, thief, headers }) =>
    cio.call(
      'PUT',
      `/v1/devices/${token}`,
      { platform: 'android', person_id: thief },
      { key: cio.publicKey, headers },
    ),
  'PUT device of person': ({ token, thief, headers }) =>
    cio.call(
      'PUT',
      `/v1/people/${thief}/devices`,
      { device: { id: token, platform: 'ios' } },
      { key: cio.publicKey, headers },
    ),
  'naming its installation': ({ token, thief, headers }) =>
    cio.call(
      'PUT',
      `/v1/devices/${token}`,
      { platform: 'ios', person_id: thief, installation_id: `installation-${count}` },
      { key: cio.publicKey, headers },
    ),
  'Track v1': ({ token, thief, headers }) =>
    cio.track(
      'PUT',
      `/api/v1/customers/${thief}/devices`,
      { device: { id: token, platform: 'ios' } },
      { basic, headers },
    ),
  'Track v2': ({ token, thief, headers }) =>
    cio.track(
      'POST',
      '/api/v2/entity',
      {
        type: 'person',
        action: 'add_device',
        identifiers: { id: thief },
        device: { token, platform: 'ios' },
      },
      { basic, headers },
    ),
  Pipelines: ({ token, thief, headers }) =>
    cio.batch(
      [
        {
          type: 'track',
          event: 'Device Created or Updated',
          userId: thief,
          context: { device: { token, type: 'ios' } },
        },
      ],
      { headers },
    ),
  'deleting it first': async ({ token, thief, headers }) => {
    const asThief = { key: cio.publicKey, headers }
    await cio.call('DELETE', `/v1/devices/${token}`, undefined, asThief)
    const said = { platform: 'ios', person_id: thief }
    await cio.call('PUT', `/v1/devices/${token}`, said, asThief)
  },
}

describe.each([true, false])('with a secret on record: %s', (hasSecret) => {
  test.each(Object.entries(moves))(
    '%s: nothing of the former person comes along',
    async (_name, move) => {
      const staged = await stage(hasSecret)
      await move(staged)
      const { token, thief, headers } = staged
      const asThief = { key: cio.publicKey, headers }
      const own = await cio.call('GET', `/v1/devices/${token}/own`, undefined, asThief)
      expect(own).toMatchObject({ status: 200, body: { person_id: thief } })
      expect(JSON.stringify(own.body)).not.toContain('private_fact')
      expect(JSON.stringify(own.body)).not.toContain('alice')
      // The former person's secret reads it no more.
      const former = { key: cio.publicKey, headers: { 'x-installation-secret': 'q'.repeat(40) } }
      const read = await cio.call('GET', `/v1/devices/${token}/own`, undefined, former)
      expect(read.status).toBe(404)
    },
  )
})

test('a backend that moves a token keeps what the phone said', async () => {
  const { token } = await stage(true)
  await cio.call('PUT', `/v1/devices/${token}`, {
    platform: 'ios',
    app_id: cio.appId,
    person_id: 'next',
  })
  expect(await cio.device(token)).toMatchObject({
    person_id: 'next',
    attributes: { private_fact: 'x' },
  })
})

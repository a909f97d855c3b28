import { randomBytes } from 'node:crypto'
import { type IdentityMode, identityModes } from '@pushkeep/domain'
import { setIdentityMode } from '@pushkeep/store'
import { beforeAll, describe, expect, test } from 'vitest'
import { createCustomerio } from './customerio.ts'
import { newSigner, sign, trust } from './identity.ts'
import { randomToken } from './registry.ts'

const signer = newSigner('ES256', 'key')

/** A registry whose app asks for identity tokens in this way. */
async function registryOf(mode: IdentityMode) {
  const registry = await createCustomerio()
  await trust(registry.database, registry.appNo, signer)
  await setIdentityMode(registry.database, registry.appNo, mode)
  return registry
}

const registries = {
  off: await registryOf('off'),
  log: await registryOf('log'),
  required: await registryOf('required'),
}
let cio = registries.off

/** What a call shows beside the public key. */
type Shows = 'nothing' | 'another secret' | "another's token" | 'secret' | 'token' | 'secret key'

interface Stage {
  token: string
  person: string
  installation: string
  secret: string
  /** What the call shows: the key, headers, and the secret where a body may have it. */
  key: string
  headers: Record<string, string>
  shownSecret: string | undefined
}

const randomText = () => randomBytes(24).toString('hex')

/** A device as a backend and its phone have it, and a caller. */
async function stage(shows: Shows, hasSecret = true): Promise<Stage> {
  const [token, person, installation, secret] = [
    randomToken(),
    `p-${randomText()}`,
    randomText(),
    randomText(),
  ]
  await cio.call('PUT', `/v1/devices/${token}`, {
    platform: 'ios',
    person_id: person,
    installation_id: installation,
    ...(hasSecret ? { installation_secret: secret } : {}),
    environment: 'sandbox',
    attributes: { private_fact: 'x' },
  })
  const shownSecret =
    shows === 'secret' ? secret : shows === 'another secret' ? randomText() : undefined
  const identity =
    shows === 'token'
      ? await sign(signer, { sub: person })
      : shows === "another's token"
        ? await sign(signer, { sub: `other-${randomText()}` })
        : undefined
  return {
    token,
    person,
    installation,
    secret,
    key: shows === 'secret key' ? cio.secretKey : cio.publicKey,
    shownSecret,
    headers: identity === undefined ? {} : { 'x-identity-token': identity },
  }
}

const inHeader = ({ headers, shownSecret }: Stage) =>
  shownSecret === undefined ? headers : { ...headers, 'x-installation-secret': shownSecret }

const inBody = ({ shownSecret }: Stage) =>
  shownSecret === undefined ? {} : { installation_secret: shownSecret }

const basicOf = ({ key }: Stage) => `site:${key}`

const pipelinesDevice = ({ shownSecret }: Stage, rest: object) => ({
  device: {
    type: 'ios',
    ...rest,
    ...(shownSecret === undefined ? {} : { installationSecret: shownSecret }),
  },
})

type Taking = (stage: Stage) => Promise<{ status: number; body: unknown }>

/** Each way to take something from a device of a person. */
const takings: Record<string, Taking> = {
  'DELETE device': (s) =>
    cio.call('DELETE', `/v1/devices/${s.token}`, undefined, { key: s.key, headers: inHeader(s) }),
  'DELETE device of the person': (s) =>
    cio.call('DELETE', `/v1/people/${s.person}/devices/${s.token}`, undefined, {
      key: s.key,
      headers: inHeader(s),
    }),
  'clear-identify': (s) =>
    cio.call('POST', `/v1/devices/${s.token}/clear-identify`, undefined, {
      key: s.key,
      headers: inHeader(s),
    }),
  'push_enabled by PUT device': (s) =>
    cio.call(
      'PUT',
      `/v1/devices/${s.token}`,
      { platform: 'ios', attributes: { push_enabled: 'false' }, ...inBody(s) },
      s,
    ),
  'the other platform': (s) =>
    cio.call(
      'PUT',
      `/v1/devices/${s.token}`,
      { platform: 'android', attributes: { push_enabled: 'false' }, ...inBody(s) },
      s,
    ),
  'another environment': (s) =>
    cio.call(
      'PUT',
      `/v1/devices/${s.token}`,
      {
        platform: 'ios',
        environment: 'production',
        attributes: { push_enabled: 'false' },
        ...inBody(s),
      },
      s,
    ),
  previous_token: (s) =>
    cio.call(
      'PUT',
      `/v1/devices/${randomToken()}`,
      { platform: 'ios', previous_token: s.token, ...inBody(s) },
      s,
    ),
  installation_id: (s) =>
    cio.call(
      'PUT',
      `/v1/devices/${randomToken()}`,
      { platform: 'ios', installation_id: s.installation, ...inBody(s) },
      s,
    ),
  'installation_id, secret in the header': (s) =>
    cio.call(
      'PUT',
      `/v1/devices/${randomToken()}`,
      { platform: 'ios', installation_id: s.installation },
      { key: s.key, headers: inHeader(s) },
    ),
  'Track v1: delete': (s) =>
    cio.track('DELETE', `/api/v1/customers/${s.person}/devices/${s.token}`, undefined, {
      basic: basicOf(s),
      headers: inHeader(s),
    }),
  'Track v2: delete_device': (s) =>
    cio.track(
      'POST',
      '/api/v2/entity',
      {
        type: 'person',
        action: 'delete_device',
        identifiers: { id: s.person },
        device: { token: s.token },
      },
      { basic: basicOf(s), headers: inHeader(s) },
    ),
  'Track v2 batch: delete_device': (s) =>
    cio.track(
      'POST',
      '/api/v2/batch',
      {
        batch: [
          {
            type: 'person',
            action: 'delete_device',
            identifiers: { id: s.person },
            device: { token: s.token },
          },
        ],
      },
      { basic: basicOf(s), headers: inHeader(s) },
    ),
  'Pipelines: Device Deleted': (s) =>
    cio.batch(
      [
        {
          type: 'track',
          event: 'Device Deleted',
          userId: s.person,
          context: pipelinesDevice(s, { token: s.token }),
        },
      ],
      { basic: `${s.key}:`, headers: s.headers },
    ),
  'Pipelines: nobody is identified': (s) =>
    cio.batch(
      [
        {
          type: 'track',
          event: 'Device Created or Updated',
          anonymousId: randomText(),
          context: pipelinesDevice(s, { token: s.token }),
        },
      ],
      { basic: `${s.key}:`, headers: s.headers },
    ),
  'Pipelines: installationId': (s) =>
    cio.batch(
      [
        {
          type: 'track',
          event: 'Device Created or Updated',
          anonymousId: randomText(),
          context: pipelinesDevice(s, { token: randomToken(), installationId: s.installation }),
        },
      ],
      { basic: `${s.key}:`, headers: s.headers },
    ),
}

async function isIntact({ token, person }: Stage): Promise<boolean> {
  const device = await cio.device(token)
  return (
    device?.person_id === person &&
    device.platform === 'ios' &&
    device.environment === 'sandbox' &&
    device.attributes.push_enabled === 'true' &&
    device.attributes.private_fact === 'x'
  )
}

const known: Shows[] = ['secret', 'token', 'secret key']
const strange: Shows[] = ['nothing', 'another secret', "another's token"]
const modes: IdentityMode[] = [...identityModes]

describe.each(modes)('mode %s', (mode) => {
  beforeAll(() => {
    cio = registries[mode]
  })

  describe.each(Object.entries(takings))('%s', (_name, take) => {
    test.each(strange)('showing %s takes nothing and is told nothing', async (shows) => {
      const about = await stage(shows)
      const none = { ...(await stage(shows)), token: randomToken(), installation: randomText() }
      const [answer, nothing] = [await take(about), await take(none)]
      expect(await isIntact(about)).toBe(true)
      expect({ status: answer.status, body: answer.body }).toEqual({
        status: nothing.status,
        body: nothing.body,
      })
      expect(answer.status).toBeLessThan(300)
    })

    test.each(known)('showing the %s takes it', async (shows) => {
      const about = await stage(shows)
      expect((await take(about)).status).toBeLessThan(300)
      expect(await isIntact(about)).toBe(false)
    })

    test('without a secret on record the token is enough', async () => {
      const about = await stage('nothing', false)
      expect((await take(about)).status).toBeLessThan(300)
      expect(await isIntact(about)).toBe(false)
    })
  })
})

test('a token that an account of its own moves here shows nothing of the former person', async () => {
  for (const hasSecret of [true, false]) {
    const about = await stage('nothing', hasSecret)
    const identity = await sign(signer, { sub: 'mallory' })
    const asMallory = { key: cio.publicKey, headers: { 'x-identity-token': identity } }
    await cio.call(
      'PUT',
      '/v1/people/mallory/devices',
      { device: { id: about.token, platform: 'ios' } },
      asMallory,
    )
    const own = await cio.call('GET', `/v1/devices/${about.token}/own`, undefined, asMallory)
    expect(own).toMatchObject({
      status: 200,
      body: { person_id: 'mallory', installation_id: null },
    })
    expect(own.body.attributes).toEqual({ _last_status: '', push_enabled: 'true' })
  }
})

test('untying it first shows no more', async () => {
  const about = await stage('nothing', false)
  const identity = await sign(signer, { sub: 'mallory' })
  const asMallory = { key: cio.publicKey, headers: { 'x-identity-token': identity } }
  await cio.call('POST', `/v1/devices/${about.token}/clear-identify`, undefined, asMallory)
  await cio.call(
    'PUT',
    `/v1/devices/${about.token}`,
    { platform: 'ios', person_id: 'mallory' },
    asMallory,
  )
  const own = await cio.call('GET', `/v1/devices/${about.token}/own`, undefined, asMallory)
  expect(JSON.stringify(own.body)).not.toContain('private_fact')
  expect(own.body.installation_id).toBeNull()
})

test('nor does replacing it, where it has no secret', async () => {
  const about = await stage('nothing', false)
  const [mine, identity] = [randomToken(), await sign(signer, { sub: 'mallory' })]
  const asMallory = { key: cio.publicKey, headers: { 'x-identity-token': identity } }
  const said = { platform: 'ios', person_id: 'mallory', previous_token: about.token }
  await cio.call('PUT', `/v1/devices/${mine}`, said, asMallory)
  const own = await cio.call('GET', `/v1/devices/${mine}/own`, undefined, asMallory)
  expect(own).toMatchObject({ status: 200, body: { installation_id: null } })
  expect(JSON.stringify(own.body)).not.toContain('private_fact')
})

test('a phone that lost its secret keeps its token and its person', async () => {
  const about = await stage('nothing')
  await cio.call(
    'PUT',
    `/v1/devices/${about.token}`,
    {
      platform: 'ios',
      installation_id: randomText(),
      installation_secret: randomText(),
      attributes: { app_version: '2' },
    },
    { key: cio.publicKey },
  )
  expect(await cio.device(about.token)).toMatchObject({
    person_id: about.person,
    attributes: { app_version: '2', private_fact: 'x' },
  })
  const identity = await sign(signer, { sub: about.person })
  const secret = randomText()
  const asPerson = { key: cio.publicKey, headers: { 'x-identity-token': identity } }
  await cio.call(
    'PUT',
    `/v1/devices/${about.token}`,
    { platform: 'ios', person_id: about.person, installation_secret: secret },
    asPerson,
  )
  const shown = { key: cio.publicKey, headers: { 'x-installation-secret': secret } }
  await cio.call('DELETE', `/v1/devices/${about.token}`, undefined, shown)
  expect(await cio.device(about.token)).toBeNull()
})

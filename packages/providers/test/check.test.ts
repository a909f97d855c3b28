import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { checkApns, checkFcm } from '../src/index.ts'
import { simulate } from './simulated.ts'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const strangersKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

async function scene() {
  const { endpoints, credentials, count, fault } = await simulate()
  const { teamId, keyId, topic, privateKeyPem } = credentials.apns
  const apns = {
    teamId,
    keyId,
    topic,
    privateKey: privateKeyPem,
    environment: 'production',
  } as const
  return { endpoints, apns, fcm: credentials.fcm, count, fault }
}

const away = 'https://127.0.0.1:1'

test('a key that APNs takes works in both environments', async () => {
  const { endpoints, apns } = await scene()
  expect(await checkApns(apns, endpoints)).toEqual([
    { place: 'production', answer: 'works', reason: null },
    { place: 'sandbox', answer: 'works', reason: null },
  ])
})

test('a key or topic that APNs does not take is refused, in its words', async () => {
  const { endpoints, apns } = await scene()
  const wrongKey = await checkApns({ ...apns, privateKey: strangersKey }, endpoints)
  expect(wrongKey).toEqual([
    { place: 'production', answer: 'refused', reason: 'InvalidProviderToken' },
    { place: 'sandbox', answer: 'refused', reason: 'InvalidProviderToken' },
  ])
  const wrongTopic = await checkApns({ ...apns, topic: 'com.example.other' }, endpoints)
  expect(wrongTopic.map(({ answer }) => answer)).toEqual(['refused', 'refused'])
})

test('an environment that cannot be reached says nothing of the key', async () => {
  const { endpoints, apns } = await scene()
  const [production, sandbox] = await checkApns(apns, { ...endpoints, apnsSandbox: away })
  expect(production?.answer).toBe('works')
  expect(sandbox).toEqual({ place: 'sandbox', answer: 'unreachable', reason: expect.any(String) })
})

test('a service account that FCM takes works, and nothing is sent', async () => {
  const { endpoints, fcm, count } = await scene()
  expect(await checkFcm(fcm, endpoints)).toEqual([{ place: 'fcm', answer: 'works', reason: null }])
  expect(await count()).toMatchObject({ duplicates: 0 })
})

test('a service account of another project, or one that Google does not know, is refused', async () => {
  const { endpoints, fcm } = await scene()
  const other = await checkFcm({ ...fcm, projectId: 'another-project' }, endpoints)
  expect(other).toMatchObject([{ place: 'fcm', answer: 'refused' }])
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const serviceAccount = {
    ...fcm.serviceAccount,
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  const unknown = await checkFcm({ ...fcm, serviceAccount }, endpoints)
  expect(unknown).toMatchObject([
    { answer: 'refused', reason: expect.stringContaining('invalid_grant') },
  ])
})

test('a token endpoint that is away says nothing of the account', async () => {
  const { endpoints, fcm } = await scene()
  const [finding] = await checkFcm(fcm, { ...endpoints, fcmToken: `${away}/token` })
  expect(finding?.answer).toBe('unreachable')
})

import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseApnsCredentials, parseFcmCredentials } from '../src/credentials.ts'

const pem = { type: 'pkcs8', format: 'pem' } as const

const ec = (namedCurve: string) =>
  generateKeyPairSync('ec', { namedCurve }).privateKey.export(pem).toString()

const rsaOf = (modulusLength: number) =>
  generateKeyPairSync('rsa', { modulusLength }).privateKey.export(pem).toString()

const rsa = rsaOf(2048)

const apns = {
  teamId: 'TEAM123456',
  keyId: 'KEY1234567',
  topic: 'com.example.app',
  privateKey: ec('P-256'),
  environment: 'sandbox',
}

const serviceAccount = {
  type: 'service_account',
  project_id: 'my-project',
  private_key_id: 'abc',
  private_key: rsa,
  client_email: 'push@my-project.iam.gserviceaccount.com',
  token_uri: 'https://elsewhere.example/token',
}

test('an APNs key with its ids is taken as it is', () => {
  expect(parseApnsCredentials(apns)).toEqual({ kind: 'ok', credentials: apns })
})

test('without an environment, production is tried first', () => {
  const { environment: _, ...rest } = apns
  expect(parseApnsCredentials(rest)).toMatchObject({ credentials: { environment: 'production' } })
})

test.each([
  ['teamId', 'short'],
  ['keyId', 'key1234567'],
  ['topic', 'com/example'],
  ['environment', 'staging'],
  ['privateKey', 'not a key'],
  ['privateKey', ec('P-384')],
  ['privateKey', rsa],
  ['privateKey', 42],
  ['teamId', undefined],
])('a wrong %s is named and not repeated', (field, value) => {
  const parsed = parseApnsCredentials({ ...apns, [field]: value })
  expect(parsed).toMatchObject({ kind: 'problem', path: field })
  const text = JSON.stringify(parsed)
  expect(text).not.toContain('PRIVATE KEY')
  if (typeof value === 'string' && value.length > 10) expect(text).not.toContain(value.slice(0, 30))
})

test.each([null, 'text', [], 7])('what is no object is no APNs key: %j', (input) => {
  expect(parseApnsCredentials(input)).toMatchObject({ kind: 'problem', path: '' })
})

test('a service account is taken as an object and as text, without what sending does not need', () => {
  const { type: _, token_uri: __, ...kept } = serviceAccount
  const credentials = { projectId: 'my-project', serviceAccount: kept }
  expect(parseFcmCredentials(serviceAccount)).toEqual({ kind: 'ok', credentials })
  expect(parseFcmCredentials(JSON.stringify(serviceAccount))).toEqual({ kind: 'ok', credentials })
})

test.each([
  ['type', 'authorized_user'],
  ['project_id', '../other'],
  ['client_email', 'nobody'],
  ['private_key', apns.privateKey],
  ['private_key', `${rsa.slice(0, 200)}broken`],
  ['private_key', undefined],
  ['private_key', rsaOf(512)],
  ['private_key', rsaOf(1024)],
  ['private_key', rsaOf(2040)],
])('a wrong %s of a service account is named and not repeated', (field, value) => {
  const parsed = parseFcmCredentials({ ...serviceAccount, [field]: value })
  expect(parsed).toMatchObject({ kind: 'problem', path: field })
  expect(JSON.stringify(parsed)).not.toContain('PRIVATE KEY')
})

test.each(['', '{', 'null', '[]', '"text"'])('text that is no service account: %j', (text) => {
  const parsed = parseFcmCredentials(text)
  expect(parsed).toMatchObject({ kind: 'problem', path: '' })
})

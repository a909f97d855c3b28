import type { OutgoingHttpHeaders } from 'node:http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../src/index.ts'
import { apnsClient, type Client, newToken, PAYLOAD, push, uuid } from './client.ts'

let simulator: Simulator
let client: Client

beforeAll(async () => {
  simulator = await startSimulator()
  client = apnsClient(simulator)
})

afterAll(async () => {
  await client.close()
  await simulator.close()
})

describe('a push that APNs would accept', () => {
  test('is answered 200 with its own apns-id and nothing else', async () => {
    const id = uuid()
    const answer = await push(simulator, client, newToken(), { 'apns-id': id })
    expect(answer).toMatchObject({ status: 200, text: '' })
    expect(answer.headers['apns-id']).toBe(id)
    expect(answer.headers.date).toBeUndefined()
  })

  test('gets an apns-id where it brought none', async () => {
    const answer = await push(simulator, client)
    expect(answer.headers['apns-id']).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  })

  test('gets an apns-unique-id from the sandbox only', async () => {
    await using sandbox = closing(apnsClient(simulator, 'sandbox'))
    const there = await push(simulator, sandbox.client)
    const here = await push(simulator, client)
    expect(there.status).toBe(200)
    expect(there.headers['apns-unique-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(here.headers['apns-unique-id']).toBeUndefined()
  })

  test.each<[string, OutgoingHttpHeaders]>([
    ['a background push at priority 5', { 'apns-push-type': 'background', 'apns-priority': '5' }],
    ['a push without a push type', { 'apns-push-type': undefined }],
    ['priority 1', { 'apns-priority': '1' }],
    ['an expiration of 0', { 'apns-expiration': '0' }],
    ['a collapse id of 64 bytes', { 'apns-collapse-id': 'x'.repeat(64) }],
    ['an id in capital letters', { 'apns-id': uuid().toUpperCase() }],
  ])('may have %s', async (_, changed) => {
    expect(await push(simulator, client, newToken(), changed)).toMatchObject({ status: 200 })
  })

  test('may have 4,096 bytes, or 5,120 as a VoIP push', async () => {
    const voip = {
      'apns-push-type': 'voip',
      'apns-topic': `${simulator.credentials.apns.topic}.voip`,
    }
    const sizes = [
      await push(simulator, client, newToken(), {}, 'x'.repeat(4096)),
      await push(simulator, client, newToken(), voip, 'x'.repeat(5120)),
    ]
    expect(sizes.map(({ status }) => status)).toEqual([200, 200])
  })

  test('may have a token of any length', async () => {
    expect(await push(simulator, client, 'ab'.repeat(150))).toMatchObject({ status: 200 })
  })
})

describe('a push that APNs would refuse', () => {
  test.each<[number, string, OutgoingHttpHeaders]>([
    [405, 'MethodNotAllowed', { ':method': 'PUT' }],
    [404, 'BadPath', { ':path': '/3/devices/abcd' }],
    [404, 'BadPath', { ':path': '/' }],
    [400, 'MissingDeviceToken', { ':path': '/3/device/' }],
    [400, 'MissingDeviceToken', { ':path': '/3/device' }],
    [400, 'BadDeviceToken', { ':path': '/3/device/not-hex' }],
    [400, 'BadMessageId', { 'apns-id': '1234' }],
    [400, 'InvalidPushType', { 'apns-push-type': 'shout' }],
    [400, 'BadPriority', { 'apns-priority': '7' }],
    [400, 'BadPriority', { 'apns-push-type': 'background', 'apns-priority': '10' }],
    [400, 'BadExpirationDate', { 'apns-expiration': 'tomorrow' }],
    [400, 'BadExpirationDate', { 'apns-expiration': '-1' }],
    [400, 'BadCollapseId', { 'apns-collapse-id': 'x'.repeat(65) }],
    [400, 'MissingTopic', { 'apns-topic': undefined }],
    [400, 'BadTopic', { 'apns-topic': 'com.example.unknown' }],
    [400, 'BadTopic', { 'apns-push-type': 'voip' }],
    [400, 'DuplicateHeaders', { 'apns-priority': ['10', '5'] }],
    [400, 'DuplicateHeaders', { 'apns-collapse-id': ['a', 'b'] }],
  ])('is answered %i %s for %o', async (status, reason, changed) => {
    const answer = await push(simulator, client, newToken(), changed)
    expect(answer).toMatchObject({ status, body: { reason } })
    expect(answer.headers['apns-id']).toBeDefined()
  })

  test('is answered 400 PayloadEmpty without a payload', async () => {
    const answer = await push(simulator, client, newToken(), {}, '')
    expect(answer).toMatchObject({ status: 400, body: { reason: 'PayloadEmpty' } })
  })

  test.each([4097, 200_000])('is answered 413 PayloadTooLarge at %i bytes', async (bytes) => {
    const answer = await push(simulator, client, newToken(), {}, 'x'.repeat(bytes))
    expect(answer).toMatchObject({ status: 413, body: { reason: 'PayloadTooLarge' } })
  })

  test('is answered by its path before its credentials are looked at', async () => {
    const changed = { ':path': '/4/elsewhere', authorization: undefined }
    const answer = await push(simulator, client, newToken(), changed)
    expect(answer.body).toEqual({ reason: 'BadPath' })
  })

  test('leaves the connection usable', async () => {
    await push(simulator, client, 'not-hex')
    expect(await push(simulator, client, newToken(), {}, PAYLOAD)).toMatchObject({ status: 200 })
  })
})

function closing(owned: Client) {
  return { client: owned, [Symbol.asyncDispose]: () => owned.close() }
}

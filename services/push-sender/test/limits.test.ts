import { createLimiter, noRates, type Rates } from '@pushkeep/runtime'
import { expect, test } from 'vitest'
import { post, startTestSender, storedRows } from './sender.ts'

function senderWith(rates: Partial<Rates>) {
  return startTestSender({
    limiter: createLimiter({ rates: { ...noRates, ...rates }, now: () => 0 }),
  })
}

const rate = (burst: number) => ({ perSecond: 0.1, burst })
const content = { title: 'x' }

test('messages of a workspace are counted, by whichever API; those of another go on', async () => {
  await using sender = await senderWith({ messages: rate(2) })
  const message = { to: { person_id: 'a' }, content }
  expect((await post(sender, message)).statusCode).toBe(202)
  const viaAppApi = () =>
    sender.app.inject({
      method: 'POST',
      url: '/customerio/v1/send/push',
      headers: { authorization: `Bearer ${sender.tenant.secret}` },
      payload: { identifiers: { id: 'a' }, title: 'x', message: 'y' },
    })
  expect((await viaAppApi()).statusCode).toBe(200)
  const before = await storedRows(sender)
  const refused = await post(sender, message)
  expect(refused.statusCode).toBe(429)
  expect(refused.headers['retry-after']).toBe('10')
  expect(refused.json()['violated-policies']).toEqual(['messages'])
  const refusedThere = await viaAppApi()
  expect(refusedThere.statusCode).toBe(429)
  expect(refusedThere.headers['retry-after']).toBe('10')
  expect(refusedThere.json().meta.error).toContain('too many messages')
  expect(await storedRows(sender)).toEqual(before)
  const other = { authorization: `Bearer ${sender.other.secret}` }
  expect((await post(sender, message, other)).statusCode).toBe(202)
})

test('people and tokens that messages name are counted', async () => {
  await using sender = await senderWith({ recipients: rate(100) })
  const ids = Array.from({ length: 100 }, (_, n) => `p${n}`)
  expect((await post(sender, { to: { person_ids: ids }, content })).statusCode).toBe(202)
  const refused = await post(sender, { to: { person_id: 'a' }, content })
  expect(refused.json()['violated-policies']).toEqual(['recipients'])
})

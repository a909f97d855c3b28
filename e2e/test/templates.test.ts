import { expect, test } from 'vitest'
import { androidToken, deliveries, done, iosToken, send, startSystem } from './system.ts'

test('a broadcast greets each by their name, as it is when it is sent', async () => {
  await using system = await startSystem()
  const phones = { ana: iosToken(), bo: androidToken(), cy: iosToken() }
  await system.registry('PUT', `/v1/devices/${phones.ana}`, { platform: 'ios', person_id: 'ana' })
  await system.registry('PUT', `/v1/devices/${phones.bo}`, { platform: 'android', person_id: 'bo' })
  const nobodys = iosToken()
  await system.registry('PUT', `/v1/devices/${nobodys}`, { platform: 'ios' })
  await system.registry('PUT', `/v1/devices/${phones.cy}`, { platform: 'ios', person_id: 'cy' })
  await system.registry('PUT', '/v1/people/ana', { attributes: { name: 'Ana', plan: 'pro' } })
  await system.registry('PUT', '/v1/people/bo', { attributes: { name: 'Bo "B" {{ x }}' } })
  await system.registry('PUT', '/v1/people/cy', { attributes: { name: 'y'.repeat(5000) } })

  const refused = await system.sender('POST', '/v1/messages', {
    to: { all: true },
    templating: 'liquid',
    content: { title: '{{ customer.name', body: '{{ person.name }}' },
  })
  expect(refused.status).toBe(422)
  expect(refused.body.errors).toMatchObject([{ path: 'content.title' }, { path: 'content.body' }])

  const id = await send(system, {
    to: { all: true },
    templating: 'liquid',
    trigger: { sale: 'autumn' },
    content: {
      title: 'Hi {{ customer.name | default: "you" }}',
      body: '{{ trigger.sale }}{% if customer.plan == "pro" %} for pros{% endif %}',
      data: { person: '{{ customer.id }}' },
    },
  })
  await done(system, id)
  const { body: received } = await system.simulator('GET', '/received?payload=1')
  const pushOf = (token: string) => {
    const [push] = received.filter((one: { token: string }) => one.token === token)
    return push?.payload
  }
  expect(pushOf(phones.ana)).toMatchObject({
    aps: { alert: { title: 'Hi Ana', body: 'autumn for pros' } },
    person: 'ana',
  })
  expect(pushOf(phones.bo).message).toMatchObject({
    notification: { title: 'Hi Bo "B" {{ x }}', body: 'autumn' },
    data: { person: 'bo' },
  })
  expect(pushOf(nobodys)).toMatchObject({
    aps: { alert: { title: 'Hi you', body: 'autumn' } },
    person: '',
  })
  expect(pushOf(phones.cy)).toBeUndefined()
  const failed = (await deliveries(system, id)).filter(({ status }) => status === 'failed')
  expect(failed).toMatchObject([{ person_id: 'cy', reason: 'payload_too_large' }])
}, 60_000)

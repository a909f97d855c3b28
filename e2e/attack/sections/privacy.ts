import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { findEverywhere } from '@pushkeep/testkit/everywhere'
import { type Attempt, type Section, unless } from '../attempt.ts'
import type { World } from '../world.ts'

/** Reading all of one person, and finding one who was erased. */
export function privacySection(world: World): Section {
  const { local, victim, tenant, call } = world
  const { registry_url: registry, sender_url: sender } = local
  const readers: Record<string, [string | null, number[]]> = {
    'no key': [null, [401]],
    'a public key': [victim.keys.public, [401, 403]],
    // It may have a person of that id itself.
    "another workspace's key": [tenant.admin, [200, 404]],
    "another workspace's public key": [tenant.public, [401, 403]],
    'a key that is wrong': ['pushkeep_sk_wrong', [401]],
  }
  const exports = Object.entries(readers).map(
    ([name, [key, allowed]]): Attempt => ({
      name: `export of a person by ${name}`,
      run: async () => {
        const answer = await call('GET', `${sender}/v1/people/${victim.person}/export`, key)
        return unless(answer, allowed, [victim.mark, victim.token])
      },
    }),
  )
  const ofSecondApp: Attempt = {
    name: 'export of a person by a key of another app',
    run: async () => {
      const url = `${sender}/v1/people/${victim.person}/export`
      const answer = await call('GET', url, victim.keys.ofSecondApp)
      return unless(answer, [200, 403, 404], [victim.token])
    },
  }
  const places = erasedPlaces(world)
  const kinds = ['id', 'address', 'token', 'attribute', 'content', 'event'] as const
  const remains = kinds.map(
    (kind): Attempt => ({
      name: `the ${kind} of an erased person in any column of any table`,
      run: async () => {
        const found = (await places()).filter((place) => place.endsWith(`: ${kind}`))
        return found.length === 0 ? null : found.join(', ')
      },
    }),
  )
  return {
    name: 'privacy',
    control: async () => {
      const url = `${sender}/v1/people/${victim.person}/export`
      const { status, text } = await call('GET', url, victim.keys.admin)
      if (status !== 200 || !text.includes(victim.token)) throw new Error(`an export is ${status}`)
      const person = await call('GET', `${registry}/v1/people/${victim.person}`, victim.keys.read)
      if (person.status !== 200) throw new Error(`a person is ${person.status}`)
    },
    attempts: [...exports, ofSecondApp, ...remains],
  }
}

/** Adds a person, sends to them, erases them, and says where something of them is left; once. */
function erasedPlaces({ local, database, victim, call }: World): () => Promise<string[]> {
  const { registry_url: registry, sender_url: sender } = local
  const key = victim.keys.admin
  const mark = () => `gone-${randomBytes(12).toString('hex')}`
  let found: Promise<string[]> | null = null

  async function find(): Promise<string[]> {
    const [id, attribute, content, event] = [mark(), mark(), mark(), mark()]
    const token = randomBytes(32).toString('hex')
    const address = `${mark()}@example.com`
    const person = `${registry}/v1/people/${id}`
    const device = { id: token, platform: 'ios', app_id: victim.appId }
    const steps = [
      await call('PUT', `${person}/devices`, key, { device }),
      await call('PUT', person, key, { attributes: { email: address, attribute } }),
      await call('POST', `${person}/events`, key, { name: event, properties: { attribute } }),
      await call('POST', `${sender}/v1/messages`, key, {
        to: { person_id: id },
        content: { title: content },
      }),
    ]
    const refused = steps.find(({ status }) => status >= 300)
    if (refused) throw new Error(`a step was answered ${refused.status} ${refused.text}`)
    await sleep(2000)
    const words = { id, address, token, attribute, content, event }
    const before = await findEverywhere(database, words)
    if (before.length < Object.keys(words).length) throw new Error('the person was not stored')
    const { status } = await call('DELETE', person, key)
    if (status !== 204) throw new Error(`erasing was answered ${status}`)
    for (let tries = 0; tries < 20; tries += 1) {
      const left = await findEverywhere(database, words)
      if (left.length === 0) return left
      await sleep(1000)
    }
    return findEverywhere(database, words)
  }

  return () => {
    found ??= find()
    return found
  }
}

import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Section } from '../attempt.ts'
import { phonesOf } from '../phones.ts'
import type { World } from '../world.ts'

/** One user with many dead tokens tries to have an app's tokens kept from retiring, or others' retired. */
export function bounceSection(world: World): Section {
  const { local, victim, call, database } = world
  const { sender_url: sender } = local
  const key = victim.keys.operate
  const { add, push } = phonesOf(world)
  const settle = async (person: string) => {
    const id = await push(person)
    for (let tries = 0; tries < 100; tries += 1) {
      const message = await call('GET', `${sender}/v1/messages/${id}`, key)
      const { counts, state } = JSON.parse(message.text)
      if (state === 'done') return counts
      await sleep(50)
    }
    throw new Error('a message was not done within five seconds')
  }
  const app = async () => (await call('GET', `${sender}/v1/apps/${victim.appId}`, key)).text
  const attempt = (name: string, tokens: number, behaviour: object, people = 1) => ({
    name: `${name}: ${tokens} tokens of ${people} people`,
    run: async () => {
      const mark = randomBytes(4).toString('hex')
      for (let n = 0; n < tokens; n += 1) await add(`dead-${mark}-${n % people}`, behaviour)
      await add(`alive-${mark}`, null)
      for (let n = 0; n < people; n += 1) await settle(`dead-${mark}-${n}`)
      const counts = await settle(`alive-${mark}`)
      if (counts.sent !== 1) return `a bystander: ${JSON.stringify(counts)}`
      const { rows } = await database.query(
        'select from devices join people using (person_no) where id = $1 and dead_at is null',
        [`alive-${mark}`],
      )
      if (rows.length !== 1) return "a bystander's token was retired"
      return /"paused":true/.test(await app()) ? 'the lane is paused' : null
    },
  })
  return {
    name: 'bounces',
    control: async () => {
      await add('bounce-control', null)
      const { sent } = await settle('bounce-control')
      if (sent === 0) throw new Error('a plain push was not sent')
    },
    attempts: [
      attempt('unregistered', 90, { kind: 'unregistered' }),
      attempt('made up', 90, { kind: 'bad-token' }),
      attempt('unregistered', 30, { kind: 'unregistered' }, 3),
      attempt('made up', 60, { kind: 'bad-token' }, 6),
    ],
  }
}

import { randomBytes } from 'node:crypto'
import type { World } from './world.ts'

/** Phones of the victim's app, and pushes to them, as the victim's backend has them. */
export function phonesOf({ local, victim, call, simulator }: World) {
  const key = victim.keys.operate
  return {
    /** Registers a phone of a person, whose provider behaves so; null: as usual. Returns its token. */
    async add(person: string, behaviour: object | null): Promise<string> {
      const token = randomBytes(32).toString('hex')
      const url = `${local.registry_url}/v1/people/${person}/devices`
      const { status } = await call('PUT', url, key, {
        device: { id: token, platform: 'ios', app_id: victim.appId },
      })
      if (status !== 200) throw new Error(`registering was answered ${status}`)
      if (behaviour) await simulator('PUT', `/tokens/${token}`, { behaviour })
      return token
    },
    /** Sends to a person. Returns the message's id. */
    async push(person: string): Promise<string> {
      const { text } = await call('POST', `${local.sender_url}/v1/messages`, key, {
        to: { person_id: person },
        content: { title: 'code' },
      })
      return String(JSON.parse(text).id)
    },
  }
}

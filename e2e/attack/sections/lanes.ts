import { setTimeout as sleep } from 'node:timers/promises'
import type { Section } from '../attempt.ts'
import { phonesOf } from '../phones.ts'
import type { World } from '../world.ts'

/** Answers about one phone that used to stop an app, or hold everybody up. */
export function laneSection(world: World): Section {
  const { local, victim, call, simulator } = world
  const { sender_url: sender } = local
  const key = victim.keys.operate
  const { add, push } = phonesOf(world)
  const isSent = async (id: string) => {
    for (let tries = 0; tries < 80; tries += 1) {
      const { text } = await call('GET', `${sender}/v1/messages/${id}`, key)
      if (JSON.parse(text).counts.sent > 0) return true
      await sleep(50)
    }
    return false
  }
  const says = (status: number, reason: string) => ({ kind: 'status', status, reason })
  const behaviours: Record<string, object> = {
    'a token of another app': { kind: 'wrong-topic' },
    'a token for another environment': says(403, 'BadEnvironmentKeyIdInToken'),
    'a forbidden token': says(403, 'Forbidden'),
    'a token whose topic is not allowed': says(400, 'TopicDisallowed'),
    'a token with an answer that is in no document': says(403, 'Whatever'),
    'a token that answers 500': says(500, 'InternalServerError'),
    'a token that answers 503 for ten minutes': {
      ...says(503, 'ServiceUnavailable'),
      retry_after_s: 600,
    },
    'a token that is throttled': { kind: 'throttled', retry_after_s: 600 },
    'a token that answers nothing': { kind: 'no-answer' },
    'a token that resets its stream': { kind: 'reset' },
    'a dead token': { kind: 'unregistered' },
    'a made-up token': { kind: 'bad-token' },
  }
  return {
    name: 'lanes',
    control: async () => {
      await add('lane-control', null)
      if (!(await isSent(await push('lane-control')))) throw new Error('a plain push was not sent')
    },
    attempts: Object.entries(behaviours).map(([name, behaviour], n) => ({
      name,
      run: async () => {
        const token = await add(`attacker-${n}`, behaviour)
        await add(`bystander-${n}`, null)
        for (const _again of [1, 2]) await push(`attacker-${n}`)
        if (!(await isSent(await push(`bystander-${n}`))))
          return 'a bystander waits for four seconds'
        const asked = await simulator('GET', `/received/count?token=${token}`)
        if (!/"requests":[1-9]/.test(JSON.stringify(asked))) return 'the attacker was not sent to'
        const { text } = await call('GET', `${sender}/v1/apps/${victim.appId}`, key)
        return /"paused":true/.test(text) ? 'the lane is paused' : null
      },
    })),
  }
}

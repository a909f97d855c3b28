import type { Random } from '../random.ts'
import type { Phones } from './phones.ts'
import type { Scene } from './scene.ts'

/**
 * What providers do to us on a common day. None of these hides whether a push arrived: then sending
 * it again would be right, and a duplicate no fault.
 */
const faults: object[] = [
  { apns: { status: { status: 503, reason: 'ServiceUnavailable', share: 0.2, retry_after_s: 1 } } },
  { fcm: { status: { status: 503, reason: 'UNAVAILABLE', share: 0.2, retry_after_s: 1 } } },
  { apns: { delay_ms: 100 }, fcm: { delay_ms: 100 } },
  { apns: { goaway_every: 200 } },
  { fcm: { goaway_every: 100 } },
  { apns: { refuse_streams: 50 } },
  { apns: { max_concurrent_streams: 10 } },
  { apns: { status: { status: 500, reason: 'InternalServerError', share: 0.1 } } },
]

const deadPerRound = 20
const deadEveryMs = 10_000
const faultEveryMs = 30_000
const faultLastsMs = 8000

/** Dead tokens in a trickle, and a fault now and then. `stop` heals the providers. */
export function startTrouble(
  scene: Scene,
  phones: Phones,
  random: Random,
  onError: (error: unknown) => void,
) {
  async function kill(): Promise<void> {
    const dying = Array.from({ length: deadPerRound }, () => phones.pick())
    for (const phone of dying) phone.isDead = true
    const behaviour = { kind: 'unregistered' }
    await scene.simulator(
      'PUT',
      '/tokens',
      dying.map(({ token }) => ({ token, behaviour })),
    )
  }
  const heal = () => scene.simulator('DELETE', '/faults')
  let healing: NodeJS.Timeout | undefined
  async function strike(): Promise<void> {
    await scene.simulator('PUT', '/faults', random.pick(faults))
    healing = setTimeout(() => void heal().catch(onError), faultLastsMs)
  }
  const timers = [
    setInterval(() => void kill().catch(onError), deadEveryMs),
    setInterval(() => void strike().catch(onError), faultEveryMs),
  ]
  return {
    async stop() {
      for (const timer of timers) clearInterval(timer)
      clearTimeout(healing)
      await heal()
    },
  }
}

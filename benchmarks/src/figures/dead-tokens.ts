import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../report.ts'
import { type Scene, seedDevices } from '../scene.ts'
import { bare, broadcast } from './broadcast.ts'
import { setDelay } from './send-path.ts'

const devices = 40_000

/**
 * Answers of 20 and 50 ms, a fifth of the tokens dead: where another push server lost more than half and
 * said it had succeeded. The plain loop sends to the same provider while that answers at once and knows all.
 */
export async function deadTokens(scene: Scene, report: Report, seed: string): Promise<void> {
  await seedDevices(scene, devices, seed)
  await broadcast(scene, devices)
  for (const ms of [20, 50]) {
    const plain = await bare(scene, 'apns', devices)
    const dead = await killAFifth(scene)
    await setDelay(scene, ms)
    const ours = await broadcast(scene, devices, { dead })
    await setDelay(scene, 0)
    await report.add({
      figure: `a fifth dead, answers after ${ms} ms / bare`,
      value: ours.perSecond / plain.perSecond,
      unit: '',
      detail: { ...ours, dead, bare: plain.perSecond },
    })
    await revive(scene)
  }
}

const tokensAtOnce = 10_000

/** From a moment on the provider does not know them: a notice counts if it is later than the registration. */
async function killAFifth(scene: Scene): Promise<number> {
  const { rows } = await scene.database.query<{ token: string }>(
    'select token from devices where device_no % 5 = 0',
  )
  const behaviour = { kind: 'unregistered', since: Date.now() }
  for (let from = 0; from < rows.length; from += tokensAtOnce) {
    const some = rows.slice(from, from + tokensAtOnce).map(({ token }) => ({ token, behaviour }))
    await simulator(scene, 'PUT', some)
  }
  await sleep(100)
  return rows.length
}

async function revive(scene: Scene): Promise<void> {
  await simulator(scene, 'DELETE')
  await scene.database.query(
    `update devices set last_status = '', status_at = null, failures = 0, dead_at = null, dead_reason = null
     where dead_at is not null`,
  )
  await scene.database.query('vacuum analyze devices')
}

async function simulator(scene: Scene, method: string, body?: unknown): Promise<void> {
  const url = `${scene.local.simulator_url}/tokens`
  const { ok, status } = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!ok) throw new Error(`${method} of tokens answered ${status}`)
}

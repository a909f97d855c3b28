import { fork } from 'node:child_process'
import type { BareTask } from '../bare-loop.ts'
import { measureCpu } from '../processes.ts'
import type { Scene } from '../scene.ts'

interface Received {
  accepted: number
  distinct_tokens: number
  duplicates: number
}

export interface BroadcastResult {
  devices: number
  seconds: number
  perSecond: number
  /** Share of one core that each process used. */
  cores: Record<string, number>
  received: Received
}

const deadlineMs = 600_000

const toEveryone = { content: { title: 'Hello', body: 'To everyone who is here' } }

/**
 * Sends to everyone and waits until the last delivery is recorded. The time is the database's own,
 * from acceptance to the last outcome; that each device got it once is the simulator's word. `dead` of the
 * devices are unknown to the provider.
 */
export async function broadcast(
  scene: Scene,
  devices: number,
  { dead = 0, ...message }: { dead?: number; content?: object; [field: string]: unknown } = {},
): Promise<BroadcastResult> {
  await fetch(`${scene.local.simulator_url}/received`, { method: 'DELETE' })
  const { result, cores } = await measureCpu(scene.pids, async () => {
    const { id } = (await scene.call('POST', `${scene.local.sender_url}/v1/messages`, {
      to: { all: true },
      ...toEveryone,
      ...message,
    })) as { id: string }
    await settled(scene, id, devices)
    return id
  })
  const { rows } = await scene.database.query<{ seconds: number; sent: string; bounced: string }>(
    `select extract(epoch from c.settled_at - m.created_at)::float8 as seconds, c.sent, c.bounced
     from messages m join message_counts c using (message_no) where m.id = $1`,
    [result],
  )
  const [row] = rows
  const received = (await (
    await fetch(`${scene.local.simulator_url}/received/count`)
  ).json()) as Received
  // Others may be sent to at the same time.
  const isAll = Number(row?.sent) === devices - dead && Number(row?.bounced) === dead
  if (!row || !isAll || received.distinct_tokens < devices - dead) {
    const { distinct_tokens, duplicates } = received
    throw new Error(
      `sent ${row?.sent}, bounced ${row?.bounced}, arrived ${distinct_tokens}, twice ${duplicates}: of ${devices}`,
    )
  }
  return { devices, seconds: row.seconds, perSecond: devices / row.seconds, cores, received }
}

async function settled(scene: Scene, id: string, devices: number): Promise<void> {
  const deadline = Date.now() + deadlineMs
  for (;;) {
    const { counts } = (await scene.call('GET', `${scene.local.sender_url}/v1/messages/${id}`)) as {
      counts: { recipients: number; pending: number }
    }
    if (counts.recipients === devices && counts.pending === 0) return
    if (Date.now() > deadline) throw new Error(`${counts.pending} are pending after ten minutes`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export interface BareResult {
  perSecond: number
  seconds: number
  cores: Record<string, number>
}

/** A plain `node:http2` loop in a process of its own sends to the same tokens and simulator. */
export async function bare(
  scene: Scene,
  provider: 'apns' | 'fcm',
  devices: number,
): Promise<BareResult> {
  const { rows } = await scene.database.query<{ token: string }>(
    'select token from devices order by device_no limit $1',
    [devices],
  )
  const child = fork(new URL('../bare-loop.ts', import.meta.url), {
    execArgv: ['--max-semi-space-size=4'],
  })
  try {
    const task: BareTask = {
      ...(await scene.credentials()),
      provider,
      url: provider === 'apns' ? scene.local.apns_url : scene.local.fcm_url,
      tokenUrl: scene.local.fcm_token_url,
      tokens: rows.map((row) => row.token),
    }
    const { simulator = 0 } = scene.pids
    const pids = { simulator, bare: child.pid ?? 0 }
    const { result, cores } = await measureCpu(pids, async () => {
      const done = new Promise<{ seconds: number }>((resolve, reject) => {
        child.once('message', (message) => resolve(message as { seconds: number }))
        child.once('exit', (code) => reject(new Error(`the bare loop ended with ${code}`)))
      })
      child.send(task)
      return done
    })
    return { seconds: result.seconds, perSecond: rows.length / result.seconds, cores }
  } finally {
    child.removeAllListeners('exit')
    child.kill()
  }
}

import { createHash } from 'node:crypto'
import { type LoadResult, load } from './load.ts'
import { measureCpu } from './processes.ts'
import type { Scene } from './scene.ts'

/** New tokens for new people over 64 connections. */
export async function registration(
  scene: Scene,
  count: number,
  seed: string,
): Promise<LoadResult & { cores: Record<string, number> }> {
  const { local } = scene
  const token = (n: number) => createHash('sha256').update(`${seed} ${n}`).digest('hex')
  const { result, cores } = await measureCpu({ ...scene.pids, load: process.pid }, () =>
    load({
      url: local.registry_url,
      connections: 64,
      count,
      headers: {
        authorization: `Bearer ${local.secret_key}`,
        'content-type': 'application/json',
      },
      request: (n) => ({
        method: 'PUT',
        path: `/v1/people/${seed}-${n}/devices`,
        body: JSON.stringify({
          device: {
            id: token(n),
            platform: 'ios',
            attributes: { app_version: '4.2.0', device_os: '19.1', push_enabled: 'true' },
          },
        }),
      }),
    }),
  )
  const { rows } = await scene.database.query<{ n: number }>(
    `select count(*)::int as n from devices d join people p using (person_no) where p.id like $1`,
    [`${seed}-%`],
  )
  if (rows[0]?.n !== count) throw new Error(`${rows[0]?.n} devices are stored, not ${count}`)
  return { ...result, cores }
}

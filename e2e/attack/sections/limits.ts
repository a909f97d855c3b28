import { randomBytes } from 'node:crypto'
import type { Answer, Section } from '../attempt.ts'
import type { World } from '../world.ts'

/** Floods from one address: each meets a 429 that says when to come again, and another key is served. */
export function limitSection({ local, tenant, victim, call }: World): Section {
  const { registry_url: registry } = local
  const put = (path: string, body: object) => call('PUT', registry + path, tenant.public, body)
  const device = () => ({
    device: { id: randomBytes(32).toString('hex'), platform: 'ios', app_id: tenant.appId },
  })
  const floods: Record<string, [number, (n: number) => Promise<Answer>]> = {
    'writes about one person': [100, () => put('/v1/people/flood', { attributes: { a: 1 } })],
    'devices of one person': [100, () => put('/v1/people/flood-2/devices', device())],
    'registrations of one token': [
      100,
      () => put(`/v1/devices/${'cd'.repeat(32)}`, { platform: 'ios', app_id: tenant.appId }),
    ],
    'registrations from one address': [1500, (n) => put(`/v1/people/flood-${n}/devices`, device())],
  }
  const control = async () => {
    const { status } = await call('GET', `${registry}/v1/people/${victim.person}`, victim.keys.read)
    if (status !== 200) throw new Error(`another key was answered ${status}`)
  }
  return {
    name: 'limits',
    control,
    attempts: Object.entries(floods).map(([name, [count, send]]) => ({
      name,
      run: async () => {
        const answers: Answer[] = []
        for (let n = 0; n < count; n += 50) {
          answers.push(...(await Promise.all(Array.from({ length: 50 }, (_, m) => send(n + m)))))
        }
        const odd = answers.find(({ status }) => status !== 200 && status !== 429)
        if (odd) return `${odd.status} ${odd.text.slice(0, 100)}`
        const limited = answers.filter(({ status }) => status === 429)
        if (limited.length === 0) return `${count} of ${count} were taken`
        const without = limited.find(({ headers }) => !headers.get('retry-after'))
        return without ? 'a 429 does not say when to come again' : null
      },
    })),
  }
}

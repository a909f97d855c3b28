import { revokeKey } from '@pushkeep/store'
import { type Attempt, type Section, unless } from '../attempt.ts'
import { signIn } from '../browser.ts'
import type { World } from '../world.ts'

const overview = '/ops/api/live/overview'

/** Streams of the console: taking all of them, keeping one that has ended, and seeing another workspace. */
export function liveSection(world: World): Section {
  const { local, database, victim, tenant, call, freshKey } = world
  const enter = async () => signIn(world, (await freshKey(tenant.appId, 'read')).key)
  const control = async () => {
    const stream = await (await signIn(world, victim.keys.read)).open(overview)
    stream.close()
    if (stream.status !== 200) throw new Error(`a stream was answered ${stream.status}`)
  }
  const flood = (sessions: number): Attempt => ({
    name: `300 streams of one workspace, by ${sessions} sessions`,
    run: async () => {
      const streams = []
      try {
        for (let n = 0; n < sessions; n += 1) {
          const browser = await enter()
          for (let m = 0; m < 300 / sessions; m += 1) streams.push(await browser.open(overview))
        }
        const taken = streams.filter(({ status }) => status === 200).length
        const odd = streams.find(({ status }) => status !== 200 && status !== 429)
        if (odd) return `a stream was answered ${odd.status}`
        await control()
        return taken < 300 ? null : 'all 300 were opened'
      } finally {
        for (const { close } of streams) close()
      }
    },
  })
  const paths: Record<string, string> = {
    "another workspace's message": `/ops/api/live/messages/${victim.messageId}`,
    'a message that there is not': '/ops/api/live/messages/00000000-0000-7000-8000-000000000000',
    'a message with a path in its id': '/ops/api/live/messages/..%2foverview',
  }
  return {
    name: 'live',
    control,
    attempts: [
      flood(1),
      flood(10),
      ...Object.entries(paths).map(
        ([name, path]): Attempt => ({
          name: `a stream of ${name}`,
          run: async () => unless(await (await enter()).get(path), [400, 404, 422], [victim.mark]),
        }),
      ),
      {
        name: 'a stream without a session',
        run: async () => unless(await call('GET', local.sender_url + overview, null), [401]),
      },
      {
        name: 'a stream by a key in the header',
        run: async () =>
          unless(await call('GET', local.sender_url + overview, tenant.admin), [401, 403]),
      },
      {
        name: 'a stream that outlives its key',
        run: async () => {
          const { id, key, workspaceNo } = await freshKey(tenant.appId, 'read')
          const stream = await (await signIn(world, key)).open(overview)
          await revokeKey(database, { workspaceNo, id })
          const timeout = new Promise<string>((resolve) => {
            setTimeout(() => resolve('it is open half a minute later'), 30_000).unref()
          })
          const fault = await Promise.race([stream.ended.then(() => null), timeout])
          stream.close()
          return fault
        },
      },
    ],
  }
}

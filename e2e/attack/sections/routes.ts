import { type Operation, readOperations } from '../../fuzz/documents.ts'
import { type Attempt, type Section, unless } from '../attempt.ts'
import type { World } from '../world.ts'

const hidden = [400, 401, 403, 404, 409, 413, 415, 422, 429]

/** Every route of both documents, called by those who may not, or may see nothing of it. */
export async function routeSections(world: World): Promise<Section[]> {
  const { local, victim, tenant, call } = world
  const origins = { registry: local.registry_url, sender: local.sender_url }
  const all = [
    ...(await readOperations('registry', origins.registry)),
    ...(await readOperations('sender', origins.sender)),
  ].filter(({ isOpen, path }) => !isOpen && path.startsWith('/v1/'))

  const urlOf = ({ service, path }: Operation) =>
    origins[service] +
    path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(valueFor(name, path)))
  const valueFor = (name: string, path: string) => {
    if (name === 'token') return victim.token
    if (name === 'provider') return 'apns'
    if (path.startsWith('/v1/apps')) return victim.appId
    return path.startsWith('/v1/messages') ? victim.messageId : victim.person
  }
  const ask = (operation: Operation, key: string | null) =>
    call(operation.method, urlOf(operation), key, operation.body ? bodyOf(operation) : undefined)
  const bodyOf = ({ path, method }: Operation): unknown => {
    if (path.endsWith('/bounces')) return { decision: 'keep' }
    if (path === '/v1/messages')
      return { to: { person_id: victim.person }, content: { title: 'x' } }
    if (path.endsWith('/devices') && method === 'PUT') {
      return { device: { id: victim.token, platform: 'ios', app_id: victim.appId } }
    }
    return path.endsWith('/events') ? { name: 'x' } : {}
  }
  const secrets = [victim.mark, victim.token, victim.keys.admin]
  const isStanding = async () => {
    const answer = await call(
      'GET',
      `${origins.registry}/v1/people/${victim.person}`,
      victim.keys.admin,
    )
    return answer.status === 200 && answer.text.includes(victim.mark)
      ? null
      : `the victim is not as it was: ${answer.status}`
  }
  const control = async () => {
    const fault = await isStanding()
    if (fault !== null) throw new Error(fault)
  }
  const by = (
    name: string,
    key: string | null,
    allowed: readonly number[],
    operations = all,
  ): Section => ({
    name,
    control,
    attempts: operations.map(
      (operation): Attempt => ({
        name: `${operation.method} ${operation.path}`,
        run: async () =>
          unless(await ask(operation, key), allowed, secrets) ?? (await isStanding()),
      }),
    ),
  })
  const changing = all.filter(({ method }) => method !== 'GET')
  const ofSender = all.filter(({ service }) => service === 'sender')
  return [
    by('routes without a key', null, [401]),
    by('routes with a key that nobody has', `pushkeep_sk_${'a'.repeat(40)}`, [401]),
    by('routes with a key of another workspace', tenant.admin, [200, 202, 204, ...hidden]),
    by('push sender with a public key', victim.keys.public, [403], ofSender),
    by('changing routes with the role read', victim.keys.read, [403, 404, 422], changing),
  ]
}

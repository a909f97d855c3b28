import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { type Section, unless } from '../attempt.ts'
import type { World } from '../world.ts'

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Forged, stretched and borrowed identity tokens: none speaks for the victim. */
export function identitySection(world: World): Section {
  const { local, victim, call } = world
  const soon = () => Math.floor(Date.now() / 1000) + 600
  const signed = (header: object, claims: object) => {
    const text = `${encode(header)}.${encode(claims)}`
    const options = { key: victim.privateKeyPem, dsaEncoding: 'ieee-p1363' } as const
    return `${text}.${sign('sha256', Buffer.from(text), options).toString('base64url')}`
  }
  const header = { alg: 'ES256', kid: 'backend' }
  const claims = () => ({ sub: victim.person, exp: soon() })
  const unsigned = (alg: string) => `${encode({ alg, kid: 'backend' })}.${encode(claims())}.`
  const hmac = (secret: string) => {
    const text = `${encode({ alg: 'HS256', kid: 'backend' })}.${encode(claims())}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  }
  const bare = (text: string, exp: string) => {
    const said = `${encode(header)}.${Buffer.from(`{"sub":"${text}","exp":${exp}}`).toString('base64url')}`
    const options = { key: victim.privateKeyPem, dsaEncoding: 'ieee-p1363' } as const
    return `${said}.${sign('sha256', Buffer.from(said), options).toString('base64url')}`
  }
  const embedded = () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const jwk = publicKey.export({ format: 'jwk' })
    const said = `${encode({ alg: 'ES256', jwk })}.${encode(claims())}`
    const options = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    return `${said}.${sign('sha256', Buffer.from(said), options).toString('base64url')}`
  }
  const good = signed(header, claims())
  const forged: Record<string, string | null> = {
    'no token': null,
    'an empty token': '',
    'not a token': 'x.y.z',
    'alg none': unsigned('none'),
    'alg None': unsigned('None'),
    'alg nOnE': unsigned('nOnE'),
    'the public key as a shared secret': hmac(victim.publicKeyPem),
    'an empty secret': hmac(''),
    'a token of another person': signed(header, { sub: 'somebody-else', exp: soon() }),
    'no subject': signed(header, { exp: soon() }),
    'a subject that is a list': signed(header, { sub: [victim.person], exp: soon() }),
    'a subject that is a number': signed(header, { sub: 1, exp: soon() }),
    expired: signed(header, { sub: victim.person, exp: soon() - 7200 }),
    'no end': signed(header, { sub: victim.person }),
    'an end in ten years': signed(header, { sub: victim.person, exp: soon() + 315_360_000 }),
    'an end without end': bare(victim.person, '1e400'),
    'not valid yet': signed(header, { ...claims(), nbf: soon() + 3600 }),
    'an unknown key': signed({ ...header, kid: 'nobody' }, claims()),
    'a key id that is a path': signed({ ...header, kid: '../../etc/passwd' }, claims()),
    'a key id of a prototype': signed({ ...header, kid: '__proto__' }, claims()),
    'an embedded key': embedded(),
    'a key to fetch': signed({ ...header, kid: 'x', jku: 'http://127.0.0.1:1/' }, claims()),
    'an unknown critical header': signed({ ...header, crit: ['x'], x: 1 }, claims()),
    'a cut signature': good.slice(0, -4),
    'no signature': `${good.slice(0, good.lastIndexOf('.'))}.`,
    'a signature of zeros': `${good.slice(0, good.lastIndexOf('.'))}.${'A'.repeat(86)}`,
    'other claims under a good signature': [
      good.split('.')[0],
      encode({ sub: victim.person, exp: soon() + 1 }),
      good.split('.')[2],
    ].join('.'),
  }
  const register = (token: string | null) =>
    call(
      'PUT',
      `${local.registry_url}/v1/people/${victim.person}/devices`,
      victim.keys.public,
      { device: { id: 'ab'.repeat(32), platform: 'ios', app_id: victim.appId } },
      token === null ? {} : { 'x-identity-token': token },
    )
  return {
    name: 'identity tokens',
    control: async () => {
      const { status, text } = await register(good)
      if (status !== 200) throw new Error(`a good token was answered ${status} ${text}`)
    },
    attempts: Object.entries(forged).map(([name, token]) => ({
      name,
      run: async () => unless(await register(token), [400, 401, 403, 422], [victim.mark]),
    })),
  }
}

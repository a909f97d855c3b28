import { createLimiter, noRates, type Rates } from '@pushkeep/runtime'
import { createKey, readAudit } from '@pushkeep/store'
import { expect, test } from 'vitest'
import { ownHeaders } from './console.ts'
import { get, type Sender, startTestSender } from './sender.ts'

/** A key of the right form that there is not; each number is another one. */
const wrongKey = (n: number) => `sk_${n.toString(16).padStart(24, '0')}`

function senderWith(rates: Partial<Rates>) {
  return startTestSender({
    limiter: createLimiter({ rates: { ...noRates, ...rates }, now: () => 0 }),
  })
}

async function signIn(
  sender: Sender,
  key: string,
  remoteAddress = '192.0.2.1',
  headers: Record<string, string> = {},
) {
  const answer = await sender.app.inject({
    method: 'POST',
    url: '/ops/api/session',
    headers: { ...ownHeaders, ...headers },
    payload: { key },
    remoteAddress,
  })
  return { answer, status: answer.statusCode }
}

const three = { perSecond: 0.1, burst: 3 }

test('failed sign-ins of one address are told to wait, and when to come back', async () => {
  await using sender = await senderWith({ sign_ins: three })
  for (let n = 0; n < 3; n += 1) expect((await signIn(sender, wrongKey(n))).status).toBe(401)
  const { answer } = await signIn(sender, wrongKey(3))
  expect(answer.json()).toMatchObject({
    status: 429,
    code: 'too_many_sign_ins',
    'violated-policies': ['sign_ins'],
  })
  expect(answer.headers['retry-after']).toBe('10')
  expect((await signIn(sender, wrongKey(4), '192.0.2.2')).status).toBe(401)
})

test('IPv6 addresses of one /64 are counted together', async () => {
  await using sender = await senderWith({ sign_ins: three })
  const statuses = []
  for (let n = 1; n <= 4; n += 1) {
    statuses.push((await signIn(sender, wrongKey(n), `2001:db8::${n}`)).status)
  }
  expect(statuses).toEqual([401, 401, 401, 429])
})

test('every kind of failure counts: unknown, not a key, public, ended, of another address', async () => {
  await using sender = await senderWith({ sign_ins: { perSecond: 0.1, burst: 5 } })
  const make = async (terms: object) => {
    const { workspaceNo } = sender.tenant
    const owner = { workspaceNo, appNo: null, kind: 'secret' as const, name: 'terms' }
    return (await createKey(sender.database, { ...owner, ...terms })).key
  }
  const ended = await make({ expiresAt: new Date(Date.now() - 1000) })
  const elsewhere = await make({ allowedAddresses: ['198.51.100.0/24'] })
  const codes = []
  for (const key of [wrongKey(1), 'nonsense', sender.tenant.public, ended, elsewhere, 'x']) {
    codes.push((await signIn(sender, key)).answer.json().code)
  }
  expect(codes).toEqual([
    'wrong_key',
    'wrong_key',
    'public_key',
    'key_expired',
    'address_not_allowed',
    'too_many_sign_ins',
  ])
})

test('calls that another site makes a browser send use up no tries', async () => {
  await using sender = await senderWith({ sign_ins: three })
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost', 'sec-fetch-site': 'cross-site' },
    { origin: 'http://localhost', 'sec-fetch-site': 'same-site' },
  ]) {
    expect((await signIn(sender, wrongKey(1), undefined, headers)).status).toBe(403)
  }
  for (let n = 0; n < 3; n += 1) expect((await signIn(sender, wrongKey(n))).status).toBe(401)
})

test('the operator signs in while an attacker of the same address is refused', async () => {
  await using sender = await senderWith({ sign_ins: three })
  const { secret } = sender.tenant
  const attack = Array.from({ length: 300 }, (_, n) => signIn(sender, wrongKey(n)))
  const first = signIn(sender, secret)
  const statuses = (await Promise.all(attack)).map(({ status }) => status)
  expect((await first).status).toBe(200)
  expect(statuses.filter((status) => status === 401)).toHaveLength(3)
  expect(statuses.filter((status) => status === 429)).toHaveLength(297)
  expect((await signIn(sender, secret)).status).toBe(200)
})

test('signing in with a right key uses up no tries, and is counted by key', async () => {
  await using sender = await senderWith({ sign_ins: three, console: { perSecond: 0.1, burst: 5 } })
  const { tenant } = sender
  for (let n = 0; n < 5; n += 1) expect((await signIn(sender, tenant.secret)).status).toBe(200)
  const { answer } = await signIn(sender, tenant.secret, '192.0.2.2')
  expect(answer.json()).toMatchObject({ status: 429, 'violated-policies': ['console'] })
  expect((await signIn(sender, tenant.appSecret)).status).toBe(200)
  expect((await signIn(sender, wrongKey(1))).status).toBe(401)
})

test('a flood of failed sign-ins is one entry of the audit log at once', async () => {
  await using sender = await senderWith({ sign_ins: three })
  for (let n = 0; n < 40; n += 1) await signIn(sender, wrongKey(n))
  const entries = async () => {
    const { rows } = await sender.database.query<{ count: number }>(
      `select count(*)::int as count from audit_log where action = 'session.refused'`,
    )
    return rows[0]?.count
  }
  await expect.poll(entries).toBe(1)
  const page = { workspaceNo: sender.tenant.workspaceNo, appNo: null, before: null, limit: 10 }
  expect((await readAudit(sender.database, page)).entries).toEqual([])
})

test('a right API key passes while wrong ones of the same address are refused', async () => {
  await using sender = await senderWith({ refusals: three })
  const statuses = []
  for (let n = 0; n < 5; n += 1) {
    statuses.push((await get(sender, '/v1/messages', wrongKey(n))).statusCode)
  }
  expect(statuses).toEqual([401, 401, 401, 429, 429])
  expect((await get(sender, '/v1/messages')).statusCode).toBe(200)
})

import {
  connect,
  createApp,
  findWorkspace,
  parseEncryptionKey,
  putCredentials,
} from '@pushkeep/store'
import { expect, test } from 'vitest'
import {
  androidToken,
  deliveries,
  done,
  inParallel,
  iosToken,
  type System,
  send,
  startSystem,
} from './system.ts'

/** Another app of the workspace, with credentials of its own. */
async function addApp(system: System, name: string): Promise<string> {
  const { body } = await system.simulator('POST', '/credentials', {
    name,
    topic: `com.example.${name}`,
  })
  const database = connect({ url: system.local.database_url, name: 'e2e', connectionsMax: 1 })
  try {
    const workspace = await findWorkspace(database, system.local.workspace_id)
    if (!workspace) throw new Error('the workspace is gone')
    const app = await createApp(database, workspace.workspaceNo, name)
    const { teamId, keyId, topic, privateKeyPem } = body.apns
    await putCredentials(database, parseEncryptionKey(system.encryptionKey), {
      appNo: app.appNo,
      provider: 'apns',
      settings: { teamId, keyId, topic },
      secret: privateKeyPem,
    })
    return app.id
  } finally {
    await database.end()
  }
}

/** People with an iPhone each, in an app. */
async function people(system: System, appId: string, name: string, count: number) {
  const tokens = Array.from({ length: count }, iosToken)
  await inParallel(tokens, 16, (token, n) =>
    system.registry('PUT', `/v1/people/${name}-${n}/devices`, {
      device: { id: token, platform: 'ios', app_id: appId },
    }),
  )
  return tokens
}

const messageTo = (person: string) => ({ to: { person_id: person }, content: { title: 'Hello' } })

test('an app that its provider does not serve backs off alone, and loses nothing', async () => {
  await using system = await startSystem()
  const shop = await addApp(system, 'shop')
  const [served, unserved] = [system.local.app_id, shop]
  await people(system, served, 'served', 20)
  const tokens = await people(system, unserved, 'unserved', 20)
  const behaviour = { kind: 'status', status: 503, reason: 'ServiceUnavailable' }
  await system.simulator(
    'PUT',
    '/tokens',
    tokens.map((token) => ({ token, behaviour })),
  )
  const waiting = await Promise.all(tokens.map((_, n) => send(system, messageTo(`unserved-${n}`))))
  const asked = async () => {
    const counts = await Promise.all(
      tokens.map((token) => system.simulator('GET', `/received/count?token=${token}`)),
    )
    return counts.reduce((sum, { body }) => sum + body.requests, 0)
  }
  await expect.poll(asked, { timeout: 10_000 }).toBeGreaterThan(0)
  const began = Date.now()
  for (let n = 0; n < 20; n += 1) {
    const id = await send(system, messageTo(`served-${n}`))
    expect((await done(system, id, 10_000)).counts).toMatchObject({ sent: 1 })
  }
  const seconds = (Date.now() - began) / 1000
  // Those that were in flight together, and one that probes each second at most.
  expect(await asked()).toBeLessThanOrEqual(tokens.length + 5 + seconds)
  for (const token of tokens) await system.simulator('DELETE', `/tokens/${token}`)
  for (const id of waiting) {
    expect((await done(system, id, 90_000)).counts).toMatchObject({ sent: 1 })
  }
  const { body } = await system.simulator('GET', '/received/count')
  expect(body).toMatchObject({ accepted: 40, duplicates: 0 })
}, 180_000)

test('a provider whose name does not resolve holds up its own pushes alone, and is not asked in circles', async () => {
  await using system = await startSystem({ env: { workers: { FCM_URL: 'https://fcm.invalid' } } })
  const [ios, android] = [iosToken(), androidToken()]
  for (const [id, platform] of [
    [ios, 'ios'],
    [android, 'android'],
  ]) {
    await system.registry('PUT', '/v1/people/ana/devices', { device: { id, platform } })
  }
  const id = await send(system, messageTo('ana'))
  const statuses = async () => {
    const rows = await deliveries(system, id)
    return rows.map(({ platform, status, reason }) => `${platform} ${status} ${reason}`).sort()
  }
  await expect
    .poll(statuses, { timeout: 20_000 })
    .toEqual([
      expect.stringMatching(/^android pending connect (ENOTFOUND|EAI_AGAIN)$/),
      'ios sent null',
    ])
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const [pending] = (await deliveries(system, id)).filter(({ status }) => status === 'pending')
  expect(pending.attempts).toBeLessThanOrEqual(3)
  const report = (await system.sender('GET', `/v1/messages/${id}`)).body
  expect(report).toMatchObject({ balanced: true, counts: { sent: 1, pending: 1 } })
}, 120_000)

import { setTimeout as sleep } from 'node:timers/promises'
import { checkAuditHead, readAudit, signAuditHead } from '@pushkeep/store'
import { type Attempt, type Section, unless } from '../attempt.ts'
import { signIn } from '../browser.ts'
import type { World } from '../world.ts'

/** Doing something without a trace, and taking a trace away. */
export function auditSection(world: World): Section {
  const { local, database, victim, tenant, call, freshKey } = world
  const { registry_url: registry, sender_url: sender } = local
  const { keys } = victim
  const numberOf = async (appId: string) => {
    const { rows } = await database.query<{ no: number }>(
      'select workspace_no as no from apps where id = $1',
      [appId],
    )
    return rows[0]?.no ?? 0
  }
  const newest = async (workspaceNo: number) => {
    const page = { workspaceNo, appNo: null, before: null, limit: 100 }
    return (await readAudit(database, page)).entries
  }
  const merge = {
    type: 'person',
    action: 'merge',
    primary: { id: 'audited-1' },
    secondary: { id: 'audited-2' },
  }
  const basic = { authorization: `Basic ${btoa(`site:${keys.operate}`)}` }
  const deeds: Record<
    string,
    [action: string, workspace: 'victim' | 'none', () => Promise<unknown>]
  > = {
    'a message to everyone': [
      'message.broadcast',
      'victim',
      () =>
        call('POST', `${sender}/v1/messages`, keys.operate, {
          to: { all: true },
          app_id: victim.secondAppId,
          content: { title: 'all' },
        }),
    ],
    'an export of a person': [
      'person.export',
      'victim',
      () => call('GET', `${sender}/v1/people/${victim.person}/export`, keys.admin),
    ],
    'a person who is merged': [
      'person.merge',
      'victim',
      () => call('POST', `${registry}/api/v2/entity`, null, merge, basic),
    ],
    'a person who is deleted': [
      'person.delete',
      'victim',
      () => call('DELETE', `${registry}/v1/people/audited-3`, keys.operate),
    ],
    'a person who is suppressed and erased': [
      'person.erase',
      'victim',
      () => call('POST', `${registry}/v1/people/audited-4/suppress`, keys.operate, { erase: true }),
    ],
    'a call that is above a role': [
      'access.refused',
      'victim',
      async () =>
        // The first of a key and minute is written down at once.
        call('POST', `${sender}/v1/messages`, (await freshKey(victim.appId, 'read')).key, {
          to: { person_id: victim.person },
          content: { title: 'x' },
        }),
    ],
    'a sign-in': ['session.open', 'victim', () => signIn(world, keys.read)],
    'a sign-in with a wrong key': [
      'session.refused',
      'none',
      () => call('POST', `${sender}/ops/api/session`, null, { key: 'wrong' }, { origin: sender }),
    ],
  }
  const traced = Object.entries(deeds).map(
    ([name, [action, workspace, run]]): Attempt => ({
      name: `${name} without an entry that has the address`,
      run: async () => {
        const workspaceNo = workspace === 'none' ? 0 : await numberOf(victim.appId)
        const before = new Set((await newest(workspaceNo)).map(({ entryNo }) => entryNo))
        await run()
        for (let tries = 0; tries < 60; tries += 1) {
          const fresh = (await newest(workspaceNo)).filter(({ entryNo }) => !before.has(entryNo))
          const entry = fresh.find((one) => one.action === action)
          if (entry) return entry.address === '127.0.0.1' ? null : `its address is ${entry.address}`
          await sleep(50)
        }
        return `there is no entry ${action}`
      },
    }),
  )
  /** Changes the log as the owner of the database may, and takes it back. */
  const tampered = (name: string, text: string, expected: string): Attempt => ({
    name,
    run: async () => {
      const workspaceNo = await numberOf(victim.appId)
      const client = await database.connect()
      try {
        const head = await signAuditHead(client, Buffer.alloc(32, 7), workspaceNo, Date.now())
        if (!head) return 'there is no head'
        await client.query('begin; set local session_replication_role = replica')
        await client.query(text, [workspaceNo])
        const page = { workspaceNo, appNo: null, before: null, limit: 100 }
        const { entries } = await readAudit(client, page)
        const seen = entries.some(({ isIntact }) => !isIntact)
          ? 'broken chain'
          : await checkAuditHead(client, head)
        return seen === expected ? null : `the log looks ${seen}`
      } finally {
        await client.query('rollback')
        client.release()
      }
    },
  })
  const last = '(select max(entry_no) from audit_log where workspace_no = $1)'
  const foreign = async (path: string) => {
    const browser = await signIn(world, tenant.admin)
    return unless(await browser.get(path), [200], [victim.mark, victim.appId])
  }
  return {
    name: 'audit',
    control: async () => {
      for (const id of ['audited-1', 'audited-2', 'audited-3']) {
        const { status } = await call('PUT', `${registry}/v1/people/${id}`, keys.operate, {})
        if (status !== 200) throw new Error(`identifying was answered ${status}`)
      }
      await (await signIn(world, keys.read)).get('/ops/api/audit')
    },
    attempts: [
      ...traced,
      tampered(
        'the newest entry is cut off',
        `delete from audit_log where workspace_no = $1 and entry_no = ${last}`,
        'cut-off',
      ),
      tampered(
        'an entry is rewritten',
        `update audit_log set key_name = 'another' where workspace_no = $1 and entry_no = ${last}`,
        'broken chain',
      ),
      tampered(
        'an entry in the middle is taken out',
        `delete from audit_log where workspace_no = $1 and entry_no = ${last} - 1`,
        'broken chain',
      ),
      { name: "another workspace's log in the console", run: () => foreign('/ops/api/audit') },
    ],
  }
}

import {
  audit,
  type Database,
  type EncryptionKey,
  installationNo,
  type Resealed,
  resealCredentials,
  resealIdentitySecrets,
  type SealedTexts,
  sealedCredentials,
  sealedIdentitySecrets,
} from '@pushkeep/store'
import { Command } from 'commander'
import { Failure } from './failure.ts'
import type { Answer, Run, Session } from './session.ts'

/** `encryption rotate`, `encryption status` */
export function encryptionCommand(run: Run): Command {
  const command = new Command('encryption').description('the keys that secrets are sealed with')
  command
    .command('rotate')
    .description('seal everything with the first key of PUSHKEEP_ENCRYPTION_KEY, while all runs')
    .addHelpText('after', help)
    .action(() => run(rotate))
  command
    .command('status')
    .description('how many secrets are under which key')
    .action(() => run(status))
  return command
}

const help = `
PUSHKEEP_ENCRYPTION_KEY and PUSHKEEP_IDENTITY_KEY take several keys by commas: the first seals, each opens.
  1. workers (and the registry, for PUSHKEEP_IDENTITY_KEY): <old>,<new>; restart them one by one
  2. PUSHKEEP_ENCRYPTION_KEY=<new>,<old> pushkeep encryption rotate
  3. workers: <new>; restart them one by one
It may be run again at any time: it takes what is not under the first key.`

/** Both kinds of secrets, with the key of each; null: there is no such key here. */
async function keysOf(session: Session) {
  const orNull = (key: Promise<EncryptionKey>) =>
    key.catch((error: unknown) => {
      if (error instanceof Failure && error.message.startsWith('no key')) return null
      throw error
    })
  return {
    encryption: await session.encryptionKey(),
    identity: await orNull(session.identityKey()),
  }
}

async function rotate(session: Session): Promise<Answer> {
  const { database } = session
  const { encryption, identity } = await keysOf(session)
  const credentials = await resealCredentials(database, encryption)
  const secrets = identity ? await resealIdentitySecrets(database, identity) : null
  await note(database, credentials, secrets)
  const unopened = [...credentials.unopened, ...(secrets?.unopened ?? [])]
  const text = [
    `${credentials.resealed} credentials and ${secrets?.resealed ?? 0} identity secrets were sealed anew.`,
    ...unopened.map(({ appNo, name }) => `none of the keys opens ${name} of app number ${appNo}`),
  ].join('\n')
  const json = { credentials, identity_secrets: secrets }
  return { text, json, exitCode: unopened.length === 0 ? 0 : 1 }
}

async function note(database: Database, credentials: Resealed, secrets: Resealed | null) {
  await audit(database, {
    actor: { workspaceNo: installationNo, key: null },
    action: 'encryption.rotate',
    target: { kind: 'workspace', id: 'installation' },
    appNo: null,
    detail: { credentials: credentials.resealed, identity_secrets: secrets?.resealed ?? 0 },
  })
}

async function status(session: Session): Promise<Answer> {
  const { database } = session
  const { encryption, identity } = await keysOf(session)
  const credentials = await sealedCredentials(database, encryption)
  const secrets = identity ? await sealedIdentitySecrets(database, identity) : null
  const lines = [
    line('credentials', credentials),
    ...(secrets ? [line('identity secrets', secrets)] : []),
  ]
  return { text: lines.join('\n'), json: { credentials, identity_secrets: secrets } }
}

function line(what: string, { current, earlier, unknown }: SealedTexts): string {
  return `${what}: ${current} under the first key, ${earlier} under another, ${unknown} under none of these`
}

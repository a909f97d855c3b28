import type { AuditEntry } from '@pushkeep/console-api'

const actions: Record<string, string> = {
  'session.open': 'signed in',
  'session.close': 'signed out',
  'message.send': 'sent a test push',
  'message.cancel': 'cancelled a message',
  'message.release': 'released a message',
  'provider.resume': 'resumed a lane',
  'provider.bounces': 'decided about retired tokens',
  'credentials.check': 'checked credentials',
  'credentials.replace': 'replaced credentials',
  'key.create': 'created a key',
  'key.revoke': 'revoked a key',
  'app.create': 'created an app',
  'app.set': 'changed an app',
  'identity.set': 'changed what an app asks of identities',
  'identity.add-key': 'added a key for identity tokens',
  'identity.delete-key': 'deleted a key for identity tokens',
  'workspace.create': 'created the workspace',
  'person.suppress': 'suppressed a person',
  'person.unsuppress': 'unsuppressed a person',
  'person.delete': 'deleted a person',
  'person.erase': 'erased a person',
  'person.merge': 'merged two people',
  'person.view': 'looked at a person',
  'person.export': 'exported a person',
  'message.broadcast': 'sent to everyone, or to many',
  'data.export': 'exported people and devices',
  'data.import': 'imported people and devices',
  'access.refused': 'was refused',
  'session.refused': 'could not sign in',
  'log-level.set': 'changed what is logged',
  'encryption.rotate': 'moved credentials to a new encryption key',
  'queue.retry': 'retried failed jobs',
  'queue.clean': 'removed failed jobs',
  'queue.drain': 'drained a queue',
}

/** What somebody did, as the end of a sentence that begins with them. */
export function actionWords({ action, detail }: AuditEntry): string {
  if (action === 'credentials.replace' && detail.outcome !== 'replaced') {
    return 'tried to replace credentials'
  }
  return actions[action] ?? action
}

/** The rest of an entry: its details, name by name. */
export function detailWords(detail: AuditEntry['detail']): string {
  return Object.entries(detail)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => `${name.replaceAll('_', ' ')}: ${String(value)}`)
    .join(', ')
}

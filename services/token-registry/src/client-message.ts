import type { Caller } from '@pushkeep/runtime'
import type { ClientMessage, Command } from '@pushkeep/store'

/**
 * The id under which a call counts once. What public keys send is apart from what secret keys send, and by
 * person, phone and device: the public key is in the app, and a caller who has read it out must not use up the
 * id of an event that a backend, or another person's phone, is about to send.
 */
export function clientMessageOf(
  { workspaceNo, kind }: Caller,
  command: Command,
  messageId: string,
): ClientMessage {
  return { workspaceNo, messageId, scope: kind === 'secret' ? null : subjectOf(command) }
}

/** Whom or what a command is about, by the name that the call gives it. */
function subjectOf(command: Command): string {
  switch (command.kind) {
    case 'identify':
      return ofPerson(command.call.id)
    case 'describe-nobody':
      return ofNobody(command.call.anonymousId)
    case 'event': {
      const { personId, anonymousId } = command.event
      return personId === null ? ofNobody(anonymousId ?? '') : ofPerson(personId)
    }
    case 'register-device': {
      const { personId, token } = command.call
      return personId === null ? ofDevice(token) : ofPerson(personId)
    }
    case 'delete-device':
      return ofDevice(command.call.token)
    case 'delete-person':
    case 'erase-person':
    case 'unsuppress-person':
      return ofPerson(command.person.id)
    case 'merge-people':
      return ofPerson(command.merge.primary)
  }
}

const ofPerson = (id: string) => `person ${id}`
const ofNobody = (anonymousId: string) => `anonymous ${anonymousId}`
const ofDevice = (token: string) => `device ${token}`

import type { Counts } from '@pushkeep/console-api'

/** A reason in words: what it means, and what can be done about it. */
export interface Explained {
  means: string
  todo?: string
}

const keyFault = 'Check the credentials on the Apps page; the lane is paused until they are right.'
const eitherFault =
  'It may be this token or the credentials: where others are accepted it is the token, which is withheld after three in a row.'
const messageFault = 'Every device would refuse it: correct the message and send it again.'
const passing = 'It is tried again by itself until the message expires.'

/** Our own reasons, then Apple's, then Google's. */
const reasons: Record<string, Explained> = {
  person_suppressed: {
    means: 'The person is suppressed: somebody asked that nothing be sent to them.',
    todo: 'Unsuppress the person, if they agree.',
  },
  push_disabled: {
    means: 'The phone reported that notifications are not allowed.',
    todo: 'Only its owner can allow them, in the phone’s settings.',
  },
  token_dead: {
    means: 'The provider had said before that this token is dead.',
    todo: 'It comes back when the app is opened and registers again.',
  },
  wrong_app: {
    means:
      'The provider refused this device three times in a row while it took others: its token belongs to another app or project.',
    todo: 'Check which build of the app registered it. It is sent to again when it registers again.',
  },
  failing: {
    means: 'Two deliveries in a row failed at this device, as an older version counted them.',
    todo: 'It is sent to again when the app is opened and registers again.',
  },
  reassigned: {
    means: 'The phone changed hands after the message was accepted: nobody reads another’s push.',
  },
  deleted: { means: 'The device was deleted after the message was accepted.' },
  replaced: { means: 'The device got another token after the message was accepted.' },
  cancelled: { means: 'The message was cancelled before it was sent to this device.' },
  unknown: {
    means: 'The provider never answered: it may have arrived or not, and it is not repeated.',
  },
  no_credentials: {
    means: 'The app has no credentials of this provider.',
    todo: 'Add them on the Apps page.',
  },
  mass_bounce_guard: {
    means: 'So many tokens seemed to die at once that none is believed: it waits for a decision.',
    todo: 'Resume the lane on the Apps page, or undo the bounces.',
  },
  other: { means: 'Reasons beyond the fifty most frequent.' },
  timeout: { means: 'The provider did not answer in time.', todo: passing },

  Unregistered: { means: 'The app was removed from the phone, or the token was replaced.' },
  ExpiredToken: { means: 'The token has expired.' },
  BadDeviceToken: {
    means: 'Neither of Apple’s environments knows this token.',
    todo: 'If there are many: is the topic of the app right?',
  },
  DeviceTokenNotForTopic: {
    means: 'The token belongs to an app with another bundle id.',
    todo: eitherFault,
  },
  InvalidProviderToken: { means: 'Apple does not take our signing key.', todo: keyFault },
  ExpiredProviderToken: {
    means: 'Apple finds our signature too old.',
    todo: 'Is the clock of the workers right?',
  },
  TopicDisallowed: { means: 'The key may not send for this bundle id.', todo: eitherFault },
  BadTopic: { means: 'Apple does not know this bundle id.', todo: eitherFault },
  PayloadTooLarge: { means: 'The push is larger than Apple takes.', todo: messageFault },
  BadCollapseId: { means: 'The collapse id is longer than Apple takes.', todo: messageFault },
  InvalidPushType: { means: 'The push type does not exist.', todo: messageFault },
  TooManyRequests: { means: 'Too many pushes to this device at once.', todo: passing },
  TooManyProviderTokenUpdates: {
    means: 'Our signature changes too often for Apple.',
    todo: passing,
  },
  InternalServerError: { means: 'A fault at Apple.', todo: passing },
  ServiceUnavailable: { means: 'Apple’s service is not available.', todo: passing },
  Shutdown: { means: 'Apple’s server was shutting down.', todo: passing },

  UNREGISTERED: { means: 'The app was removed from the phone, or the token was replaced.' },
  INVALID_ARGUMENT: { means: 'Google does not take this message or token.', todo: messageFault },
  SENDER_ID_MISMATCH: {
    means: 'The token belongs to another Firebase project.',
    todo: eitherFault,
  },
  QUOTA_EXCEEDED: { means: 'Google’s quota is used up.', todo: passing },
  RESOURCE_EXHAUSTED: { means: 'The project’s quota is used up.', todo: passing },
  UNAVAILABLE: { means: 'Google’s service is not available.', todo: passing },
  INTERNAL: { means: 'A fault at Google.', todo: passing },
  THIRD_PARTY_AUTH_ERROR: {
    means: 'Google does not get through to Apple with the key that the Firebase project has.',
    todo: 'Upload the APNs key in the Firebase console.',
  },
  PERMISSION_DENIED: {
    means: 'The service account may not send for this project.',
    todo: eitherFault,
  },
  NOT_FOUND: { means: 'Google does not know this project.', todo: eitherFault },
  UNAUTHENTICATED: { means: 'Google does not take the service account.', todo: eitherFault },
}

/** A reason of a delivery in words. */
export function explainReason(reason: string): Explained {
  const known = reasons[reason]
  if (known) return known
  if (reason === '') return { means: 'No reason was given.' }
  return { means: `The provider answered “${reason}”.` }
}

export type StatusName = keyof Omit<Counts, 'recipients'>

/** What a delivery's status means. */
export const statusWords: Record<StatusName, { label: string; means: string }> = {
  sent: { label: 'Sent', means: 'The provider accepted it.' },
  bounced: {
    label: 'Bounced',
    means: 'It did not get to the device: its token is dead or failing.',
  },
  suppressed: { label: 'Suppressed', means: 'It was withheld: something stood against sending.' },
  failed: { label: 'Failed', means: 'It was refused or given up, for no fault of the device.' },
  expired: { label: 'Expired', means: 'Its time ran out before it could be sent.' },
  pending: { label: 'Pending', means: 'It is not settled yet.' },
}

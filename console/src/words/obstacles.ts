import type { Obstacle, Trace } from '@pushkeep/console-api'
import type { Explained } from './reasons.ts'

/** What stands against a push, in words. */
export const obstacleWords: Record<Obstacle['kind'], Explained & { title: string }> = {
  person_suppressed: {
    title: 'The person is suppressed',
    means: 'Somebody asked that nothing be sent to them.',
    todo: 'Unsuppress the person, if they agree.',
  },
  token_dead: {
    title: 'The token is dead',
    means: 'The provider said that it does not exist any more: the app was removed or reinstalled.',
    todo: 'It comes back by itself when the app is opened and registers again.',
  },
  push_disabled: {
    title: 'Notifications are switched off',
    means: 'The phone reported that its owner does not allow them.',
    todo: 'Only the owner can allow them, in the phone’s settings.',
  },
  wrong_app: {
    title: 'The token belongs to another app',
    means: 'The provider refused it three times in a row while it took other devices of this app.',
    todo: 'Check which build registered it. It is sent to again when it registers again.',
  },
  no_credentials: {
    title: 'The app has no credentials',
    means: 'Without what Apple or Google issued nothing can be sent.',
    todo: 'Add them on the Apps page.',
  },
  lane_paused: {
    title: 'The app’s lane is paused',
    means: 'Pushes wait until it is resumed, or until they expire.',
    todo: 'Correct the cause, then resume it on the Apps page.',
  },
  breaker_open: {
    title: 'The provider does not serve',
    means: 'Sending is held back, and tried again by itself.',
  },
  no_workers: {
    title: 'No worker is running',
    means: 'Messages are accepted and wait.',
    todo: 'Start the workers.',
  },
}

/** Why a device was no recipient of a message, in words. */
export const absenceWords: Record<Extract<Trace, { kind: 'absent' }>['why'], string> = {
  other_app: 'The message was for another app.',
  not_named: 'The message’s audience names neither this person nor this token.',
  not_planned_yet: 'The message’s audience is not made out yet.',
  registered_later: 'The device was registered after the message’s audience was made out.',
  tied_later: 'The device became this person’s after the message’s audience was made out.',
  unknown:
    'It was not among the recipients, and nothing that is kept tells why: it may have been untied or deleted at that time.',
}

/** What happened to a device, in words. */
export const eventWords: Record<string, string> = {
  registered: 'Registered',
  re_registered: 'Registered again, after it was dead, failing or deleted',
  identified: 'Tied to a person',
  moved: 'Moved to another person',
  untied: 'Untied from its person',
  replaced: 'Replaced by another token of the same installation',
  deleted: 'Deleted',
  push_enabled: 'Notifications allowed',
  push_disabled: 'Notifications switched off',
  bounced: 'The provider called the token dead',
  failed: 'A delivery failed at the device',
  suppressed: 'Not sent to any more',
  verdict_ignored: 'A late verdict of the provider was ignored: the device had registered again',
  restored: 'Restored: a mass bounce was undone',
}

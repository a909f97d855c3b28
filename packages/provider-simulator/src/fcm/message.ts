import type { RefusalAnswer } from '../perform.ts'
import { invalidArgument, unreadable } from './errors.ts'
import { SEND_REQUEST } from './message-shape.ts'
import { firstViolation, isObject, type JsonObject, objectField, textField } from './proto-json.ts'

/** What the simulator needs of a message, and whether FCM could send it. */
export interface FcmMessage {
  /** Why it cannot be sent; null where it can. */
  refused: RefusalAnswer | null
  /** The registration token or Firebase Installation ID; empty for a topic or condition. */
  token: string
  collapseId: string
  /** Of our own: the data key that says which message this is. */
  messageId: string
  validateOnly: boolean
}

const TARGETS = ['token', 'fid', 'topic', 'condition']
const BYTES_MAX = 4096
const TOPIC_BYTES_MAX = 2048
const TTL_SECONDS_MAX = 2_419_200

/** Reads the body of `messages:send`. */
export function readMessage(text: string): FcmMessage {
  const parsed = parse(text)
  const request = isObject(parsed) ? parsed : {}
  const message = objectField(request, 'message')
  const data = objectField(message, 'data')
  return {
    refused: isObject(parsed) ? checkRequest(request, message, text) : notJson(),
    token: textField(message, 'token') || textField(message, 'fid'),
    collapseId: collapseIdOf(message),
    messageId: textField(data, 'pushkeep_message_id') || androidMessageId(message),
    validateOnly: request.validate_only === true || request.validateOnly === true,
  }
}

function notJson(): RefusalAnswer {
  return unreadable('', 'Invalid JSON payload received. Expected an object.')
}

function checkRequest(
  request: JsonObject,
  message: JsonObject,
  text: string,
): RefusalAnswer | null {
  const violation = firstViolation(request, SEND_REQUEST, '')
  if (violation !== null) return unreadable(violation.field, violation.message)
  return checkMessage(message, text)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function checkMessage(message: JsonObject, text: string): RefusalAnswer | null {
  const targets = TARGETS.filter((name) => textField(message, name) !== '')
  if (targets.length === 0)
    return invalidArgument('message', 'Recipient of the message is not set.')
  if (targets.length > 1) {
    const said = `oneof field 'target' is already set. Cannot set '${targets[1]}'`
    return unreadable('message', `Invalid value at 'message' (oneof), ${said}`)
  }
  const key = forbiddenKey(message)
  if (key !== null) return invalidArgument(key.field, `Invalid data payload key: ${key.name}`)
  const ttl = textField(objectField(message, 'android'), 'ttl')
  if (ttl !== '' && !isTtl(ttl)) {
    return invalidArgument('message.android.ttl', 'TTL must be between 0s and 2419200s.')
  }
  const isTopic = targets[0] === 'topic' || targets[0] === 'condition'
  return checkSize(message, text, isTopic ? TOPIC_BYTES_MAX : BYTES_MAX)
}

/** https://firebase.google.com/docs/cloud-messaging/customize-messages/set-message-type */
function forbiddenKey(message: JsonObject): { field: string; name: string } | null {
  for (const path of ['message.data', 'message.android.data']) {
    const owner = path === 'message.data' ? message : objectField(message, 'android')
    const names = Object.keys(objectField(owner, 'data'))
    const at = names.findIndex((name) => /^(from$|message_type$|gcm|google)/.test(name))
    const name = names[at]
    if (name !== undefined) return { field: `${path}[${at}].key`, name }
  }
  return null
}

function isTtl(ttl: string): boolean {
  return /^\d{1,9}(\.\d{1,9})?s$/.test(ttl) && Number(ttl.slice(0, -1)) <= TTL_SECONDS_MAX
}

/** Counts the keys and values that travel to the phone. */
function checkSize(message: JsonObject, text: string, most: number): RefusalAnswer | null {
  // A body that is within the limit as a whole has no larger part, at no more than 3 bytes a unit.
  if (text.length * 3 <= most) return null
  const android = objectField(message, 'android')
  const parts = [
    ...[objectField(message, 'data'), objectField(message, 'notification')],
    ...[objectField(android, 'data'), objectField(android, 'notification')],
  ]
  const bytes = parts.reduce((sum, part) => sum + keysAndValues(part), 0)
  if (bytes > most) return invalidArgument('message', 'Android message is too big')
  const payload = objectField(objectField(message, 'apns'), 'payload')
  if (Buffer.byteLength(JSON.stringify(payload)) > most) {
    return invalidArgument('message.apns.payload', 'APNS message is too big')
  }
  return null
}

function keysAndValues(part: JsonObject): number {
  return Object.entries(part).reduce((sum, [key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return sum + Buffer.byteLength(key) + Buffer.byteLength(text)
  }, 0)
}

/** What makes a repeat replace the notification before it. */
function collapseIdOf(message: JsonObject): string {
  const android = objectField(message, 'android')
  const headers = objectField(objectField(message, 'apns'), 'headers')
  return (
    textField(objectField(android, 'notification'), 'tag') ||
    textField(android, 'collapse_key') ||
    textField(headers, 'apns-collapse-id')
  )
}

function androidMessageId(message: JsonObject): string {
  const data = objectField(objectField(message, 'android'), 'data')
  return textField(data, 'pushkeep_message_id')
}

import { type Content, NewMessage } from '@pushkeep/domain'
import { fieldErrors, invalid, ProblemError } from '@pushkeep/runtime'
import type { z } from 'zod'
import { overridesOf } from './custom-payload.ts'
import { unsupported } from './scope.ts'
import type { SendPush } from './send-push.ts'

/** The message that a push of the App API is, for the person with this id. Throws what is wrong with it. */
export function messageOf(push: SendPush, personId: string): NewMessage {
  refuseUnsupported(push)
  const content = contentOf(push)
  const input: z.input<typeof NewMessage> = {
    to: audienceOf(push, personId),
    ...(content ? { content } : {}),
    ...overridesOf(push.custom_payload ?? {}),
    templating: 'liquid',
    trigger: push.message_data ?? {},
    ...(push.send_at == null ? {} : { send_at: push.send_at }),
  }
  return inAppApiWords(() => {
    const { data, error } = NewMessage.safeParse(input)
    if (data) return data
    throw invalid(fieldErrors(error.issues, 'body'))
  })
}

function refuseUnsupported(push: SendPush): void {
  if (push.queue_draft) throw unsupported('queue_draft: drafts are not kept')
  if (push.disable_message_retention) {
    throw unsupported('disable_message_retention: what a message said cannot be left out')
  }
}

/** What it says; null where that is for its custom payload to say. */
function contentOf(push: SendPush): Content | null {
  const { title, message: body, image_url, link, custom_data: data, custom_payload } = push
  const isShown = title != null || body != null
  if (!isShown && !custom_payload?.ios && !custom_payload?.android) {
    const message = 'is required, or message, or custom_payload'
    throw invalid([{ path: 'title', message }])
  }
  // Customer.io's pushes sound unless they are told not to.
  const sound = push.sound === 'none' || (!isShown && push.sound == null) ? undefined : 'default'
  const said = { title, body, image_url, link, data, sound }
  const given = Object.entries(said).filter(([, value]) => value != null)
  return given.length > 0 ? Object.fromEntries(given) : null
}

function audienceOf({ to, send_to_unsubscribed }: SendPush, personId: string): NewMessage['to'] {
  const subscribed = send_to_unsubscribed === false ? { subscribed: true as const } : {}
  const person = { person_id: personId, ...subscribed }
  if (to == null || to === 'all') return person
  if (to === 'last_used') return { ...person, devices: 'last_used' }
  return { ...person, token: to }
}

const names: [native: string, name: string][] = [
  ['content.title', 'title'],
  ['content.body', 'message'],
  ['content.image_url', 'image_url'],
  ['content.link', 'link'],
  ['content.data', 'custom_data'],
  ['content', 'message'],
  ['apns', 'custom_payload.ios'],
  ['fcm', 'custom_payload.android'],
  ['to.token', 'to'],
]

/** Runs a native rule; a field that it refuses is named as the App API names it. */
export function inAppApiWords<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw renamed(error)
  }
}

/** The same for what a rule finds out later. */
export function renamed(error: unknown): unknown {
  if (!(error instanceof ProblemError) || !error.problem.errors) return error
  const errors = error.problem.errors.map(({ path, message }) => {
    const [native, name] = names.find(([one]) => path === one || path.startsWith(`${one}.`)) ?? []
    return { path: native ? name + path.slice(native.length) : path, message }
  })
  return new ProblemError(error.statusCode, error.problem.code, { errors })
}

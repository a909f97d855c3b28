import { type ApnsPush, apnsPayloadBytesMax, renderApns } from './apns/payload.ts'
import { type FcmPush, fcmPayloadBytes, fcmPayloadBytesMax, renderFcm } from './fcm/payload.ts'
import type { MessageToRender } from './provider.ts'
import { bytesOf, type Spliced, spliced } from './spliced.ts'
import {
  bytesAdded,
  joined,
  markTemplates,
  type TemplateScope,
  type Templates,
  withoutTemplates,
} from './templates.ts'

/** One person's push, or why there is none: no provider is asked. */
export type Personal<Push> =
  | { kind: 'push'; push: Push }
  | { kind: 'refused'; reason: 'template_failed' | 'payload_too_large' }
  /** Rendering took too long. */
  | { kind: 'out-of-time' }

/** Makes one person's push of a message with templates; `tokenBytes` is the length of their token. */
export type Personalise<Push> = (scope: TemplateScope, tokenBytes: number) => Personal<Push>

/**
 * As `renderApns`, for a message with templates: built once, filled for one person at a time. `renderMs`: the time
 * that filling them for one person may take.
 */
export function personalApns(
  message: MessageToRender,
  topic: string,
  renderMs?: number,
): Personalise<ApnsPush> {
  const { content, templates } = markTemplates(message, renderMs)
  const { headers, payload } = renderApns({ ...message, ...content }, topic)
  const bytesMax = apnsPayloadBytesMax(message)
  return personalise(templates, payload, (filled, _added, tokenBytes) =>
    bytesOf(filled, tokenBytes) > bytesMax ? null : { headers, payload: filled },
  )
}

/** As `renderFcm`, for a message with templates, in the same way. */
export function personalFcm(
  message: MessageToRender,
  now: number,
  renderMs?: number,
): Personalise<FcmPush> {
  const { content, templates } = markTemplates(message, renderMs)
  const { body } = renderFcm({ ...message, ...content }, now)
  const fixedBytes = fcmPayloadBytes({ ...message, ...withoutTemplates(message) })
  return personalise(templates, body, (filled, added) =>
    fixedBytes + added > fcmPayloadBytesMax ? null : { body: filled },
  )
}

function personalise<Push>(
  templates: Templates,
  marked: Spliced,
  finish: (filled: Spliced, addedBytes: number, tokenBytes: number) => Push | null,
): Personalise<Push> {
  const [first = templates.cut(''), ...rest] = marked.map((part) => templates.cut(part.toString()))
  return (scope, tokenBytes) => {
    const made = templates.fill(scope)
    if (made.kind === 'out-of-time') return made
    if (made.kind === 'failed') return { kind: 'refused', reason: 'template_failed' }
    const { values } = made
    const filled = spliced(joined(first, values), ...rest.map((part) => joined(part, values)))
    const added = [first, ...rest].reduce((sum, part) => sum + bytesAdded(part, values), 0)
    const push = finish(filled, added, tokenBytes)
    return push === null ? { kind: 'refused', reason: 'payload_too_large' } : { kind: 'push', push }
  }
}

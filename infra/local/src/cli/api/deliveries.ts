import { deliveryStatuses } from '@pushkeep/domain'
import { tokenFingerprint } from '@pushkeep/store'
import { Option } from 'commander'
import { z } from 'zod'
import { wholeNumber } from '../input.ts'
import type { Answer } from '../session.ts'
import { columns, timeText } from '../view.ts'

const Page = z.looseObject({
  deliveries: z.array(
    z.looseObject({
      message_id: z.string(),
      person_id: z.string().nullable(),
      device: z.string().nullable(),
      platform: z.string().nullable(),
      status: z.string(),
      reason: z.string().nullable(),
      attempts: z.int(),
      at: z.string(),
    }),
  ),
  next_cursor: z.string().nullable(),
})
type Delivery = z.infer<typeof Page>['deliveries'][number]

/** Most that the API gives in a page. */
const pageMax = 500

export const deliveryOptions = {
  limit: () => new Option('--limit <n>', 'at most so many').default('100'),
  status: () => new Option('--status <name>', 'only those that stand so').choices(deliveryStatuses),
}

/** Deliveries of a list, page by page up to the limit; tokens as fingerprints. */
export async function deliveriesAnswer(
  read: (query: string) => Promise<unknown>,
  options: { limit: string; status?: string },
): Promise<Answer> {
  const limit = wholeNumber('--limit', options.limit)
  const all: Delivery[] = []
  let cursor: string | null = null
  do {
    const query = new URLSearchParams({
      limit: String(Math.max(1, Math.min(pageMax, limit - all.length))),
      ...(options.status === undefined ? {} : { status: options.status }),
      ...(cursor === null ? {} : { cursor }),
    })
    const page: z.infer<typeof Page> = Page.parse(await read(`?${query}`))
    all.push(...page.deliveries)
    cursor = page.next_cursor
  } while (cursor !== null && all.length < limit)
  const deliveries = all.slice(0, limit).map(({ device, ...delivery }) => ({
    ...delivery,
    device: device === null ? null : tokenFingerprint(device),
  }))
  const more = cursor === null ? '' : '\n… and more: --limit'
  return { text: `${columns(deliveries.map(rowOf))}${more}`, json: deliveries }
}

function rowOf(delivery: Delivery): string[] {
  return [
    timeText(delivery.at),
    delivery.status,
    delivery.message_id,
    delivery.device ?? 'deleted',
    delivery.platform ?? '',
    delivery.person_id ?? 'nobody',
    delivery.reason ?? '',
  ]
}

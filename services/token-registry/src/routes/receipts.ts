import { ReceiptInput, receiptListMax } from '@pushkeep/domain'
import {
  type Caller,
  callerOf,
  FieldError,
  itemOf,
  problemResponses,
  spendItems,
  validateItem,
} from '@pushkeep/runtime'
import type { Receipt, ReceiptVerdict } from '@pushkeep/store'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { publicKeys } from '../access.ts'

export interface ReceiptRoutesDeps {
  takeReceipt: (receipt: Receipt) => Promise<ReceiptVerdict>
}

const ReceiptsBody = z.strictObject({
  receipts: z
    .array(itemOf(ReceiptInput))
    .min(1, 'must have at least one receipt')
    .max(receiptListMax, `must have at most ${receiptListMax} receipts`),
})

const ReceiptResult = z.union([
  z.strictObject({
    status: z
      .enum(['taken', 'unknown'])
      .describe('`unknown`: no such message goes to this device; a public key is not told'),
  }),
  z.strictObject({ status: z.literal('refused'), errors: z.array(FieldError) }),
])
type ReceiptResult = z.infer<typeof ReceiptResult>

const receiptsSchema = {
  tags: ['receipts'],
  summary: 'Report what phones saw of pushes',
  description:
    'Counts an event of a delivery once, however often and in whatever order it is reported; an event proves those before it (opened: delivered). Each receipt has a verdict of its own, in the order of the request. What is `taken` is committed.',
  body: ReceiptsBody,
  response: {
    200: z.strictObject({ results: z.array(ReceiptResult) }),
    ...problemResponses(400, 401, 413, 415, 422, 429, 503),
  },
}

/** What phones report of pushes that came. */
export const receiptRoutes: FastifyPluginAsyncZod<ReceiptRoutesDeps> = async (
  server,
  { takeReceipt },
) => {
  server.post('/v1/receipts', { config: publicKeys, schema: receiptsSchema }, async (request) => {
    const caller = callerOf(request)
    spendItems(request, caller, request.body.receipts.length)
    const results = request.body.receipts.map((item, index) =>
      resultOf(takeReceipt, caller, item, `receipts.${index}`),
    )
    return { results: await Promise.all(results) }
  })
}

async function resultOf(
  takeReceipt: ReceiptRoutesDeps['takeReceipt'],
  { workspaceNo, appNo, kind }: Caller,
  item: unknown,
  place: string,
): Promise<ReceiptResult> {
  const validated = validateItem(ReceiptInput, item, place)
  if (validated.kind === 'invalid') return { status: 'refused', errors: validated.errors }
  const { message_id: messageId, token, event, timestamp: at = null } = validated.value
  const verdict = await takeReceipt({ workspaceNo, appNo, messageId, token, event, at })
  return { status: kind === 'public' ? 'taken' : verdict }
}

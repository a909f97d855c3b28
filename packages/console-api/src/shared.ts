import { deliveryStatuses, lanes, providers, roles } from '@pushkeep/domain'
import { z } from 'zod'

/** Parts of several answers. Times are ISO 8601, sizes and counts whole numbers. */
export const Time = z.iso.datetime()
export const Count = z.number().min(0)
export const RoleName = z.enum(roles)
export const ProviderName = z.enum(providers)
export const LaneName = z.enum(lanes)
export const PlatformName = z.enum(['ios', 'android'])
export const EnvironmentName = z.enum(['production', 'sandbox'])
export const Status = z.enum(deliveryStatuses)
/** JSON of a caller's making: attributes, content. */
export const Free = z.record(z.string(), z.unknown())

/** Recipients of a message by status; `pending` is below 0 only where they do not add up. */
export const Counts = z.object({
  recipients: Count,
  sent: Count,
  bounced: Count,
  suppressed: Count,
  failed: Count,
  expired: Count,
  pending: z.number(),
})
export type Counts = z.infer<typeof Counts>

/** What phones reported of a message. */
export const Receipts = z.object({
  delivered: Count,
  opened: Count,
  clicked: Count,
  converted: Count,
})

/** Deliveries that ended, by how. */
export const Settled = Counts.omit({ recipients: true, pending: true })

export const AppName = z.object({ id: z.string(), name: z.string() })
export type AppName = z.infer<typeof AppName>

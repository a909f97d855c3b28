import type { DeviceFacts } from '../core/calls.ts'

/** What a push carries so that it can be told what became of it; null: it is none of ours. */
export type PushData = { deliveryId: string; token: string } | null

/** Whether pushes may be shown: yes; no; nobody was asked yet. */
export type PermissionStatus = 'GRANTED' | 'DENIED' | 'NOTDETERMINED'

/** What the SDK needs of a phone. */
export interface Phone {
  /** Its attributes as they are now; null where it is no phone (a browser). */
  facts(): Promise<DeviceFacts | null>
  /** What tells it from every other phone; null: unknown. */
  mark(): Promise<string | null>
  /** Its token of APNs or FCM; null where there is none. */
  token(): Promise<string | null>
  permission(): Promise<PermissionStatus>
  askPermission(options: { badge?: boolean; sound?: boolean }): Promise<PermissionStatus>
  /** Told each new token. */
  onToken(listener: (token: string) => void): void
  /** Told when the app comes to the front, and when it leaves it. */
  onUse(listeners: { foreground: () => void; background: () => void }): void
  /** Told of pushes that arrive while the app runs, and of those that were tapped. */
  onPush(listeners: Record<'received' | 'opened', (push: PushData) => void>): void
}

/** Finds the two keys that name a delivery in the payload of a push. */
export function pushDataIn(payload: unknown): PushData {
  if (typeof payload !== 'object' || payload === null) return null
  const deliveryId: unknown = Reflect.get(payload, 'CIO-Delivery-ID')
  const token: unknown = Reflect.get(payload, 'CIO-Delivery-Token')
  return typeof deliveryId === 'string' && typeof token === 'string' ? { deliveryId, token } : null
}

import type { MessageToRender } from '../src/provider.ts'

/** Noon on 23 November 2026, in ms. */
export const noon = Date.parse('2026-11-23T12:00:00Z')

/** A message that lives an hour from noon on. */
export function message(parts: Partial<MessageToRender> = {}): MessageToRender {
  return {
    id: '0193575e-0000-7000-8000-000000000001',
    content: { title: 'Hello', body: 'World' },
    priority: 'high',
    collapseId: '0193575e-0000-7000-8000-000000000001',
    expiresAt: noon + 3_600_000,
    ttlSeconds: 3600,
    sdkKeys: false,
    ...parts,
  }
}

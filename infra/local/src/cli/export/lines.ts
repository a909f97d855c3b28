import { escapeControls } from '@pushkeep/domain'
import type { ExportedDevice, ExportedPerson } from '@pushkeep/store'

/** A person as a line that `import` reads. */
export function personLine({ id, attributes, suppressed }: ExportedPerson): string {
  return lineOf({ type: 'person', id, attributes, ...(suppressed ? { suppressed } : {}) })
}

/** JSON leaves C1 and what turns the direction of text as they are; a terminal that shows the file obeys them. */
function lineOf(value: object): string {
  return escapeControls(JSON.stringify(value))
}

const timeOf = (ms: number) => new Date(ms).toISOString()

/** A device as a line that `import` reads; what is null is left out. */
export function deviceLine(device: ExportedDevice, appId: string): string {
  const { attributes, pushPermission } = device
  return lineOf({
    type: 'device',
    token: device.token,
    platform: device.platform,
    app_id: appId,
    person_id: device.personId ?? undefined,
    environment: device.environment ?? undefined,
    installation_id: device.installationId ?? undefined,
    last_used: device.lastUsed,
    timestamp: timeOf(device.orderedAt),
    registered_at: timeOf(device.registeredAt),
    attributes: { ...attributes, push_enabled: String(pushPermission) },
    standing: standingOf(device),
  })
}

/** How it stands; nothing to tell of one that was never sent to. */
function standingOf({ lastStatus, statusAt, failures, deadAt, deadReason }: ExportedDevice) {
  if (lastStatus === '' && deadAt === null && failures === 0) return undefined
  return {
    last_status: lastStatus,
    failures,
    status_at: statusAt === null ? undefined : timeOf(statusAt),
    dead_at: deadAt === null ? undefined : timeOf(deadAt),
    dead_reason: deadReason ?? undefined,
  }
}

import type { Attributes, Environment, LastStatus, Platform } from '@pushkeep/domain'
import pg from 'pg'

/** A device as callers see it. Its token is not in it: who asks has named it, or gets it beside. */
export interface Device {
  appNo: number
  platform: Platform
  /** Unix seconds. */
  lastUsed: number
  personId: string | null
  environment: Environment | null
  installationId: string | null
  registeredAt: Date
  attributes: Attributes
  lastStatus: LastStatus
  /** The client's permission and a live token, read back as one. */
  pushEnabled: boolean
}

/** The select list of `Device`, from a device `d` and its person `p`. */
export const deviceColumns = `
  d.app_no as "appNo", d.platform, d.last_used::float8 as "lastUsed", p.id as "personId",
  d.environment, d.installation_id as "installationId", d.registered_at as "registeredAt",
  d.attributes, d.last_status as "lastStatus",
  d.push_permission and d.dead_at is null as "pushEnabled"`

/** What makes a tombstone of a device `d`: personal and secret values go, the hash stays to know latecomers. */
export const tombstone = `
  token = null, attributes = '{}', installation_id = null, reader_hash = null, person_no = null,
  deleted_at = coalesce(d.deleted_at, clock_timestamp())`

/** The database's time in whole milliseconds, since clients tell no finer ones. */
export const nowMs = `date_trunc('milliseconds', clock_timestamp())`

/** SQL of R1: when a call took place, which its client tells in ms, and never in the future. */
export function orderedAt(at: string): string {
  return `least(to_timestamp(${at} / 1000), ${nowMs})`
}

const sizeConstraints = new Set([
  'people_attributes_size',
  'devices_attributes_size',
  'anonymous_ids_attributes_size',
  'people_attributes_count',
  'devices_attributes_count',
  'anonymous_ids_attributes_count',
])

/** Whether a merge failed because the attributes, together with those stored, grew too large or too many. */
export function isAttributesTooLarge(error: unknown): boolean {
  return error instanceof pg.DatabaseError && sizeConstraints.has(error.constraint ?? '')
}

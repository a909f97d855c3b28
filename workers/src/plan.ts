import { type Database, planSlice } from '@pushkeep/store'

/**
 * Plans a message's audience, slice by slice, each in a transaction of its own: sending begins with
 * the first. It stops between slices when this process is to end; the reconciler rings again.
 */
export async function planMessage(
  database: Database,
  messageNo: string,
  isStopping: () => boolean,
): Promise<void> {
  while (!isStopping() && (await planSlice(database, messageNo)));
}

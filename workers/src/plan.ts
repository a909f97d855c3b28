import { beginMessage, type Database, planSlice } from '@pushkeep/store'

/**
 * Plans the audience of a message that is due, slice by slice, each in a transaction of its own: sending begins with
 * the first. It stops between slices when this process is to end; the reconciler rings again.
 */
export async function planMessage(
  database: Database,
  messageNo: string,
  isStopping: () => boolean,
): Promise<void> {
  const begun = await beginMessage(database, messageNo)
  while (begun !== null && !isStopping() && (await planSlice(database, begun)));
}

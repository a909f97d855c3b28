import type { DeviceCommand } from './command.ts'
import type { Sql } from './connect.ts'
import { applyCall, applyDeletion, openBatch, writeBatch } from './registration-batch.ts'
import { lockDevices, wantedBy, wantedToDelete } from './registration-lock.ts'

/** Locks what the commands are about, decides them in memory one by one, and writes the outcome. */
export async function changeDevices(sql: Sql, commands: readonly DeviceCommand[]): Promise<void> {
  const wanted = commands.map((command) =>
    command.kind === 'register-device' ? wantedBy(command.call) : wantedToDelete(command.call),
  )
  const batch = openBatch(await lockDevices(sql, wanted))
  for (const [n, command] of commands.entries()) {
    const place = wanted[n]
    if (!place) throw new Error('a command has no place')
    if (command.kind === 'register-device') applyCall(batch, command.call, place)
    else applyDeletion(batch, command.call, place)
  }
  await writeBatch(sql, batch)
}

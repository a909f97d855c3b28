import { type Provider, providers, resumedWords } from '@pushkeep/domain'
import {
  appsOf,
  decideBounces,
  identityModesOf,
  providersOf,
  resumeLane,
  type Sql,
  setSdkKeys,
} from '@pushkeep/store'
import { Argument, Command, Option } from 'commander'
import { createCommand } from './create-app.ts'
import { credentialsCommand } from './credentials.ts'
import { Failure } from './failure.ts'
import { identityCommand } from './identity.ts'
import { deedOn, note, noted } from './noted.ts'
import { allWorkspaces, chosenApp, chosenWorkspace } from './queries.ts'
import type { Run } from './session.ts'
import { line } from './view.ts'

/** `app create`, `app list`, `app set`, `app resume`, `app credentials …`, `app identity …` */
export function appCommand(run: Run): Command {
  const command = new Command('app')
    .alias('apps')
    .description('mobile apps and their provider credentials')
  command
    .command('list')
    .description('list the apps and how their providers stand')
    .option('--workspace <id>', 'of this workspace only')
    .action((options: { workspace?: string }) =>
      run(async ({ database }) => {
        const apps = await listApps(database, options.workspace)
        return { text: apps.map(textOf).join('\n'), json: apps }
      }),
    )
  return command
    .addCommand(createCommand(run))
    .addCommand(setCommand(run))
    .addCommand(resumeCommand(run))
    .addCommand(bouncesCommand(run))
    .addCommand(credentialsCommand(run))
    .addCommand(identityCommand(run))
}

function setCommand(run: Run): Command {
  return new Command('set')
    .description('change the settings of an app')
    .argument('<id>', 'the app')
    .addOption(
      new Option('--sdk-keys <on|off>', "pushes carry the keys that Customer.io's SDKs need")
        .choices(['on', 'off'])
        .makeOptionMandatory(),
    )
    .action((id: string, { sdkKeys }: { sdkKeys: 'on' | 'off' }) =>
      run(async ({ database }) => {
        const app = await chosenApp(database, '<id>', id)
        await noted(database, async (sql) => {
          await setSdkKeys(sql, app.appNo, sdkKeys === 'on')
          return { result: null, deed: deedOn(app, 'app.set', { sdk_keys: sdkKeys }) }
        })
        const verb = sdkKeys === 'on' ? 'carry' : 'do without'
        return {
          text: `Pushes to app ${id} ${verb} the keys of Customer.io's SDKs.`,
          json: { app_id: app.id, sdk_keys: sdkKeys === 'on' },
        }
      }),
    )
}

/** How long the command waits for the workers to try deliveries, in milliseconds. */
const trialWaitMs = 10_000

function resumeCommand(run: Run): Command {
  return new Command('resume')
    .description('let a paused provider of an app go on, once a delivery that is tried is accepted')
    .argument('<id>', 'the app')
    .addArgument(new Argument('<provider>').choices(providers))
    .addOption(
      new Option('--bounces <what>', 'tokens retired while the mass-bounce guard was in doubt')
        .choices(['keep', 'undo'])
        .default('keep'),
    )
    .action((id: string, provider: Provider, options: { bounces: 'keep' | 'undo' }) =>
      run(async ({ database }) => {
        const app = await chosenApp(database, '<id>', id)
        const { bounces } = options
        const resumed = await resumeLane(database, {
          appNo: app.appNo,
          provider,
          bounces,
          waitMs: trialWaitMs,
          note: (sql, restored) =>
            note(sql, deedOn(app, 'provider.resume', { provider, bounces, restored })),
        })
        if (!resumed) throw new Failure(`app ${id} has no credentials for ${provider}`)
        const restored = resumed.kind === 'open' ? resumed.restored : 0
        const undone = restored > 0 ? ` ${restored} tokens are live again.` : ''
        return {
          text: `${provider} of app ${id}: ${resumedWords(resumed)}${undone}`,
          json: { app_id: app.id, provider, ...resumed, said: resumedWords(resumed) },
          exitCode: resumed.kind === 'open' ? 0 : 1,
        }
      }),
    )
}

function bouncesCommand(run: Run): Command {
  return new Command('bounces')
    .description('decide about tokens that were retired: undo or keep')
    .argument('<id>', 'the app')
    .addArgument(new Argument('<provider>').choices(providers))
    .addArgument(new Argument('<decision>').choices(['keep', 'undo'] as const))
    .option('--from <time>', 'verdicts since then (ISO 8601); else since the guard tripped', timeOf)
    .option('--to <time>', 'verdicts until then (ISO 8601); else until now', timeOf)
    .action(
      (
        id: string,
        provider: Provider,
        decision: 'keep' | 'undo',
        times: { from?: number; to?: number },
      ) =>
        run(async ({ database }) => {
          const app = await chosenApp(database, '<id>', id)
          const { from = null, to = null } = times
          if (from !== null && to !== null && from >= to) {
            throw new Failure('--to must be after --from')
          }
          const wanted = { appNo: app.appNo, provider, decision, from, to }
          const decided = await decideBounces(database, wanted)
          if (!decided) throw new Failure(`app ${id} has no credentials for ${provider}`)
          const { restored } = decided
          const detail = { provider, decision, restored, from, to }
          await note(database, deedOn(app, 'provider.bounces', detail))
          return {
            text: `${provider} of app ${id}: ${restored} tokens are live again`,
            json: { app_id: app.id, provider, decision, restored },
          }
        }),
    )
}

/** A time of the command line, in ms since the epoch. */
function timeOf(text: string): number {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new Failure(`${text} is no time: write it like 2026-12-01T08:00:00Z`)
  return ms
}

async function listApps(sql: Sql, workspaceId: string | undefined) {
  const workspaces =
    workspaceId === undefined ? await allWorkspaces(sql) : [await chosenWorkspace(sql, workspaceId)]
  const listed = []
  for (const { workspaceNo, id: workspace_id } of workspaces) {
    const modes = await identityModesOf(sql, workspaceNo)
    for (const { id, name, appNo, sdkKeys: sdk_keys } of await appsOf(sql, workspaceNo)) {
      const identity_mode = modes.get(appNo) ?? 'off'
      const states = await providersOf(sql, appNo)
      const providers = states.map(({ provider, settings, pausedAt, pauseReason, pauseCause }) => ({
        provider,
        settings,
        paused_at: pausedAt,
        pause_reason: pauseReason,
        pause_cause: pauseCause && {
          message_id: pauseCause.messageId,
          person_id: pauseCause.personId,
          device: pauseCause.deviceNo,
          agreed: pauseCause.agreed,
        },
      }))
      listed.push({ id, name, workspace_id, identity_mode, sdk_keys, providers })
    }
  }
  return listed
}

type ListedApp = Awaited<ReturnType<typeof listApps>>[number]

function textOf({ id, name, identity_mode, providers }: ListedApp): string {
  const states = providers.map(({ provider, pause_reason, pause_cause }) =>
    pause_reason === null ? provider : `${provider} (paused: ${pause_reason}${ledBy(pause_cause)})`,
  )
  return line([id, name, states.join(', ') || 'no credentials', `identity ${identity_mode}`])
}

function ledBy(cause: ListedApp['providers'][number]['pause_cause']): string {
  if (cause === null) return ''
  const { message_id, device, agreed } = cause
  const people = agreed > 1 ? `, ${agreed} people agreed` : ''
  return `; message ${message_id ?? 'not kept'}, device ${device}${people}`
}

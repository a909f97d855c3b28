import {
  deleteDevice,
  deletePerson,
  suppressPerson,
  unsuppressPerson,
  untieDevice,
} from '../../src/index.ts'
import type { Change, Command, OfPerson, When } from './commands.ts'
import * as model from './model.ts'
import { type Deed, platformOf, tickAgo, type World } from './world.ts'

type Register = Extract<Command, { do: 'register' }>

const hour = 3_600_000

/** A client's time in ms; null where it tells none. */
function timeOf(world: World, when: When): number | null {
  if (when === 'now') return null
  return when === 'ahead' ? Date.now() + hour : tickAgo(world, when)
}

function realToken(world: World, name: string): string {
  const token = world.realTokens.get(name)
  if (token === undefined) throw new Error(`no token ${name}`)
  return token
}

export function registerDeed(world: World, command: Register, node: number): Deed {
  const { token, person, isAnonymous, installation, previous, allows } = command
  const at = timeOf(world, command.when)
  const register = world.registrars[node % world.registrars.length]
  return {
    async act() {
      await register?.({
        workspaceNo: world.workspaceNo,
        appNo: world.appNo,
        token: realToken(world, token),
        platform: platformOf(token),
        environment: null,
        personId: person,
        isAnonymous,
        installationId: installation,
        previousToken: previous === null ? null : realToken(world, previous),
        change: { set: {}, remove: [], pushPermission: allows },
        lastUsed: null,
        at,
      })
    },
    explain(life, now) {
      model.register(life, { token, person, isAnonymous, installation, previous, allows, at }, now)
      return null
    },
  }
}

export function changeDeed(world: World, command: Change): Deed {
  const { token, person } = command
  const at = timeOf(world, command.when)
  const isDeletion = command.do === 'delete device'
  return {
    async act() {
      const change = { appNo: world.appNo, token: realToken(world, token), at, personId: person }
      await (isDeletion ? deleteDevice : untieDevice)(world.database, change)
    },
    explain(life, now) {
      const change = isDeletion ? model.deleteDevice : model.clearIdentify
      change(life, { token, person, at }, now)
      return null
    },
  }
}

export function personDeed(world: World, command: OfPerson): Deed {
  const { database, workspaceNo } = world
  const { person } = command
  return {
    async act() {
      const name = { workspaceNo, id: person }
      if (command.do === 'delete person') await deletePerson(database, name)
      else if (command.do === 'suppress') await suppressPerson(database, name)
      else await unsuppressPerson(database, name)
    },
    explain(life, now) {
      if (command.do === 'delete person') model.deletePerson(life, person, now)
      else model.suppress(life, person, command.do === 'suppress')
      return null
    },
  }
}

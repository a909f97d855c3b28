import { type Expected, refused } from './case.ts'
import type { Operation } from './documents.ts'
import { addAt, childOf, leaf, type Path, replaceAt, type Tree, treeOf } from './json-tree.ts'
import type { BodyMutation } from './mutate-body.ts'

const unknownId = '00000000-0000-7000-8000-000000000000'

/** What breaks a rule that no schema can say: between fields, or about what is there. */
export function ruleMutations(operation: Operation, body: Tree): BodyMutation[] {
  if (body.kind !== 'object') return []
  if (operation.name === 'POST /v1/messages') return messageRules(body)
  const device = childOf(body, 'device')
  if (device) return deviceRules(device, ['device'], body)
  return childOf(body, 'platform') ? deviceRules(body, [], body) : []
}

function messageRules(body: Tree): BodyMutation[] {
  const to = (audience: Tree, what: string, at: string) =>
    mutation(what, replaceAt(body, ['to'], audience), refused(at))
  const silent = ['content', 'apns', 'fcm'].reduce(
    (tree, key) => replaceAt(tree, [key], null),
    body,
  )
  return [
    to(treeOf({}), 'no audience in the audience', 'to'),
    to(treeOf({ all: true, person_id: 'p' }), 'two audiences', 'to'),
    to(treeOf({ token: 'zz' }), 'a token that is none', 'to.token'),
    to(treeOf({ tokens: ['f'.repeat(64), 'zz zz'] }), 'one token that is none', 'to.tokens.1'),
    mutation('nothing to say', silent, refused('content')),
    mutation('an app of nobody', withKey(body, [], 'app_id', treeOf(unknownId)), refused('app_id')),
    mutation(
      'more than a provider takes',
      replaceAt(
        silent,
        [],
        addAt(silent, [], 'content', treeOf({ data: { a: 'x'.repeat(4200) } })),
      ),
      refused('content', [413]),
    ),
  ]
}

function deviceRules(device: Tree, path: Path, body: Tree): BodyMutation[] {
  const with_ = (key: string, value: Tree) => replaceAt(body, path, withKey(device, [], key, value))
  const at = (...inner: string[]) => refused([...path, ...inner].join('.'))
  const rules = [
    mutation('an app of nobody', with_('app_id', treeOf(unknownId)), at('app_id')),
    mutation(
      'push_enabled that is neither',
      with_('attributes', treeOf({ push_enabled: 'maybe' })),
      at('attributes', 'push_enabled'),
    ),
    mutation(
      'push_enabled as a list',
      with_('attributes', leaf('{"push_enabled":[true]}')),
      at('attributes', 'push_enabled'),
    ),
    mutation(
      'a reserved attribute as an object',
      with_('attributes', treeOf({ device_os: { a: 1 } })),
      at('attributes', 'device_os'),
    ),
  ]
  if (!childOf(device, 'id')) return rules
  return [...rules, mutation('a token that is none', with_('id', treeOf('zz zz')), at('id'))]
}

/** The object with that value for a key, instead of the one it may have. */
function withKey(tree: Tree, path: Path, key: string, value: Tree): Tree {
  return addAt(replaceAt(tree, [...path, key], null), path, key, value)
}

function mutation(what: string, body: Tree, expected: Expected): BodyMutation {
  return { what, body, expected }
}

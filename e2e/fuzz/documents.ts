/** The part of JSON Schema that our documents use. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  additionalProperties?: boolean | Schema
  propertyNames?: Schema
  maxProperties?: number
  /** An item of a list: where it is bad, the answer is 200 and says so of it alone. */
  'x-own-verdict'?: boolean
  /** How many bytes its JSON may have. */
  'x-max-bytes'?: number
  items?: Schema
  minItems?: number
  maxItems?: number
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  minLength?: number
  maxLength?: number
  pattern?: string
  format?: string
  minimum?: number
  maximum?: number
  description?: string
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: Schema
}

export type ServiceName = 'registry' | 'sender'

/** One operation of a service, as its own document describes it. */
export interface Operation {
  service: ServiceName
  method: string
  /** Its pattern: `/v1/people/{id}`. */
  path: string
  /** `PUT /v1/people/{id}` */
  name: string
  parameters: Parameter[]
  body: { schema: Schema; isRequired: boolean } | null
  /** Schemas by status and content type; an answer without a body has no type. */
  responses: Record<string, Record<string, Schema>>
  /** Asks for no key. */
  isOpen: boolean
  /** Follows references into the document's components. */
  resolve: (schema: Schema) => Schema
}

/** `registry PUT /v1/people/{id}` */
export function nameOf({ service, name }: Operation): string {
  return `${service} ${name}`
}

type Content = Record<string, { schema?: Schema }>

interface Description {
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content: Content }
  responses: Record<string, { content?: Content }>
  security?: unknown[]
}

interface OpenApi {
  openapi: string
  paths: Record<string, Record<string, Description>>
  components?: { schemas?: Record<string, Schema> }
}

const methods = ['get', 'put', 'post', 'delete', 'patch']

/** Reads a service's own description of itself. */
export async function readOperations(service: ServiceName, origin: string): Promise<Operation[]> {
  const response = await fetch(`${origin}/openapi.json`)
  if (!response.ok) throw new Error(`${service}: /openapi.json answered ${response.status}`)
  const document = (await response.json()) as OpenApi
  const resolve = (schema: Schema): Schema => {
    if (schema.$ref === undefined) return schema
    const name = schema.$ref.replace('#/components/schemas/', '')
    const found = document.components?.schemas?.[name]
    if (!found) throw new Error(`${service}: ${schema.$ref} leads nowhere`)
    return resolve(found)
  }
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => methods.includes(method))
      .map(([method, description]) => operationOf(service, method, path, description, resolve)),
  )
}

function operationOf(
  service: ServiceName,
  method: string,
  path: string,
  description: Description,
  resolve: Operation['resolve'],
): Operation {
  const { requestBody } = description
  const schema = requestBody?.content['application/json']?.schema
  const responses = Object.entries(description.responses).map(([status, { content = {} }]) => {
    const types = Object.entries(content).map(([type, media]) => [type, media.schema ?? {}])
    return [status, Object.fromEntries(types)]
  })
  return {
    service,
    method: method.toUpperCase(),
    path,
    name: `${method.toUpperCase()} ${path}`,
    parameters: description.parameters ?? [],
    body: schema ? { schema, isRequired: requestBody?.required === true } : null,
    responses: Object.fromEntries(responses),
    isOpen: description.security?.length === 0,
    resolve,
  }
}

import swagger, { type SwaggerTransformObject } from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
} from 'fastify-type-provider-zod'
import { z } from 'zod'

export interface ApiDescription {
  title: string
  description: string
  version: string
}

type ZodToJsonConfig = NonNullable<
  Parameters<typeof createJsonSchemaTransform>[0]['zodToJsonConfig']
>

// In place of the plugin's own, which loses the branches of a union that transform what they read.
const zodToJsonConfig: ZodToJsonConfig = {
  override({ zodSchema, jsonSchema }) {
    if (zodSchema instanceof z.ZodUndefined) jsonSchema.type = 'null'
  },
}

const toJsonSchema = createJsonSchemaTransform({ zodToJsonConfig })
const withComponents = createJsonSchemaTransformObject({ zodToJsonConfig })

/** `/openapi.json` (OpenAPI 3.1) and a page to browse it at `/docs`, all from this server. */
export function describeApi(app: FastifyInstance, api: ApiDescription): void {
  const optionalBodies = new Set<string>()
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: api.title, description: api.description, version: api.version },
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'A secret or a public key' },
        },
      },
      security: [{ key: [] }],
    },
    transform: (document) => {
      const { body } = document.schema ?? {}
      if (body instanceof z.ZodOptional) {
        const path = document.url.replace(/:(\w+)/g, '{$1}')
        optionalBodies.add(`${String(document.route.method).toLowerCase()} ${path}`)
      }
      return toJsonSchema(document)
    },
    transformObject: (document) => tidy(withComponents(document), optionalBodies),
  })
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP:
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    uiConfig: { deepLinking: true },
  })
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger())
}

type Description = ReturnType<SwaggerTransformObject>

/** Says which bodies may be left out, and leaves out the schemas that nothing refers to. */
function tidy(description: Description, optionalBodies: ReadonlySet<string>): Description {
  if (!('openapi' in description)) return description
  for (const place of optionalBodies) {
    const [method = '', path = ''] = place.split(' ')
    const operation: unknown = Reflect.get(description.paths?.[path] ?? {}, method)
    const body: unknown = Reflect.get(Object(operation), 'requestBody')
    if (body) Reflect.set(Object(body), 'required', false)
  }
  const schemas = description.components?.schemas ?? {}
  const text = JSON.stringify({ paths: description.paths, schemas })
  for (const name of Object.keys(schemas)) {
    if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name]
  }
  return description
}

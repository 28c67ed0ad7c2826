import { code, Html, html } from '../../html.ts'

/** The part of JSON Schema that our own schemas use. */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly description?: string
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
  readonly examples?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
}

/** The name of a referenced schema. */
export const nameOfRef = (ref: string): string => ref.split('/').at(-1) ?? ''

export const idOfSchema = (name: string): string => `schema-${name}`

const joined = (parts: readonly Html[], by: string): Html => new Html(parts.join(by))

/** The type of a schema in a few words. */
export function typeOf(schema: JsonSchema): Html {
  if (schema.$ref !== undefined) {
    const name = nameOfRef(schema.$ref)
    return html`<a href="#${idOfSchema(name)}">${name}</a>`
  }
  if (schema.const !== undefined) return code(JSON.stringify(schema.const) ?? '')
  if (schema.enum !== undefined)
    return joined(
      schema.enum.map((value) => code(String(value))),
      ', ',
    )
  const either = schema.anyOf ?? schema.oneOf
  if (either !== undefined) return joined(either.map(typeOf), ' or ')
  if (schema.type === 'array') return html`list of ${typeOf(schema.items ?? {})}`
  const values = schema.additionalProperties
  if (schema.type === 'object' && schema.properties === undefined && typeof values === 'object') {
    return html`object of ${typeOf(values)}`
  }
  const types = [schema.type ?? 'any'].flat().join(' or ')
  return html`${schema.format === undefined ? types : `${types} (${schema.format})`}${boundsOf(schema)}`
}

function boundsOf({ minimum, maximum, maxLength }: JsonSchema): string {
  if (maxLength !== undefined) return `, up to ${maxLength} characters`
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`
  if (minimum !== undefined) return `, from ${minimum}`
  return maximum === undefined ? '' : `, up to ${maximum}`
}

interface FieldRow {
  readonly name: string
  readonly schema: JsonSchema
  readonly note: string
  readonly description: string
}

/** The fields of an object. Nested fields follow their parent, with its name as prefix. */
export function rowsOf(
  { properties = {}, required = [] }: JsonSchema,
  prefix = '',
): readonly FieldRow[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const note = required.includes(name) ? '' : 'may be missing'
    const row = { name: prefix + name, schema, note, description: schema.description ?? '' }
    const item = schema.type === 'array' ? schema.items : schema
    return [row, ...rowsOf(item ?? {}, `${prefix}${name}.`)]
  })
}

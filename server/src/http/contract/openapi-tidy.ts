/** Any part of the OpenAPI document: JSON that was printed from our own schemas. */
type Json = unknown
type JsonObject = Readonly<Record<string, Json>>

const schemasPath = '#/components/schemas/'

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Removes what the printer adds to the OpenAPI document: schemas without references, the bounds of
 * safe integers, and `additionalProperties: false` in answers, because later versions may add
 * fields.
 */
export function tidyContract<T extends object>(contract: T): T {
  const { components } = contract as { components?: { schemas?: JsonObject } } // an OpenAPI document
  const schemas = components?.schemas ?? {}
  const used = referredTo(contract, schemas)
  const tidied: Record<string, Json> = {}
  for (const name of used) {
    const isInput = name.endsWith('Input')
    tidied[nameOf(name)] = tidy(schemas[name], { isInput })
  }
  const rest = tidy({ ...contract, components: { ...components, schemas: {} } }, { isInput: true })
  const document = rest as { components: JsonObject }
  return { ...document, components: { ...document.components, schemas: tidied } } as unknown as T
}

/** The names of all schemas that routes refer to, directly or through other schemas. */
function referredTo(contract: object, schemas: JsonObject): Set<string> {
  const { paths } = contract as { paths?: Json } // see above
  const found = new Set<string>()
  const look = (part: Json): void => {
    for (const [, name] of JSON.stringify(part ?? null).matchAll(
      /"#\/components\/schemas\/([^"]+)"/g,
    )) {
      if (name === undefined || found.has(name)) continue
      found.add(name)
      look(schemas[name])
    }
  }
  look(paths)
  return found
}

/** The printer appends `Input` to request schemas; none of ours is used for answers as well. */
const nameOf = (printed: string): string => printed.replace(/Input$/, '')

function tidy(value: Json, how: { readonly isInput: boolean }): Json {
  if (Array.isArray(value)) return value.map((item) => tidy(item, how))
  if (!isObject(value)) return value
  const kept: Record<string, Json> = {}
  for (const [key, member] of Object.entries(value)) {
    if (key === 'additionalProperties' && member === false && !how.isInput) continue
    if (key === 'minimum' && member === Number.MIN_SAFE_INTEGER) continue
    if (key === 'maximum' && member === Number.MAX_SAFE_INTEGER) continue
    const isReference = key === '$ref' && typeof member === 'string'
    kept[key] = isReference
      ? schemasPath + nameOf(member.slice(schemasPath.length))
      : tidy(member, how)
  }
  return kept
}

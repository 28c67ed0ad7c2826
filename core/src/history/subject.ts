/**
 * What kind of thing a history is about: `payment_intent`. An open set: a kind is an entry of its own
 * (`subject-kind.ts`), and nothing that stores, seals or streams events asks which kind it is.
 */
export type SubjectKind = string

/** What a history is about. The id says which one, and no two kinds share an id. */
export interface Subject {
  readonly kind: SubjectKind
  readonly id: string
}

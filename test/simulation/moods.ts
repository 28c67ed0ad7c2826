/** How a provider behaves for a while. Probabilities are per request unless stated otherwise. */
export interface Mood {
  /** Delay of an answer. */
  readonly latencyMs: readonly [number, number]
  /** Delay from a new head of the chain until this node has it. */
  readonly lagMs: readonly [number, number]
  /** Answers `[]` for the logs of a block that it has. */
  readonly emptyLogs: number
  /** Answers null for a block, a receipt or a transaction that it has. */
  readonly lacking: number
  /** Marks logs of canonical blocks with `removed: true`. */
  readonly removedLogs: number
  /** Closes the connection instead of answering. */
  readonly drops: number
  /** Does not answer, or answers only after the client's time-out. */
  readonly holds: number
  /** Sends a malformed answer. */
  readonly garbles: number
  /** Refuses the request, in one of the forms that nodes use for that. */
  readonly refuses: number
  /** Whether it refuses only one method, always the same. */
  readonly refusesOne: boolean
  /** Per block that it learns of: adds a payment that was never made; hides one. */
  readonly forges: number
  readonly hides: number
  /** Per notification: repeats it; sends an older one after it; omits it. */
  readonly repeats: number
  readonly reorders: number
  readonly mutes: number
  /** Whether it accepts connections. */
  readonly isUp: boolean
  /** Number of blocks at its head that no other node has; 0 for an honest node. */
  readonly ownBlocks: number
}

const healthy: Mood = {
  ...{ latencyMs: [1, 40], lagMs: [5, 120] },
  ...{ emptyLogs: 0, lacking: 0, removedLogs: 0, drops: 0, holds: 0, garbles: 0 },
  ...{ refuses: 0, refusesOne: false, forges: 0, hides: 0 },
  ...{ repeats: 0.02, reorders: 0, mutes: 0, isUp: true, ownBlocks: 0 },
}

export const moods = {
  healthy,
  slow: { ...healthy, latencyMs: [100, 3_000], lagMs: [200, 2_500] },
  behind: { ...healthy, lagMs: [3_000, 15_000] },
  forgetful: { ...healthy, emptyLogs: 0.5, lacking: 0.12, removedLogs: 0.3 },
  repeating: { ...healthy, repeats: 0.5, reorders: 0.5, removedLogs: 0.2 },
  mute: { ...healthy, mutes: 1 },
  flaky: { ...healthy, drops: 0.06, holds: 0.02, garbles: 0.03 },
  silent: { ...healthy, holds: 0.6 },
  down: { ...healthy, isUp: false },
  lying: { ...healthy, ownBlocks: 1, removedLogs: 0.2 },
  dreaming: { ...healthy, ownBlocks: 2, lacking: 0.05 },
  refusing: { ...healthy, refuses: 0.7 },
  choosy: { ...healthy, refuses: 1, refusesOne: true },
  /** These two lie about blocks that all nodes have; only a liar gets them. */
  forging: { ...healthy, forges: 0.6 },
  denying: { ...healthy, hides: 0.6 },
} as const satisfies Record<string, Mood>

export type MoodName = keyof typeof moods

/** The weight of each mood while there are faults. */
export const moodWeights: Readonly<Record<MoodName, number>> = {
  ...{ healthy: 6, slow: 2, behind: 2, forgetful: 2, repeating: 1, mute: 1 },
  ...{ flaky: 2, silent: 1, down: 1, lying: 2, dreaming: 1 },
  ...{ refusing: 2, choosy: 2, forging: 0, denying: 0 },
}

/** The weights for a node that lies. */
export const liarMoodWeights: Readonly<Record<MoodName, number>> = {
  ...moodWeights,
  ...{ forging: 14, denying: 6 },
}

/** Stops what the call that returned it has started. Calling it again does nothing. */
export type Stop = () => void

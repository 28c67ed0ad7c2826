import { type ComponentChild, render } from 'preact'

/**
 * The part of `react-dom/client` that the pages need, without the rest of a compatibility layer.
 */
export function createRoot(container: Element): { render(node: ComponentChild): void } {
  return { render: (node) => render(node, container) }
}

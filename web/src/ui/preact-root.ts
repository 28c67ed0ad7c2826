import { type ComponentChild, render } from 'preact'

/** What the pages need of `react-dom/client`, without the rest of a compatibility layer. */
export function createRoot(container: Element): { render(node: ComponentChild): void } {
  return { render: (node) => render(node, container) }
}

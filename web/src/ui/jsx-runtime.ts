import { type ComponentType, Fragment, h, type VNode } from 'preact'
import { jsx as make } from 'preact/jsx-runtime'

export { Fragment }

type Props = Record<string, unknown>

/**
 * Preact's JSX, for pages that a browser may translate. A translator puts its own nodes in the place of
 * text nodes, and a text that is then changed in the old node is never seen. So each text has an element
 * of its own, with the text as its key: a new text is a new element.
 */
export function jsx(type: string | ComponentType, props: Props, key?: string): VNode {
  const holdsText = typeof type === 'string' || type === Fragment
  // Preact sets `translate` as a property, and as that it is a boolean.
  const translate = props.translate === 'no' ? { translate: false } : null
  const children = holdsText ? { children: apart(props.children) } : null
  return make(type as string, { ...props, ...translate, ...children } as never, key) // as called
}

export const jsxs = jsx

function apart(children: unknown): unknown {
  return Array.isArray(children) ? children.map(inElement) : inElement(children, 0)
}

function inElement(child: unknown, place: number): unknown {
  if (typeof child !== 'string' && typeof child !== 'number') return child
  const text = String(child)
  return text === '' ? null : h('span', { key: `${place}:${text}` }, text)
}

import { type ComponentType, Fragment, h, type VNode } from 'preact'
import { jsx as make } from 'preact/jsx-runtime'

export { Fragment }

type Props = Record<string, unknown>

/**
 * Preact's JSX for pages that a browser may translate. A translator replaces text nodes, and a
 * later change of the old text node is never visible. So each text gets its own element with the
 * text as key: a new text is a new element.
 */
export function jsx(type: string | ComponentType, props: Props, key?: string): VNode {
  const holdsText = typeof type === 'string' || type === Fragment
  // Preact sets `translate` as a property, which is a boolean.
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

import { type Html, html } from '../../html.ts'

export interface Product {
  readonly id: string
  readonly name: string
  readonly words: string
  /** In USDC. */
  readonly price: string
  readonly picture: Html
}

/** The products of the demo shop. */
export const products: readonly Product[] = [
  {
    id: 'harbour-lamp',
    name: 'Harbour lamp',
    words: 'Brass and hand-blown glass. Warm enough to come home by.',
    price: '148.00',
    picture: html`<svg viewBox="0 0 240 180" aria-hidden="true">
      <circle class="glow" cx="120" cy="96" r="66" />
      <path class="line" d="M104 46a16 16 0 0 1 32 0" />
      <path class="solid" d="M96 56h48l-6-10h-36z" />
      <rect class="glass" x="98" y="56" width="44" height="64" rx="10" />
      <path class="flame" d="M120 76c10 12 12 18 12 24a12 12 0 0 1-24 0c0-6 2-12 12-24z" />
      <path class="solid" d="M90 120h60l6 14a4 4 0 0 1-4 5H88a4 4 0 0 1-4-5z" />
    </svg>`,
  },
  {
    id: 'tide-clock',
    name: 'Tide clock',
    words: 'One hand, twelve hours and twenty-five minutes. Never asks you to hurry.',
    price: '96.50',
    picture: html`<svg viewBox="0 0 240 180" aria-hidden="true">
      <circle class="glass" cx="120" cy="92" r="60" />
      <path class="wave" d="M64 104c14-12 28-12 42 0s28 12 42 0 22-11 28-8a60 60 0 0 1-112 8z" />
      <circle class="line" cx="120" cy="92" r="60" />
      <path class="line" d="M120 40v8M120 136v8M68 92h8M164 92h8" />
      <path class="hand" d="M120 92l26-34" />
      <circle class="solid" cx="120" cy="92" r="5" />
    </svg>`,
  },
  {
    id: 'deck-mug',
    name: 'Deck mug',
    words: 'Enamel on steel. Survives being dropped, which is the point.',
    price: '18.00',
    picture: html`<svg viewBox="0 0 240 180" aria-hidden="true">
      <path class="steam" d="M100 52c-8-10 8-14 0-26M122 52c-8-10 8-14 0-26" />
      <path class="line" d="M150 78h12a18 18 0 0 1 0 44h-14" />
      <path class="glass" d="M72 64h80v60a20 20 0 0 1-20 20H92a20 20 0 0 1-20-20z" />
      <path class="wave" d="M72 108c13-8 27-8 40 0s27 8 40 0v16a20 20 0 0 1-20 20H92a20 20 0 0 1-20-20z" />
      <path class="rim" d="M70 64h84" />
    </svg>`,
  },
]

export const productOf = (id: string | undefined): Product | null =>
  products.find((product) => product.id === id) ?? null

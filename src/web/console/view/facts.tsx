/** Names and what is known of them, one under the other. */
import type { ComponentChildren, JSX } from 'preact'

export function Facts({
  facts,
}: {
  readonly facts: readonly (readonly [name: string, value: ComponentChildren])[]
}): JSX.Element {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export function Trouble({ text }: { readonly text: string }): JSX.Element {
  return (
    <p class="trouble" role="alert">
      {text}
    </p>
  )
}

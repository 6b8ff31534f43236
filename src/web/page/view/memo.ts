/** A component that is rendered again only when `isSame` says that its properties are others: of a long log, only what has changed. */
import { Component, type ComponentChildren, type FunctionComponent } from 'preact'

export function memo<Props extends object>(
  render: (props: Props) => ComponentChildren,
  isSame: (before: Props, after: Props) => boolean,
): FunctionComponent<Props> {
  class Memo extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      return !isSame(this.props, next)
    }

    override render(): ComponentChildren {
      return render(this.props)
    }
  }
  // A class is made by its renderer, as a function is called by it.
  return Memo as unknown as FunctionComponent<Props>
}
